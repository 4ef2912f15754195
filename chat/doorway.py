"""How a connection comes to follow a room: registered first, asked about second, told third.

In that order nothing slips between the check and the first event: whoever lost the right to read while they
were being checked is seen by the relay, and checked again.
"""

from dataclasses import dataclass
from typing import Any

from chat import errors, policies, tracing, viewing
from chat.colours import with_hues
from chat.database import in_database
from chat.events import message_fields, room_fields
from chat.follower import Follower
from chat.identity import Grant, Identity
from chat.limits import Hold, limits
from chat.meters import Transport
from chat.models import Message, Room
from chat.relay import Relay
from chat.relays import relays
from chat.rights import Rights, rights_in
from chat.standing import Standing
from chat.text import canonical_slug
from chat.visitors import require_session


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody finds on entering: the room as it is for them, and a snapshot if they asked for one
    (None otherwise).

    A viewer has no ``rights``. ``about`` is what any reader may know of the room, ``floor`` the number below which
    nothing can be resumed from. ``head`` was read before ``history``: events continue from it, and may repeat what the
    history shows.
    """

    slug: str
    head: int
    floor: int
    about: dict[str, Any]
    rights: Rights | None
    history: list[dict] | None


class Stay:
    """Somebody's stay in a room, from ``enter`` to ``leave``. As a context manager it gives the relay and the entry.

    After ``enter`` the caller says its welcome and calls ``relay.start(follower, cursor)``.
    """

    __slots__ = ("_history", "_hold", "_slug", "follower", "relay")

    def __init__(self, slug: str, follower: Follower, history: int | None = None) -> None:
        self.follower = follower
        self.relay: Relay | None = None
        self._slug = slug
        self._history = history
        self._hold: Hold | None = None

    async def enter(self, cursor: int | None = None) -> Entry:
        """Register the follower with its room's relay and check that it may be there. ``cursor`` is up to which number
        they know the room, if they do.

        Raises ``RoomNotFound``, ``TooManyConnections``, ``SessionEnded``, ``TokenInvalid``, ``GoingAway``
        or ``ServerBusy``.
        """
        canonical = canonical_slug(self._slug)
        if canonical is None:
            raise errors.RoomNotFound()
        relay = await relays().of(canonical)
        tracing.be_in(relay.room_id)
        try:
            self._hold = await limits().room(relay.room_id)
        except errors.TooManyConnections:
            # Who may not know of the room does not learn that it is full.
            follower = self.follower
            await in_database(enter, relay.room_id, follower.actor, follower.network, None, follower.grant)
            raise
        self.relay = relay
        relay.join(self.follower)
        try:
            return await _admitted(relay, self.follower, self._history, cursor)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """See the follower off. Does nothing where it is not there (any more)."""
        if self.relay is not None:
            self.relay.leave(self.follower)
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    async def __aenter__(self) -> tuple[Relay, Entry]:
        entry = await self.enter()
        return self.relay, entry

    async def __aexit__(self, *error: object) -> None:
        self.leave()


class Place:
    """What one connection holds, of its address's limit and in a room, until it gives it back. From ``open`` on it is
    counted among those of its transport."""

    __slots__ = ("_transport", "hold", "stay")

    def __init__(self) -> None:
        self.hold: Hold | None = None
        self.stay: Stay | None = None
        self._transport: Transport | None = None

    def open(self, transport: Transport) -> None:
        transport.opened += 1
        self._transport = transport

    def give_back(self) -> None:
        """Give everything back. Does nothing the second time."""
        stay, self.stay, hold, self.hold = self.stay, None, self.hold, None
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.closed += 1
        if stay is not None:
            stay.leave()
        if hold is not None:
            hold.release()


async def _admitted(relay: Relay, follower: Follower, history: int | None, cursor: int | None) -> Entry:
    while True:
        version = relay.access_version
        entry = None
        # Who has seen more than the relay knows more of the room than it does.
        if follower.grant is None and (cursor is None or cursor <= relay.position):
            entry = _enter_by_sight(relay, follower.actor, follower.network, history)
        if entry is None:
            entry = await in_database(enter, relay.room_id, follower.actor, follower.network, history, follower.grant)
        if relay.access_version == version:
            follower.admitted = True
            follower.rights = entry.rights
            return entry


def _enter_by_sight(relay: Relay, actor: Identity | None, network: str, history: int | None) -> Entry | None:
    """What ``enter`` would find, without the database, where the relay knows enough: for somebody without an account
    in a room open to all, who asks for no history. A change that it has not met yet reaches them through it; while it
    asks the policy about those who were there before, it does not know enough."""
    if history is not None or (actor is not None and actor.user_id is not None):
        return None
    if relay.is_asking or not policies.anyone_may_read(relay.room):
        return None
    standing = relay.sanctions.on(actor, network)
    policies.refuse(policies.refusal_to_read(relay.room, actor, standing))
    return _entry(relay.room, actor, standing, relay.position, None)


def enter(room_id: int, actor: Identity | None, network: str, history: int | None, grant: Grant | None = None) -> Entry:
    """The policy's answer and the snapshot, head first and policy last: whoever may read now may read what was
    written before."""
    require_session(actor)
    room = Room.objects.filter(pk=room_id).first()
    messages = None
    if room is not None and history is not None:
        messages = room.messages.visible().page_before(None, history)
        room.refresh_from_db(fields=["visibility", "deleted_at", "sealed_mid", "floor"])
    viewing.require_in_force(grant)
    standing = policies.require_readable(room, actor, network, grant)
    if messages is not None and not policies.sees_sealed(actor, standing):
        messages = [message for message in messages if not policies.is_sealed(room, message.mid)]
    with_hues(messages or ())
    return _entry(room, actor, standing, room.head, messages)


def _entry(room: Room, actor: Identity | None, standing: Standing, head: int, messages: list[Message] | None) -> Entry:
    return Entry(
        slug=room.slug,
        head=head,
        floor=room.floor,
        about=room_fields(room),
        rights=None if actor is None else rights_in(room, actor, standing),
        history=None if messages is None else [message_fields(message, room.slug) for message in messages],
    )
