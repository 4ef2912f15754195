"""From a room's log to everyone in this process who follows it: in order, each event once, without gaps.

One ``Relay`` a process and room. It hears of news from commits in this process, from the channel layer, and
from the once-a-second comparison of heads (``chat.relays``); all three are only hints. It passes on event
*n + 1* only after *n*; what is missing it reads from the log.

Everything here runs on one event loop. How followers are told, quick ones and slow ones, is in ``chat.audience``.
"""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import datetime
from math import inf
from time import monotonic, time
from typing import Any

from django.utils import timezone

from chat import broadcast, errors, events, log, meters, policies, tracing, viewing
from chat.audience import Audience
from chat.database import in_database
from chat.events import LoggedEvent
from chat.follower import Count, Follower
from chat.groups import room_group
from chat.identity import Grant, Identity
from chat.models import Room
from chat.presence import PROCESS, Presence, count
from chat.queue import Waiting
from chat.rights import rights_in
from chat.standing import NO_ROLE, Sanctions, Standing, sanctions_in, standings_in
from chat.subscription import Subscription

logger = logging.getLogger(__name__)

GAP_PATIENCE_SECONDS = 0.02  # two processes' hints may cross; a gap that lasts longer is a lost one
RETRY_SECONDS = 1.0
PRESENCE_PER_SECOND = 1000  # followers told: the counts of a large room change all the time, and are news more rarely


class Relay(Audience):
    """Follows one room's log on behalf of all its followers here."""

    def __init__(self, room: Room, sanctions: Sanctions, recent: list[LoggedEvent]) -> None:
        super().__init__(room.pk, position=room.head, recent=recent)
        self.slug = room.slug
        self.room, self.sanctions = room, sanctions  # as this relay last knew them
        # Rises whenever who may read has changed. A follower is admitted in the moment in which this is seen to be what
        # it was when the policy was asked.
        self.access_version = 0
        self.is_asking = False  # what it knows of the room may be out of date: nobody is let in by sight
        self._recheck_due = False
        self.owes_queue = False  # not every moderator here was told what waits
        self._pending: dict[int, LoggedEvent] = {}
        self._committed: dict[int, float] = {}  # of those, where it was heard: when, in seconds of the epoch
        self._known_head = room.head
        self._scheduled = False
        self._busy: asyncio.Task[None] | None = None
        self._presence = Presence()
        self._context = tracing.context_in(room.pk)  # what is passed on is done for nobody, whoever posted it
        self._tell_presence_at = 0.0
        self.subscription = Subscription(room_group(self.room_id), self._take, self._attached)

    def offer(self, offered: list[LoggedEvent], committed: float | None = None) -> None:
        """Take events that may be new, in any order, any number of times. ``committed`` is when they were, in seconds
        of the epoch, where that is known."""
        for event in offered:
            if event.seq > self.position and event.seq not in self._pending:
                self._pending[event.seq] = event
                if committed is not None:
                    self._committed[event.seq] = committed
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
        self._recheck_due = self.is_asking = True
        self._schedule()

    def start(self, follower: Follower, cursor: int, floor: int = 0, *, is_new: bool = False) -> None:
        super().start(follower, cursor, floor, is_new=is_new)
        self._presence.forget_told()  # they were told nothing yet
        self.owes_queue = self.owes_queue or follower.moderates

    def _caught_up(self, follower: Follower) -> None:
        self.owes_queue = self.owes_queue or follower.moderates
        if self._presence.told is not None:
            self._hand(follower, follower.form.presence(self._presence.told))

    def tick(self, now: float) -> None:
        """What is due each second: heartbeats, presence, and old connections that should come back anew."""
        self._renew_rights(timezone.now())
        self._beat(now)
        self._tell_presence(now)
        self._rotate(now)

    def _renew_rights(self, now: datetime) -> None:
        """Ask anew where what somebody may do is different by itself by now: a mute has ended, an account is older."""
        if any(follower.rights is not None and follower.rights.are_over(now) for follower in self.followers):
            self.recheck()

    @property
    def here(self) -> Count:
        """How many were here at the last tick."""
        return self._presence.here

    def typing(self, author: dict[str, str]) -> None:
        """Somebody here is typing: tell everybody, here and elsewhere, once, where the room shows that."""
        if not self.room.shows_typing:
            return
        self._tell(lambda form: form.typing(author))
        broadcast.whisper(room_group(self.room_id), {"type": "room.typing", "process": PROCESS, "author": author})

    def _tell_presence(self, now: float) -> None:
        self._presence.here = count(self.followers, with_names=self.room.shows_names)
        said = self._presence.to_publish(now)
        if said is not None:
            broadcast.whisper(
                room_group(self.room_id),
                {
                    "type": "room.presence",
                    "process": PROCESS,
                    **said.as_dict(),
                },
            )
        if now < self._tell_presence_at:
            return
        total = self._presence.to_tell(now)
        if total is not None:
            self._tell_presence_at = now + len(self.followers) / PRESENCE_PER_SECOND
            self._tell(lambda form: form.presence(total))

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
            asyncio.get_running_loop().call_soon(self._advance, context=self._context)

    def _advance(self) -> None:
        self._scheduled = False
        if self._busy is not None:
            return
        if self._recheck_due:
            self._occupy(self._recheck_access())
            return
        event = self._pass_on_pending()
        if event is not None:
            self._occupy(self._apply_change(event))
        elif self._pending or self._known_head > self.position:
            self._occupy(self._repair())

    def _pass_on_pending(self, up_to: float = inf) -> LoggedEvent | None:
        """Pass on what comes next, as far as the number ``up_to``. Returns the event that is not passed on like this,
        if that is where it ends."""
        ready: list[LoggedEvent] = []
        while (event := self._pending.get(self.position + 1 + len(ready))) is not None:
            if event.type in events.OF_THE_ROOM or event.seq > up_to:
                break
            ready.append(self._pending.pop(event.seq))
        if ready:
            self._deliver(ready)
        return event

    def _deliver(self, ready: list[LoggedEvent]) -> None:
        """Pass events on, and take down how long after their commit the last of those who follow was handed them."""
        told, now = self._pass_on(ready), time()
        for event in ready:
            if event.type in events.OF_THE_PIN:
                self.room.pinned_mid = event.mid if event.type == events.PINNED else ""
            committed = self._committed.pop(event.seq, None)
            if committed is not None and told:
                # Not less than none at all, where another machine's clock is ahead of ours.
                meters.delivery_seconds.observe(max(0.0, now - committed), told)

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
            missed = sum(event.seq not in self._pending and event.seq > self.position for event in page.events)
            if missed:
                meters.counts.gaps += 1
                meters.counts.gap_events += missed
            for event in page.events:
                self._pending[event.seq] = event  # the log's word counts: it may have been redacted since

    async def _apply_change(self, event: LoggedEvent) -> None:
        """Let go of who may no longer read before anybody hears of the change or of anything after it."""
        if await self._recheck_access() and event.seq == self.position + 1:
            self._pending.pop(event.seq, None)
            self._deliver([event])

    async def _recheck_access(self) -> bool:
        """Let go of who may no longer read. False where that could not be found out: it is then tried again, and
        nothing is passed on until it was."""
        self._recheck_due = False
        self.access_version += 1
        self.is_asking = True
        heard = max(self._pending, default=0)
        asked = tuple(self.followers)  # who joins from here on asks the policy after this change
        actors = {follower.actor for follower in asked if follower.actor is not None}
        grants = {follower.grant for follower in asked if follower.grant is not None}
        try:
            room, sanctions, standings, grants = await in_database(_as_it_is, self.room_id, actors, grants)
        except errors.ServerBusy:
            self._recheck_due = True
            await asyncio.sleep(RETRY_SECONDS)
            return False
        except Exception:
            self._recheck_due = True  # whatever it was: nobody stays because of it
            raise
        self.room, self.sanctions = room, sanctions
        self.is_asking = self._recheck_due  # it may be due again by now
        for follower in asked:
            # One that is not admitted is still asking, will find the access version changed, and asks again.
            if follower.admitted:
                # Each by where they come from: somebody may be here from two networks, one of which is banned.
                role = NO_ROLE if follower.actor is None else standings[follower.actor].role
                if follower.grant is None or follower.grant in grants:
                    self._hold_to(follower, sanctions.on(follower.actor, follower.network, role))
                else:
                    self.dismiss(follower, errors.TokenInvalid())
        if room.floor > self.position:
            # What lies between was said among members only, and others may read here by now.
            self._restart(room.head)
        else:
            # What was committed before the policy was asked. Should it have to be asked again at once, and again, the
            # room goes on all the same.
            self._pass_on_pending(heard)
        return True

    def _hold_to(self, follower: Follower, standing: Standing) -> None:
        """Let go of a follower who may no longer be here, or tell them what they may do from now on."""
        refusal = policies.refusal_to_read(self.room, follower.actor, standing, follower.grant)
        if refusal is not None:
            self.dismiss(follower, refusal)
        elif follower.actor is not None:
            rights = rights_in(self.room, follower.actor, standing)
            known, follower.rights = follower.rights, rights  # for how long they hold may differ, and is told to nobody
            if rights != known:
                self.owes_queue = self.owes_queue or rights.moderate
                follower.is_misinformed = not follower.live  # then it hears of it when it has caught up
                if follower.live:
                    self._hand(follower, follower.form.you(rights))

    @property
    def has_moderators(self) -> bool:
        return any(follower.moderates for follower in self.followers)

    def tell_queue(self, waiting: Waiting) -> None:
        """Tell the moderators here what waits for them."""
        for follower in tuple(self.followers):
            if follower.live and follower.moderates:
                self._hand(follower, follower.form.queue(waiting))

    def _restart(self, head: int) -> None:
        logger.warning("the log of room %s was restarted at %s", self.room_id, head)
        self._known_head = head
        self._pending.clear()
        self._committed.clear()
        self._start_over(head)
        self.recheck()  # what changed in between is in no event

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": broadcast.LAYER_MESSAGE_TYPE}:
                self.offer(broadcast.events_of(message), message.get("committed"))
            case {"type": "room.presence", "process": process, "participants": participants, "viewers": viewers}:
                names = tuple(message["names"]) if "names" in message else None
                self._presence.hear(process, Count(participants, viewers, names), monotonic())
            case {"type": "room.typing", "process": process, "author": author} if process != PROCESS:
                if self.room.shows_typing:  # which that process may have heard before us, or after
                    self._tell(lambda form: form.typing(author))

    def _attached(self) -> None:
        # What was committed before this moment was announced to nobody here.
        self._known_head = max(self._known_head, self.position + 1)
        self._schedule()


def _as_it_is(
    room_id: int, actors: set[Identity], grants: set[Grant]
) -> tuple[Room, Sanctions, dict[Identity, Standing], set[Grant]]:
    """The room as it is now, what is in force in it, how each of ``actors`` stands, and those of ``grants`` that are
    still good."""
    room = Room.objects.get(pk=room_id)
    sanctions = sanctions_in([room_id])[room_id]
    return room, sanctions, standings_in(room, actors, sanctions), viewing.in_force(grants)
