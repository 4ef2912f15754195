"""What a room's moderators have before them: what waits, what they hid, and whom they muted or banned. Reads only."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet

from chat.models import HeldMessage, Message, Report, Room, Sanction

CONTEXT = 3  # messages shown before and after one that was reported


@dataclass(frozen=True, slots=True)
class Reported:
    """A message with open ``reports``, oldest first, between those around it that stand.

    ``message`` is None where its row is gone. ``page_before`` is what to ask the room's page for as ``before`` so that
    the message is on it; None for the newest page.
    """

    mid: str
    message: Message | None
    reports: list[Report]
    before: list[Message]
    after: list[Message]
    page_before: str | None


def held_in(room: Room) -> QuerySet[HeldMessage]:
    """Messages that wait, oldest first."""
    return HeldMessage.objects.filter(room=room, state=HeldMessage.State.WAITING).order_by("pk")


def reported_in(room: Room) -> QuerySet[Report, dict[str, object]]:
    """The messages with open reports, each once, as ``{"mid": …}``; the one that was reported first comes first."""
    found = Report.objects.filter(room=room, state=Report.State.OPEN)
    return found.order_by().values("mid").annotate(first=Min("pk"), many=Count("pk")).order_by("first")


def with_context(room: Room, mids: Iterable[str]) -> list[Reported]:
    """Those messages with their reports and what stands around them, in two queries and two for each."""
    mids = list(mids)
    reports = defaultdict(list)
    for report in Report.objects.filter(room=room, mid__in=mids, state=Report.State.OPEN).order_by("pk"):
        reports[report.mid].append(report)
    messages = Message.objects.filter(room=room).in_bulk(mids)
    return [_reported(room, mid, messages.get(mid), reports[mid]) for mid in mids]


def _reported(room: Room, mid: str, message: Message | None, reports: list[Report]) -> Reported:
    standing = room.messages.visible()
    after = list(standing.filter(mid__gt=mid).order_by("mid")[: CONTEXT + 1])
    return Reported(
        mid=mid,
        message=message,
        reports=reports,
        before=standing.page_before(mid, CONTEXT),
        after=after[:CONTEXT],
        page_before=after[CONTEXT].mid if len(after) > CONTEXT else None,
    )


def hidden_in(room: Room) -> QuerySet[Message]:
    """Messages that moderators may show again, hidden last first."""
    return Message.objects.filter(room=room, hidden_at__isnull=False, deleted_at=None).order_by("-hidden_at")


def sanctions_in(room: Room) -> QuerySet[Sanction]:
    """Mutes and bans of this room that are in force, newest first. The site's are not the room's to lift."""
    return Sanction.objects.in_force().filter(room=room)
