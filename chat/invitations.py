"""Links that make members. Each action is one transaction, under the room's lock, and asks ``policies`` there.

A link holds as long as whoever made it could make it: with their role, or when they are banned, it goes, too. It is
shown once, and only its hash is kept. Synchronous, and knowing nothing of requests.
"""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, log, policies
from chat.audit import record
from chat.identity import Identity
from chat.models import Invitation, Membership, Room
from chat.sentences import Sentence, counted, filled
from chat.standing import standing_in

MAX_USES = 10_000
MAX_TOKEN_CHARS = 64


def invite(
    actor: Identity,
    room_id: int,
    role: object = Membership.Role.MEMBER,
    days: object = 7,
    most_uses: object = None,
) -> tuple[Invitation, str]:
    """Make a link to a room for ``days`` (1 to settings.MAX_INVITATION_DAYS), for ``most_uses`` people (None: any
    number). Returns it with its token, which cannot be had again.

    Raises ``SettingInvalid``, ``TooManyItems`` beyond settings.MAX_INVITATIONS, ``NotAllowed``, ``RoomNotFound``.
    """
    days = _number(days, settings.MAX_INVITATION_DAYS, _("An invitation is good for 1 to %(most)s days."))
    if most_uses in (None, ""):
        most_uses = None
    else:
        most_uses = _number(most_uses, MAX_USES, _("An invitation is good for 1 to %(most)s uses."))
    if role not in (Membership.Role.MEMBER, Membership.Role.MODERATOR):
        raise errors.SettingInvalid(_("One is invited as a member or as a moderator."))
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_readable(room, actor)
        policies.require(policies.may_invite(standing, role), _("You cannot invite anybody to that."))
        if Invitation.objects.in_force().filter(room=room).count() >= settings.MAX_INVITATIONS:
            raise errors.TooManyItems(
                counted(
                    "A room has at most %(count)s invitation at a time.",
                    "A room has at most %(count)s invitations at a time.",
                    settings.MAX_INVITATIONS,
                )
            )
        token = secrets.token_urlsafe(24)
        made = Invitation.objects.create(
            room=room,
            token_hash=_hash(token),
            role=role,
            created_by_id=actor.user_id,
            expires_at=timezone.now() + timedelta(days=days),
            most_uses=most_uses,
        )
        record(room, actor, "invite", role, days=days, most_uses=most_uses)
        return made, token


def revoke(actor: Identity, room_id: int, pk: object) -> None:
    """Have nobody follow a link any more. Who could make it can revoke it. Raises ``InvitationInvalid``."""
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_moderator(room, actor)
        number = int(pk) if str(pk).isascii() and str(pk).isdecimal() and len(str(pk)) < 19 else 0
        found = Invitation.objects.filter(room=room, pk=number, revoked_at=None).first()
        if found is None:
            raise errors.InvitationInvalid(_("There is no such invitation here."))
        policies.require(policies.may_invite(standing, found.role), _("Only the room's owner can revoke that."))
        found.revoked_at = timezone.now()
        found.save(update_fields=["revoked_at"])
        record(room, actor, "revoke_invitation", found.role)


def look(token: object) -> Invitation:
    """The invitation that a link leads to. Raises ``InvitationInvalid``, whatever is wrong with it."""
    found = None
    if isinstance(token, str) and 0 < len(token) <= MAX_TOKEN_CHARS:
        good = Invitation.objects.in_force().select_related("room", "created_by")
        found = good.filter(token_hash=_hash(token), room__deleted_at=None).first()
    if found is None or standing_in(found.room, found.created_by.identity).ban is not None:
        raise errors.InvitationInvalid()
    return found


def accept(actor: Identity, token: object) -> Room:
    """Follow a link. Who belongs to the room already, in that role or a higher one, uses nothing up. Raises
    ``InvitationInvalid``, ``Banned``, and ``NotAllowed`` without an account."""
    policies.require(actor.user_id is not None, _("Only somebody with an account can join a room."))
    room_id = look(token).room_id
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        found = look(token)  # anew: what it was before the lock may be over
        standing = standing_in(room, actor)
        if standing.ban is not None:
            raise policies.banned(standing.ban)
        if policies.is_at_least(standing, found.role):
            return room
        found.uses += 1
        found.save(update_fields=["uses"])
        membership, is_new = Membership.objects.get_or_create(
            room=room, user_id=actor.user_id, defaults={"role": found.role}
        )
        if not is_new:
            membership.role = found.role
            membership.save(update_fields=["role"])
        record(room, actor, "join", actor.name, **{"from": standing.role, "to": found.role})
        return room


def _number(value: object, most: int, wanted: Sentence) -> int:
    """``value`` as a number from 1 to ``most``. Raises ``SettingInvalid``, which says what is ``wanted``."""
    text = str(value)
    is_number = not isinstance(value, bool) and text.isascii() and text.isdecimal() and len(text) < 9
    if not is_number or not 1 <= int(text) <= most:
        raise errors.SettingInvalid(filled(wanted, most=most))
    return int(text)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
