"""What is kept no longer than it has to be: messages beyond their room's time, hashes of networks, old records.

Run daily by the scheduler (``chat.chores``) or ``manage.py prune``, beside the server: in small transactions, so that
nobody waits for it, with a ``beat`` between them, which may end it. Running it again does no harm.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from chat import actions, events, indexing, log, site
from chat.log import Entry
from chat.mids import first_mid_at
from chat.models import AuditEntry, HeldMessage, Message, Participant, Report, Room, Sanction
from chat.schedule import Beat

AT_ONCE = 500  # rows that go in one transaction
PARTICIPANT_DAYS = 7  # slow mode, names and repeats look back a day at most
FORGOTTEN = "n-"  # begins what stands in the place of a network that was forgotten


def go_on() -> None:
    """A beat that never ends anything."""


def prune_rooms(rooms: QuerySet[Room], beat: Beat = go_on) -> int:
    """Delete what was said in each of ``rooms`` before its own time. Returns how many messages went."""
    limited = rooms.there().exclude(retention_days=None).order_by("pk")
    return sum(prune_room(room_id, beat) for room_id in list(limited.values_list("pk", flat=True)))


def prune_room(room_id: int, beat: Beat = go_on) -> int:
    """Delete what was said in a room before its time: its rows, its reactions, what reports and moderators' queue have
    of it, and its events. Returns how many messages went, held ones among them."""
    gone = 0
    try:
        beat()
        while some := _prune_some(room_id):
            gone += some
            beat()
    finally:
        if gone:
            site.queue_changed(room_id)
    return gone


def _prune_some(room_id: int) -> int:
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        if room is None or room.retention_days is None:
            return 0
        before = timezone.now() - timedelta(days=room.retention_days)
        held = _delete_some(HeldMessage.objects.filter(room=room, created_at__lt=before))
        old = Message.objects.filter(room=room, mid__lt=first_mid_at(before)).order_by("mid")
        numbers = dict(old.values_list("mid", "number")[:AT_ONCE])
        mids = list(numbers)
        if mids:
            edited = log.expire(room, mids)
            Room.objects.filter(pk=room.pk).update(expired_mid=mids[-1])
            actions.unpin(room, set(mids))
            if edited:  # of late: processes have that in memory, beyond the floor
                log.append(room, *(Entry(events.DELETED, {}, mid) for mid in edited))
            Report.objects.filter(room=room, mid__in=mids).delete()
            Message.objects.filter(pk__in=mids).delete()
            indexing.remove(room.pk, numbers.values())
            # Every process hears of the new floor: below it, it answers nobody from its memory.
            site.room_changed(room.pk)
        return len(mids) + held


def forget_networks(beat: Beat = go_on) -> int:
    """Forget where messages, sanctions that ended and reports came from, after settings.NETWORK_DAYS. Returns how many
    rows knew it."""
    before = timezone.now() - timedelta(days=settings.NETWORK_DAYS)
    forgotten = sum(
        Message.objects.filter(pk__in=mids).update(network="")
        for mids in _walk(Message.objects.filter(mid__lt=first_mid_at(before)).exclude(network=""), beat)
    )
    held = HeldMessage.objects.filter(created_at__lt=before).exclude(network="")
    forgotten += sum(HeldMessage.objects.filter(pk__in=pks).update(network="") for pks in _walk(held, beat))
    # Whom they held, or who reported, stays one row's own: there may be only one of each.
    anonymous = Concat(Value(FORGOTTEN), Cast("pk", CharField()))
    ended = _ended(before).filter(Q(subject__startswith="n") | ~Q(network="")).exclude(subject__startswith=FORGOTTEN)
    for pks in _walk(ended, beat):
        some = Sanction.objects.filter(pk__in=pks)
        some.filter(subject__startswith="n").update(subject=anonymous)
        forgotten += some.update(network="")
    seen = Report.objects.filter(created_at__lt=before, reporter_key__startswith="n")
    for pks in _walk(seen.exclude(reporter_key__startswith=FORGOTTEN), beat):
        forgotten += Report.objects.filter(pk__in=pks).update(reporter_key=anonymous)
    return forgotten


def forget_participants(beat: Beat = go_on) -> int:
    """Forget what rooms remember of people of whom nothing was heard for PARTICIPANT_DAYS. Returns how many."""
    before = timezone.now() - timedelta(days=PARTICIPANT_DAYS)
    long_ago = (Q(seen_at=None) | Q(seen_at__lt=before)) & (Q(posted_at=None) | Q(posted_at__lt=before))
    return _delete_all(Participant.objects.filter(long_ago), beat)


def forget_records(beat: Beat = go_on) -> int:
    """Forget what was decided more than settings.RECORD_DAYS ago (0: never): sanctions that ended, reports and held
    messages that were handled, and entries of the audit log. Returns how many."""
    if not settings.RECORD_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.RECORD_DAYS)
    return (
        _delete_all(_ended(before), beat)
        + _delete_all(Report.objects.exclude(state=Report.State.OPEN).filter(handled_at__lt=before), beat)
        + _delete_all(HeldMessage.objects.exclude(state=HeldMessage.State.WAITING).filter(handled_at__lt=before), beat)
        + _delete_all(AuditEntry.objects.filter(at__lt=before), beat)
    )


def forget_sessions(beat: Beat = go_on) -> int:
    """Forget sessions that are over. Returns how many."""
    return _delete_all(Session.objects.filter(expire_date__lt=timezone.now()), beat)


def _ended(before: datetime) -> QuerySet[Sanction]:
    """Sanctions that were over at that moment: lifted, or at their end."""
    return Sanction.objects.annotate(over_at=Coalesce(F("lifted_at"), F("ends_at"))).filter(over_at__lt=before)


def _walk(found: QuerySet, beat: Beat) -> Iterator[list]:
    """The primary keys of ``found``, some at a time, whatever is done to those that were given before."""
    last = None
    while True:
        beat()
        rest = found.order_by("pk") if last is None else found.filter(pk__gt=last).order_by("pk")
        pks = list(rest.values_list("pk", flat=True)[:AT_ONCE])
        if not pks:
            return
        yield pks
        last = pks[-1]


def _delete_all(found: QuerySet, beat: Beat) -> int:
    return sum(found.model.objects.filter(pk__in=pks).delete()[0] for pks in _walk(found, beat))


def _delete_some(found: QuerySet) -> int:
    pks = list(found.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return found.model.objects.filter(pk__in=pks).delete()[0] if pks else 0
