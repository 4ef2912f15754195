"""What a room's owner decides: how it is set up, who belongs to it, and when it ends. Each action is one transaction.

What any reader may know of a change is an event of the room's log; all of it is in the audit log, and everybody who is
there is held to it at once.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, events, holding, indexing, log, policies, site, text
from chat.audit import record
from chat.identity import Identity
from chat.log import Entry
from chat.models import (
    ApiToken,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    Participant,
    Report,
    Room,
    User,
    ViewToken,
    Webhook,
)
from chat.sentences import filled

TOLD = frozenset({"title", "topic", "language", "visibility", "posting", "slow_seconds", "shows_names", "shows_typing"})
_PEOPLES = (Message, HeldMessage, Report, Membership, Participant)  # what people leave in a room
CLEANERS: dict[str, Callable[[Any], Any]] = {
    "title": lambda value: text.clean_name(value, most=200),
    "topic": lambda value: text.clean_name(value, most=500) if value else "",
    "retention_days": lambda value: None if value == "" else value,
}
SETTINGS = (
    "title",
    "topic",
    "language",
    "visibility",
    "posting",
    "approval",
    "slow_seconds",
    "account_age_hours",
    "shows_names",
    "shows_typing",
    "is_indexed",
    "retention_days",
    "embed_origins",
    "blocked_words",
    "on_words",
    "on_links",
    "on_repeats",
    "on_shouting",
)


def change_room(
    actor: Identity | None, room_id: int, changes: dict[str, Any], *, opens_past: bool = False
) -> list[str]:
    """Set up a room differently: ``changes`` by name (SETTINGS). Returns the names of those that made a difference.

    Where a private room is opened to others, what was said before stays among its members unless ``opens_past``.
    ``actor`` None is the site's administration. Raises ``SettingInvalid``, which says what is wrong with what,
    ``NameInvalid``, ``RoomNotFound``, ``NotAllowed``.
    """
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        if actor is not None:
            policies.require_owner(room, actor)
        before = {name: getattr(room, name) for name in SETTINGS}
        for name, value in changes.items():
            if name not in SETTINGS:
                raise errors.SettingInvalid(filled(_("A room has no setting “%(name)s”."), name=name))
            setattr(room, name, _cleaned(name, value))
        try:
            room.clean_fields(exclude=[field.name for field in Room._meta.fields if field.name not in changes])
        except ValidationError as error:
            name, messages = next(iter(error.message_dict.items()))
            raise errors.SettingInvalid(
                filled(_("%(name)s: %(problem)s"), name=name, problem=" ".join(messages))
            ) from None
        changed = [name for name in SETTINGS if getattr(room, name) != before[name]]
        if not changed:
            return []
        room.save(update_fields=changed)
        was_open = policies.is_open(before["visibility"])
        if not was_open and policies.is_open(room.visibility):
            _open(room, opens_past)
        told = {name: getattr(room, name) for name in changed if name in TOLD}
        if told:
            log.append(room, Entry(events.ROOM_CHANGED, told))
        for name in changed:
            is_long = name == "blocked_words"  # which the audit log need not repeat
            details = {} if is_long else {"from": before[name], "to": getattr(room, name)}
            record(room, actor, "change", name, **details)
        site.room_changed(room.pk)
        return changed


def _cleaned(name: str, value: object) -> object:
    """A setting's value, which may have come from a program, as the columns take it. Raises ``SettingInvalid``."""
    if value is None:
        value = ""
    if not isinstance(value, (str, int)):
        raise errors.SettingInvalid(filled(_("%(name)s: that is text, a number, true or false."), name=name))
    if isinstance(value, str):
        value = text.well_formed(value).replace("\0", "")
    return CLEANERS[name](value) if name in CLEANERS else value


def _open(room: Room, opens_past: bool) -> None:
    """What was said while the room was private stays there, in its pages and in its log."""
    if opens_past:
        room.sealed_mid = ""
    else:
        room.sealed_mid = room.last_mid
        log.seal(room)
        holding.reject_all(room)  # what was held was said in private as well
        if room.pinned_mid:
            mid, room.pinned_mid = room.pinned_mid, ""
            log.append(room, Entry(events.UNPINNED, {}, mid))
    room.save(update_fields=["sealed_mid", "pinned_mid"])


def change_visibility(actor: Identity, room_id: int, visibility: str, *, opens_past: bool = False) -> None:
    """Make a room public, unlisted or private. Who may no longer read it is let go by the relays."""
    change_room(actor, room_id, {"visibility": visibility}, opens_past=opens_past)


def archive(actor: Identity | None, room_id: int) -> None:
    """Have nothing more added to a room. It can be read, and reopened."""
    with transaction.atomic():
        room = _owned(actor, room_id)
        if room.archived_at is None:
            room.archived_at = timezone.now()
            _told_of_all(room, actor, "archive", events.ARCHIVED)


def reopen(actor: Identity | None, room_id: int) -> None:
    with transaction.atomic():
        room = _owned(actor, room_id)
        if room.archived_at is not None:
            room.archived_at = None
            _told_of_all(room, actor, "reopen", events.REOPENED)


def delete_room(actor: Identity | None, room_id: int) -> None:
    """Delete a room and all that was said in it, for good. A tombstone keeps its address, which leads nowhere
    again, and its last number."""
    with transaction.atomic():
        room = _owned(actor, room_id)
        log.seal(room)
        log.append(room, Entry(events.ROOM_CHANGED, {"visibility": Room.Visibility.PRIVATE.value}))
        for theirs in (*_PEOPLES, Invitation, ApiToken, ViewToken, Webhook):
            theirs.objects.filter(room=room).delete()
        indexing.remove_room(room.pk)
        room.deleted_at = timezone.now()
        room.title = room.topic = room.blocked_words = room.embed_origins = room.pinned_mid = ""
        room.visibility = Room.Visibility.PRIVATE
        room.save()
        record(room, actor, "delete_room", room.slug)
        site.room_changed(room.pk)


def set_role(actor: Identity | None, room_id: int, username: str, role: str | None) -> None:
    """Make somebody owner, moderator or member of a room, or (None) none of these any more, which moderators do to
    members. Raises ``AccountNotFound``, and ``NotAllowed`` where the room would be left without an owner."""
    if role is not None and role not in Membership.Role.values:
        raise errors.SettingInvalid(_("Somebody is owner, moderator or member."))
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_moderator(room, actor) if actor is not None else None
        if room is None or room.deleted_at is not None:
            raise errors.RoomNotFound()
        found = Membership.objects.filter(room=room, user__username=username).select_related("user").first()
        was = found.role if found is not None else None
        if standing is not None:
            policies.require(policies.may_set_role(standing, was, role), _("Only the room's owner can do that."))
        user = found.user if found is not None else User.objects.filter(username=username).first()
        if user is None:
            raise errors.AccountNotFound()
        if was == role:
            return
        if was == Membership.Role.OWNER:
            _require_another_owner(room, found)
        if role is None:
            found.delete()
        elif found is None:
            Membership.objects.create(room=room, user=user, role=role)
        else:
            found.role = role
            found.save(update_fields=["role"])
        record(room, actor, "role", user.username, **{"from": was, "to": role})


def leave(actor: Identity, room_id: int) -> None:
    """Give up one's own membership. Raises ``NotAllowed`` for the only owner."""
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_readable(room, actor)
        found = Membership.objects.filter(room=room, user_id=actor.user_id).first()
        if found is None:
            return
        if policies.may_govern(standing):
            _require_another_owner(room, found)
        found.delete()
        record(room, actor, "leave", actor.name)


def _owned(actor: Identity | None, room_id: int) -> Room:
    room = log.lock_if_there(room_id)
    if actor is not None:
        policies.require_owner(room, actor)
    elif room is None or room.deleted_at is not None:
        raise errors.RoomNotFound()
    return room


def _require_another_owner(room: Room, leaving: Membership) -> None:
    others = Membership.objects.filter(room=room, role=Membership.Role.OWNER).exclude(pk=leaving.pk)
    policies.require(others.exists(), _("A room keeps an owner: name another one first."))


def _told_of_all(room: Room, actor: Identity | None, action: str, event: str) -> None:
    room.save(update_fields=["archived_at"])
    log.append(room, Entry(event, {}))
    record(room, actor, action)
    site.room_changed(room.pk)
