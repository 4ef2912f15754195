"""Many rows in one statement, from tuples: a model instance for each would cost more than writing it."""

import json
from collections.abc import Sequence
from functools import cache, partial

from django.db import connection, models

# SQLite is handed what these hold as it is; other fields say themselves how they are kept there.
_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.ForeignKey)
_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=str
)  # times and UUIDs: PostgreSQL reads them

Model = type[models.Model]
Columns = tuple[str, ...]


def insert(model: Model, columns: Columns, rows: Sequence[Sequence[object]]) -> int:
    """Insert ``rows``, the values of ``columns`` (fields by ``attname``). Returns how many there were room for: one
    that collides with another under a unique constraint is left out.

    One statement, or several where the backend takes no more parameters in one.
    """
    if not rows:
        return 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One parameter: the time that goes into quoting each of a thousand is ours, that of parsing this is its.
            given = _json.encode([dict(zip(columns, row, strict=True)) for row in rows])
            cursor.execute(_from_json(model, columns), [given])
            return cursor.rowcount
        inserted = 0
        most = (connection.features.max_query_params or 999) // len(columns)
        convert = _conversions(model, columns)
        for start in range(0, len(rows), most):
            some = rows[start : start + most]
            values: list[object] = []
            for row in some:
                values += row
            for index, function in convert:
                values[index :: len(columns)] = map(function, values[index :: len(columns)])
            cursor.execute(_from_values(model, columns, len(some)), values)
            inserted += cursor.rowcount
        return inserted


def update(model: Model, columns: Columns, rows: Sequence[Sequence[object]]) -> None:
    """Set the values of ``columns`` in rows that are there: each of ``rows`` ends with its primary key. For values
    that the database is handed as they are."""
    with connection.cursor() as cursor:
        cursor.executemany(_update(model, columns), rows)


@cache
def _update(model: Model, columns: Columns) -> str:
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(model._meta.get_field(name).column)} = %s" for name in columns)
    return f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {quote(model._meta.pk.column)} = %s"  # noqa: S608 – names of ours; values go beside


@cache
def _conversions(model: Model, columns: Columns) -> list[tuple[int, partial]]:
    fields = [(index, model._meta.get_field(name)) for index, name in enumerate(columns)]
    return [
        (index, partial(field.get_db_prep_save, connection=connection))
        for index, field in fields
        if not isinstance(field, _AS_THEY_ARE)
    ]


@cache
def _from_values(model: Model, columns: Columns, count: int) -> str:
    row = f"({', '.join(['%s'] * len(columns))})"
    return _statement(model, columns, f"VALUES {', '.join([row] * count)}")


@cache
def _from_json(model: Model, columns: Columns) -> str:
    quote = connection.ops.quote_name
    types = ", ".join(f"{quote(name)} {model._meta.get_field(name).db_type(connection)}" for name in columns)
    names = ", ".join(map(quote, columns))
    return _statement(model, columns, f"SELECT {names} FROM json_to_recordset(%s::json) AS given({types})")  # noqa: S608 – names of ours; values go beside


def _statement(model: Model, columns: Columns, source: str) -> str:
    """Nothing of this comes from outside: the model names everything, and values are parameters."""
    quote = connection.ops.quote_name
    table, names = model._meta.db_table, ", ".join(quote(model._meta.get_field(name).column) for name in columns)
    return f"INSERT INTO {quote(table)} ({names}) {source} ON CONFLICT DO NOTHING"
