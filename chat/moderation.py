"""Keeping order in a room. Each action is one transaction, asks ``policies`` under the room's lock, and leaves an entry
in the audit log. Synchronous, and knowing nothing of requests, sockets or consumers.
"""

from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, events, indexing, log, policies, site
from chat.actions import erase, find, unpin
from chat.audit import SITE, clean_reason, record
from chat.colours import with_hues
from chat.identity import Identity
from chat.log import Entry
from chat.mids import is_mid
from chat.models import HeldMessage, Membership, Message, Room, Sanction
from chat.sentences import filled
from chat.standing import NO_ROLE, Standing

MUTE_SECONDS = (10, 24 * 3600)
BAN_SECONDS = (60, 10 * 365 * 24 * 3600)
PURGE = timedelta(hours=24)  # how far back "recent" reaches
MOST_PURGED = 1000


def delete_recent(actor: Identity, room_id: int, mid: object, reason: object = "") -> int:
    """Delete what the author of ``mid`` said in the last 24 hours, at most MOST_PURGED messages. Returns how many."""
    with transaction.atomic():
        room, standing = _as_moderator(room_id, actor)
        author = _author_of(room, mid)
        _require_rank(room, standing, author)
        since = timezone.now() - PURGE
        theirs = Q(author_key=author.author_key)
        if author.author_id is not None:  # also as the guest that they were
            theirs |= Q(author_id=author.author_id)
        recent = Message.objects.filter(theirs, room=room, deleted_at=None, created_at__gt=since)
        found = list(recent.order_by("-mid")[:MOST_PURGED])
        if found:
            erase(room, found)
        record(room, actor, "delete_recent", author.author_name, author.mid, clean_reason(reason), count=len(found))
        return len(found)


def hide(actor: Identity, room_id: int, mid: object, reason: object = "") -> None:
    """Take a message out of everybody's sight but the moderators', who may show it again. To readers it is deleted."""
    with transaction.atomic():
        room, _standing = _as_moderator(room_id, actor)
        found = find(room, mid)
        found.hidden_at = timezone.now()
        found.save(update_fields=["hidden_at"])
        indexing.remove(room.pk, [found.number])
        log.redact(room, found.mid)
        unpin(room, {found.mid})
        log.append(room, Entry(events.DELETED, {}, found.mid))
        record(room, actor, "hide", found.author_name, found.mid, clean_reason(reason))


def unhide(actor: Identity, room_id: int, mid: object, reason: object = "") -> None:
    """Show a hidden message again. Readers are told as of an edit: an edit may be the first that they hear of it."""
    with transaction.atomic():
        room, _standing = _as_moderator(room_id, actor)
        found = _author_of(room, mid)
        if found.hidden_at is None or found.deleted_at is not None:
            raise errors.MessageNotFound()
        if policies.is_sealed(room, found.mid):
            raise errors.NotAllowed(_("That was said before this room was opened to others."))
        found.hidden_at = None
        found.save(update_fields=["hidden_at"])
        indexing.enter(room.pk, [found])
        with_hues([found])
        log.append(room, Entry(events.EDITED, events.message_fields(found, room.slug), found.mid))
        record(room, actor, "unhide", found.author_name, found.mid, clean_reason(reason))


def delete_hidden(actor: Identity, room_id: int, mid: object, reason: object = "") -> None:
    """Delete a hidden message for good."""
    with transaction.atomic():
        room, _standing = _as_moderator(room_id, actor)
        found = _author_of(room, mid)
        if found.hidden_at is None or found.deleted_at is not None:
            raise errors.MessageNotFound()
        erase(room, [found])
        record(room, actor, "delete", found.author_name, found.mid, clean_reason(reason))


def pin(actor: Identity, room_id: int, mid: object) -> None:
    """Pin a message, in the place of the one that was pinned before."""
    with transaction.atomic():
        room, _standing = _as_moderator(room_id, actor)
        found = find(room, mid)
        if policies.is_sealed(room, found.mid):
            raise errors.NotAllowed(_("That was said before this room was opened to others."))
        if room.pinned_mid == found.mid:
            return
        room.pinned_mid = found.mid
        room.save(update_fields=["pinned_mid"])
        log.append(room, Entry(events.PINNED, {}, found.mid))
        record(room, actor, "pin", found.author_name, found.mid)


def take_pin(actor: Identity, room_id: int, mid: object) -> None:
    """Unpin a message. One that is not pinned stays so."""
    with transaction.atomic():
        room, _standing = _as_moderator(room_id, actor)
        if not is_mid(mid) or room.pinned_mid != mid:
            return
        unpin(room, {mid})
        record(room, actor, "unpin", mid=mid)


def mute(
    actor: Identity, room_id: int, mid: object, seconds: object, reason: object = "", *, held: object = None
) -> Sanction:
    """Have the author of ``mid``, or of the held message ``held``, only read for 10 seconds to 24 hours. Raises
    ``DurationInvalid``, ``TargetInvalid``."""
    seconds = _duration(seconds, MUTE_SECONDS)
    with transaction.atomic():
        room, standing = _as_moderator(room_id, actor)
        author = _author_of(room, mid) if held is None else _author_of_held(room, held)
        _require_rank(room, standing, author)
        whom = _whom(author, _own_target(author))
        return impose(room, actor, Sanction.Kind.MUTE, whom, seconds, reason, _mid_of(author))


def ban(
    actor: Identity,
    room_id: int,
    mid: object,
    target: object = None,
    seconds: object = None,
    reason: object = "",
    *,
    held: object = None,
) -> Sanction:
    """Ban the author of ``mid``, or of the held message ``held``, from the room for ``seconds`` (None: for good): their
    account or the guest that they are (``target`` None), or the ``network`` that they came from. Raises
    ``DurationInvalid``, ``TargetInvalid``."""
    if seconds is not None:
        seconds = _duration(seconds, BAN_SECONDS)
    with transaction.atomic():
        room, standing = _as_moderator(room_id, actor)
        author = _author_of(room, mid) if held is None else _author_of_held(room, held)
        _require_rank(room, standing, author)
        target = target or _own_target(author)
        if target not in (_own_target(author), Sanction.Target.NETWORK):
            raise errors.TargetInvalid()
        return impose(room, actor, Sanction.Kind.BAN, _whom(author, target), seconds, reason, _mid_of(author))


def lift(actor: Identity, room_id: int, sanction_id: object, reason: object = "") -> None:
    """End a mute or a ban of this room before its time. Raises ``TargetInvalid`` where there is none."""
    with transaction.atomic():
        room, standing = _as_moderator(room_id, actor)
        found = Sanction.objects.in_force().filter(room=room, pk=number(sanction_id)).first()
        if found is None:
            raise errors.TargetInvalid(_("There is no such mute or ban here."))
        user_id = number(found.subject[1:]) if found.target == Sanction.Target.ACCOUNT else None
        policies.require(
            policies.may_lift(standing, _role_of(room, user_id)), _("Only the room's owner can lift that.")
        )
        end(room, actor, found, reason)


class Subject(NamedTuple):
    """Whom a sanction is to hold, as ``Sanction`` keeps it, and what they are called."""

    target: str
    subject: str
    network: str
    name: str


def impose(
    room: Room | None,
    actor: Identity | None,
    kind: str,
    whom: Subject,
    seconds: int | None,
    reason: object = "",
    mid: str = "",
) -> Sanction:
    """Mute or ban somebody in ``room``, which the caller has locked, or (None) on the whole site, for ``seconds``
    (None: for good). ``actor`` None is the site's administration. Part of the caller's transaction."""
    now = timezone.now()
    # A new word takes the place of an older one.
    Sanction.objects.in_force(now).filter(room=room, kind=kind, subject=whom.subject).update(lifted_at=now)
    sanction = Sanction.objects.create(
        room=room,
        kind=kind,
        **whom._asdict(),
        reason=clean_reason(reason),
        by_id=actor.user_id if actor is not None else None,
        by_name=actor.name if actor is not None else SITE,
        created_at=now,
        ends_at=None if seconds is None else now + timedelta(seconds=seconds),
    )
    record(room, actor, kind, whom.name, mid, sanction.reason, against=whom.target, seconds=seconds)
    _standing_changed(room)
    return sanction


def end(room: Room | None, actor: Identity | None, sanction: Sanction, reason: object = "") -> None:
    """End a sanction of ``room`` (None: of the whole site) before its time. Part of the caller's transaction."""
    sanction.lifted_at = timezone.now()
    sanction.save(update_fields=["lifted_at"])
    record(room, actor, f"un{sanction.kind}", sanction.name, reason=clean_reason(reason))
    _standing_changed(room)


def _standing_changed(room: Room | None) -> None:
    if room is None:
        site.everywhere_changed()
    else:
        site.room_changed(room.pk)


def _whom(author: Message, target: str) -> Subject:
    """The author of a message, or where they wrote it from. Raises ``TargetInvalid``."""
    match target:
        case Sanction.Target.ACCOUNT:
            return Subject(target, f"u{author.author_id}", author.network, author.author_name)
        case Sanction.Target.GUEST:
            return Subject(target, author.author_key, author.network, author.author_name)
        case _:
            if not author.network:
                raise errors.TargetInvalid(_("It is not known where that message came from."))
            return Subject(target, f"n{author.network}", author.network, author.author_name)


def _as_moderator(room_id: int, actor: Identity) -> tuple[Room, Standing]:
    """The room, locked, and how ``actor`` stands, who keeps order in it."""
    room = log.lock_if_there(room_id)
    return room, policies.require_moderator(room, actor)


def _author_of(room: Room, mid: object) -> Message:
    """The message of that name, be it hidden or deleted: its author is known all the same."""
    found = Message.objects.filter(room=room, mid=mid).first() if is_mid(mid) else None
    if found is None:
        raise errors.MessageNotFound()
    return found


def _author_of_held(room: Room, held_id: object) -> HeldMessage:
    """The held message of that number, be it settled by now."""
    found = HeldMessage.objects.filter(room=room, pk=number(held_id)).first()
    if found is None:
        raise errors.MessageNotFound()
    return found


def _own_target(author: Message | HeldMessage) -> str:
    if author.author_kind == "bot":
        raise errors.TargetInvalid(_("A program is stopped by revoking its token."))
    return Sanction.Target.GUEST if author.author_id is None else Sanction.Target.ACCOUNT


def _require_rank(room: Room, standing: Standing, author: Message | HeldMessage) -> None:
    role = _role_of(room, author.author_id)
    policies.require(policies.outranks(standing, role), _("That is somebody whom you cannot take measures against."))


def _role_of(room: Room, user_id: int | None) -> str:
    theirs = Membership.objects.filter(room=room, user_id=user_id).values_list("role", flat=True)
    return (theirs.first() if user_id is not None else None) or NO_ROLE


def _mid_of(author: Message | HeldMessage) -> str:
    return author.mid if isinstance(author, Message) else ""


def number(value: object) -> int:
    """A primary key out of a frame or a form; one that there is not where it is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _duration(seconds: object, bounds: tuple[int, int]) -> int:
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal() and len(seconds) < 12:
        seconds = int(seconds)
    least, most = bounds
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not least <= seconds <= most:
        raise errors.DurationInvalid(
            filled(_("That is between %(least)s and %(most)s seconds."), least=least, most=most)
        )
    return seconds
