"""Taking somebody out of a room: what they said, what they reacted with, what waits, what is known of them there.

In batches, each under the room's lock and whole by itself, so that nobody waits long and an interrupted one can be
taken up again.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from chat import actions, events, indexing, log, site
from chat.log import Entry
from chat.models import AuditEntry, HeldMessage, Message, Participant, Reaction, Report, Room, Sanction

NOBODY = "deleted account"  # what stands where a name was
BATCH = 200


@dataclass(frozen=True, slots=True)
class Traces:
    """Whom to look for: the keys they wrote under and their account, and whether what they said goes as well."""

    keys: tuple[str, ...]
    user_id: int | None
    deletes: bool

    def written(self) -> Q:
        """What they wrote, in a room."""
        written = Q(author_key__in=self.keys)
        return written | Q(author_id=self.user_id) if self.user_id is not None else written


def names_of(room_ids: Collection[int], traces: Traces) -> set[str]:
    """What they were called, as far as anything says so."""
    names: set[str] = set()
    for theirs in (Message, HeldMessage):
        for room_id in room_ids:
            found = theirs.objects.filter(traces.written(), room=room_id).order_by()
            names.update(found.values_list("author_name", flat=True).distinct())
    names.update(Report.objects.filter(reporter_key__in=traces.keys).values_list("reporter_name", flat=True))
    names.update(Sanction.objects.filter(subject__in=traces.keys).values_list("name", flat=True))
    return names - {"", NOBODY}


def erase_in(room_id: int, traces: Traces) -> None:
    """Take somebody out of the room ``room_id``."""
    nobody = "x" + secrets.token_urlsafe(15)  # of this room alone, so that nothing leads from one to another
    while _erase_messages(room_id, traces, nobody):
        pass
    while _erase_reactions(room_id, traces):
        pass
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        if room is None:
            return
        held = HeldMessage.objects.filter(traces.written(), room=room)
        waits = held.filter(state=HeldMessage.State.WAITING).exists()
        held.delete()
        Participant.objects.filter(room=room, author_key__in=traces.keys).delete()
        for report in Report.objects.filter(room=room, reporter_key__in=traces.keys):
            # It stands, for what it is about; nobody made it.
            report.reporter_key, report.reporter_name, report.note = "x" + secrets.token_urlsafe(15), "", ""
            report.save(update_fields=["reporter_key", "reporter_name", "note"])
        if waits:
            site.queue_changed(room.pk)


def _erase_messages(room_id: int, traces: Traces, nobody: str) -> bool:
    """The next batch of what they said. Returns whether there was any."""
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        if room is None:
            return False
        found = list(Message.objects.filter(traces.written(), room=room).order_by("-mid")[:BATCH])
        if not found:
            return False
        standing = [message for message in found if message.deleted_at is None]
        if traces.deletes and standing:
            actions.erase(room, standing)
        whose = {
            "author": None,
            "author_key": nobody,
            "author_name": NOBODY,
            "author_role": "none",
            "network": "",
        }
        mids = [message.mid for message in found]
        Message.objects.filter(mid__in=mids).update(**whose)
        if standing and not traces.deletes:
            for message in standing:
                for name, value in whose.items():
                    setattr(message, name, value)
            indexing.enter(room.pk, standing)
            log.restate(room, standing)
        AuditEntry.objects.filter(room=room, mid__in=mids).exclude(target="").update(target=NOBODY)
        return True


def _erase_reactions(room_id: int, traces: Traces) -> bool:
    """The next batch of their reactions. Returns whether there was any."""
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        if room is None:
            return False
        found = list(Reaction.objects.filter(message__room=room, author_key__in=traces.keys)[:BATCH])
        if not found:
            return False
        Reaction.objects.filter(pk__in=[reaction.pk for reaction in found]).delete()
        messages = {reaction.message_id for reaction in found}
        for message in Message.objects.filter(pk__in=messages, deleted_at=None):
            _recount(room, message)
        return True


def _recount(room: Room, message: Message) -> None:
    counted = dict(message.reactions.order_by().values_list("reaction").annotate(Count("pk")))
    message.reaction_counts = {each: counted[each] for each in settings.REACTIONS if counted.get(each)}
    message.save(update_fields=["reaction_counts"])
    if message.hidden_at is None:
        log.append(room, Entry(events.REACTIONS, {"reactions": message.reaction_counts}, message.mid))
