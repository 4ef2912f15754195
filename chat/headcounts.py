"""How many people each process has in each room, kept where pages can be made of it: they are served by other
processes than the sockets are held by. A process says anew what has changed, and what would expire otherwise."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from chat.follower import Count
from chat.models import Headcount, Room

WRITE_SECONDS = 10.0  # between two writes of one process, at least
REFRESH_SECONDS = 15.0  # what was said longer ago is said again with the next write
EXPIRE_SECONDS = 30.0  # what a process said is believed for so long
KEEP_SECONDS = 300.0  # what nobody took back, since its process was killed, goes after that

People = tuple[int, int]  # who take part, and who watch


class Headcounts:
    """What this process has said last of each room, and when, on the monotonic clock."""

    def __init__(self) -> None:
        self._said: dict[int, tuple[People, float]] = {}
        self._next = 0.0

    def due(self, now: float, here: Mapping[int, Count]) -> dict[int, People] | None:
        """What to write now, by room; (0, 0) where nobody is left. None where there is nothing, or not yet."""
        if now < self._next:
            return None
        people = {room_id: (count.participants, count.viewers) for room_id, count in here.items()}
        news = {room_id: said for room_id, said in people.items() if any(said) and self._is_news(room_id, said, now)}
        news |= {room_id: (0, 0) for room_id in self._said if not any(people.get(room_id, ()))}
        if not news:
            return None
        self._next = now + WRITE_SECONDS
        return news

    def _is_news(self, room_id: int, said: People, now: float) -> bool:
        before = self._said.get(room_id)
        return before is None or before[0] != said or now - before[1] > REFRESH_SECONDS

    def written(self, news: Mapping[int, People], now: float) -> None:
        """That stands in the database."""
        for room_id, said in news.items():
            if any(said):
                self._said[room_id] = (said, now)
            else:
                self._said.pop(room_id, None)

    def __bool__(self) -> bool:
        return bool(self._said)


def write(process: str, news: Mapping[int, People]) -> None:
    """Put down what a process says of its rooms: a few statements, however many they are."""
    now = timezone.now()
    until = now + timedelta(seconds=EXPIRE_SECONDS)
    there = [
        Headcount(room_id=room_id, process=process, participants=participants, viewers=viewers, until=until)
        for room_id, (participants, viewers) in news.items()
        if participants or viewers
    ]
    left = [room_id for room_id, said in news.items() if not any(said)]
    with transaction.atomic():
        if left:
            Headcount.objects.filter(process=process, room__in=left).delete()
        forget_expired()
        Headcount.objects.bulk_create(
            there,
            update_conflicts=True,
            unique_fields=["room", "process"],
            update_fields=["participants", "viewers", "until"],
        )


def forget_expired() -> int:
    """Forget what processes said that are gone since. Returns how many rows."""
    return Headcount.objects.filter(until__lt=timezone.now() - timedelta(seconds=KEEP_SECONDS)).delete()[0]


def take_back(process: str) -> None:
    """That process has nobody any more."""
    Headcount.objects.filter(process=process).delete()


def with_people(rooms: QuerySet[Room]) -> QuerySet[Room]:
    """Each with who takes part (``people``) and who only watches (``watching``) now, over all processes."""
    now = timezone.now()
    return rooms.annotate(people=_sum("participants", now), watching=_sum("viewers", now))


def _sum(column: str, now: object) -> Coalesce:
    found = Headcount.objects.filter(room=OuterRef("pk"), until__gt=now).order_by().values("room")
    return Coalesce(Subquery(found.annotate(total=Sum(column)).values("total"), output_field=IntegerField()), 0)
