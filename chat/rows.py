"""Many rows in one statement, from tuples: a model instance for each would cost more than writing it."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import islice

from django.db import connection, models

# What these hold is handed to the database as it is; other fields' values are put as the backend has them.
_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.ForeignKey)


def insert(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Sequence[object]]) -> int:
    """Insert ``rows``, the values of ``columns`` (fields by ``attname``). Returns how many there were room for: one
    that collides with another under a unique constraint is left out.

    One statement, or several where the backend takes no more parameters in one.
    """
    inserted = 0
    prepared = iter(_prepared(model, columns, rows))
    most = (connection.features.max_query_params or 32_000) // len(columns)
    with connection.cursor() as cursor:
        while some := list(islice(prepared, most)):
            cursor.execute(_statement(model, columns, len(some)), [value for row in some for value in row])
            inserted += cursor.rowcount
    return inserted


def _prepared(
    model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Sequence[object]]
) -> Iterator[list[object]]:
    fields = [(index, model._meta.get_field(name)) for index, name in enumerate(columns)]
    converted = [
        (index, partial(field.get_db_prep_save, connection=connection))
        for index, field in fields
        if not isinstance(field, _AS_THEY_ARE)
    ]
    for row in rows:
        values = list(row)
        for index, convert in converted:
            values[index] = convert(values[index])
        yield values


@cache
def _statement(model: type[models.Model], columns: tuple[str, ...], count: int) -> str:
    quote = connection.ops.quote_name
    names = ", ".join(quote(model._meta.get_field(name).column) for name in columns)
    row = f"({', '.join(['%s'] * len(columns))})"
    # Nothing of this comes from outside: the model names everything, and values are parameters.
    table, values = quote(model._meta.db_table), ", ".join([row] * count)
    return f"INSERT INTO {table} ({names}) VALUES {values} ON CONFLICT DO NOTHING"  # noqa: S608
