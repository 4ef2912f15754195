"""Posts that wait at the same moment are committed together: one transaction, one broadcast, one sync to disk.

A lone post is written at once. While a room's transaction runs, what else arrives for that room waits, and goes
into the next one, in the order of its arrival. After a transaction of several, what already lies in the sockets is
read first: each transaction is passed on to everybody in the room, so the same posts in fewer of them cost less.
"""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, nullcontext

from django.db import connection

from chat import actions
from chat.actions import Post, Posted
from chat.database import in_database
from chat.errors import ChatError

MAX_TOGETHER = 200  # posts in a transaction: about 25 ms of work, for which the room is locked
# Turns of the event loop between two transactions of a busy room: about what a post takes from its socket to here.
# An idle loop turns so often in a fraction of a millisecond; a busy one brings the answers to the last transaction.
GATHERING_TURNS = 12

Waiting = tuple[Post, asyncio.Future[Posted]]


class Writer:
    """Writes the posts of one event loop."""

    def __init__(self) -> None:
        self._waiting: defaultdict[int, list[Waiting]] = defaultdict(list)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        # SQLite has one writer at a time: taking turns here beats its way of waiting, which is to sleep and try again.
        self._turn: AbstractAsyncContextManager = asyncio.Lock() if connection.vendor == "sqlite" else nullcontext()

    def post(self, room_id: int, post: Post) -> asyncio.Future[Posted]:
        """What ``actions.post`` returns or raises for ``post``, once it is committed. Posts to a room are written in
        the order in which they are given here."""
        answer: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
        self._waiting[room_id].append((post, answer))
        if room_id not in self._tasks:
            self._tasks[room_id] = asyncio.create_task(self._write(room_id))
        return answer

    async def _write(self, room_id: int) -> None:
        waiting = self._waiting
        try:
            while waiting[room_id]:
                together, waiting[room_id] = waiting[room_id][:MAX_TOGETHER], waiting[room_id][MAX_TOGETHER:]
                await self._write_together(room_id, together)
                if len(together) > 1:
                    for _ in range(GATHERING_TURNS):
                        await asyncio.sleep(0)
        finally:
            del self._tasks[room_id], waiting[room_id]

    async def _write_together(self, room_id: int, together: list[Waiting]) -> None:
        posts = [post for post, _ in together]
        try:
            async with self._turn:
                results = await in_database(actions.post_together, room_id, posts)
        except Exception as error:
            if len(together) > 1 and not isinstance(error, ChatError):
                # One of them broke the transaction in a way we did not foresee: it must not take the others along.
                for one in together:
                    await self._write_together(room_id, [one])
                return
            results = [error] * len(together)
        for (_, answer), result in zip(together, results, strict=True):
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
