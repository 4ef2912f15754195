"""Those who follow one room in this process, and how each of them is told.

Nothing waits for a follower: its ``send`` is stepped once, and one that does not finish at once goes on in a task
of its own, is fed from the ring, and rejoins when it has caught up. One that stays behind for longer than
settings.SLOW_SECONDS, or than the ring reaches, is let go.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from random import uniform
from time import monotonic, time
from typing import NamedTuple

from django.conf import settings

from chat import errors, events, log, meters, tracing
from chat.database import in_database
from chat.events import LoggedEvent
from chat.follower import Follower, Form, Message
from chat.ring import Ring, redacted
from chat.stepping import step

logger = logging.getLogger(__name__)

CATCH_UP_EVENTS = 100  # handed to a follower at a time while it catches up
MOST_REPLAYS = 32  # kept while nothing new is said: those who were cut off together come back with the same cursors


class Found(NamedTuple):
    """What a follower that is behind is told next: ``events`` events of the log in ``messages``. ``source`` is where
    they came from, by the names that ``chat.meters`` has for what comes of a resume."""

    messages: list[Message]
    events: int
    source: str


class Audience:
    """The followers of the room ``room_id`` here. ``position`` is the number of the last event they were told, which
    is that of the last of the ``recent`` ones, if there are any."""

    def __init__(self, room_id: int, position: int, recent: list[LoggedEvent]) -> None:
        self.room_id = room_id
        self.position = position
        self.followers: dict[Follower, None] = {}  # a set in the order in which they came, as they lie in memory
        self.idle_since = monotonic()
        self.ring = Ring(settings.RING_EVENTS, settings.RING_BYTES)
        for event in recent:
            self.ring.append(event)
        self._replays: dict[tuple[Form, int], list[Message]] = {}
        self._replays_chars = 0
        self._next_beat: dict[Form, float] = {}
        self._closing: set[asyncio.Future[None]] = set()

    def join(self, follower: Follower) -> None:
        """Register a follower. It is told nothing before ``start``."""
        self.followers[follower] = None
        meters.followers[_kind_of(follower)] += 1
        if settings.ROTATE_SECONDS:
            # Spread, so that those who came together do not all leave together.
            follower.rotate_at = monotonic() + settings.ROTATE_SECONDS * uniform(0.75, 1.25)  # noqa: S311 – spreads load, keeps no secret
        if follower.grant is not None:
            follower.rotate_at = min(follower.rotate_at, monotonic() + follower.grant.ends_at - time())

    def start(self, follower: Follower, cursor: int, floor: int = 0, *, is_new: bool = False) -> None:
        """Tell ``follower`` everything after the number ``cursor``, or that it must reset, and then what is new. One
        that ``is_new`` came without a cursor, and goes on from the head that it was told of.

        Nothing below ``floor`` is for it, though the ring may still reach back there."""
        if follower not in self.followers:  # dismissed while its welcome was being sent
            return
        if is_new:
            meters.resumes[meters.NEW] += 1
        follower.position = cursor
        follower.stale = cursor < floor
        is_near = not follower.stale and self.position - CATCH_UP_EVENTS <= cursor <= self.position
        if is_near and (replay := self._replay(follower)) is not None:
            missed = self.position - cursor
            if not is_new:
                meters.resumes[meters.RING if missed else meters.CURRENT] += 1
            follower.position = self.position
            follower.live = True
            self._hand(follower, replay, missed)
            if follower.live:
                self._hand(follower, self._due_rights(follower))
        else:
            self._fall_behind(follower, resuming=True, counts=not is_new)

    def leave(self, follower: Follower) -> None:
        if follower in self.followers:
            del self.followers[follower]
            meters.followers[_kind_of(follower)] -= 1
        follower.live = False
        if follower.task is not None:
            follower.task.cancel()
        if not self.followers:
            self.idle_since = monotonic()

    def dismiss(self, follower: Follower, error: errors.ChatError) -> None:
        """End a follower's connection because of ``error``."""
        if follower not in self.followers:
            return
        self.leave(follower)
        with self._for(follower):
            closing = asyncio.ensure_future(follower.close(error))
        self._closing.add(closing)
        closing.add_done_callback(self._closed)

    async def closed(self) -> None:
        """Wait until those who were dismissed have been told."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and closing.exception() is not None:
            logger.debug("a connection could not be closed: %r", closing.exception())

    def _pass_on(self, ready: list[LoggedEvent]) -> int:
        """Returns how many followers were handed these events."""
        passed: list[LoggedEvent] = []
        for event in ready:
            if event.type in (events.EDITED, events.DELETED):
                # Gone before anything newer is told, here as in the log.
                self.ring.redact(event.mid)
                passed = [redacted(earlier) if earlier.mid == event.mid else earlier for earlier in passed]
            passed.append(event)
            self.ring.append(event)
        before, self.position = self.position, passed[-1].seq
        self._forget_replays()
        encoded: dict[Form, list[Message]] = {}
        told = 0
        for follower in tuple(self.followers):
            if not follower.live or follower.position >= self.position:
                continue
            count = self.position - follower.position
            if follower.position == before:
                messages = encoded.get(follower.form)
                if messages is None:
                    messages = encoded[follower.form] = follower.form.events(passed)
            else:  # it came with a snapshot newer than this relay was
                messages = follower.form.events([event for event in passed if event.seq > follower.position])
            follower.position = self.position
            self._hand(follower, messages, count)
            told += 1
        if told:
            meters.events_together.observe(len(passed))
        return told

    def _replay(self, follower: Follower) -> list[Message] | None:
        """The next messages for a follower that is behind, encoded once for all that are where it is. None where the
        ring does not reach back so far."""
        if follower.position == self.position:
            return []
        place = (follower.form, follower.position)
        replay = self._replays.get(place)
        if replay is None:
            found = self.ring.after(follower.position, CATCH_UP_EVENTS)
            if found is None:
                return None
            replay = follower.form.events(found)
            chars = sum(len(event.json) for event in found)
            if len(self._replays) >= MOST_REPLAYS or self._replays_chars + chars > settings.RING_BYTES:
                self._forget_replays()
            self._replays[place] = replay
            self._replays_chars += chars
        return replay

    def _forget_replays(self) -> None:
        self._replays.clear()
        self._replays_chars = 0

    def _hand(self, follower: Follower, messages: list[Message], count: int = 0) -> None:
        """Send without waiting; what cannot be sent at once goes on in a task, and the follower lags until then. There
        are ``count`` events of the log in ``messages``, which are delivered when all of these are sent."""
        for index, message in enumerate(messages):
            try:
                rest = None if follower.send_now(message) else step(follower.send(message))
            except Exception as error:
                self._lost(follower, error)
                return
            if rest is not None:
                self._fall_behind(follower, rest, messages[index + 1 :], count)
                return
        follower.form.transport.deliveries += count

    def _fall_behind(
        self,
        follower: Follower,
        rest: Awaitable[None] | None = None,
        unsent: list[Message] | None = None,
        count: int = 0,
        **how: bool,
    ) -> None:
        follower.live = False
        with self._for(follower):
            follower.task = asyncio.create_task(self._catch_up(follower, rest, unsent, count, **how))

    def _for(self, follower: Follower) -> AbstractContextManager[None]:
        """While this is open, what is done is done for that follower, whoever has it done."""
        return tracing.at(tracing.Here(follower.ident, self.room_id))

    async def _catch_up(
        self,
        follower: Follower,
        rest: Awaitable[None] | None = None,
        unsent: list[Message] | None = None,
        count: int = 0,
        *,
        resuming: bool = False,
        counts: bool = False,
    ) -> None:
        """Bring a follower to where the relay is, and make it live there. ``count`` events are in what is sent first;
        ``counts`` where what its first answer comes from is counted."""
        transport = follower.form.transport
        try:
            if rest is not None:
                await self._patiently(rest)
            for message in unsent or ():
                await self._patiently(follower.send(message))
            transport.deliveries += count
            while follower.stale or follower.position < self.position or resuming or follower.is_misinformed:
                if follower.stale or follower.position < self.position or resuming:
                    messages, count, source = await self._next_for(follower, resuming)
                    if counts:
                        counts = False
                        meters.resumes[source] += 1
                else:
                    messages, count = self._due_rights(follower), 0
                # What it has not got by now it can ask the ring for: only its first answers may need the log.
                resuming = resuming and follower.position < self.position
                for message in messages:
                    await self._patiently(follower.send(message))
                transport.deliveries += count
            follower.task = None
            follower.live = follower in self.followers
            if follower.live:
                self._caught_up(follower)
        except TimeoutError:
            self._end(follower, errors.TooSlow())
        except errors.ChatError as error:
            if counts:
                meters.resumes[meters.FAILED] += 1
            self._end(follower, error)
        except Exception as error:
            follower.task = None
            self._lost(follower, error)

    def _caught_up(self, follower: Follower) -> None:
        """A follower is live that was not. What was told to all meanwhile, and is not in the log, it has not heard."""

    @staticmethod
    def _due_rights(follower: Follower) -> list[Message]:
        """What tells a follower what it may do by now, if it has not been told: after what came before."""
        if not follower.is_misinformed:
            return []
        follower.is_misinformed = False
        return follower.form.you(follower.rights)

    def _end(self, follower: Follower, error: errors.ChatError) -> None:
        follower.task = None  # this task is the one that ends it: it must not cancel itself
        if isinstance(error, errors.TooSlow):
            follower.form.transport.slow += 1
        self.dismiss(follower, error)

    async def _next_for(self, follower: Follower, resuming: bool) -> Found:
        """What is next for a follower that is behind; moves its position past it."""
        if not follower.stale and follower.position <= self.position:
            replay = self._replay(follower)
            if replay is not None:
                before = follower.position
                follower.position = min(before + CATCH_UP_EVENTS, self.position)
                count = follower.position - before
                return Found(replay, count, meters.RING if count else meters.CURRENT)
            if not resuming:
                raise errors.TooSlow()
        position = -1 if follower.stale else follower.position  # no log reaches back to -1
        page = await in_database(log.read, self.room_id, position, CATCH_UP_EVENTS)
        if page.reset:
            follower.stale, follower.position = False, page.head
            return Found(follower.form.reset(page.head), 0, meters.RESET)
        # Nothing beyond what was passed on: a change of who may read that the log has, this relay may not have met.
        found = [event for event in page.events if event.seq <= self.position]
        if found:
            follower.position = found[-1].seq
        return Found(follower.form.events(found) if found else [], len(found), meters.LOG)

    async def _patiently(self, sending: Awaitable[None]) -> None:
        async with asyncio.timeout(settings.SLOW_SECONDS):
            await sending

    def _lost(self, follower: Follower, error: Exception) -> None:
        """What was sent may not have arrived: the connection ends, so that its client comes back and asks."""
        with self._for(follower):
            logger.info("room %s: a follower could not be sent to: %r", self.room_id, error)
        self.dismiss(follower, errors.ServerError())

    def _start_over(self, position: int) -> None:
        """The log begins anew at ``position``: what anybody knows of its numbers is void."""
        self.position = position
        self.ring.clear()
        self._forget_replays()
        for follower in tuple(self.followers):
            follower.stale = True
            if follower.live:
                self._fall_behind(follower)

    def _tell(self, encode: Callable[[Form], list[Message]]) -> None:
        """Hand something that is not in the log to everybody who is not lagging."""
        encoded: dict[Form, list[Message]] = {}
        for follower in tuple(self.followers):
            if follower.live:
                if follower.form not in encoded:
                    encoded[follower.form] = encode(follower.form)
                self._hand(follower, encoded[follower.form])

    def _beat(self, now: float) -> None:
        """Send the heartbeats that are due: an idle connection is told apart from a dead one by these."""
        due: dict[Form, list[Message]] = {}
        for follower in tuple(self.followers):
            form = follower.form
            if form not in self._next_beat:
                self._next_beat[form] = now + form.heartbeat_seconds
            elif self._next_beat[form] <= now:
                due.setdefault(form, form.heartbeat(self.position))
            if form in due and follower.live:
                self._hand(follower, due[form])
        for form in due:
            self._next_beat[form] = now + form.heartbeat_seconds

    def _rotate(self, now: float) -> None:
        """Have connections that have grown old come back anew."""
        for follower in [follower for follower in self.followers if follower.rotate_at <= now]:
            self.dismiss(follower, errors.GoingAway(retry_after=uniform(0, 2)))  # noqa: S311 – spreads load, keeps no secret


def _kind_of(follower: Follower) -> str:
    """As ``chat.meters`` counts followers."""
    if follower.actor is not None:
        return follower.actor.kind
    return "viewer" if follower.grant is None else "token"
