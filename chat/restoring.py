"""Putting a backup back: beside what is there, brought up to date, its logs begun anew; then the two change places, in
one transaction. Whatever stops it before leaves what was there."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from django.db import DatabaseError, connection, transaction

from chat import backups, dumps, indexing, log, schedule, upgrading
from chat.backups import Manifest
from chat.models import Headcount, Message, Room, User
from chat.schedule import CannotBeDone

MIGRATE_SECONDS = 60.0


def check(manifest: Manifest, path: Path) -> None:
    """Raises ``CannotBeDone`` where this code cannot put that backup into this database."""
    if manifest.database != connection.vendor:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise CannotBeDone(
            f"{path} is a backup of {names.get(manifest.database, manifest.database)}, and DATABASE_URL names "
            f"{names[connection.vendor]}; a backup goes back into the kind of database that it was made of"
        )
    apps, known = upgrading.known()
    there = {(app, name) for app, names in manifest.migrations.items() if app in apps for name in names}
    if unknown := sorted(there - known):
        raise CannotBeDone(
            f"{path} was made by a newer Engawa ({manifest.engawa}, with the migration {'.'.join(unknown[-1])}): "
            "update the code first"
        )


def has_same_secret(manifest: Manifest) -> bool:
    """Whether SECRET_KEY is the one that sessions and guests' names in the backup were signed with."""
    return manifest.secret == indexing.fingerprint()


def what_is_there() -> dict[str, int]:
    """How many rooms, messages and accounts the database has. Nothing where it has none, or no tables."""
    try:
        with transaction.atomic():
            counts = {model: model.objects.count() for model in (Room, Message, User)}
    except DatabaseError:
        return {}
    finally:
        connection.close()
    names = dict(zip(counts, dumps.COUNTED, strict=True))
    return {names[model]: count for model, count in counts.items()} if any(counts.values()) else {}


def restore(path: Path, tell: Callable[[str], None], verbosity: int = 0) -> int:
    """Put the backup ``path`` in the place of the database. Returns how many rooms' logs begin anew. Raises
    ``CannotBeDone``; then the database is as it was."""
    kind = dumps.of_this_database()
    with ExitStack() as stack:
        manifest, copy = stack.enter_context(backups.opened(path))
        check(manifest, path)
        copy.check()
        stack.enter_context(upgrading.one_at_a_time(tell))
        if kind.others():
            raise CannotBeDone(
                "somebody else uses the database: stop every process of Engawa, and what else is connected to it"
            )
        scratch = stack.enter_context(backups.scratch_in(kind.folder()))
        stream = stack.enter_context(copy.open())
        take_its_place = stack.enter_context(kind.beside(stream, scratch, manifest.schema))
        if count := upgrading.migrate(MIGRATE_SECONDS, verbosity):
            tell(f"Migrations that are newer than the backup were applied: {count}.")
        with transaction.atomic():
            Headcount.objects.all().delete()
            schedule.forget_holders()
        rooms = restart_logs()
        take_its_place()
    return rooms


def restart_logs() -> int:
    """Number every room's events anew, beyond any number given out before. Returns how many rooms."""
    with transaction.atomic():
        rooms = list(Room.objects.order_by("pk").values_list("pk", flat=True))
        for pk in rooms:
            log.restart(pk)
    return len(rooms)
