"""How many are in a room now, as each process has put it down: at most now and then, and believed for a while."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat import headcounts
from chat.follower import Count
from chat.headcounts import EXPIRE_SECONDS, REFRESH_SECONDS, WRITE_SECONDS, Headcounts
from chat.models import Headcount, Room

SOME, MORE, NOBODY = Count(2, 1), Count(3, 1), Count()


def written(said: Headcounts, now: float, here: dict[int, Count]) -> dict | None:
    news = said.due(now, here)
    if news is not None:
        said.written(news, now)
    return news


def test_it_is_written_at_once_and_then_only_what_has_changed_or_would_expire() -> None:
    said = Headcounts()
    assert written(said, 0, {1: NOBODY}) is None
    assert written(said, 0, {1: SOME, 2: SOME, 3: NOBODY}) == {1: (2, 1), 2: (2, 1)}
    assert written(said, WRITE_SECONDS - 1, {1: MORE, 2: SOME}) is None
    assert written(said, WRITE_SECONDS, {1: MORE, 2: SOME}) == {1: (3, 1)}
    assert written(said, 2 * WRITE_SECONDS, {1: MORE, 2: SOME}) == {2: (2, 1)}
    assert written(said, 3 * WRITE_SECONDS, {1: MORE, 2: NOBODY}) == {1: (3, 1), 2: (0, 0)}
    assert written(said, 4 * WRITE_SECONDS, {2: NOBODY}) == {1: (0, 0)}
    assert not said
    assert written(said, 5 * WRITE_SECONDS, {}) is None


def test_what_could_not_be_written_is_due_again() -> None:
    said = Headcounts()
    assert said.due(0, {1: SOME}) == {1: (2, 1)}
    assert said.due(WRITE_SECONDS, {1: SOME}) == {1: (2, 1)}


def test_what_is_written_again_never_expires_in_between() -> None:
    assert REFRESH_SECONDS + WRITE_SECONDS + 1 < EXPIRE_SECONDS


def people(room: Room) -> tuple[int, int]:
    found = headcounts.with_people(Room.objects.filter(pk=room.pk)).get()
    return found.people, found.watching


@pytest.mark.django_db
def test_the_sum_is_over_all_processes_that_are_believed(cast) -> None:
    other = Room.objects.create(slug="other", title="Other")
    assert people(cast.room) == (0, 0)
    headcounts.write("one", {cast.room.pk: (2, 1), other.pk: (1, 0)})
    headcounts.write("two", {cast.room.pk: (3, 4)})
    assert people(cast.room) == (5, 5)
    headcounts.write("one", {cast.room.pk: (1, 0)})
    assert people(cast.room) == (4, 4)
    Headcount.objects.filter(process="two").update(until=timezone.now())
    assert people(cast.room) == (1, 0)
    headcounts.write("one", {cast.room.pk: (0, 0)})
    assert people(cast.room) == (0, 0)
    assert people(other) == (1, 0)
    headcounts.take_back("one")
    assert people(other) == (0, 0)


@pytest.mark.django_db
def test_what_a_killed_process_left_goes(cast) -> None:
    headcounts.write("killed", {cast.room.pk: (2, 1)})
    Headcount.objects.update(until=timezone.now() - timedelta(hours=1))
    headcounts.write("one", {cast.room.pk: (1, 0)})
    assert list(Headcount.objects.values_list("process", flat=True)) == ["one"]


@pytest.mark.django_db
def test_a_write_is_few_statements_however_many_rooms(cast, django_assert_max_num_queries) -> None:
    rooms = [Room.objects.create(slug=f"room-{number}", title="x").pk for number in range(50)]
    for _ in range(2):
        with django_assert_max_num_queries(5):
            headcounts.write("one", dict.fromkeys(rooms[:49], (1, 1)) | {rooms[49]: (0, 0)})
