import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults import law
from tests.servers import Engawa, Postgres, Redis, make_database, postgres_process, redis_process

# Pages name what lies in static/, whatever a server has made of it here. Before any test brings the application in.
settings.STATIC_FILES, settings.SERVESTATIC_USE_STATIC_ROOT = "sources", False


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    law.tell(terminalreporter)
    if os.environ.get("ENGAWA_NOT_AUDITED"):
        terminalreporter.section("NOT AUDITED")
        terminalreporter.write_line("Nobody could be asked about what is used here. Run bin/audit before you release.")


@pytest.fixture(scope="session", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Made once, when a server first needs one. tests/live/test_start.py has servers make their own, and so do those
    on PostgreSQL."""
    Engawa.database = functools.cache(lambda: make_database(tmp_path_factory.mktemp("database")))


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis_process(tmp_path_factory.mktemp("redis")) as process:
        yield process


@pytest.fixture(scope="session")
def redis_url(redis: Redis) -> str:
    return redis.url


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres_process(tmp_path_factory.mktemp("postgres")) as process:
        yield process


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """Of a server; ``postgres.fresh_database()`` makes a database of one's own in it."""
    return postgres.url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    """One Engawa process, as on a laptop. Shared by a module: tests use rooms of their own."""
    engawa = Engawa(tmp_path_factory.mktemp("server"))
    yield engawa
    engawa.stop()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[tuple[Engawa, Engawa]]:
    """Two Engawa processes on one database and one Redis."""
    folder: Path = tmp_path_factory.mktemp("servers")
    one = Engawa(folder, "one", REDIS_URL=redis_url)
    two = Engawa(folder, "two", REDIS_URL=redis_url)
    yield one, two
    one.stop()
    two.stop()
