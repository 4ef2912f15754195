"""The tables that searches ask, each database's own; and in them what was said before there were any.

Not in one transaction: it takes a few minutes for a million messages, and may be interrupted and run again.
"""

from django.db import connection, migrations

from chat import reindexing

SQLITE = "CREATE VIRTUAL TABLE IF NOT EXISTS chat_search USING fts5(terms, detail=none, columnsize=0, tokenize=ascii)"
POSTGRESQL = (
    "CREATE TABLE IF NOT EXISTS chat_search (id bigint PRIMARY KEY, terms bigint[] NOT NULL)",
    # Merging what waits costs less than looking through it with every search.
    "CREATE INDEX IF NOT EXISTS chat_search_terms ON chat_search USING gin (terms)"
    " WITH (fastupdate = on, gin_pending_list_limit = 256)",
)


def create(apps: object, schema_editor: object) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else [SQLITE]:
        schema_editor.execute(statement)


def drop(apps: object, schema_editor: object) -> None:
    schema_editor.execute("DROP TABLE IF EXISTS chat_search")


def fill(apps: object, schema_editor: object) -> None:
    if schema_editor.connection.alias == connection.alias:
        reindexing.reindex()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("chat", "0008_search")]
    operations = [migrations.RunPython(create, drop), migrations.RunPython(fill, migrations.RunPython.noop)]
