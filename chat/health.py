"""Answers for machines that ask whether this process is well: ASGI applications, answered on the event loop.

*Live* asks nothing of anybody, so that a database that hangs, or threads that are all busy, restart nothing. *Ready*
asks the database and the channel layer, each for so long and no longer; whoever asks within a second is told the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from time import monotonic

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.apps import apps
from django.db import DatabaseError, connection

from chat.database import in_database
from chat.errors import ServerBusy
from chat.plain import say
from chat.relays import relays

DATABASE_SECONDS = 3.0
LAYER_SECONDS = 2.0
SHARED_SECONDS = 1.0
MIGRATIONS_TABLE = "django_migrations"


class State(Enum):
    """How well this process is: the lines that say so, and whether it should be sent anybody."""

    READY = "ready", 200
    # Nothing is lost without the channel layer: what others have committed is heard within a second.
    DEGRADED = "degraded\nlayer", 200
    DATABASE = "database", 503
    MIGRATIONS = "migrations", 503
    LEAVING = "leaving", 503

    def __init__(self, text: str, status: int) -> None:
        self.text = text
        self.status = status


class Checks:
    """Finds out how well this process is, once for all who ask at the same time."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._check: asyncio.Task[State] | None = None
        self._began = 0.0

    async def state(self) -> State:
        if relays().is_draining:
            return State.LEAVING
        is_old = monotonic() - self._began >= SHARED_SECONDS
        if self._check is None or (is_old and self._check.done()):
            self._began = monotonic()
            self._check = asyncio.create_task(_look())
        return await asyncio.shield(self._check)


async def _look() -> State:
    lack, layer_carries = await asyncio.gather(_lack_of_database(), relays().carries(LAYER_SECONDS))
    return lack or (State.READY if layer_carries else State.DEGRADED)


async def _lack_of_database() -> State | None:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            return State.MIGRATIONS if await in_database(_is_behind) else None
    except (TimeoutError, ServerBusy, DatabaseError):
        return State.DATABASE


def _is_behind() -> bool:
    """Whether there are migrations that the database has not. One that has more is ahead, and that is well: others run
    newer code already."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SELECT app, name FROM {MIGRATIONS_TABLE}")  # noqa: S608 – a constant
        except DatabaseError:
            if MIGRATIONS_TABLE in connection.introspection.table_names():
                raise
            return True
        return not _shipped() <= set(cursor.fetchall())


@cache
def _shipped() -> set[tuple[str, str]]:
    """The app's label and the name of each migration of this code: as files, for loading them takes megabytes."""
    return {
        (config.label, module.name)
        for config in apps.get_app_configs()
        for module in iter_modules([str(Path(config.path) / "migrations")])
        if not module.ispkg and module.name[0] not in "_~"
    }


_current: Checks | None = None


def _checks() -> Checks:
    """Those of the running event loop."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Checks()
    return _current


async def _live() -> tuple[int, str]:
    return 200, "alive"


async def _ready() -> tuple[int, str]:
    state = await _checks().state()
    return state.status, state.text


class Door:
    """Tells what ``find_out`` says, a status and a text, to whoever asks by GET or HEAD."""

    def __init__(self, find_out: Callable[[], Awaitable[tuple[int, str]]]) -> None:
        self._find_out = find_out

    async def __call__(self, scope: dict, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await say(send, 405, "Ask by GET.", {"Allow": "GET, HEAD"})
            return
        await say(send, *await self._find_out())


live, ready = Door(_live), Door(_ready)
