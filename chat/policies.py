"""Who may do what: the one policy that every door asks.

Doors ask after registering as a follower, so that nothing slips between the check and the first event; actions
ask inside the transaction of their append. What is refused comes as the error that says why, or None.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, tracing
from chat.errors import ChatError
from chat.identity import Grant, Identity
from chat.models import Membership, Message, Room
from chat.sentences import Sentence, counted, filled
from chat.standing import NO_ROLE, Standing, Term, standing_in

_BANNED = {
    "account": _("Your account was banned here."),
    "guest": _("You were banned here."),
    "network": _("The network that you come from was banned here."),
}
_BANNED_UNTIL = {
    "account": _("Your account was banned here until %(moment)s UTC."),
    "guest": _("You were banned here until %(moment)s UTC."),
    "network": _("The network that you come from was banned here until %(moment)s UTC."),
}
_RANKS = {Membership.Role.OWNER: 3, Membership.Role.MODERATOR: 2, Membership.Role.MEMBER: 1}


def is_open(visibility: str) -> bool:
    """Whether a room of that visibility is open to somebody of whom nothing is known."""
    return visibility in (Room.Visibility.PUBLIC, Room.Visibility.UNLISTED)


def anyone_may_read(room: Room) -> bool:
    """Whether ``room`` is."""
    return room.deleted_at is None and is_open(room.visibility)


def may_be_indexed(room: Room) -> bool:
    """Whether search engines may list it."""
    return room.is_indexed and room.deleted_at is None and room.visibility == Room.Visibility.PUBLIC


def refusal_to_enter(
    room: Room | None, actor: Identity | None, standing: Standing, grant: Grant | None = None
) -> ChatError | None:
    """Why somebody may not be in ``room``, if they may not, whatever they want there. ``actor`` None is a viewer, who
    may have come with a ``grant`` that is in force."""
    if room is None or room.deleted_at is not None:
        return errors.RoomNotFound()
    if actor is not None and actor.kind == "bot":
        if actor.room_id != room.pk:
            return errors.RoomNotFound()
    elif not is_open(room.visibility) and standing.role == NO_ROLE and not _is_for(grant, room):
        return errors.RoomNotFound()
    return None if standing.ban is None else banned(standing.ban)


def _is_for(grant: Grant | None, room: Room) -> bool:
    return grant is not None and grant.room_id == room.pk


def refusal_to_read(
    room: Room | None, actor: Identity | None, standing: Standing, grant: Grant | None = None
) -> ChatError | None:
    """Why somebody may not read what is said in ``room``, if they may not. A program needs the scope for it."""
    refusal = refusal_to_enter(room, actor, standing, grant)
    if refusal is None and actor is not None and actor.kind == "bot":
        refusal = _refusal_of_scope(actor, "read")
    return refusal


def refusal_to_post(room: Room, actor: Identity, standing: Standing, now: datetime) -> ChatError | None:
    """Why somebody may not write in ``room``, if they may not: whatever they write."""
    refusal = _refusal_to_take_part(room, actor, standing, now)
    if refusal is None and actor.kind != "bot" and not standing.governs:
        refusal = _refusal_by_level(room.posting, room, actor, standing, now)
    return refusal


def refusal_to_react(room: Room, actor: Identity, standing: Standing, now: datetime) -> ChatError | None:
    """The same for reactions. Where only moderators write, everybody may still nod."""
    refusal = _refusal_to_take_part(room, actor, standing, now)
    if refusal is None and actor.kind != "bot" and not standing.governs:
        level = Room.Posting.EVERYONE if room.posting == Room.Posting.MODERATORS else room.posting
        refusal = _refusal_by_level(level, room, actor, standing, now)
    return refusal


def _refusal_to_take_part(room: Room, actor: Identity, standing: Standing, now: datetime) -> ChatError | None:
    if (refusal := refusal_to_enter(room, actor, standing)) is not None:
        return refusal
    if actor.kind == "bot" and (refusal := _refusal_of_scope(actor, "post")) is not None:
        return refusal
    if room.archived_at is not None:
        return errors.RoomArchived()
    return None if standing.mute is None else muted(standing.mute, now)


def _refusal_by_level(level: str, room: Room, actor: Identity, standing: Standing, now: datetime) -> ChatError | None:
    is_member = standing.role != NO_ROLE
    match level:
        case Room.Posting.MODERATORS:
            return errors.PostingModerators()
        case Room.Posting.MEMBERS if not is_member:
            return errors.PostingMembers()
        case Room.Posting.SIGNED_IN if actor.user_id is None:
            return errors.PostingSignedIn()
    if room.account_age_hours and not is_member:
        if actor.user_id is None:
            return errors.PostingSignedIn()
        wait = actor.since + room.account_age_hours * 3600 - now.timestamp()
        if wait > 0:
            sentence = counted(
                "Here one writes with an account that is %(count)s hour old.",
                "Here one writes with an account that is %(count)s hours old.",
                room.account_age_hours,
            )
            return errors.AccountTooNew(sentence, retry_after=wait)
    return None


def _refusal_of_scope(bot: Identity, scope: str) -> ChatError | None:
    return (
        None
        if scope in bot.scopes
        else errors.TokenScope(filled(_("That token lacks the scope “%(scope)s”."), scope=scope))
    )


def waits_for_approval(room: Room, actor: Identity, standing: Standing) -> bool:
    """Whether the room wants to see what they write before others do."""
    if standing.role != NO_ROLE or actor.kind == "bot":
        return False
    return room.approval == Room.Approval.NEWCOMERS or (room.approval == Room.Approval.GUESTS and actor.user_id is None)


def is_filtered(actor: Identity, standing: Standing) -> bool:
    """Whether filters and slow mode concern them: not those who keep order, and not the room's own programs."""
    return actor.kind != "bot" and not standing.governs


def may_create_rooms(actor: Identity) -> bool:
    """As settings.ROOM_CREATION says. A program acts in its own room only."""
    if actor.kind == "bot":
        return False
    match settings.ROOM_CREATION:
        case "everyone":
            return True
        case "signed-in":
            return actor.user_id is not None
        case _:
            return actor.is_staff


def may_create_with_account(actor: Identity) -> bool:
    """Whether they may not make rooms as who they are, and could if they had an account."""
    return settings.ROOM_CREATION == "signed-in" and actor.kind == "guest"


def is_author(message: Message, actor: Identity) -> bool:
    """Whether they wrote it, be it as the guest that they were before they signed up."""
    return message.author_key in actor.ids or (actor.user_id is not None and message.author_id == actor.user_id)


def refusal_to_edit(room: Room, message: Message, actor: Identity, now: datetime) -> ChatError | None:
    """Why somebody who may post may not change this message."""
    if not is_author(message, actor):
        return errors.NotAllowed(_("Only its author can edit a message."))
    if is_sealed(room, message.mid):
        return errors.EditTooLate(_("That was said before this room was opened to others."))
    if settings.EDIT_MINUTES and now - message.created_at > timedelta(minutes=settings.EDIT_MINUTES):
        return errors.EditTooLate(
            counted(
                "A message can be edited for %(count)s minute.",
                "A message can be edited for %(count)s minutes.",
                settings.EDIT_MINUTES,
            )
        )
    return None


def refusal_to_delete(message: Message, actor: Identity, standing: Standing) -> ChatError | None:
    """Why somebody may not delete this message. A program that may post may take back what it posted."""
    if actor.kind == "bot":
        if "delete" in actor.scopes:
            return None
        return _refusal_of_scope(actor, "post" if is_author(message, actor) else "delete")
    if is_author(message, actor) or standing.governs:
        return None
    return errors.NotAllowed(_("Only its author or a moderator can delete that."))


def may_govern(standing: Standing) -> bool:
    """Whether they may change the room itself, and read its audit log."""
    return standing.role == Membership.Role.OWNER


def is_at_least(standing: Standing, role: str) -> bool:
    """Whether their role is that one, or a higher one."""
    return _RANKS.get(standing.role, 0) >= _RANKS[role]


def may_see_members(room: Room, standing: Standing) -> bool:
    """Whether they may know who belongs to the room: who keeps order, and where only members are, each of them."""
    return standing.governs or (standing.role != NO_ROLE and not is_open(room.visibility))


def may_invite(standing: Standing, role: str) -> bool:
    """Whether they may make, and revoke, a link that makes others ``role``: below an owner, and below oneself."""
    return role != Membership.Role.OWNER and outranks(standing, role)


def may_set_role(standing: Standing, was: str | None, role: str | None) -> bool:
    """Whether they may make somebody ``role`` (None: none) who ``was`` that. Moderators remove members."""
    return may_govern(standing) or (role is None and was is not None and outranks(standing, was))


def outranks(standing: Standing, role: str) -> bool:
    """Whether one who stands like this may take measures against somebody with ``role``."""
    return standing.governs and _RANKS[standing.role] > _RANKS.get(role, 0)


def may_lift(standing: Standing, role: str) -> bool:
    """Whether they may end a measure against somebody with ``role``: moderators none against themselves or another."""
    return may_govern(standing) or outranks(standing, role)


def is_sealed(room: Room, mid: str) -> bool:
    """Whether a message was said while the room was private, and is for members only."""
    return bool(room.sealed_mid) and mid <= room.sealed_mid


def sees_sealed(actor: Identity | None, standing: Standing) -> bool:
    """Whether they may read what was said while the room was private."""
    return standing.role != NO_ROLE or (actor is not None and actor.kind == "bot")


def may_embed(room: Room) -> bool:
    """Whether any other site may frame the room: only what a stranger may read, and only where the room allows."""
    return anyone_may_read(room) and bool(room.embed_origins.strip())


def banned(term: Term) -> errors.Banned:
    """The refusal, which says what kind of ban it is and until when."""
    if term.ends_at is None:
        error = errors.Banned(_BANNED[term.target])
    else:
        sentence = filled(_BANNED_UNTIL[term.target], moment=f"{term.ends_at:%Y-%m-%d %H:%M}")
        error = errors.Banned(sentence, retry_after=term.seconds_left(timezone.now()))
    error.target = term.target
    return error


def muted(term: Term, now: datetime) -> errors.Muted:
    if term.ends_at is None:
        return errors.Muted(_("You were muted here: you can read, and not write."))
    return errors.Muted(retry_after=term.seconds_left(now))


def require(allowed: bool, detail: Sentence | None = None) -> None:
    """Raise ``NotAllowed`` unless ``allowed``."""
    if not allowed:
        raise errors.NotAllowed(detail)


def refuse(refusal: ChatError | None) -> None:
    """Raise ``refusal``, if there is one."""
    if refusal is not None:
        raise refusal


def require_entry(room: Room | None, actor: Identity) -> Standing:
    """How ``actor`` stands in ``room``, whatever they want there: for actions that ask more. Raises as below, but for
    ``TokenScope``."""
    if room is None or room.deleted_at is not None:
        raise errors.RoomNotFound()
    tracing.be_in(room.pk)
    standing = standing_in(room, actor)
    refuse(refusal_to_enter(room, actor, standing))
    return standing


def require_readable(
    room: Room | None, actor: Identity | None, network: str = "", grant: Grant | None = None
) -> Standing:
    """How ``actor`` (None: a viewer from ``network``, with a ``grant`` that is in force or without one) stands in
    ``room``. Raises ``RoomNotFound`` where there is none
    or they may not know of it, ``Banned`` where they were banned, ``TokenScope`` to a program that may not read."""
    if room is None or room.deleted_at is not None:
        raise errors.RoomNotFound()
    tracing.be_in(room.pk)
    standing = standing_in(room, actor, network)
    refuse(refusal_to_read(room, actor, standing, grant))
    return standing


def require_moderator(room: Room | None, actor: Identity) -> Standing:
    """How they stand, who must keep order here, as no program does. Raises ``NotAllowed`` beside the above."""
    standing = require_entry(room, actor)
    require(standing.governs, _("Only moderators can do that."))
    return standing


def require_owner(room: Room | None, actor: Identity) -> Standing:
    """How they stand, who must own the room. Raises ``NotAllowed`` beside the above."""
    standing = require_entry(room, actor)
    require(may_govern(standing), _("Only the room's owner can do that."))
    return standing
