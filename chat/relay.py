"""From a room's log to everyone in this process who follows it: in order, each event once, without gaps.

One ``Relay`` a process and room. It hears of news from commits in this process, from the channel layer, and
from the once-a-second comparison of heads (``chat.relays``); all three are only hints. It passes on event
*n + 1* only after *n*; what is missing it reads from the log.

Everything here runs on one event loop. Nothing waits for a follower: its ``send`` is stepped once, and one that
does not finish at once goes on in a task of its own, is fed from the ring, and rejoins when it has caught up.
One that stays behind for longer than settings.SLOW_SECONDS, or than the ring reaches, is let go.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from random import uniform
from time import monotonic
from typing import Any

from django.conf import settings

from chat import broadcast, errors, events, log, policies
from chat.database import in_database
from chat.events import LoggedEvent
from chat.follower import Follower, Form, Message
from chat.groups import room_group
from chat.identity import Identity
from chat.models import Room
from chat.presence import PROCESS, Count, Presence, count
from chat.ring import Ring, redacted
from chat.stepping import step
from chat.subscription import Subscription

logger = logging.getLogger(__name__)

GAP_PATIENCE_SECONDS = 0.02  # two processes' hints may cross; a gap that lasts longer is a lost one
RETRY_SECONDS = 1.0
CATCH_UP_EVENTS = 100  # handed to a follower at a time while it catches up


class Relay:
    """Follows one room's log on behalf of all its followers here. ``position`` is the last number passed on."""

    def __init__(self, room: Room) -> None:
        self.room_id = room.pk
        self.slug = room.slug
        self.position = room.head
        self.room = room  # as this relay last knew it
        self.access_version = 0  # rises whenever who may read has changed: a check begun before is void
        self.followers: set[Follower] = set()
        self.idle_since = monotonic()
        self._ring = Ring(settings.RING_EVENTS, settings.RING_BYTES)
        self._pending: dict[int, LoggedEvent] = {}
        self._known_head = room.head
        self._scheduled = False
        self._busy: asyncio.Task[None] | None = None
        self._next_beat: dict[Form, float] = {}
        self._presence = Presence()
        self._recheck_due = False
        self._closing: set[asyncio.Future[None]] = set()
        self.subscription = Subscription(room_group(self.room_id), self._take, self._attached)

    # Followers ---------------------------------------------------------------------------------------------

    def join(self, follower: Follower) -> None:
        """Register a follower. It is told nothing before ``start``; ask the policy in between, and mark it
        admitted in the moment in which ``access_version`` is seen to be what it was when that was asked."""
        self.followers.add(follower)
        self._presence.forget_told()
        if settings.ROTATE_SECONDS:
            # Spread, so that those who came together do not all leave together.
            follower.rotate_at = monotonic() + settings.ROTATE_SECONDS * uniform(0.75, 1.25)

    def start(self, follower: Follower, cursor: int) -> None:
        """Tell ``follower`` everything after the number ``cursor``, or that it must reset, and then what is new."""
        if follower not in self.followers:  # dismissed while its welcome was being sent
            return
        follower.position = cursor
        if cursor == self.position:
            follower.live = True
        else:
            follower.task = asyncio.create_task(self._catch_up(follower, resuming=True))

    def leave(self, follower: Follower) -> None:
        self.followers.discard(follower)
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
        closing = asyncio.ensure_future(follower.close(error))
        self._closing.add(closing)
        closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and closing.exception() is not None:
            logger.debug("a connection could not be closed: %r", closing.exception())

    # News --------------------------------------------------------------------------------------------------

    def offer(self, offered: list[LoggedEvent]) -> None:
        """Take events that may be new, in any order, any number of times."""
        for event in offered:
            if event.seq > self.position:
                self._pending.setdefault(event.seq, event)
        if self._pending:
            self._schedule()

    def compare_head(self, head: int, position_then: int) -> None:
        """Take the log's head, read when the relay was at ``position_then``."""
        if head < position_then:
            # Numbers went backwards: the database was replaced by an older copy.
            self._restart(head)
        elif head > self.position:
            self._known_head = max(self._known_head, head)
            self._schedule()

    def recheck(self) -> None:
        """Ask of every follower whether it may still be here, before anything else is passed on."""
        self._recheck_due = True
        self._schedule()

    def tick(self, now: float) -> None:
        """What is due each second: heartbeats, presence, and old connections that should come back anew."""
        self._beat(now)
        self._tell_presence(now)
        for follower in [follower for follower in self.followers if follower.rotate_at <= now]:
            self.dismiss(follower, errors.GoingAway(retry_after=uniform(0, 2)))

    def typing(self, author: dict[str, str]) -> None:
        """Somebody here is typing: tell everybody, here and elsewhere, once."""
        self._tell(lambda form: form.typing(author))
        broadcast.whisper(room_group(self.room_id), {"type": "room.typing", "process": PROCESS, "author": author})

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

    def _tell_presence(self, now: float) -> None:
        self._presence.here = count(self.followers)
        said = self._presence.to_publish(now)
        if said is not None:
            broadcast.whisper(
                room_group(self.room_id),
                {
                    "type": "room.presence",
                    "process": PROCESS,
                    "participants": said.participants,
                    "viewers": said.viewers,
                },
            )
        total = self._presence.to_tell(now)
        if total is not None:
            self._tell(lambda form: form.presence(total.participants, total.viewers))

    def _tell(self, encode: Callable[[Form], list[Message]]) -> None:
        """Hand something that is not in the log to everybody who is not lagging."""
        encoded: dict[Form, list[Message]] = {}
        for follower in tuple(self.followers):
            if follower.live:
                if follower.form not in encoded:
                    encoded[follower.form] = encode(follower.form)
                self._hand(follower, encoded[follower.form])

    async def closed(self) -> None:
        """Wait until those who were dismissed have been told."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def stop(self) -> None:
        """End the tasks and leave the room's group."""
        tasks = [*([self._busy] if self._busy else []), *self._closing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(self.subscription.stop(), *tasks, return_exceptions=True)

    def _schedule(self) -> None:
        # At the end of this turn of the loop: what else arrives in it travels in the same write.
        if not self._scheduled and self._busy is None:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        self._scheduled = False
        if self._busy is not None:
            return
        if self._recheck_due:
            self._occupy(self._recheck_access())
            return
        ready: list[LoggedEvent] = []
        while (event := self._pending.get(self.position + 1 + len(ready))) is not None:
            if event.type == events.ROOM_CHANGED:
                break
            ready.append(self._pending.pop(event.seq))
        if ready:
            self._pass_on(ready)
        if event is not None:
            self._occupy(self._apply_change(event))
        elif self._pending or self._known_head > self.position:
            self._occupy(self._repair())

    def _occupy(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work`` before anything else is passed on."""

        def done(task: asyncio.Task[None]) -> None:
            self._busy = None
            if task.cancelled():
                return
            if task.exception() is None:
                self._schedule()
            else:
                logger.error("the relay of room %s stumbled", self.room_id, exc_info=task.exception())
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._schedule)

        self._busy = asyncio.create_task(work)
        self._busy.add_done_callback(done)

    async def _repair(self) -> None:
        """Read what is missing from the log."""
        if self._pending and self._known_head <= self.position:
            await asyncio.sleep(GAP_PATIENCE_SECONDS)
            if self.position + 1 in self._pending:
                return
        known = self._known_head
        try:
            page = await in_database(log.read, self.room_id, self.position)
        except errors.ServerBusy:
            await asyncio.sleep(RETRY_SECONDS)
            return
        if page.reset:
            self._restart(page.head)
        else:
            self._known_head = page.head if self._known_head == known else max(self._known_head, page.head)
            for event in page.events:
                self._pending[event.seq] = event  # the log's word counts: it may have been redacted since

    async def _apply_change(self, event: LoggedEvent) -> None:
        """Let go of who may no longer read before anybody hears of the change or of anything after it."""
        if await self._recheck_access():
            self._pending.pop(event.seq, None)
            self._pass_on([event])

    async def _recheck_access(self) -> bool:
        """Let go of who may no longer read. False where that could not be found out: it is then tried again, and
        nothing is passed on until it was."""
        self._recheck_due = False
        self.access_version += 1
        asked = tuple(self.followers)  # who joins from here on asks the policy after this change
        actors = {follower.actor for follower in asked if follower.actor is not None}
        try:
            room, readers = await in_database(_readers, self.room_id, actors)
        except errors.ServerBusy:
            self._recheck_due = True
            await asyncio.sleep(RETRY_SECONDS)
            return False
        self.room = room

        def may_stay(follower: Follower) -> bool:
            return policies.anyone_may_read(room.visibility) or follower.actor in readers

        for follower in asked:
            # One that is not admitted is still asking, will find the access version changed, and asks again.
            if follower.admitted and not may_stay(follower):
                self.dismiss(follower, errors.RoomNotFound())
        return True

    def _restart(self, head: int) -> None:
        """The log begins anew at ``head``: what anybody knows of its numbers is void."""
        logger.warning("the log of room %s was restarted at %s", self.room_id, head)
        self.position = self._known_head = head
        self._pending.clear()
        self._ring.clear()
        for follower in tuple(self.followers):
            follower.stale = True
            if follower.live:
                follower.live = False
                follower.task = asyncio.create_task(self._catch_up(follower))

    # Passing on --------------------------------------------------------------------------------------------

    def _pass_on(self, ready: list[LoggedEvent]) -> None:
        passed: list[LoggedEvent] = []
        for event in ready:
            if event.type in (events.EDITED, events.DELETED):
                # Gone before anything newer is told, here as in the log.
                self._ring.redact(event.mid)
                passed = [redacted(earlier) if earlier.mid == event.mid else earlier for earlier in passed]
            passed.append(event)
            self._ring.append(event)
        before, self.position = self.position, passed[-1].seq
        encoded: dict[Form, list[Message]] = {}
        for follower in tuple(self.followers):
            if not follower.live or follower.position >= self.position:
                continue
            if follower.position == before:
                messages = encoded.get(follower.form)
                if messages is None:
                    messages = encoded[follower.form] = follower.form.events(passed)
            else:  # it came with a snapshot newer than this relay was
                messages = follower.form.events([event for event in passed if event.seq > follower.position])
            follower.position = self.position
            self._hand(follower, messages)

    def _hand(self, follower: Follower, messages: list[Message]) -> None:
        """Send without waiting; what cannot be sent at once goes on in a task, and the follower lags until then."""
        for index, message in enumerate(messages):
            try:
                rest = step(follower.send(message))
            except Exception as error:
                self._lost(follower, error)
                return
            if rest is not None:
                follower.live = False
                follower.task = asyncio.create_task(self._catch_up(follower, rest, messages[index + 1 :]))
                return

    async def _catch_up(
        self,
        follower: Follower,
        rest: Awaitable[None] | None = None,
        unsent: list[Message] | None = None,
        *,
        resuming: bool = False,
    ) -> None:
        """Bring a follower to where the relay is, and make it live there."""
        try:
            if rest is not None:
                await self._patiently(rest)
            for message in unsent or ():
                await self._patiently(follower.send(message))
            while follower.stale or follower.position < self.position or resuming:
                messages = await self._next_for(follower, resuming)
                # What it has not got by now it can ask the ring for: only its first answers may need the log.
                resuming = resuming and follower.position < self.position
                for message in messages:
                    await self._patiently(follower.send(message))
            follower.task = None
            follower.live = follower in self.followers
        except TimeoutError:
            self._end(follower, errors.TooSlow())
        except errors.ChatError as error:
            self._end(follower, error)
        except Exception as error:
            follower.task = None
            self._lost(follower, error)

    def _end(self, follower: Follower, error: errors.ChatError) -> None:
        follower.task = None  # this task is the one that ends it: it must not cancel itself
        self.dismiss(follower, error)

    async def _next_for(self, follower: Follower, resuming: bool) -> list[Message]:
        """The next messages for a follower that is behind; moves its position past them."""
        if not follower.stale and follower.position <= self.position:
            found = self._ring.after(follower.position, CATCH_UP_EVENTS)
            if found is None and not resuming:
                raise errors.TooSlow()
            if found is not None or follower.position == self.position:
                follower.position = found[-1].seq if found else self.position
                return follower.form.events(found) if found else []
        position = -1 if follower.stale else follower.position  # no log reaches back to -1
        page = await in_database(log.read, self.room_id, position, CATCH_UP_EVENTS)
        if page.reset:
            follower.stale, follower.position = False, page.head
            return follower.form.reset(page.head)
        # Nothing beyond what was passed on: a change of who may read that the log has, this relay may not have met.
        found = [event for event in page.events if event.seq <= self.position]
        if found:
            follower.position = found[-1].seq
        return follower.form.events(found) if found else []

    async def _patiently(self, sending: Awaitable[None]) -> None:
        async with asyncio.timeout(settings.SLOW_SECONDS):
            await sending

    def _lost(self, follower: Follower, error: Exception) -> None:
        """What was sent may not have arrived: the connection ends, so that its client comes back and asks."""
        logger.info("room %s: a follower could not be sent to: %r", self.room_id, error)
        self.dismiss(follower, errors.ServerError())

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": broadcast.LAYER_MESSAGE_TYPE}:
                self.offer(broadcast.events_of(message))
            case {"type": "room.presence", "process": process, "participants": participants, "viewers": viewers}:
                self._presence.hear(process, Count(participants, viewers), monotonic())
            case {"type": "room.typing", "process": process, "author": author} if process != PROCESS:
                self._tell(lambda form: form.typing(author))

    def _attached(self) -> None:
        # What was committed before this moment was announced to nobody here.
        self._known_head = max(self._known_head, self.position + 1)
        self._schedule()


def _readers(room_id: int, actors: set[Identity]) -> tuple[Room, set[Identity]]:
    """The room as it is now, and which of ``actors`` may read it."""
    room = Room.objects.get(pk=room_id)
    return room, policies.readers_among(room, actors)
