"""Years, months and days in UTC, and what was said in them: each is a range of the names of messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Exists, F, IntegerField, QuerySet, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

from chat import errors
from chat.mids import first_mid_at, moment_of
from chat.models import Message, Room

FIRST_YEAR = 1970  # before this no name of a message reaches
# How a year, a month and a day are written: by itself, and among others of its kind. By the language; the first is for
# those that are not named.
_FORMATS = {
    "": (("Y", "Y"), ("F Y", "F"), ("j F Y", "l j")),
    **dict.fromkeys(("ja", "zh"), (("Y年", "Y年"), ("Y年n月", "n月"), ("Y年n月j日", "j日 l"))),
}
MOST_COUNTED = 1000  # in one day or month: beyond, it is said that there are more


@dataclass(frozen=True, slots=True)
class Period:
    """A year, a month or a day: from the day ``first`` to before the day ``end``. ``name`` is how an address has it:
    2026, 2026/11 or 2026/11/21."""

    name: str
    first: date
    end: date

    @property
    def parts(self) -> dict[str, str]:
        """The same for the arguments of an address."""
        return dict(zip(("year", "month", "day"), self.name.split("/"), strict=False))

    @property
    def parents(self) -> list[Period]:
        """The longer ones that it is in, the longest first."""
        parts = self.name.split("/")
        return [period(*parts[:count]) for count in range(1, len(parts))]

    @property
    def words(self) -> tuple[str, str]:
        """What it is called in the active language, by itself and among others of its kind."""
        formats = _FORMATS.get((get_language() or "").partition("-")[0], _FORMATS[""])
        long, short = (date_format(self.first, each) for each in formats[self.name.count("/")])
        return long, short


def period(year: str, month: str = "", day: str = "") -> Period:
    """What an address names. Raises ``AddressNotFound`` where no calendar has that, or nothing can have been said."""
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        if day:
            end = first + timedelta(days=1)
        elif month:
            end = (first + timedelta(days=31)).replace(day=1)
        else:
            end = date(first.year + 1, 1, 1)
    except (ValueError, OverflowError):
        raise errors.AddressNotFound() from None
    if first.year < FIRST_YEAR or first > timezone.now().astimezone(UTC).date():
        raise errors.AddressNotFound()
    return Period("/".join(part for part in (year, month, day) if part), first, end)


def period_at(moment: datetime, like: Period) -> Period:
    """The year, month or day that ``moment`` is in, of the kind of ``like``."""
    name = f"{moment:%Y/%m/%d}".split("/")
    return period(*name[: like.name.count("/") + 1])


def months_of(year: Period) -> list[Period]:
    """Those that have begun."""
    return _begun([(year.name, f"{number:02}") for number in range(1, 13)])


def days_of(month: Period) -> list[Period]:
    """Those that have begun."""
    count = (month.end - month.first).days
    return _begun([(*month.name.split("/"), f"{number:02}") for number in range(1, count + 1)])


def _begun(names: list[tuple[str, ...]]) -> list[Period]:
    found = []
    for name in names:
        try:
            found.append(period(*name))
        except errors.AddressNotFound:
            break
    return found


def within(messages: QuerySet[Message], span: Period) -> QuerySet[Message]:
    """Those of ``messages`` that were said in it."""
    return messages.filter(mid__gte=_first_mid(span.first), mid__lt=_first_mid(span.end))


def neighbours(messages: QuerySet[Message], span: Period) -> tuple[Period | None, Period | None]:
    """The nearest periods of that kind, before and after, in which any of ``messages`` was said."""
    before = messages.filter(mid__lt=_first_mid(span.first)).order_by("-mid").values_list("mid", flat=True).first()
    after = messages.filter(mid__gte=_first_mid(span.end)).order_by("mid").values_list("mid", flat=True).first()
    return tuple(_period_of(mid, span) if mid else None for mid in (before, after))


def years(messages: QuerySet[Message]) -> list[Period]:
    """From that of the oldest of ``messages`` to that of the newest."""
    mids = messages.values_list("mid", flat=True)
    oldest, newest = mids.order_by("mid").first(), mids.order_by("-mid").first()
    if oldest is None:
        return []
    last = min(moment_of(newest), timezone.now()).year
    return [period(f"{year:04}") for year in range(max(moment_of(oldest).year, FIRST_YEAR), last + 1)]


def spoken_in(room: Room, messages: QuerySet[Message], periods: list[Period]) -> list[Period]:
    """Those of ``periods`` in which any of ``messages`` (of ``room``) was said: one query, which looks once for each
    period, however much was said in it."""
    found = _of_each(room, [Exists(within(messages, each)) for each in periods])
    return [each for each, is_there in zip(periods, found, strict=True) if is_there]


def counted_in(room: Room, messages: QuerySet[Message], periods: list[Period]) -> list[tuple[Period, int]]:
    """The same with how many there are, where these are at most MOST_COUNTED; one more where there are more."""
    found = _of_each(room, [_Count(within(messages, each).values("mid")[: MOST_COUNTED + 1]) for each in periods])
    return [(each, count) for each, count in zip(periods, found, strict=True) if count]


class _Count(Subquery):
    """How many rows a query gives that says itself how many it gives at most."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def _of_each(room: Room, asked: list) -> tuple:
    if not asked:
        return ()
    return Room.objects.filter(pk=room.pk).values_list(*asked, F("pk"))[0][:-1]


def _first_mid(day: date) -> str:
    return first_mid_at(datetime.combine(day, time(), UTC))


def _period_of(mid: str, like: Period) -> Period | None:
    try:
        return period_at(moment_of(mid), like)
    except errors.AddressNotFound:  # said by a clock that is ahead of ours
        return None
