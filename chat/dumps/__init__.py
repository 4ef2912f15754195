"""How a database is copied out while it is used, and put back as a whole or not at all: SQLite's way and PostgreSQL's.

Each module has ``MEMBER`` and ``COMPRESSED`` (what the copy is called, and whether it is compressed already),
``version()``, ``copy_out(write, scratch, beat)``, which returns what is in the copy, ``others()`` (how many
connections somebody else has), and ``beside(stream, scratch, schema)``: a context in which a copy that was put beside
the database takes its place for whoever asks, with a function that makes that so for good.
"""

from dataclasses import dataclass
from types import ModuleType

from django.db import connection


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a copy: applied migrations by app, and how many rooms, messages and accounts."""

    migrations: dict[str, list[str]]
    counts: dict[str, int]
    schema: str = ""


COUNTED = {"rooms": "chat_room", "messages": "chat_message", "accounts": "chat_user"}


def of_this_database() -> ModuleType:
    return of(connection.vendor)


def of(kind: str) -> ModuleType:
    """For ``sqlite`` or ``postgresql``."""
    from chat.dumps import postgresql, sqlite

    return {"sqlite": sqlite, "postgresql": postgresql}[kind]


def content_by(ask, schema: str = "") -> Content:
    """What is in the database that ``ask`` asks, a function that returns the rows of a query."""
    migrations: dict[str, list[str]] = {}
    for app, name in ask("SELECT app, name FROM django_migrations ORDER BY app, name"):
        migrations.setdefault(app, []).append(name)
    counts = {what: ask(f"SELECT count(*) FROM {table}")[0][0] for what, table in COUNTED.items()}  # noqa: S608 – tables are ours
    return Content(migrations, counts, schema)
