"""Accounts: how they come to be, and how a guest becomes one and stays who they are."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Model, Q

from chat import log, screening, site
from chat.audit import record
from chat.identity import Identity, new_guest
from chat.models import FormerGuest, HeldMessage, Message, Participant, Reaction, Report, Room, Sanction, User

ROOMS_AT_ONCE = 500


def sign_up(user: User, guest: Identity | None, network: str = "") -> None:
    """Keep a new account, with its password set, which ``guest`` (None: nobody) was before. Raises ``NameInvalid``,
    ``NameReserved``, ``NameTaken``.

    Sign-ups wait for each other, so that of two names that look alike, asked for at one moment, one is refused.
    """
    with transaction.atomic():
        rooms = log.lock_together(rooms_of([guest.key])) if guest is not None else {}
        site.one_at_a_time()
        screening.check_username(user.username)
        user.save()
        if guest is not None:
            adopt(user, guest, rooms)
        else:  # who cleared their cookie first is as new a guest as any
            _carry_sanctions(user, new_guest(network=network))


def rename(user: User, name: str) -> None:
    """Call an account ``name`` from now on. What it said keeps the name that it was said under, since everybody has
    seen so; connections end and come back, so that nobody goes on under a name that is somebody else's by now. Raises
    ``NameInvalid``, ``NameReserved``, ``NameTaken``. Waits as ``sign_up`` does."""
    with transaction.atomic():
        site.one_at_a_time()
        current = User.objects.get(pk=user.pk)
        if name != current.username:
            screening.check_username(name, but=user.pk)
            record(None, current.identity, "rename")
            user.username = name
            user.save(update_fields=["username"])
            site.user_changed(user.pk)


def adopt(user: User, guest: Identity, rooms: dict[int, Room]) -> None:
    """Have what ``guest`` wrote in ``rooms`` belong to ``user``, who was that guest, and what holds for them hold for
    ``user``. The caller has locked the rooms, so that nobody is banned as a guest while they become somebody else.

    Messages keep their ``author_key`` and name: they were said as a guest, and everybody has seen so. A guest is
    adopted once.
    """
    _carry_sanctions(user, guest)
    _, is_new = FormerGuest.objects.get_or_create(key=guest.key, defaults={"user": user})
    if not is_new:
        return
    user.former_keys = " ".join([*user.former_keys.split(), guest.key])
    user.save(update_fields=["former_keys"])
    key = f"u{user.pk}"
    for theirs in (Message, HeldMessage):
        theirs.objects.filter(room__in=rooms, author_key=guest.key, author=None).update(author=user)
    for room_id in rooms:
        Participant.objects.filter(room=room_id, author_key=guest.key).update(author_key=key)
    Reaction.objects.filter(author_key=guest.key).update(author_key=key)
    Report.objects.filter(reporter_key=guest.key).update(reporter_key=key, reporter_name=user.username)


def _carry_sanctions(user: User, guest: Identity) -> None:
    """What holds for ``guest``, be it as a newer one from the network of another, holds for the account, too."""
    holding = Q(subject=guest.key)
    if guest.network:
        since = datetime.fromtimestamp(guest.since).astimezone()
        holding |= ~Q(target=Sanction.Target.NETWORK) & Q(network=guest.network, created_at__lt=since)
    for found in Sanction.objects.in_force().filter(holding):
        carried = Sanction.objects.create(
            room_id=found.room_id,
            kind=found.kind,
            target=Sanction.Target.ACCOUNT,
            subject=f"u{user.pk}",
            name=user.username,
            reason=found.reason,
            by_id=found.by_id,
            by_name=found.by_name,
            created_at=found.created_at,
            ends_at=found.ends_at,
        )
        record(found.room, None, f"{carried.kind}_carried", user.username, reason=found.reason)


def rooms_of(keys: Collection[str], user_id: int | None = None) -> list[int]:
    """The rooms in which somebody with these keys, or this account, has left anything, in order."""
    found: set[int] = set()
    if user_id is not None:
        for theirs in (Message, HeldMessage):
            found.update(theirs.objects.filter(author=user_id).order_by().values_list("room_id", flat=True).distinct())
    for theirs in (Message, HeldMessage, Participant):
        for some in _rooms_by_some():
            # With the room, since the index has it first: to read all messages would take long.
            asked = theirs.objects.filter(room__in=some, author_key__in=keys)
            found.update(asked.order_by().values_list("room_id", flat=True).distinct())
    for model, field in _KEYED:
        room = "message__room_id" if model is Reaction else "room_id"
        found.update(model.objects.filter(**{f"{field}__in": keys}).order_by().values_list(room, flat=True).distinct())
    return sorted(found)


_KEYED: tuple[tuple[type[Model], str], ...] = ((Reaction, "author_key"), (Report, "reporter_key"))


def _rooms_by_some() -> Iterator[list[int]]:
    rooms = list(Room.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(rooms), ROOMS_AT_ONCE):
        yield rooms[start : start + ROOMS_AT_ONCE]
