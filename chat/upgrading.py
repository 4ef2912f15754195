"""Bringing the database up to date: once it is there, and by one process at a time, on however many machines."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from chat.schedule import CannotBeDone

LOCK_NAME = "engawa upgrade"  # of the connection that holds PostgreSQL's
LOCK_KEY = 0x656E67617761  # "engawa", among the advisory locks of a database
LOOK_SECONDS = 0.5

Tell = Callable[[str], None]


def wait_for_database(seconds: float) -> None:
    """Until it answers. Raises ``CannotBeDone``. A file is there or is not, and nobody waits for it."""
    until = monotonic() + (seconds if connection.vendor != "sqlite" else 0)
    while True:
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            if monotonic() >= until:
                why = str(error).strip().splitlines()[0]
                raise CannotBeDone(f"cannot use the database {connection.settings_dict['NAME']}: {why}") from error
        sleep(LOOK_SECONDS)


@contextmanager
def one_at_a_time(tell: Tell = lambda sentence: None) -> Iterator[None]:
    """Let one process through that changes the database's tables; the others wait for as long as it takes. Where it is
    killed, the next goes on."""
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        with path.with_name(f"{path.name}.upgrade").open("w") as lock:
            _take(lambda: _locked(lock), tell)
            yield
        return
    with closing(connection.copy()) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [LOCK_NAME])

        def try_lock() -> bool:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
            return cursor.fetchone()[0]

        _take(try_lock, tell)
        yield


def _locked(file: object) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(try_lock: Callable[[], bool], tell: Tell) -> None:
    if try_lock():
        return
    tell("Another process upgrades the database; waiting for it.")
    while not try_lock():
        sleep(LOOK_SECONDS)


def migrate(seconds: float, verbosity: int = 0) -> int:
    """Apply what is not applied yet, and enter the search index where that is not finished. Returns how many migrations
    were applied.

    A table that is in use for longer than a lock is waited for has a migration rolled back; it is tried again for so
    many seconds.
    """
    before = len(applied())
    until = monotonic() + seconds
    while True:
        try:
            call_command("migrate", interactive=False, verbosity=verbosity)
            return len(applied()) - before
        except OperationalError as error:
            if monotonic() >= until:
                raise CannotBeDone(f"the database could not be brought up to date: {str(error).strip()}") from error
        sleep(LOOK_SECONDS)


def applied() -> set[tuple[str, str]]:
    """App and name of the migrations that the database has had."""
    return set(MigrationRecorder(connection).applied_migrations())


def known() -> tuple[set[str], set[tuple[str, str]]]:
    """The apps of this code that have migrations, and all of these."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return loader.migrated_apps, set(loader.disk_migrations)
