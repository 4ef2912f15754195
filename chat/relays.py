"""All the relays of this process: started with a room's first follower, compared with the log every second,
stopped a while after the last one left.

There is one set of relays an event loop, made at first use, since Daphne has no lifespan to start it in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from chat import broadcast, errors, log
from chat.database import in_database
from chat.events import LoggedEvent
from chat.models import Room
from chat.relay import Relay

logger = logging.getLogger(__name__)

COMPARE_SECONDS = 1.0
IDLE_SECONDS = 30.0  # a room whose last viewer reloads the page should not start anew


class Relays:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._by_id: dict[int, Relay] = {}
        self._by_slug: dict[str, Relay] = {}
        self._starting: dict[str, asyncio.Future[Relay]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        broadcast.bind(self.loop)
        broadcast.add_sink(self._hear)
        # Apart, so that a database that hangs does not silence the heartbeats.
        self._tasks = [
            asyncio.create_task(self._every_second(self._keep_alive)),
            asyncio.create_task(self._every_second(self._compare_heads)),
        ]

    async def of(self, slug: str) -> Relay:
        """The relay of the room with that (canonical) slug. Raises ``RoomNotFound`` or ``ServerBusy``."""
        relay = self._by_slug.get(slug)
        if relay is not None:
            relay.idle_since = monotonic()
            return relay
        starting = self._starting.get(slug)
        if starting is None:
            starting = self._starting[slug] = asyncio.ensure_future(self._start(slug))
            starting.add_done_callback(lambda _: self._starting.pop(slug, None))
        return await asyncio.shield(starting)

    async def _start(self, slug: str) -> Relay:
        room = await in_database(Room.objects.filter(slug=slug).first)
        if room is None:
            raise errors.RoomNotFound()
        relay = Relay(room)
        self._by_id[room.pk] = self._by_slug[slug] = relay
        return relay

    async def close(self) -> None:
        """Stop everything: for the end of a test's loop."""
        broadcast.remove_sink(self._hear)
        for task in self._tasks:
            task.cancel()
        stopping = [relay.stop() for relay in self._by_id.values()]
        await asyncio.gather(*self._tasks, *stopping, return_exceptions=True)
        self._by_id.clear()
        self._by_slug.clear()

    def _hear(self, room_id: int, slug: str, events: list[LoggedEvent]) -> None:
        """The broadcast's sink: events were committed here, in some thread."""
        try:
            self.loop.call_soon_threadsafe(self._offer, room_id, events)
        except RuntimeError:  # the loop is closed: this process is ending
            broadcast.remove_sink(self._hear)

    def _offer(self, room_id: int, events: list[LoggedEvent]) -> None:
        relay = self._by_id.get(room_id)
        if relay is not None:
            relay.offer(events)

    async def _every_second(self, do: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(COMPARE_SECONDS)
            try:
                await do()
            except errors.ServerBusy:
                logger.warning("the database is away: heads are not compared")
            except Exception:
                logger.exception("watching over the relays failed once")

    async def _keep_alive(self) -> None:
        self._stop_idle()
        now = monotonic()
        for relay in self._by_id.values():
            relay.beat(now)

    async def _compare_heads(self) -> None:
        """The heads of all followed rooms, in one query."""
        if not self._by_id:
            return
        positions = {room_id: relay.position for room_id, relay in self._by_id.items()}
        heads = await in_database(log.heads, list(positions))
        for room_id, head in heads.items():
            relay = self._by_id.get(room_id)
            if relay is not None:
                relay.compare_head(head, positions[room_id])

    def _stop_idle(self) -> None:
        for room_id, relay in list(self._by_id.items()):
            if not relay.followers and monotonic() - relay.idle_since > IDLE_SECONDS:
                del self._by_id[room_id], self._by_slug[relay.slug]
                stopping = asyncio.create_task(relay.stop())
                self._stopping.add(stopping)
                stopping.add_done_callback(self._stopping.discard)


_current: Relays | None = None


def relays() -> Relays:
    """The relays of the running event loop."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Relays()
    return _current
