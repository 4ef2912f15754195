"""Posts that wait at the same moment are committed together: one transaction, one broadcast, one sync to disk.

A lone post is written at once. While a transaction runs, what else arrives waits in line, and goes into the next one,
in the order of its arrival. After a transaction of several, what already lies in the sockets is read first: each
transaction is passed on to everybody in the room, so the same posts in fewer of them cost less.

There is a line for each room, so that a locked one holds up nobody else; but one for all on SQLite, which has one
writer at a time whatever is written: a hundred rooms with a post each are one sync to disk as well.
"""

import asyncio
from collections import defaultdict

from django.db import connection

from chat import meters, posting, tracing
from chat.answers import Held, Posted
from chat.database import in_database
from chat.errors import ChatError
from chat.posting import Draft

MAX_TOGETHER = 200  # posts in a transaction: about 25 ms of work, for which the room is locked
# Turns of the event loop between two transactions of a busy room: about what a post takes from its socket to here.
# An idle loop turns so often in a fraction of a millisecond; a busy one brings the answers to the last transaction.
GATHERING_TURNS = 12

Waiting = tuple[
    int, Draft, asyncio.Future[Posted | Held]
]  # the room's primary key, what is to be written, and who waits
Line = int | None  # a room's, or that of all rooms


class Writer:
    """Writes the posts of one event loop."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Line, list[Waiting]] = defaultdict(list)
        self._tasks: dict[Line, asyncio.Task[None]] = {}
        self._has_one_line = connection.vendor == "sqlite"

    def post(self, room_id: int, draft: Draft) -> asyncio.Future[Posted | Held]:
        """What ``posting.post`` returns or raises for what was drafted, once it is committed. Posts to a room are
        written in the order in which they are given here."""
        answer: asyncio.Future[Posted | Held] = asyncio.get_running_loop().create_future()
        line = None if self._has_one_line else room_id
        self._waiting[line].append((room_id, draft, answer))
        if line not in self._tasks:
            self._tasks[line] = tracing.apart(self._write(line), line)
        return answer

    async def _write(self, line: Line) -> None:
        waiting = self._waiting
        try:
            while waiting[line]:
                together, waiting[line] = waiting[line][:MAX_TOGETHER], waiting[line][MAX_TOGETHER:]
                await self._write_together(together)
                if len(together) > 1:
                    for _ in range(GATHERING_TURNS):
                        await asyncio.sleep(0)
        finally:
            del self._tasks[line], waiting[line]

    async def _write_together(self, together: list[Waiting]) -> None:
        try:
            results = await in_database(posting.write_in_rooms, [(room_id, draft) for room_id, draft, _ in together])
        except Exception as error:
            if len(together) > 1 and not isinstance(error, ChatError):
                # One of them broke the transaction in a way we did not foresee: it must not take the others along.
                for one in together:
                    await self._write_together([one])
                return
            results = [error] * len(together)
        else:
            meters.posts_together.observe(len(together))
        for (_, _, answer), result in zip(together, results, strict=True):
            if answer.done():  # its author has gone
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)


_writer: tuple[asyncio.AbstractEventLoop, Writer] | None = None


def writer() -> Writer:
    """The writer of the running event loop."""
    global _writer
    loop = asyncio.get_running_loop()
    if _writer is None or _writer[0] is not loop:
        _writer = (loop, Writer())
    return _writer[1]
