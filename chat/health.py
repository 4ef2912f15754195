"""Answers for machines that ask whether this process is well."""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse


def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return _word("alive", 200)


def ready(request: HttpRequest) -> HttpResponse:
    """200 where it can do its work; otherwise 503 and one word of why."""
    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return _word("database", 503)
    return _word("migrations", 503) if behind else _word("ready", 200)


def _word(word: str, status: int) -> HttpResponse:
    return HttpResponse(word + "\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"})
