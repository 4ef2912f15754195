"""How a connection comes to follow a room: registered first, asked about second, told third.

In that order nothing slips between the check and the first event: whoever lost the right to read while they
were being checked is seen by the relay, and checked again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chat import errors, policies
from chat.database import in_database
from chat.events import message_fields
from chat.follower import Follower
from chat.identity import Identity
from chat.limits import limits
from chat.models import Room
from chat.relay import Relay
from chat.relays import relays
from chat.text import canonical_slug
from chat.visitors import signed_out


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody finds on entering: the room as it is for them, and a snapshot if they asked for one
    (None otherwise).

    ``head`` was read before ``history``: events continue from it, and may repeat what the history shows.
    """

    slug: str
    head: int
    role: str
    may: dict[str, bool]
    history: list[dict] | None


@asynccontextmanager
async def following(slug: str, follower: Follower, history: int | None = None) -> AsyncIterator[tuple[Relay, Entry]]:
    """Register ``follower`` with its room's relay, check that it may be there, and see it off at the end.

    The caller then says its welcome and calls ``relay.start(follower, cursor)``. Raises ``RoomNotFound``,
    ``TooManyConnections``, ``SessionEnded``, ``GoingAway`` or ``ServerBusy``.
    """
    canonical = canonical_slug(slug)
    if canonical is None:
        raise errors.RoomNotFound()
    relay = await relays().of(canonical)
    async with limits().room(relay.room_id):
        relay.join(follower)
        try:
            yield relay, await _admitted(relay, follower, history)
        finally:
            relay.leave(follower)


async def _admitted(relay: Relay, follower: Follower, history: int | None) -> Entry:
    while True:
        version = relay.access_version
        entry = await in_database(enter, relay.room_id, follower.actor, history)
        if relay.access_version == version:
            follower.admitted = True
            return entry


def enter(room_id: int, actor: Identity | None, history: int | None) -> Entry:
    """The policy's answer and the snapshot, head first."""
    if actor is not None and actor.session_key is not None and signed_out({actor.session_key: actor}):
        raise errors.SessionEnded()
    room = Room.objects.filter(pk=room_id).first()
    role = policies.require_readable(room, actor)
    messages = None if history is None else room.messages.visible().page_before(None, history)
    return Entry(
        slug=room.slug,
        head=room.head,
        role=role,
        may=policies.permissions(room, role),
        history=None if messages is None else [message_fields(message, room.slug) for message in messages],
    )
