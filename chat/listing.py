"""The rooms as the start page lists them: who is there now, and what was said last, as far as whoever looks may know.

A number of queries that does not depend on how many rooms there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from chat import policies
from chat.colours import with_hues
from chat.headcounts import with_people
from chat.identity import Identity
from chat.models import Membership, Message, ReadMark, Room
from chat.models.rooms import RoomQuerySet
from chat.read_marks import MOST_UNREAD, unread_in
from chat.standing import NO_ROLE, Standing, standings_together
from chat.text import fold

MAX_QUERY_CHARS = 100
MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Card:
    """A room in a list. Where whoever looks may not enter (``is_closed``), it is a name alone. ``last`` is the newest
    message that they may read there; ``unread`` is None where they have not been, and MOST_UNREAD where there are as
    many or more."""

    room: Room
    role: str
    is_closed: bool
    last: Message | None
    unread: int | None

    @property
    def has_many_unread(self) -> bool:
        return self.unread is not None and self.unread >= MOST_UNREAD


def yours(actor: Identity) -> RoomQuerySet:
    """Those of which ``actor`` is a member, or in which they have read or written, as far as they may still."""
    if actor.user_id is None:
        return Room.objects.none()
    member = Q(pk__in=Membership.objects.filter(user_id=actor.user_id).values("room_id"))
    been = Q(pk__in=ReadMark.objects.filter(user_id=actor.user_id).values("room_id"))
    is_open = Q(visibility__in=[each for each in Room.Visibility.values if policies.is_open(each)])
    return Room.objects.there().filter(member | (been & is_open))


def found_by(rooms: RoomQuerySet, query: str) -> RoomQuerySet:
    """Those in whose title, topic or address each word of ``query`` stands."""
    for word in query[:MAX_QUERY_CHARS].split()[:MOST_WORDS]:
        rooms = rooms.filter(Q(title__icontains=word) | Q(topic__icontains=word) | Q(slug__contains=fold(word)))
    return rooms


def ordered(rooms: RoomQuerySet) -> QuerySet[Room]:
    """Those first in which somebody is now, and of these and of the others those in which something was said last."""
    anybody = Case(When(Q(people__gt=0) | Q(watching__gt=0), then=Value(0)), default=1, output_field=IntegerField())
    return with_people(rooms).order_by(anybody, "-last_mid", "slug")


def latest_first(rooms: RoomQuerySet) -> QuerySet[Room]:
    return with_people(rooms).order_by("-last_mid", "slug")


def cards(rooms: Sequence[Room], actor: Identity) -> list[Card]:
    """``rooms`` as ``actor`` may see them: the one policy says who may read."""
    asked = standings_together([(room, {actor}) for room in rooms])
    standings = {room_id: each[actor] for room_id, each in asked.items()}
    readable = [room for room in rooms if policies.refusal_to_read(room, actor, standings[room.pk]) is None]
    last = _last_in(readable, actor, standings)
    unread: dict[int, int] = {}
    if actor.user_id is not None:
        there = [room.pk for room in readable]
        been = set(ReadMark.objects.filter(user=actor.user_id, room__in=there).values_list("room_id", flat=True))
        theirs = [room for room in readable if room.pk in been or standings[room.pk].role != NO_ROLE]
        unread = unread_in(actor.user_id, [(room, policies.sees_sealed(actor, standings[room.pk])) for room in theirs])
    open_ones = {room.pk for room in readable}
    return [
        Card(room, standings[room.pk].role, room.pk not in open_ones, last.get(room.pk), unread.get(room.pk))
        for room in rooms
    ]


def _last_in(rooms: list[Room], actor: Identity, standings: dict[int, Standing]) -> dict[int, Message]:
    newest = Message.objects.visible().filter(room=OuterRef("pk")).order_by("-mid").values("mid")[:1]
    asked = Room.objects.filter(pk__in=[room.pk for room in rooms]).order_by().annotate(newest=Subquery(newest))
    found = {message.room_id: message for message in Message.objects.visible().filter(mid__in=asked.values("newest"))}
    for room in rooms:
        message = found.get(room.pk)
        is_sealed = message is not None and policies.is_sealed(room, message.mid)
        if is_sealed and not policies.sees_sealed(actor, standings[room.pk]):
            del found[room.pk]
    with_hues(found.values())
    return found
