"""How somebody stands in a room: their role in it, and the sanctions that hold for them.

Asked in two queries however many are asked about. What follows from it is for ``chat.policies`` to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from chat.identity import Identity
from chat.models import Membership, Room, Sanction

NO_ROLE = "none"
GOVERNING = (Membership.Role.OWNER, Membership.Role.MODERATOR)
MOST_NAMED = 500  # people asked about by name in a query; beyond, all sanctions of a room are fewer


class Term(NamedTuple):
    """A sanction that holds: against what (``Sanction.Target``), and until when (None: for good)."""

    target: str
    ends_at: datetime | None

    def seconds_left(self, now: datetime) -> float | None:
        return None if self.ends_at is None else max(0.0, (self.ends_at - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Standing:
    role: str = NO_ROLE
    mute: Term | None = None
    ban: Term | None = None

    @property
    def governs(self) -> bool:
        """Whether they keep order: as an owner or a moderator."""
        return self.role in GOVERNING


NOBODY = Standing()  # somebody of whom nothing is known


class Sanctions:
    """Those in force in one room, the site's among them."""

    def __init__(self, found: Collection[tuple[str, str, str, str, datetime, datetime | None]] = ()) -> None:
        self._by_subject: defaultdict[str, list[tuple[str, Term, float]]] = defaultdict(list)
        self._by_network: defaultdict[str, list[tuple[str, Term, float]]] = defaultdict(list)
        for kind, target, subject, network, created_at, ends_at in found:
            sanction = (kind, Term(target, ends_at), created_at.timestamp())
            self._by_subject[subject].append(sanction)
            if network and target != Sanction.Target.NETWORK:
                self._by_network[network].append(sanction)

    def __bool__(self) -> bool:
        return bool(self._by_subject)

    def on(self, actor: Identity | None, network: str = "", role: str = NO_ROLE) -> Standing:
        """How ``actor`` stands who has ``role``; None is a viewer from ``network``."""
        if not self._by_subject:
            return Standing(role) if role != NO_ROLE else NOBODY
        now = timezone.now()
        mute = ban = None
        for kind, term, _ in self._holding(actor, actor.network if actor is not None else network, role):
            if term.ends_at is not None and term.ends_at <= now:
                continue
            if kind == Sanction.Kind.MUTE:
                mute = _longer(mute, term)
            else:
                ban = _longer(ban, term)
        return Standing(role, mute, ban)

    def _holding(self, actor: Identity | None, network: str, role: str) -> list[tuple[str, Term, float]]:
        holding = list(self._by_subject.get(actor.key, ())) if actor is not None else []
        if network and role == NO_ROLE and (actor is None or actor.kind != "bot"):
            holding += self._by_subject.get(f"n{network}", ())
        if network and actor is not None and actor.kind == "guest":
            # Who clears a cookie or signs out is a new guest: newer than the sanction, and from the same place.
            holding += [each for each in self._by_network.get(network, ()) if actor.since > each[2]]
        return holding


NOTHING = Sanctions()


def _longer(one: Term | None, other: Term) -> Term:
    if one is None or other.ends_at is None:
        return other
    return one if one.ends_at is None or one.ends_at >= other.ends_at else other


def sanctions_in(room_ids: Collection[int], actors: Collection[Identity] | None = None) -> dict[int, Sanctions]:
    """What is in force in each of these rooms: all of it, or what may hold for ``actors``. In one query, or two where
    there is any for them."""
    named = None
    if actors is not None and len(actors) <= MOST_NAMED:
        named = _naming(actors)
        if not named:
            return dict.fromkeys(room_ids, NOTHING)
    found = Sanction.objects.in_force().filter(Q(room__in=room_ids) | Q(room=None))
    if named is not None and len(named) <= MOST_NAMED:
        found = found.filter(pk__in=named)
    columns = ("room_id", "kind", "target", "subject", "network", "created_at", "ends_at")
    by_room = defaultdict(list)
    for room_id, *sanction in found.order_by().values_list(*columns):
        for each in room_ids if room_id is None else (room_id,):
            by_room[each].append(sanction)
    return {room_id: Sanctions(by_room.get(room_id, ())) for room_id in room_ids}


def _naming(actors: Collection[Identity]) -> list[int]:
    """The primary keys of sanctions that name one of these, be they of other rooms or over. Asked with every post, and
    nearly always there is none: as it stands, since putting a query together takes longer than answering it."""
    if not actors:
        return []
    networks = {actor.network for actor in actors if actor.network}
    subjects = {actor.key for actor in actors} | {f"n{network}" for network in networks}
    with connection.cursor() as cursor:
        cursor.execute(_naming_query(len(subjects), len(networks)), [*subjects, *networks])
        return [key for (key,) in cursor.fetchall()]


@lru_cache(maxsize=1024)
def _naming_query(subjects: int, networks: int) -> str:
    """A part for each of the two partial indexes, in the words of their conditions: with one that has both in it,
    SQLite reads the whole table."""
    part = 'SELECT "id" FROM "chat_sanction" WHERE "lifted_at" IS NULL AND '
    query = f'{part}"subject" IN ({_marks(subjects)})'
    return f"""{query} UNION {part}NOT ("network" = '') AND "network" IN ({_marks(networks)})""" if networks else query


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _roles_in(room_ids: Collection[int], actors: Collection[Identity]) -> dict[tuple[int, int | None], str]:
    """The roles that accounts among ``actors`` have in these rooms, by both their primary keys, in one query at
    most."""
    user_ids = {actor.user_id for actor in actors if actor.user_id is not None}
    if not user_ids:
        return {}
    asked = Membership.objects.filter(room__in=room_ids)
    if len(user_ids) <= MOST_NAMED:
        asked = asked.filter(user_id__in=user_ids)
    return {(room_id, user_id): role for room_id, user_id, role in asked.values_list("room_id", "user_id", "role")}


def standings_together(
    actors_in: Collection[tuple[Room, Collection[Identity]]],
) -> dict[int, dict[Identity, Standing]]:
    """How everybody stands in the room that they come with, by its primary key."""
    room_ids = [room.pk for room, _ in actors_in]
    everybody = {actor for _, actors in actors_in for actor in actors}
    sanctions, roles = sanctions_in(room_ids, everybody), _roles_in(room_ids, everybody)
    return {room.pk: _standings(room.pk, actors, sanctions[room.pk], roles) for room, actors in actors_in}


def standings_in(
    room: Room, actors: Collection[Identity], sanctions: Sanctions | None = None
) -> dict[Identity, Standing]:
    """How each of ``actors`` stands in ``room``."""
    if sanctions is None:
        sanctions = sanctions_in([room.pk], actors)[room.pk]
    return _standings(room.pk, actors, sanctions, _roles_in([room.pk], actors))


def _standings(
    room_id: int, actors: Collection[Identity], sanctions: Sanctions, roles: dict[tuple[int, int | None], str]
) -> dict[Identity, Standing]:
    return {actor: sanctions.on(actor, role=roles.get((room_id, actor.user_id), NO_ROLE)) for actor in actors}


def standing_in(room: Room, actor: Identity | None, network: str = "") -> Standing:
    """How ``actor`` stands in ``room``; None is a viewer from ``network``."""
    if actor is not None:
        return standings_in(room, {actor})[actor]
    if not network:
        return NOBODY
    viewer = Identity(key="", name="", kind="guest", network=network)
    return sanctions_in([room.pk], [viewer])[room.pk].on(None, network)
