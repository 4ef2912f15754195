"""Read marks of those who are connected here: put down together, a moment later, so that who reads a busy room costs
those who write in it nothing."""

import asyncio
import logging

from chat import errors, read_marks, tracing
from chat.database import in_database
from chat.read_marks import Place

GATHER_SECONDS = 0.2  # what is read within it is written together
PAUSE_SECONDS = 3.0  # between two writes, whatever is read
MOST_WAITING = 20_000

logger = logging.getLogger(__name__)


class Marks:
    """Those of one event loop that wait to be written."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._seen: dict[Place, str] = {}
        self._due: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._write_at = 0.0

    def see(self, place: Place, mid: str) -> None:
        """Somebody has read up to ``mid``."""
        if self._seen.get(place, "") < mid and (place in self._seen or len(self._seen) < MOST_WAITING):
            self._seen[place] = mid
            self._schedule()

    def _schedule(self) -> None:
        if self._due is None and self._task is None:
            self._due = self.loop.call_at(max(self.loop.time() + GATHER_SECONDS, self._write_at), self._begin)

    def _begin(self) -> None:
        self._due = None
        self._task = tracing.apart(self._write())

    async def _write(self) -> None:
        seen, self._seen = self._seen, {}
        try:
            await in_database(read_marks.write, seen)
        except errors.ServerBusy:
            logger.warning("the database is away: how far %s have read is not kept", len(seen))
        except Exception:
            logger.exception("how far somebody has read could not be kept")
        finally:
            self._task = None
            self._write_at = self.loop.time() + PAUSE_SECONDS
            if self._seen:
                self._schedule()

    async def flush(self) -> None:
        """Write what waits now: for the end of this process."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._seen:
            await self._write()


_current: Marks | None = None


def marks() -> Marks:
    """Those of the running event loop."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Marks()
    return _current
