"""The audit log of a room as its owner reads it: on a page, or as a file. ``chat.audit`` writes it."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.http import urlencode

from chat.database import in_database
from chat.events import encode, timestamp
from chat.models import AuditEntry, Room

AT_ONCE = 500  # entries read in one query of an export
COLUMNS = ("at", "actor", "action", "target", "mid", "reason", "details")
# What a spreadsheet takes for a formula, or for the end of a cell that one may follow.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: those of an ``action``, those with ``person`` in the name of who did it or whom it was done to."""

    action: str = ""
    person: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        return cls(*(query.get(name, "").replace("\0", "").strip()[:200] for name in ("action", "person")))

    def query(self) -> str:
        """The same in an address, without the question mark."""
        return urlencode({name: value for name in ("action", "person") if (value := getattr(self, name))})


def entries(room: Room, wanted: Wanted) -> QuerySet[AuditEntry]:
    """Newest first."""
    found = AuditEntry.objects.filter(room=room)
    if wanted.action:
        found = found.filter(action=wanted.action)
    if wanted.person:
        found = found.filter(Q(actor_name__icontains=wanted.person) | Q(target__icontains=wanted.person))
    return found


def actions_in(room: Room) -> list[str]:
    """What there are entries of."""
    return list(AuditEntry.objects.filter(room=room).order_by("action").values_list("action", flat=True).distinct())


async def as_csv(room: Room, wanted: Wanted) -> AsyncIterator[str]:
    """RFC 4180, with a line of names first. No cell is a formula where a spreadsheet opens it."""
    yield _csv_line(COLUMNS)
    async for page in _pages(room, wanted):
        yield "".join(_csv_line([*fields[:-1], encode(fields[-1]) if fields[-1] else ""]) for fields in page)


async def as_json_lines(room: Room, wanted: Wanted) -> AsyncIterator[str]:
    """One JSON object a line."""
    async for page in _pages(room, wanted):
        yield "".join(encode(dict(zip(COLUMNS, fields, strict=True))) + "\n" for fields in page)


async def _pages(room: Room, wanted: Wanted) -> AsyncIterator[list[list]]:
    last = None
    while True:
        page, last = await in_database(_page_after, room, wanted, last)
        if not page:
            return
        yield page


def _page_after(room: Room, wanted: Wanted, last: int | None) -> tuple[list[list], int | None]:
    """The next entries after the one of the primary key ``last``, each as COLUMNS, and the last one's key."""
    found = entries(room, wanted).order_by("-pk")
    if last is not None:
        found = found.filter(pk__lt=last)
    rows = list(found.values_list("pk", "at", "actor_name", "action", "target", "mid", "reason", "details")[:AT_ONCE])
    return [[timestamp(at), *rest] for _, at, *rest in rows], rows[-1][0] if rows else None


def _csv_line(cells: list | tuple) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()


def safe_cell(cell: str) -> str:
    """``cell`` behind an apostrophe where a spreadsheet would compute it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
