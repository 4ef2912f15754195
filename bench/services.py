"""What systems stand on: Redis, PostgreSQL, and databases with rooms in them. Each is made when it is first needed."""

import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path

import psutil
import psycopg

from bench.placement import Cores, on_core
from tests.servers import ROOT, Postgres, Redis, engawa_environment, manage, postgres_process, redis_process

ROOMS = 100  # room0 to room99
BENCH_FOLDER = ROOT / "var" / "bench"

_MAKE_ROOMS = (
    "from chat.models import Room; "
    f"Room.objects.bulk_create(Room(slug=f'room{{n}}', title=f'Room {{n}}') for n in range({ROOMS}))"
)


def _locked(folder: Path) -> int:
    """The descriptor of a folder that is locked until it is closed. Raises ``BlockingIOError``."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def _sweep() -> None:
    """Remove what runs have left behind that were killed."""
    for folder in BENCH_FOLDER.glob("run-*"):
        with suppress(BlockingIOError, FileNotFoundError):
            descriptor = _locked(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


class Services:
    """A context: at its end everything is stopped, and its folder is gone. That is on the disk that ``var`` is on."""

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self._stack = ExitStack()

    def __enter__(self) -> "Services":
        BENCH_FOLDER.mkdir(parents=True, exist_ok=True)
        _sweep()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=BENCH_FOLDER)))
        self.folder.chmod(0o711)  # PostgreSQL may run as somebody else
        self._stack.callback(os.close, _locked(self.folder))
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @cached_property
    def redis(self) -> Redis:
        with on_core(self.cores.parts):
            return self._stack.enter_context(redis_process(self.folder))

    @cached_property
    def postgres(self) -> Postgres:
        with on_core(self.cores.parts):
            return self._stack.enter_context(postgres_process(self.folder))

    def versions(self) -> dict[str, str]:
        """Of what was used of these."""
        found = {}
        if "redis" in self.__dict__:
            found["Redis"] = self.redis.command_line("INFO", "server")["redis_version"]
        if "postgres" in self.__dict__:
            with psycopg.connect(self.postgres.url) as connection:
                found["PostgreSQL"] = connection.execute("SHOW server_version").fetchone()[0]
        return found

    def processes_of(self, database: str | None) -> list[psutil.Process]:
        """The database's own processes, where it has any."""
        return [psutil.Process(self.postgres.pid)] if database == "postgres" else []

    @cached_property
    def sqlite_template(self) -> Path:
        """A SQLite database with rooms, to copy."""
        folder = self.folder / "template"
        folder.mkdir()
        self._prepare(folder)
        return folder / "db.sqlite3"

    @cached_property
    def _postgres_template(self) -> str:
        url = self.postgres.fresh_database()
        self._prepare(self.folder, DATABASE_URL=url)
        return url.rpartition("/")[2]

    def _prepare(self, folder: Path, **settings: str) -> None:
        environment = engawa_environment(folder, **settings)
        manage(environment, "migrate", "-v0")
        manage(environment, "shell", "-v0", "-c", _MAKE_ROOMS)

    def sqlite(self, folder: Path) -> str:
        """The URL of a new SQLite database with rooms, in ``folder``."""
        shutil.copy(self.sqlite_template, folder / "db.sqlite3")
        return f"sqlite:///{folder}/db.sqlite3"

    def postgres_database(self) -> str:
        """The URL of a new PostgreSQL database with rooms."""
        return self.postgres.fresh_database(template=self._postgres_template)
