"""All the relays of this process: started with a room's first follower, compared with the log every second,
stopped a while after the last one left.

There is one set of relays an event loop, made at first use, since Daphne has no lifespan to start it in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import uniform
from time import monotonic, time
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from chat import broadcast, errors, headcounts, log, site, tracing
from chat.audience import CATCH_UP_EVENTS
from chat.canary import Canary
from chat.database import in_database
from chat.events import LoggedEvent
from chat.groups import SITE_GROUP
from chat.headcounts import Headcounts
from chat.log import News
from chat.marking import marks
from chat.models import Room, SiteEvent
from chat.presence import PROCESS
from chat.queue import waiting_in
from chat.relay import Relay
from chat.standing import Sanctions, sanctions_in
from chat.subscription import Subscription
from chat.visitors import signed_out

logger = logging.getLogger(__name__)

COMPARE_SECONDS = 1.0
DRAIN_BATCH = 100
DRAIN_WINDOW_SECONDS = 30.0
LAST_WORDS_SECONDS = 2.0  # to put down what is known of people here, before this process ends
RETURNS_PER_SECOND = 200  # what the processes that stay can greet at once without being late for anybody
IDLE_SECONDS = 30.0  # a room whose last viewer reloads the page should not start anew


@dataclass(frozen=True, slots=True)
class Measure:
    """What all relays of a process hold: rooms, events in memory and the characters of these; and for how many seconds
    the channel layer has been silent (None: it is in memory, and says nothing)."""

    rooms: int
    ring_events: int
    ring_chars: int
    silence: float | None


class Relays:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._by_id: dict[int, Relay] = {}
        self._by_slug: dict[str, Relay] = {}
        self._starting: dict[str, asyncio.Future[Relay]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._site_position: int | None = None
        self._changes = 0  # how often something of the site log was applied
        self._comparing = asyncio.Lock()
        self._draining = False
        self._headcounts = Headcounts()
        self._saying = asyncio.Lock()
        broadcast.bind(self.loop)
        broadcast.add_sink(self._hear)
        self._canary = Canary(self._resubscribe)
        self._site = Subscription(SITE_GROUP, take=self._take, attached=self._attached)
        # Apart, so that a database that hangs does not silence the heartbeats.
        self._tasks = [
            tracing.apart(self._every_second(self._keep_alive)),
            tracing.apart(self._every_second(self._compare)),
            tracing.apart(self._every_second(self._say_headcounts)),
            tracing.apart(self._canary.sing()),
        ]

    async def of(self, slug: str) -> Relay:
        """The relay of the room with that (canonical) slug. Raises ``RoomNotFound`` or ``ServerBusy``."""
        if self._draining:
            raise errors.GoingAway(retry_after=uniform(0, 1))  # noqa: S311 – spreads load, keeps no secret
        relay = self._by_slug.get(slug)
        if relay is not None:
            relay.idle_since = monotonic()
            return relay
        starting = self._starting.get(slug)
        if starting is None:
            starting = self._starting[slug] = tracing.apart(self._start(slug))
            starting.add_done_callback(lambda _: self._starting.pop(slug, None))
        return await asyncio.shield(starting)

    async def _start(self, slug: str) -> Relay:
        if self._site_position is None:
            # Before the first connection is let in: what changes after that is heard of.
            self._site_position = await in_database(site.head)
        before = self._changes
        room, sanctions, recent = await in_database(_room_as_it_is, slug)
        tracing.be_in(room.pk)
        relay = Relay(room, sanctions, recent)
        if self._changes != before:  # perhaps by what concerns this room, after it was read and before it could be told
            relay.recheck()
        self._by_id[room.pk] = self._by_slug[slug] = relay
        return relay

    @property
    def is_draining(self) -> bool:
        return self._draining

    async def carries(self, seconds: float) -> bool:
        """Whether what this process says by the channel layer comes back to it within so long."""
        return await self._canary.carries(seconds)

    async def drain(self) -> None:
        """Send everybody away, for a planned end of this process. Each is told a moment at random to come back at, in
        a window that grows with their number, so that the processes that stay are not overrun."""
        self._draining = True
        leaving = [(relay, follower) for relay in self._by_id.values() for follower in relay.followers]
        window = min(DRAIN_WINDOW_SECONDS, max(1.0, len(leaving) / RETURNS_PER_SECOND))
        for number, (relay, follower) in enumerate(leaving):
            relay.dismiss(follower, errors.GoingAway(retry_after=uniform(0, window)))  # noqa: S311 – spreads load, keeps no secret
            if number % DRAIN_BATCH == DRAIN_BATCH - 1:
                await asyncio.sleep(0)  # what is written is written; what is read is read
        await asyncio.gather(*(relay.closed() for relay in self._by_id.values()), self._last_words())

    async def _last_words(self) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                async with self._saying:
                    if self._headcounts:
                        await in_database(headcounts.take_back, PROCESS)
                await marks().flush()
        except (TimeoutError, errors.ServerBusy) as error:
            logger.warning("what is known of people here could not be put down: %r", error)

    def measure(self) -> Measure:
        """How things are just now."""
        rings = [relay.ring for relay in self._by_id.values()]
        return Measure(len(rings), sum(map(len, rings)), sum(ring.chars for ring in rings), self._canary.silence)

    async def close(self) -> None:
        """Stop everything: for the end of a test's loop."""
        broadcast.remove_sink(self._hear)
        for task in self._tasks:
            task.cancel()
        stopping = [relay.stop() for relay in self._by_id.values()]
        await asyncio.gather(*self._tasks, self._site.stop(), *stopping, return_exceptions=True)
        self._by_id.clear()
        self._by_slug.clear()

    def _hear(self, room_id: int, slug: str, events: list[LoggedEvent]) -> None:
        """The broadcast's sink: events were committed here, in some thread."""
        try:
            self.loop.call_soon_threadsafe(self._offer, room_id, events, time())
        except RuntimeError:  # the loop is closed: this process is ending
            broadcast.remove_sink(self._hear)

    def _offer(self, room_id: int, events: list[LoggedEvent], committed: float) -> None:
        relay = self._by_id.get(room_id)
        if relay is not None:
            relay.offer(events, committed)

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
            relay.tick(now)

    async def _say_headcounts(self) -> None:
        """For the pages of other processes. That it fails is told and changes nothing: it is said again."""
        now = monotonic()
        news = self._headcounts.due(now, {room_id: relay.here for room_id, relay in self._by_id.items()})
        if news is None:
            return
        async with self._saying:
            if self._draining:
                return
            try:
                await in_database(headcounts.write, PROCESS, news)
            except errors.ServerBusy:
                logger.warning("the database is away: how many are here is not kept")
            else:
                self._headcounts.written(news, now)

    def _attached(self) -> None:
        self._canary.sing_once()
        self._compare_soon()

    def _take(self, message: dict[str, Any]) -> None:
        if not self._canary.hear(message):
            self._compare_soon()

    async def _resubscribe(self) -> None:
        """Begin anew with a channel layer that has fallen silent, with fresh connections."""
        subscriptions = [self._site, *(relay.subscription for relay in self._by_id.values())]
        await asyncio.gather(*(subscription.pause() for subscription in subscriptions))
        try:
            async with asyncio.timeout(broadcast.SEND_SECONDS):
                # Of the pub/sub layer: it drops its connections. (The core layer would delete its keys.)
                await get_channel_layer().flush()
        except Exception as error:
            logger.debug("the channel layer could not be flushed: %r", error)
        for subscription in subscriptions:
            subscription.resume()

    def _compare_soon(self) -> None:
        """The site log has news, or may have had some while nothing was heard."""
        if self._site_position is not None and not self._comparing.locked():
            task = tracing.apart(self._compare_quietly())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    async def _compare_quietly(self) -> None:
        with suppress(errors.ServerBusy):  # which the next second's comparison tells
            await self._compare()

    async def _compare(self) -> None:
        """The heads of all followed rooms and what is new in the site log, in one query."""
        if self._site_position is None:
            return
        async with self._comparing:
            positions = {room_id: relay.position for room_id, relay in self._by_id.items()}
            news = await in_database(log.news, list(positions), self._site_position)
            for room_id, head in news.heads.items():
                relay = self._by_id.get(room_id)
                if relay is not None:
                    relay.compare_head(head, positions[room_id])
            await self._apply(news)
            self._site_position = news.site_head

    async def _apply(self, news: News) -> None:
        """Have those asked anew of whom the site log says that something changed: everybody, where it does not say all
        of it any more, as to a process that stood still for longer than the log is kept."""
        if news.changes or not news.is_whole:
            self._changes += 1
        subjects = {kind: {each.subject for each in news.changes if each.kind == kind} for kind in SiteEvent.Kind}
        everywhere = subjects[SiteEvent.Kind.SITE] or not news.is_whole
        for room_id, relay in self._by_id.items():
            if everywhere or room_id in subjects[SiteEvent.Kind.ROOM]:
                relay.recheck()
            if room_id in subjects[SiteEvent.Kind.QUEUE] or not news.is_whole:
                relay.owes_queue = True
        await self._tell_queues()
        if subjects[SiteEvent.Kind.USER] or not news.is_whole:
            await self._see_off(subjects[SiteEvent.Kind.USER] if news.is_whole else None)

    async def _see_off(self, user_ids: set[int] | None) -> None:
        """Let go of those of these accounts (None: of all) whose sessions have ended."""
        theirs = [
            (relay, follower)
            for relay in self._by_id.values()
            for follower in relay.followers
            if follower.actor is not None
            and follower.actor.user_id is not None
            and (user_ids is None or follower.actor.user_id in user_ids)
        ]
        if theirs:
            sessions = {follower.actor.session_key: follower.actor for _, follower in theirs}
            ended = await in_database(signed_out, sessions)
            for relay, follower in theirs:
                if follower.actor.session_key in ended:
                    relay.dismiss(follower, errors.SessionEnded())

    async def _tell_queues(self) -> None:
        """Tell moderators what waits, where that changed and where one of them has come or become one."""
        owing = {room_id: relay for room_id, relay in self._by_id.items() if relay.owes_queue}
        asked = [room_id for room_id, relay in owing.items() if relay.has_moderators]
        waiting = await in_database(waiting_in, asked) if asked else {}
        for room_id, relay in owing.items():
            relay.owes_queue = False
            if room_id in waiting:
                relay.tell_queue(waiting[room_id])

    def _stop_idle(self) -> None:
        for room_id, relay in list(self._by_id.items()):
            if not relay.followers and monotonic() - relay.idle_since > IDLE_SECONDS:
                del self._by_id[room_id], self._by_slug[relay.slug]
                stopping = tracing.apart(relay.stop(), room_id)
                self._stopping.add(stopping)
                stopping.add_done_callback(self._stopping.discard)


def _room_as_it_is(slug: str) -> tuple[Room, Sanctions, list[LoggedEvent]]:
    """A room, what is in force in it, and the last events up to its head: who comes back after a restart of this
    process is answered from these, and not each by the log. Raises ``RoomNotFound``."""
    room = Room.objects.there().filter(slug=slug).first()
    if room is None:
        raise errors.RoomNotFound()
    sanctions = sanctions_in([room.pk])[room.pk]
    return room, sanctions, log.recent(room, min(CATCH_UP_EVENTS, settings.RING_EVENTS))


_current: Relays | None = None


def relays() -> Relays:
    """The relays of the running event loop."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Relays()
    return _current


def measure() -> Measure | None:
    """How things are with the relays of this process; None where it has none yet."""
    return None if _current is None else _current.measure()
