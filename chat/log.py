"""A room's log: durable events, numbered without gaps in the order of their commits.

Only this module writes events. Whoever appends holds the room's lock (``lock``) in a transaction, so numbers
rise in the order in which they become visible: a reader that has seen *n* never meets *n - 1* later.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count, takewhile
from time import time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, Value
from django.utils import timezone

from chat import broadcast, events, rows
from chat.events import LoggedEvent
from chat.models import Event, Message, Room, SiteEvent, SiteHead
from chat.site import Change

PAGE_EVENTS = 500
_COLUMNS = ("room_id", "seq", "type", "mid", "json")
_SITE_HEAD = "head"  # among the kinds of what the site log has


@dataclass(frozen=True, slots=True)
class Page:
    """What the log says to somebody whose cursor is ``after``.

    ``reset`` is True where the cursor is not one this log can answer: the reader must start from ``head``.
    Otherwise ``events`` are the next ones, at most as many as were asked for.
    """

    head: int
    reset: bool
    events: list[LoggedEvent]


@dataclass(frozen=True, slots=True)
class News:
    """The ``heads`` of rooms by their primary keys, and what the site log has up to ``site_head`` that its reader does
    not know yet. Not ``is_whole`` where some of that was forgotten meanwhile, or the log is another one than before."""

    heads: dict[int, int]
    changes: list[Change]
    site_head: int
    is_whole: bool


def lock(room_id: int) -> Room:
    """The room, locked until the transaction ends.

    On PostgreSQL the row is locked; on SQLite the transaction itself is (``BEGIN IMMEDIATE``), and
    the row cannot be.
    """
    room = lock_if_there(room_id)
    if room is None:
        raise Room.DoesNotExist
    return room


def lock_if_there(room_id: int) -> Room | None:
    """The same, or None where there is no such room."""
    return next(iter(lock_together([room_id]).values()), None)


def lock_together(room_ids: Collection[int]) -> dict[int, Room]:
    """Those of these rooms that there are, by primary key, locked likewise. In one order, so that two who lock the same
    ones do not wait for each other."""
    connection = transaction.get_connection()
    assert connection.in_atomic_block, "a lock lasts as long as its transaction"  # noqa: S101 – what the caller must have done
    if not room_ids:
        return {}
    return {room.pk: room for room in Room.objects.raw(_locking(len(room_ids)), [*room_ids])}


@lru_cache(maxsize=1024)
def _locking(count: int) -> str:
    """Asked with every post: as it stands, since putting a query together takes longer than answering it."""
    # The key stays as it is: who enters something about a room, and holds the site log, need not wait for the room.
    suffix = " FOR NO KEY UPDATE" if transaction.get_connection().features.has_select_for_no_key_update else ""
    return f'SELECT * FROM "chat_room" WHERE "id" IN ({", ".join(["%s"] * count)}) ORDER BY "id"{suffix}'  # noqa: S608 – names of ours; values go beside


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be: its type, what it says beside its number and room, and the message it speaks of, if one."""

    type: str
    content: dict[str, Any]
    mid: str = ""


def append(room: Room, *entries: Entry) -> list[LoggedEvent]:
    """Append events to the log of ``room``, which the caller has locked, and announce them after the commit."""
    (logged,) = append_together([(room, entries)])
    return logged


def append_together(entries_of: Sequence[tuple[Room, Sequence[Entry]]]) -> list[list[LoggedEvent]]:
    """The same for several rooms, each of them once, in two statements."""
    assert transaction.get_connection().in_atomic_block, "an event is appended in the transaction of its action"  # noqa: S101 – what the caller must have done
    now = events.timestamp(timezone.now())
    logged = [[_logged(room, entry, now) for entry in entries] for room, entries in entries_of]
    found = [
        (room.pk, each.seq, each.type, each.mid, each.json)
        for (room, _), theirs in zip(entries_of, logged, strict=True)
        for each in theirs
    ]
    if rows.insert(Event, _COLUMNS, found) < len(found):
        raise IntegrityError(f"one of the rooms {[room.pk for room, _ in entries_of]} has events beyond its head")
    news = [(room.head, room.last_mid, room.said, room.pk) for room, _ in entries_of]
    rows.update(Room, ("head", "last_mid", "said"), news)
    for (room, _), theirs in zip(entries_of, logged, strict=True):
        transaction.on_commit(partial(broadcast.announce, room.pk, room.slug, theirs))
    return logged


def _logged(room: Room, entry: Entry, now: str) -> LoggedEvent:
    room.head += 1
    fields: dict[str, Any] = {"id": room.head, "type": entry.type, "room": room.slug}
    if entry.mid:
        fields["mid"] = entry.mid
    fields["at"] = now
    fields.update({name: value for name, value in entry.content.items() if name not in fields or name == "at"})
    return LoggedEvent(seq=room.head, type=entry.type, mid=entry.mid, json=events.encode(fields))


def redact(room: Room, *mids: str) -> None:
    """Take the text out of every event of these messages: part of the transaction that edits, hides or deletes them. A
    few statements, however many they are."""
    found = Event.objects.filter(room=room, mid__in=mids, type__in=events.WITH_TEXT)
    stubs = [
        (room.pk, seq, events.REDACTED, mid, events.redacted(json))
        for seq, mid, json in found.order_by("seq").values_list("seq", "mid", "json")
    ]
    found.delete()
    rows.insert(Event, _COLUMNS, stubs)


def restate(room: Room, messages: Sequence[Message]) -> None:
    """Have the log of ``room``, which the caller has locked, say of ``messages`` what they are by now, though their
    texts are as they were: who wrote them is somebody else.

    What a process may still have in memory (the last settings.RING_EVENTS events) is told anew, as an edit, which
    reaches every open screen and memory. What is older is rewritten where it stands. The head rises in any case.
    """
    by_mid = {message.mid: message for message in messages}
    found = list(Event.objects.filter(room=room, mid__in=list(by_mid), type__in=events.WITH_TEXT).order_by("seq"))
    anew = {event.mid for event in found if event.seq > room.head - settings.RING_EVENTS}
    restated = []
    for event in found:
        if event.mid in anew:
            restated.append((room.pk, event.seq, events.REDACTED, event.mid, events.redacted(event.json)))
        else:
            content = {**json.loads(event.json), **events.message_fields(by_mid[event.mid], room.slug)}
            as_it_is = events.encode({**content, "type": event.type})
            restated.append((room.pk, event.seq, event.type, event.mid, as_it_is))
    Event.objects.filter(room=room, seq__in=[event.seq for event in found]).delete()
    rows.insert(Event, _COLUMNS, restated)
    told = [(mid, events.message_fields(by_mid[mid], room.slug)) for mid in sorted(anew)]
    # Where no memory has any of it, caches still do: what they keep is good for as long as the head is what it was.
    append(room, *([Entry(events.EDITED, content, mid) for mid, content in told] or [Entry(events.ROOM_CHANGED, {})]))


def read(room_id: int, after: int, limit: int = PAGE_EVENTS) -> Page:
    """The next events after the cursor ``after``, or word that it cannot be resumed from."""
    for _ in range(3):
        # Events first: what the head, read later, has beyond them is asked for next.
        found = [
            LoggedEvent(*row)
            for row in Event.objects.filter(room_id=room_id, seq__gt=after)
            .order_by("seq")
            .values_list("seq", "type", "mid", "json")[:limit]
        ]
        head, floor = Room.objects.values_list("head", "floor").get(pk=room_id)
        if not floor <= after <= head:
            return Page(head=head, reset=True, events=[])
        complete = [event.seq for event in found] == list(range(after + 1, after + 1 + len(found)))
        if complete and (found or after == head):
            return Page(head=head, reset=False, events=found)
        # Appended, pruned or restored between the two queries: read again.
    # A hole that stays is a damaged log. Complete, or it says so.
    return Page(head=head, reset=True, events=[])


def recent(room: Room, most: int) -> list[LoggedEvent]:
    """At most ``most`` events that lead without a gap up to ``room.head``, as it was read."""
    last = Event.objects.filter(room=room, seq__gt=room.head - most, seq__lte=room.head).order_by("-seq")
    found = [LoggedEvent(*row) for row in last.values_list("seq", "type", "mid", "json")]
    complete = takewhile(lambda pair: pair[0] == pair[1].seq, zip(count(room.head, -1), found, strict=False))
    return [event for _, event in complete][::-1]


def first_numbers(room_id: int, mids: list[str]) -> dict[str, int]:
    """The number of the first event that spoke of each of ``mids``, but for those that the log no longer has."""
    found = Event.objects.filter(room_id=room_id, mid__in=mids).order_by("mid").values_list("mid")
    return dict(found.annotate(Min("seq")))


def news(room_ids: list[int], site_after: int) -> News:
    """The last number of each of these rooms' logs, and what the site log has after ``site_after``. One query."""
    rooms = Room.objects.filter(pk__in=room_ids).values_list("pk", "head", Value("")).order_by()
    changes = SiteEvent.objects.filter(seq__gt=site_after).values_list("subject", "seq", "kind").order_by()
    site = SiteHead.objects.filter(pk=1).values_list("pk", "head", Value(_SITE_HEAD)).order_by()
    heads: dict[int, int] = {}
    changed: list[Change] = []
    site_head = 0
    for subject, number, kind in rooms.union(changes, site, all=True):
        if kind == _SITE_HEAD:
            site_head = number
        elif kind:
            changed.append(Change(seq=number, kind=kind, subject=subject))
        else:
            heads[subject] = number
    changed.sort(key=lambda change: change.seq)
    return News(heads, changed, site_head, is_whole=len(changed) == site_head - site_after)


def prune(room_id: int, keep: int) -> int:
    """Forget all but the last ``keep`` events of a room's log (not its messages). Returns how many went."""
    with transaction.atomic():
        room = lock(room_id)
        floor = max(room.floor, room.head - keep)
        removed, _ = Event.objects.filter(room_id=room_id, seq__lte=floor).delete()
        room.floor = floor
        room.save(update_fields=["floor"])
    return removed


def expire(room: Room, mids: list[str]) -> list[str]:
    """Have nothing replayed of messages that are about to go: ``mids``, the oldest of ``room``, oldest first. The
    caller has locked it. Returns those of which events with text were left.

    What is in the log up to where the newest of them was said is forgotten, and the floor rises as far. An edit of one
    of them may come after that: it loses its text.
    """
    said = first_numbers(room.pk, mids[-1:]).get(mids[-1], 0)
    if said > room.floor:
        Event.objects.filter(room=room, seq__lte=said).delete()
        room.floor = said
        room.save(update_fields=["floor"])
    left = Event.objects.filter(room=room, mid__in=mids, type__in=events.WITH_TEXT)
    edited = sorted(set(left.values_list("mid", flat=True)))
    if edited:
        redact(room, *edited)
    return edited


def seal(room: Room) -> None:
    """Have nothing of what is in the log of ``room``, which the caller has locked, replayed to anybody again."""
    Event.objects.filter(room=room).delete()
    room.floor = room.head
    room.save(update_fields=["floor"])


def torn(most: int) -> list[str]:
    """Slugs of rooms whose events go beyond their head, as a restore without its last step leaves them."""
    beyond = Event.objects.filter(room=OuterRef("pk"), seq__gt=OuterRef("head"))
    return list(Room.objects.filter(Exists(beyond)).values_list("slug", flat=True)[:most])


def restart(room_id: int) -> int:
    """Begin a room's log anew after its database was restored from a backup. Returns its new head.

    Numbers given out after the backup was made may have been seen, and would be given out again for other
    events. Microseconds of the clock are beyond any number counted so far, so every old cursor is recognised.
    """
    with transaction.atomic():
        room = lock(room_id)
        Event.objects.filter(room_id=room_id).delete()
        room.head = room.floor = max(room.head + 1, int(time() * 1_000_000))
        room.save(update_fields=["head", "floor"])
    return room.head
