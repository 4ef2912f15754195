"""What people do in rooms, but for posting (``chat.posting``) and keeping order (``chat.moderation``). Each action is
one transaction: it checks, it writes, it appends to the log.

Synchronous, and knowing nothing of requests, sockets or consumers. Every action asks ``policies`` while it
holds the room's lock, so that what it was allowed is still so when it commits.
"""

import secrets

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, events, indexing, log, policies, screening, text
from chat.answers import Posted
from chat.audit import clean_reason, record
from chat.identity import Identity
from chat.log import Entry
from chat.mids import is_mid
from chat.models import Membership, Message, Reaction, Room
from chat.render import RENDERER, to_html
from chat.standing import standing_in
from chat.text import MAX_SLUG_CHARS

_RANDOM_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
RANDOM_CHARS = 10  # 49 bits: an address that nobody finds by trying


def create_room(actor: Identity, name: str, visibility: str = Room.Visibility.PUBLIC) -> tuple[Room, bool]:
    """The room that ``name`` leads to, and whether it was made just now. Its maker owns it, if they have an account.

    A private room's address ends in a random part, so that its name tells nobody that it exists. A room that ``actor``
    may not know of is treated as a name that cannot be had. Raises ``RoomNameInvalid``, ``NameInvalid``,
    ``RoomNameReserved``, ``RoomCreationClosed``, ``NotAllowed``.
    """
    slug = text.slug_of(name)
    title = text.clean_name(name, most=200)
    if not policies.is_open(visibility):
        if not policies.may_create_rooms(actor):
            raise errors.RoomCreationClosed()
        policies.require(actor.user_id is not None, _("Only somebody with an account can keep a private room."))
        return make_room(actor, with_random_part(slug), title, visibility), True
    room = Room.objects.filter(slug=slug).first()
    if room is not None and policies.refusal_to_read(room, actor, standing_in(room, actor)) is None:
        return room, False
    if not policies.may_create_rooms(actor):
        raise errors.RoomCreationClosed()
    if room is not None:
        raise errors.RoomNameReserved()
    try:
        return make_room(actor, slug, title, visibility), True
    except IntegrityError:
        if not Room.objects.filter(slug=slug).exists():
            raise
        return create_room(actor, name, visibility)  # somebody else was faster


def make_room(actor: Identity | None, slug: str, title: str, visibility: str) -> Room:
    """A new room, which ``actor`` owns if they have an account."""
    with transaction.atomic():
        room = Room.objects.create(slug=slug, title=title, visibility=visibility)
        if actor is not None and actor.user_id is not None:
            Membership.objects.create(room=room, user_id=actor.user_id, role=Membership.Role.OWNER)
        return room


def with_random_part(slug: str) -> str:
    """``slug`` with an end that nobody finds by trying."""
    random = "".join(secrets.choice(_RANDOM_LETTERS) for _ in range(RANDOM_CHARS))
    return f"{slug[: MAX_SLUG_CHARS - RANDOM_CHARS - 1].rstrip('-')}-{random}"


def edit(actor: Identity, room_id: int, mid: object, message: object) -> Posted:
    """Give one's own message another text. The old one is gone from the log in the same transaction.

    Raises what ``post`` raises, ``MessageNotFound`` where there is none, or it was deleted, and ``EditTooLate``.
    """
    body = text.clean_text(message)
    html = to_html(body)
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_entry(room, actor)
        now = timezone.now()
        policies.refuse(policies.refusal_to_post(room, actor, standing, now))
        found = find(room, mid)
        policies.refuse(policies.refusal_to_edit(room, found, actor, now))
        screening.check_edit(room, actor, standing, body)
        found.text, found.html, found.renderer, found.edited_at = body, html, RENDERER, now
        found.author_hue = actor.hue
        found.save(update_fields=["text", "html", "renderer", "edited_at"])
        indexing.enter(room.pk, [found])
        log.redact(room, found.mid)
        (event,) = log.append(room, Entry(events.EDITED, events.message_fields(found, room.slug), found.mid))
        return Posted(mid=found.mid, key=str(found.key), seq=event.seq)


def delete(actor: Identity, room_id: int, mid: object, reason: object = "") -> None:
    """Delete a message: its text is gone from every row in the same transaction. One that somebody else wrote is
    entered in the audit log.

    Raises ``MessageNotFound``, ``RoomNotFound``, ``NotAllowed``, ``TokenScope``.
    """
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_entry(room, actor)
        found = find(room, mid)
        policies.refuse(policies.refusal_to_delete(found, actor, standing))
        erase(room, [found])
        if not policies.is_author(found, actor):
            record(room, actor, "delete", found.author_name, found.mid, clean_reason(reason))


def remove(room_id: int, mid: str) -> None:
    """Delete a message, be it hidden, on behalf of the site, whose administrators Django's own permissions govern.
    Raises ``MessageNotFound``."""
    with transaction.atomic():
        room = log.lock(room_id)
        found = Message.objects.filter(room=room, mid=mid, deleted_at=None).first()
        if found is None:
            raise errors.MessageNotFound()
        erase(room, [found])
        record(room, None, "delete", found.author_name, found.mid)


def react(actor: Identity, room_id: int, mid: object, reaction: object, *, wanted: bool = True) -> None:
    """Put a reaction of one's own to a message, or take it back where it is not ``wanted``. Twice is once.

    Raises ``ReactionUnknown``, ``MessageNotFound`` and what forbids reacting.
    """
    if reaction not in settings.REACTIONS:
        raise errors.ReactionUnknown()
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_entry(room, actor)
        policies.refuse(policies.refusal_to_react(room, actor, standing, timezone.now()))
        found = find(room, mid)
        if policies.is_sealed(room, found.mid) and not policies.sees_sealed(actor, standing):
            raise errors.MessageNotFound()
        mine = Reaction.objects.filter(message=found, author_key=actor.key, reaction=reaction)
        if wanted == mine.exists():
            return
        if wanted:
            Reaction.objects.create(message=found, author_key=actor.key, reaction=reaction)
        else:
            mine.delete()
        counts = found.reaction_counts or {}
        counts[reaction] = Reaction.objects.filter(message=found, reaction=reaction).count()
        found.reaction_counts = {each: counts[each] for each in settings.REACTIONS if counts.get(each)}
        found.save(update_fields=["reaction_counts"])
        log.append(room, Entry(events.REACTIONS, {"reactions": found.reaction_counts}, found.mid))


def erase(room: Room, messages: list[Message]) -> None:
    """Take messages of ``room``, which the caller has locked, out of every row, log and screen."""
    mids = sorted(message.mid for message in messages)
    gone = {"text": "", "html": "", "deleted_at": timezone.now(), "reaction_counts": None}
    Message.objects.filter(mid__in=mids).update(**gone)
    indexing.remove(room.pk, [message.number for message in messages])
    Reaction.objects.filter(message__in=mids).delete()
    log.redact(room, *mids)
    unpin(room, set(mids))
    # What was hidden was told to be gone already; told again it changes nothing.
    log.append(room, *(Entry(events.DELETED, {}, mid) for mid in mids))


def unpin(room: Room, mids: set[str]) -> None:
    """Take the pin from a message that is about to go, if it has it."""
    if room.pinned_mid and room.pinned_mid in mids:
        mid, room.pinned_mid = room.pinned_mid, ""
        room.save(update_fields=["pinned_mid"])
        log.append(room, Entry(events.UNPINNED, {}, mid))


def find(room: Room, mid: object) -> Message:
    """The message of that name that stands in ``room``. Raises ``MessageNotFound``."""
    found = Message.objects.visible().filter(room=room, mid=mid).first() if is_mid(mid) else None
    if found is None:
        raise errors.MessageNotFound()
    return found
