"""PostgreSQL as the database: what is promised on SQLite is promised there, too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.clients import participant, viewer
from tests.live.test_resources import open_streams
from tests.parts import LONG
from tests.servers import ROOT, Engawa, Postgres, engawa_environment, manage

_MORE = (
    *("archives", "reading", "permalinks", "feeds", "oembed", "metadata", "embeds", "several", "viewers", "viewing"),
    *("view_token_views", "moderator_views", "api"),
)
DATABASE_SUITES = [
    f"test_{name}.py"
    for name in (
        *("log", "rows", "actions", "writer", "relay", "views", "screening"),
        *("accounts", "invitations", "personal", "admin", "retention", "search", "indexing"),
        *(_MORE if LONG else ()),
    )
]
STREAMS = 100


@pytest.fixture(scope="module")
def database_url(postgres: Postgres) -> str:
    return postgres.fresh_database()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Engawa]:
    engawa = Engawa(tmp_path_factory.mktemp("on_postgres"), DATABASE_URL=database_url)
    yield engawa
    engawa.stop()


@pytest.mark.timeout(660)
def test_the_database_suites_pass_on_postgres(postgres: Postgres) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/unit/{name}" for name in DATABASE_SUITES)],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": postgres.fresh_database(),
            "SECRET_KEY": "a secret for tests, and for nothing else at all",
        },
        capture_output=True,
        text=True,
        timeout=600 if LONG else 240,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_address_may_say_more_and_nothing_of_what_is_relied_on(postgres: Postgres, tmp_path: Path) -> None:
    more = "options=-c%20lock_timeout%3D1s%20-c%20synchronous_commit%3Doff&connect_timeout=9"
    environment = engawa_environment(tmp_path, DATABASE_URL=f"{postgres.fresh_database()}?{more}")
    code = (
        "from django.db import connection\n"
        "with connection.cursor() as cursor:\n"
        "    for name in ('lock_timeout', 'idle_in_transaction_session_timeout', 'synchronous_commit'):\n"
        "        cursor.execute(f'SHOW {name}')\n"
        "        print(*cursor.fetchone())\n"
        "print(connection.connection.info.get_parameters()['connect_timeout'])"
    )
    said = manage(environment, "shell", "-v0", "-c", code)
    assert said.split() == ["1s", "30s", "on", "9"]


async def test_open_streams_add_no_connection(server: Engawa, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as database:

        def connections() -> int:
            return database.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()[0]

        async with viewer(server.base) as watching, participant(server.sockets) as somebody:
            # A few threads share the work, each with a connection of its own: have all of them come up first.
            async with open_streams(server, 10):
                await somebody.post("warm")
            before = connections()
            async with open_streams(server, STREAMS):
                await somebody.post("to all")
                await watching.events_until("to all")
                assert connections() <= max(before, 4)


def test_a_commit_waits_for_the_disk(server: Engawa) -> None:
    """What is acknowledged is durable: nothing on the way to the application's connections turns that off."""
    said = server.shell(
        "from django.db import connection\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SHOW synchronous_commit')\n"
        "    print(cursor.fetchone()[0])"
    )
    assert said == "on"


def test_the_log_is_clean(server: Engawa) -> None:
    assert "Traceback" not in Path(server.log).read_text()
