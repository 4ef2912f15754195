"""The tables that searches ask, each database's own. What was said before there were any is entered after the last
migration (``chat.apps``)."""

from django.db import migrations

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


class Migration(migrations.Migration):
    dependencies = [("chat", "0008_search")]
    operations = [migrations.RunPython(create, drop)]
