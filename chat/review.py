"""What comes to a room's moderators: held messages and reports. Like ``chat.moderation``, for what waits. Where
``actor`` may be None, that is the site's administration.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, events, indexing, log, policies, site
from chat.actions import find
from chat.audit import clean_reason, record
from chat.colours import with_hues
from chat.identity import Identity
from chat.log import Entry
from chat.mids import mids_after
from chat.models import HeldMessage, Message, Report, Room
from chat.moderation import number
from chat.render import RENDERER, to_html
from chat.standing import NO_ROLE

MOST_REPORTS = 100  # of one message that are open: what others who do not belong to the room say adds nothing


def approve(actor: Identity | None, room_id: int, held_id: object) -> Message:
    """Say a held message: it comes to stand where the room is now. Raises ``MessageNotFound``, ``RoomArchived``."""
    with transaction.atomic():
        room, held = _held(actor, room_id, held_id)
        if room.archived_at is not None:
            raise errors.RoomArchived()
        now = timezone.now()
        message = Message.objects.create(
            mid=next(mids_after(room.last_mid)),
            room=room,
            author_id=held.author_id,
            author_key=held.author_key,
            author_name=held.author_name,
            author_kind=held.author_kind,
            author_role=held.author_role,
            key=held.key,
            text=held.text,
            html=to_html(held.text),
            renderer=RENDERER,
            reply_to=held.reply_to,
            created_at=now,
            network=held.network,
            number=room.said + 1,
        )
        room.last_mid, room.said = message.mid, message.number
        indexing.enter(room.pk, [message])
        with_hues([message])
        log.append(room, Entry(events.MESSAGE, events.message_fields(message, room.slug), message.mid))
        _settle(room, actor, held, HeldMessage.State.APPROVED)
        record(room, actor, "approve", held.author_name, message.mid)
        return message


def reject(actor: Identity | None, room_id: int, held_id: object, reason: object = "") -> None:
    """Turn a held message away. Raises ``MessageNotFound``."""
    with transaction.atomic():
        room, held = _held(actor, room_id, held_id)
        _settle(room, actor, held, HeldMessage.State.REJECTED)
        record(room, actor, "reject", held.author_name, reason=clean_reason(reason), caught_by=held.caught_by)


def report(
    actor: Identity | None, network: str, room_id: int, mid: object, reason: object, note: object = ""
) -> Report:
    """Tell the moderators of a room that a message should not stand. ``actor`` None is a viewer from ``network``. Twice
    is once. Raises ``MessageNotFound``, ``ReportInvalid`` and what forbids reading."""
    if reason not in Report.Reason.values:
        raise errors.ReportInvalid()
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        standing = policies.require_readable(room, actor, network)
        found = find(room, mid)
        if policies.is_sealed(room, found.mid) and not policies.sees_sealed(actor, standing):
            raise errors.MessageNotFound()
        same = Report.objects.filter(room=room, mid=found.mid, state=Report.State.OPEN)
        if standing.role == NO_ROLE and same.count() >= MOST_REPORTS:
            return same.last()
        made, is_new = Report.objects.get_or_create(
            room=room,
            mid=found.mid,
            reporter_key=actor.key if actor is not None else f"n{network}",
            defaults={
                "reason": reason,
                "note": clean_reason(note),
                "reporter_name": actor.name if actor is not None else "",
            },
        )
        if is_new:
            site.queue_changed(room.pk)
        return made


def handle_report(actor: Identity | None, room_id: int, report_id: object, state: object) -> None:
    """Close a report, and all others of the same message: ``resolved``, where something was done about it, or
    ``dismissed``. Raises ``ReportInvalid``, ``MessageNotFound``."""
    if state not in (Report.State.RESOLVED, Report.State.DISMISSED):
        raise errors.ReportInvalid(_("A report is resolved or dismissed."))
    with transaction.atomic():
        room = _moderated(actor, room_id)
        found = Report.objects.filter(room=room, pk=number(report_id), state=Report.State.OPEN).first()
        if found is None:
            raise errors.MessageNotFound(_("There is no such report, or it is closed."))
        same = Report.objects.filter(room=room, mid=found.mid, state=Report.State.OPEN)
        handled_by = actor.user_id if actor is not None else None
        same.update(state=state, handled_by_id=handled_by, handled_at=timezone.now())
        record(room, actor, f"report_{state}", mid=found.mid, why=found.reason)
        site.queue_changed(room.pk)


def _moderated(actor: Identity | None, room_id: int) -> Room:
    """The room, locked, in which ``actor`` keeps order."""
    room = log.lock_if_there(room_id)
    if actor is not None:
        policies.require_moderator(room, actor)
    elif room is None or room.deleted_at is not None:
        raise errors.RoomNotFound()
    return room


def _held(actor: Identity | None, room_id: int, held_id: object) -> tuple[Room, HeldMessage]:
    room = _moderated(actor, room_id)
    found = HeldMessage.objects.filter(room=room, pk=number(held_id), state=HeldMessage.State.WAITING).first()
    if found is None:
        raise errors.MessageNotFound(_("There is no such message waiting, or somebody was faster."))
    return room, found


def _settle(room: Room, actor: Identity | None, held: HeldMessage, state: str) -> None:
    held.state, held.text, held.handled_at = state, "", timezone.now()
    held.handled_by_id = actor.user_id if actor is not None else None
    held.save(update_fields=["state", "text", "handled_by", "handled_at"])
    site.queue_changed(room.pk)
