"""What people do in rooms, but for posting (``chat.posting``). Each action is one transaction: it checks, it writes, it
appends to the log.

Synchronous, and knowing nothing of requests, sockets or consumers. Every action asks ``policies`` while it
holds the room's lock, so that what it was allowed is still so when it commits.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import errors, events, log, policies, text
from chat.identity import Identity
from chat.log import Entry
from chat.mids import is_mid
from chat.models import Membership, Message, Room
from chat.posting import Posted
from chat.render import RENDERER, to_html


def create_room(actor: Identity, name: str, visibility: str = Room.Visibility.PUBLIC) -> tuple[Room, bool]:
    """The room that ``name`` leads to, and whether it was made just now. Its maker owns it, if they have an account.

    A room that ``actor`` may not know of is treated as a name that cannot be had. Raises ``RoomNameInvalid``,
    ``NameInvalid``, ``RoomNameReserved``, ``RoomCreationClosed``, ``NotAllowed``.
    """
    slug = text.slug_of(name)
    title = text.clean_name(name, most=200)
    room = Room.objects.filter(slug=slug).first()
    if room is not None and policies.may_read(room, policies.role_in(room, actor)):
        return room, False
    if not policies.may_create_rooms(actor):
        raise errors.RoomCreationClosed()
    if room is not None:
        raise errors.RoomNameReserved()
    if not policies.anyone_may_read(visibility):
        policies.require(actor.user_id is not None, "Only somebody with an account can keep a private room.")
    try:
        with transaction.atomic():
            room = Room.objects.create(slug=slug, title=title, visibility=visibility)
            if actor.user_id is not None:
                Membership.objects.create(room=room, user_id=actor.user_id, role=Membership.Role.OWNER)
    except IntegrityError:
        if not Room.objects.filter(slug=slug).exists():
            raise
        return create_room(actor, name, visibility)  # somebody else was faster
    return room, True


def edit(actor: Identity, room_id: int, mid: object, message: object) -> Posted:
    """Give one's own message another text. The old one is gone from the log in the same transaction.

    Raises what ``post`` raises, and ``MessageNotFound`` where there is none, or it was deleted.
    """
    body = text.clean_text(message)
    html = to_html(body)
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        role = policies.require_readable(room, actor)
        policies.require(policies.may_post(room, role))
        found = _find(room, mid)
        policies.require(policies.may_edit(found, actor), "Only its author can edit a message.")
        found.text, found.html, found.renderer, found.edited_at = body, html, RENDERER, timezone.now()
        found.save(update_fields=["text", "html", "renderer", "edited_at"])
        log.redact(room, found.mid)
        (event,) = log.append(room, Entry(events.EDITED, events.message_fields(found, room.slug), found.mid))
        return Posted(mid=found.mid, key=str(found.key), seq=event.seq)


def delete(actor: Identity, room_id: int, mid: object) -> None:
    """Delete a message: its text is gone from every row in the same transaction.

    Raises ``MessageNotFound``, ``RoomNotFound``, ``NotAllowed``.
    """
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        role = policies.require_readable(room, actor)
        found = _find(room, mid)
        policies.require(policies.may_delete(found, actor, role), "Only its author or a moderator can delete that.")
        _delete(room, found)


def remove(room_id: int, mid: str) -> None:
    """Delete a message on behalf of the site, whose administrators Django's own permissions govern."""
    with transaction.atomic():
        room = log.lock(room_id)
        _delete(room, _find(room, mid))


def change_visibility(actor: Identity, room_id: int, visibility: str) -> None:
    """Make a room public, unlisted or private. Who may no longer read it is let go by the relays.

    Raises ``RoomNotFound``, ``NotAllowed``, ``ValueError`` for a visibility there is not.
    """
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        role = policies.require_readable(room, actor)
        policies.require(policies.may_govern(role), "Only the room's owner can change that.")
        _set_visibility(room, visibility)


def set_visibility(room_id: int, visibility: str) -> None:
    """The same on behalf of the site."""
    with transaction.atomic():
        _set_visibility(log.lock(room_id), visibility)


def _delete(room: Room, message: Message) -> None:
    message.text, message.html, message.deleted_at = "", "", timezone.now()
    message.save(update_fields=["text", "html", "deleted_at"])
    log.redact(room, message.mid)
    log.append(room, Entry(events.DELETED, {}, message.mid))


def _set_visibility(room: Room, visibility: str) -> None:
    visibility = Room.Visibility(visibility)
    if room.visibility != visibility:
        room.visibility = visibility
        room.save(update_fields=["visibility"])
        log.append(room, Entry(events.ROOM_CHANGED, {"visibility": visibility.value}))


def _find(room: Room, mid: object) -> Message:
    found = Message.objects.visible().filter(room=room, mid=mid).first() if is_mid(mid) else None
    if found is None:
        raise errors.MessageNotFound()
    return found
