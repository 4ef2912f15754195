"""Making the search index anew, beside the server: in small transactions, each under its room's lock, so that nobody
waits for it and an interrupted one goes on where it was.

The first time, messages that were said before there was an index are given their numbers.
"""

from collections.abc import Callable
from operator import attrgetter

from django.db import connection, transaction
from django.db.models import Min

from chat import indexing, log, rows
from chat.models import Message, Room, SearchIndex
from chat.schedule import Beat

AT_ONCE = 500  # messages that go into one transaction
NAMED_AT_ONCE = 50_000  # whose names are read before

_COLUMNS = ("mid", "number", "text", "author_key", "author_name", "deleted_at", "hidden_at")
Tell = Callable[[int], None]  # of how many messages more


def is_complete() -> bool:
    """Whether all that readers see is in the index, made as it is made now."""
    return SearchIndex.objects.filter(pk=1, made_with=indexing.fingerprint(), is_complete=True).exists()


def reindex(*, restart: bool = False, tell: Tell = lambda count: None) -> None:
    """Go through the messages of all rooms: from where it was interrupted, or with ``restart`` from the beginning."""
    made_with = indexing.fingerprint()
    state = SearchIndex.objects.filter(pk=1).first()
    if state is None or restart or state.is_complete or state.made_with != made_with:
        state = SearchIndex(pk=1, made_with=made_with)
        state.save()
    rooms = Room.objects.filter(pk__gte=state.room_id).order_by("pk").values_list("pk", flat=True)
    for room_id in list(rooms):
        if state.room_id != room_id:
            state.room_id, state.mid = room_id, ""
        _reserve(room_id)
        number = _number_before(room_id, f"{state.mid}0")  # of the last that was entered, if any was
        while names := _names_after(room_id, state.mid):
            for some in (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)):
                number = _enter_some(state, some, number)
                tell(len(some))
    state.is_complete = True
    state.save()


def _names_after(room_id: int, mid: str) -> list[str]:
    """The mids that come next in a room, many of them: where there is no index with all of them in their order, each
    such question costs as much as the room is long."""
    after = Message.objects.filter(room=room_id, mid__gt=mid).order_by("mid")
    return list(after.values_list("mid", flat=True)[:NAMED_AT_ONCE])


def _enter_some(state: SearchIndex, mids: list[str], number: int) -> int:
    """Enter these messages of the room that ``state`` is at, which come after the one with ``number``. Returns the
    number of the last."""
    with transaction.atomic():
        if log.lock_if_there(state.room_id) is None:
            return number
        messages = sorted(Message.objects.filter(pk__in=mids).only(*_COLUMNS), key=attrgetter("mid"))
        numbered: list[Message] = []
        for message in messages:
            if message.number is None:
                message.number = number + 1
                numbered.append(message)
            number = message.number
        if numbered:
            rows.update(Message, ("number",), [(message.number, message.mid) for message in numbered])
        indexing.enter(state.room_id, messages)
        indexing.remove(state.room_id, [each.number for each in messages if each.deleted_at or each.hidden_at])
        state.mid = mids[-1]
        state.save()
    return number


def _reserve(room_id: int) -> None:
    """Where messages of a room have no number, see to it that there is room for theirs between those of their
    neighbours. Where there is none, all of the room are to be numbered anew."""
    with transaction.atomic():
        room = log.lock_if_there(room_id)
        theirs = Message.objects.filter(room=room_id)
        without = theirs.filter(number=None)
        first = without.aggregate(Min("mid"))["mid__min"]
        if room is None or first is None:
            return
        count = without.count()
        before = _number_before(room_id, first)
        after = theirs.filter(mid__gt=first).aggregate(Min("number"))["number__min"]
        if after is None or after > before + count:
            room.said = max(room.said, before + count)
        else:
            theirs.update(number=None)
            indexing.remove_room(room_id)
            room.said = max(room.said, theirs.count())
        room.save(update_fields=["said"])


def _number_before(room_id: int, mid: str) -> int:
    """The number of the last message before that one; 0 where there is none."""
    before = Message.objects.filter(room=room_id, mid__lt=mid).order_by("-mid")
    return before.values_list("number", flat=True).first() or 0


def compact(beat: Beat = lambda: None) -> None:
    """Have the database let go of what entries that were deleted have left in its own tables. PostgreSQL does so by
    itself (autovacuum); FTS5 when its segments are merged, some pages in each transaction here, with a ``beat`` between
    them."""
    if connection.vendor != "sqlite":
        return
    table, pages = indexing.TABLE, -_MERGED_PAGES  # the first has all segments go into one
    while True:
        beat()
        with transaction.atomic(), connection.cursor() as cursor:
            before = _changes(cursor)
            cursor.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', %s)", [pages])  # noqa: S608 – names of ours; values go beside
            if _changes(cursor) - before < 2:
                return
        pages = _MERGED_PAGES


_MERGED_PAGES = 500


def _changes(cursor: object) -> int:
    cursor.execute("SELECT total_changes()")
    return cursor.fetchone()[0]
