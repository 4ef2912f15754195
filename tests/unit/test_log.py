import random
import threading

import pytest
from django.db import connection, transaction

from chat import actions, events, log, posting
from chat.identity import new_guest
from chat.models import Event, Room

pytestmark = pytest.mark.django_db


def seqs(page: log.Page) -> list[int]:
    return [event.seq for event in page.events]


def post(room: Room, count: int) -> None:
    gil = new_guest()
    for number in range(count):
        posting.post(gil, room.pk, f"message {number}")


def test_numbers_have_no_gaps(room) -> None:
    post(room, 5)
    page = log.read(room.pk, 0)
    assert (page.head, page.reset, seqs(page)) == (5, False, [1, 2, 3, 4, 5])
    assert seqs(log.read(room.pk, 3)) == [4, 5]
    assert seqs(log.read(room.pk, 1, limit=2)) == [2, 3]
    assert seqs(log.read(room.pk, 5)) == []


def test_a_cursor_from_beyond_the_log_is_reset(room) -> None:
    post(room, 3)
    page = log.read(room.pk, 4)
    assert (page.reset, page.head, page.events) == (True, 3, [])


def test_pruning_raises_the_floor(room) -> None:
    post(room, 5)
    assert log.prune(room.pk, keep=2) == 3
    assert log.read(room.pk, 2).reset
    assert seqs(log.read(room.pk, 3)) == [4, 5]
    assert log.prune(room.pk, keep=2) == 0
    assert log.prune(room.pk, keep=0) == 2
    assert not log.read(room.pk, 5).reset
    post(room, 1)
    assert seqs(log.read(room.pk, 5)) == [6]


def test_after_a_restore_no_old_cursor_is_taken_for_a_new_one(room) -> None:
    post(room, 5)
    head = log.restart(room.pk)
    assert head > 10**15
    assert len(str(head)) <= 18
    for old in (0, 3, 5, 6, 100_000):
        assert log.read(room.pk, old).reset
    post(room, 1)
    assert seqs(log.read(room.pk, head)) == [head + 1]
    assert log.restart(room.pk) > head + 1


def test_a_hole_is_told_and_never_passed_over(room) -> None:
    post(room, 5)
    Event.objects.filter(room=room, seq=3).delete()
    assert log.read(room.pk, 0).reset
    Event.objects.filter(room=room).delete()
    assert log.read(room.pk, 0).reset


@pytest.mark.django_db(transaction=True)
def test_an_append_outside_a_transaction_is_refused(room) -> None:
    with pytest.raises(AssertionError, match="transaction of its action"):
        log.append(room, log.Entry(events.ROOM_CHANGED, {}))


@pytest.mark.django_db(transaction=True)
def test_sequence_is_commit_order(room) -> None:
    """A reader that has seen n never meets n - 1 later, whatever many writers do."""
    seen: list[int] = []
    done = threading.Event()

    def write() -> None:
        gil = new_guest()
        for number in range(20):
            with transaction.atomic():
                posting.post(gil, room.pk, f"{number}")
                if random.random() < 0.2:
                    transaction.set_rollback(True)
        connection.close()

    def read() -> None:
        while True:
            last = done.is_set()
            found = list(Event.objects.filter(room=room).order_by("seq").values_list("seq", flat=True))
            assert found[: len(seen)] == seen
            seen[:] = found
            if last:
                break
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(4)]
    reader = threading.Thread(target=read)
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert seen == list(range(1, len(seen) + 1))
    assert 40 < len(seen) <= 80


def test_redacted_events_keep_their_numbers(room) -> None:
    gil = new_guest()
    mid = posting.post(gil, room.pk, "a").mid
    posting.post(gil, room.pk, "b")
    actions.delete(gil, room.pk, mid)
    assert [(event.seq, event.type) for event in log.read(room.pk, 0).events] == [
        (1, "message.redacted"),
        (2, "message"),
        (3, "message.deleted"),
    ]


@pytest.mark.django_db(transaction=True)
def test_sqlite_keeps_what_was_acknowledged() -> None:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_no_rooms_are_locked_without_a_query(django_assert_num_queries) -> None:
    """PostgreSQL has no empty lists."""
    with transaction.atomic(), django_assert_num_queries(0):
        assert log.lock_together([]) == {}
