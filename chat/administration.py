"""What the site's administration does, in every room: for Django's admin and for ``manage.py``. Each action is one
transaction, or one a room, and is in the audit log as done by the site. Who may ask for it, Django's permissions say.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import actions, errors, governing, log, moderation, policies, review, site, text
from chat.addresses import keyed_network
from chat.audit import clean_reason, record
from chat.models import ApiToken, Invitation, Message, Report, Room, Sanction, User, ViewToken, Webhook
from chat.moderation import Subject
from chat.sentences import filled

A_NETWORK = "a network"
A_GUEST = "a guest"
ERASED_TOGETHER = 200  # messages deleted in one transaction: so long does a room wait


def create_room(
    name: str,
    visibility: str = Room.Visibility.PUBLIC,
    owner: User | None = None,
    posting: str = Room.Posting.EVERYONE,
) -> tuple[Room, bool]:
    """The room that ``name`` leads to, and whether it was made just now. One that was there stays as it is.

    A private one is always new, and needs an owner. Raises ``RoomNameInvalid``, ``NameInvalid``, ``NotAllowed``,
    ``RoomNameReserved`` where a room of that name was deleted, ``SettingInvalid``.
    """
    slug, title = text.slug_of(name), text.clean_name(name, most=200)
    if not policies.is_open(visibility):
        policies.require(owner is not None, _("A private room has an owner: name one."))
        slug = actions.with_random_part(slug)
    with transaction.atomic():
        if (room := Room.objects.filter(slug=slug).first()) is not None:
            if room.deleted_at is not None:
                raise errors.RoomNameReserved()
            return room, False
        room = actions.make_room(owner and owner.identity, slug, title, visibility)
        record(room, None, "create_room", owner.username if owner is not None else "")
        governing.change_room(None, room.pk, {"posting": posting})
    return room, True


def account(user: User) -> Subject:
    return Subject(Sanction.Target.ACCOUNT, f"u{user.pk}", "", user.username)


def guest(key: str) -> Subject:
    """A guest by their key, with the name and the network of their last message, if there is one. Raises
    ``TargetInvalid`` where that is no guest's key."""
    if not (key.startswith("g") and 1 < len(key) <= 40 and key.isascii() and key.isprintable()):
        raise errors.TargetInvalid(_("A guest's key begins with g; it is the id of the author of their messages."))
    # Room by room, which is what there is an index for.
    theirs = Message.objects.filter(room__in=Room.objects.there(), author_key=key).order_by("-created_at")
    name, network = theirs.values_list("author_name", "network").first() or (A_GUEST, "")
    return Subject(Sanction.Target.GUEST, key, network, name)


def network(address: str) -> Subject:
    """The network that an address is in: what is kept of it is its keyed hash. Raises ``TargetInvalid``."""
    try:
        hashed = keyed_network(address)
    except ValueError as error:
        raise errors.TargetInvalid(filled(_("Nobody can be known by that address: %(error)s."), error=error)) from None
    return Subject(Sanction.Target.NETWORK, f"n{hashed}", hashed, A_NETWORK)


def impose(room_id: int | None, kind: str, whom: Subject, seconds: int | None, reason: object = "") -> Sanction:
    """Mute or ban somebody in a room, or (None) on the whole site, for ``seconds`` (None: for good)."""
    if seconds is not None and not 0 < seconds <= moderation.BAN_SECONDS[1]:
        raise errors.DurationInvalid(_("That is ten years at most, or forever."))
    with transaction.atomic():
        return moderation.impose(_locked(room_id), None, kind, whom, seconds, reason)


def lift(found: QuerySet[Sanction], reason: object = "") -> int:
    """End those of these sanctions that are in force. Returns how many."""
    lifted = 0
    for pk, room_id in list(found.order_by("pk").values_list("pk", "room_id")):
        with transaction.atomic():
            room = log.lock_if_there(room_id) if room_id is not None else None
            sanction = Sanction.objects.in_force().select_for_update().filter(pk=pk).first()
            if sanction is not None:
                moderation.end(room, None, sanction, reason)
                lifted += 1
    return lifted


def suspend(user_id: int, reason: object = "") -> bool:
    """Have an account let in nowhere: its sessions end in every process. False where it was suspended before."""
    return _set_active(user_id, False, "suspend", reason)


def restore(user_id: int, reason: object = "") -> bool:
    """Let a suspended account in again. False where it was not suspended."""
    return _set_active(user_id, True, "restore", reason)


def _set_active(user_id: int, is_active: bool, action: str, reason: object) -> bool:
    with transaction.atomic():
        # Their key stays as it is: who enters something about them, and holds the site log, need not wait for this.
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
        if user.is_active == is_active:
            return False
        user.is_active = is_active
        user.save(update_fields=["is_active"])  # which the site log hears of
        record(None, None, action, user.username, reason=clean_reason(reason))
        return True


def delete_recent(user: User, reason: object = "") -> int:
    """Delete what an account, or the guest that it was before, said in any room in the last 24 hours. Returns how many
    messages that were."""
    since = timezone.now() - moderation.PURGE
    theirs = Message.objects.filter(author_key__in=user.identity.ids, deleted_at=None, created_at__gt=since).order_by(
        "mid"
    )
    rooms = theirs.filter(room__in=Room.objects.there()).order_by().values_list("room_id", flat=True).distinct()
    deleted = 0
    for room_id in sorted(rooms):
        in_room = 0
        while count := _erase_some(room_id, theirs.filter(room_id=room_id)):
            in_room += count
        with transaction.atomic():
            room = log.lock(room_id)
            record(room, None, "delete_recent", user.username, reason=clean_reason(reason), count=in_room)
        deleted += in_room
    return deleted


def _erase_some(room_id: int, theirs: QuerySet[Message]) -> int:
    with transaction.atomic():
        room = log.lock(room_id)
        found = list(theirs[:ERASED_TOGETHER])
        if found:
            actions.erase(room, found)
        return len(found)


def delete_reported(report: Report) -> bool:
    """Delete the message that a report is about, and close all open reports of it. False where it was gone already."""
    with transaction.atomic():
        log.lock(report.room_id)
        there = Message.objects.filter(room_id=report.room_id, mid=report.mid, deleted_at=None).exists()
        if there:
            actions.remove(report.room_id, report.mid)
        if Report.objects.filter(pk=report.pk, state=Report.State.OPEN).exists():
            review.handle_report(None, report.room_id, report.pk, Report.State.RESOLVED)
        return there


def revoke_token(token: ApiToken) -> bool:
    """Have a program let in no more. False where it was revoked before."""
    return _end(token, "revoked_at", "revoke_token", token.name)


def revoke_view_token(token: ViewToken) -> bool:
    """Have nobody read by a view token any more: who does is let go. False where it was revoked before."""
    return _end(token, "revoked_at", "revoke_view_token", token.name)


def revoke_invitation(invitation: Invitation) -> bool:
    """Have an invitation followed no more. False where it was revoked before."""
    return _end(invitation, "revoked_at", "revoke_invitation", invitation.role)


def disable_webhook(webhook: Webhook) -> bool:
    """Have a webhook called no more. False where it was disabled before."""
    return _end(webhook, "disabled_at", "disable_webhook", str(webhook))


def _end(thing: ApiToken | ViewToken | Invitation | Webhook, field: str, action: str, target: str) -> bool:
    with transaction.atomic():
        room = log.lock(thing.room_id)
        ended = type(thing).objects.filter(pk=thing.pk, **{field: None}).update(**{field: timezone.now()})
        if ended:
            record(room, None, action, target)
            site.room_changed(room.pk)
        return bool(ended)


def _locked(room_id: int | None) -> Room | None:
    if room_id is None:
        return None
    room = log.lock_if_there(room_id)
    if room is None or room.deleted_at is not None:
        raise errors.RoomNotFound()
    return room
