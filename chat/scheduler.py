"""Has done what is due, in a thread of its own beside a server, or alone (``manage.py schedule``).

Nobody waits for it. What is due, and that one process does it, the database says (``chat.schedule``).
"""

import asyncio
import logging
import random
from concurrent.futures import Future
from contextlib import suppress
from threading import Event, Thread

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

LOOK_SECONDS = 60.0  # what others left is found so soon
FIRST_SECONDS = 10.0  # after a server's start, which has enough to do; or up to half as much again

logger = logging.getLogger(__name__)


class Scheduler:
    """Looks again and again, until stopped."""

    def __init__(self, first_seconds: float = 0.0) -> None:
        self._pause = first_seconds
        self._stop = Event()
        self._ended: Future[None] = Future()
        self._thread = Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def told_to_stop(self) -> None:
        self._stop.set()

    async def stopped(self) -> None:
        """Wait until it has ended what it was at, up to its next step."""
        await asyncio.shield(asyncio.wrap_future(self._ended))
        self._thread.join()  # it has said its last word, and is gone at once

    def _run(self) -> None:
        try:
            self.run()
        finally:
            self._ended.set_result(None)

    def run(self) -> None:
        while not self._stop.wait(self._pause):
            self._pause = self.round()

    def round(self) -> float:
        """Do what is due. Returns how many seconds to wait until the next look."""
        # What is done needs much that a server of sockets alone has no use for.
        from chat import schedule
        from chat.chores import chores

        pause = random.uniform(0.9, 1.1) * LOOK_SECONDS  # noqa: S311 – spreads load, keeps no secret
        try:
            here = chores()
            schedule.run_due(here, self._stop.is_set)
            due = schedule.next_due_at(here)
            if due is not None:
                pause = min(pause, max(1.0, (due - timezone.now()).total_seconds()))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("what is due could not be looked up: %s", type(error).__name__)
        except Exception:
            logger.exception("looking for what is due failed")
        finally:
            with suppress(DatabaseError, InterfaceError):
                connection.close()
        return pause


_scheduler: Scheduler | None = None


def start() -> None:
    """Do what is due beside this server, until ``stop``; nothing where the setting SCHEDULER is false."""
    global _scheduler
    if settings.SCHEDULER:
        _scheduler = Scheduler(FIRST_SECONDS * random.uniform(1, 1.5))  # noqa: S311 – spreads load, keeps no secret
        _scheduler.start()


async def stop() -> None:
    global _scheduler
    if _scheduler is not None:
        scheduler, _scheduler = _scheduler, None
        scheduler.told_to_stop()
        await scheduler.stopped()
