"""Who is on a stream: their place in a room, or in several, from entering to leaving."""

import asyncio
from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.utils import translation

from chat import errors
from chat.doorway import Place, Stay
from chat.errors import ChatError
from chat.extensions import SendNow, never
from chat.follower import Follower, Message, Send
from chat.identity import Grant, Identity
from chat.relays import relays
from feeds.eventstream import Asked
from feeds.forms.kinds import Kind, Started
from feeds.forms.writers import Writer

_OF_THE_ROOM = (errors.RoomNotFound, errors.Banned, errors.TokenInvalid)  # reasons that are no other room's


class Viewer(Place):
    """On the stream of one room. ``writer`` is None where what is shared is sent as it is. They are told why it ends in
    the language that was active when they came: it is a relay's task that tells them."""

    __slots__ = ("has_begun", "has_gone", "language", "writer")

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = self.has_gone = False
        self.language = translation.get_language()
        self.writer: Writer | None = None

    async def enter(
        self,
        asked: Asked,
        kind: Kind,
        send: Send,
        send_now: SendNow,
        actor: Identity | None,
        network: str,
        grants: Sequence[Grant],
    ) -> list[Started]:
        (slug,) = asked.rooms
        self.writer = kind.writer(asked, send)
        follower = Follower(
            form=kind.form(slug, asked),
            send=send if self.writer is None else self.writer.towards(slug),
            send_now=send_now if self.writer is None else never,
            close=self.end,
            actor=actor,
            network=network,
            grant=await _grant_for(slug, grants),
        )
        cursor = asked.cursors.get(slug)
        history = asked.history if asked.history is not None else kind.history
        self.stay = Stay(slug, follower, history if cursor is None else None)
        entry = await self.stay.enter(cursor)
        if self.writer is not None:
            self.writer.places[slug] = entry.head if cursor is None else cursor
        return [Started(slug, cursor, entry)]

    @property
    def is_there(self) -> bool:
        """Whether they were let in, and not sent away since. Who is sent away before the answer ``has_begun`` is told
        by that."""
        return self.stay is not None and self.stay.follower in self.stay.relay.followers

    async def start(self, started: list[Started]) -> None:
        (room,) = started
        # There is no welcome that says what they may do.
        self.stay.follower.is_misinformed = self.stay.follower.actor is not None
        self.stay.relay.start(self.stay.follower, room.after, room.entry.floor, is_new=room.cursor is None)

    async def complete(self, started: list[Started]) -> None:
        """End the stream of an archived room once all of it was told."""
        (room,) = started
        follower = self.stay.follower
        await _told(follower)
        if self.is_there:
            self.stay.leave()
            await self._finish(follower, follower.form.complete(room.entry.head))

    async def end(self, error: ChatError) -> None:
        """The relay lets go of them: with a last word where there is something to say."""
        if self.stay is not None and self.has_begun:
            follower = self.stay.follower
            with translation.override(self.language):
                words = follower.form.ending(error, self.writer.place if self.writer else "")
            await self._finish(follower, words)

    async def _finish(self, follower: Follower, words: str) -> None:
        if self.writer is not None:
            await self.writer.end(words)
        else:
            await follower.send({"type": "http.response.body", "body": words.encode()})

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.has_gone = True
            self.give_back()


class MergedViewer(Viewer):
    """On one stream of several rooms: a follower of each, one after the other on one connection. What ends one room for
    them leaves the others; what ends the connection ends all.

    Rooms that they may not read and rooms that there are not are left out and told of alike. Where none is left, the
    request is answered as for one room.
    """

    __slots__ = ("_is_outdated", "_refused", "_stays")

    def __init__(self) -> None:
        super().__init__()
        self._stays: dict[str, Stay] = {}
        self._refused: list[tuple[Follower, str, ChatError]] = []
        self._is_outdated = False

    async def enter(
        self,
        asked: Asked,
        kind: Kind,
        send: Send,
        send_now: SendNow,
        actor: Identity | None,
        network: str,
        grants: Sequence[Grant],
    ) -> list[Started]:
        self.writer = kind.writer(asked, send)
        history = asked.history if asked.history is not None else kind.history
        if history is not None:
            history = min(history, max(1, settings.MAX_HISTORY // len(asked.rooms)))
        started: list[Started] = []
        for slug in asked.rooms:
            cursor = asked.cursors.get(slug)
            follower = Follower(
                form=kind.form(slug, asked),
                send=self.writer.towards(slug),
                close=partial(self.drop, slug),
                actor=actor,
                network=network,
            )
            self._stays[slug] = stay = Stay(slug, follower, history if cursor is None else None)
            try:
                follower.grant = await _grant_for(slug, grants)
                entry = await stay.enter(cursor)
            except _OF_THE_ROOM as error:
                del self._stays[slug]
                self._refused.append((follower, slug, error))
            else:
                self.writer.places[slug] = entry.head if cursor is None else cursor
                started.append(Started(slug, cursor, entry))
        if not started:
            raise self._refused[0][2]
        return started

    @property
    def is_there(self) -> bool:
        """Nor are they where a room sent them away before the answer ``has_begun``: its history would be in it."""
        return bool(self._stays) and not self._is_outdated

    async def start(self, started: list[Started]) -> None:
        for follower, _, error in self._refused:
            for message in follower.form.dropped(error):
                await follower.send(message)
        for room in started:
            stay = self._stays.get(room.slug)
            if stay is not None:
                stay.relay.start(stay.follower, room.after, room.entry.floor, is_new=room.cursor is None)

    async def complete(self, started: list[Started]) -> None:
        followers = {slug: stay.follower for slug, stay in self._stays.items()}
        for follower in followers.values():
            await _told(follower)
        if self._stays:
            self._leave()
            words = [followers[room.slug].form.complete(room.entry.head) for room in started if room.slug in followers]
            await self.writer.end("".join(dict.fromkeys(words)))

    async def drop(self, slug: str, error: ChatError) -> None:
        """A room's relay lets go of them."""
        stay = self._stays.pop(slug, None)
        if stay is None:
            return
        stay.leave()
        if not self.has_begun:
            self._is_outdated = True
        elif error.retryable or not self._stays:
            self._leave()
            with translation.override(self.language):
                words = stay.follower.form.ending(error, self.writer.place)
            await self.writer.end(words)
        else:
            with translation.override(self.language):
                messages = stay.follower.form.dropped(error)
            for message in messages:
                await stay.follower.send(message)

    def give_back(self) -> None:
        self._leave()
        super().give_back()

    def _leave(self) -> None:
        stays, self._stays = self._stays, {}
        for stay in stays.values():
            stay.leave()


async def _grant_for(slug: str, grants: Sequence[Grant]) -> Grant | None:
    """The one of ``grants`` that is for that room. Raises as ``Stay.enter`` does."""
    if not grants:
        return None
    room_id = (await relays().of(slug)).room_id
    return next((grant for grant in grants if grant.room_id == room_id), None)


async def _told(follower: Follower) -> None:
    """Wait until a follower has caught up, or is let go."""
    if follower.task is not None:
        await asyncio.wait({follower.task})
