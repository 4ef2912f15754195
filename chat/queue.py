"""What waits for a room's moderators: held messages and open reports."""

from collections.abc import Collection
from typing import NamedTuple

from django.db.models import Count

from chat.models import HeldMessage, Report


class Waiting(NamedTuple):
    held: int
    reports: int

    def as_dict(self) -> dict[str, int]:
        return self._asdict()


def waiting_in(room_ids: Collection[int]) -> dict[int, Waiting]:
    """What waits in each of these rooms, in two queries."""
    held = HeldMessage.objects.filter(room__in=room_ids, state=HeldMessage.State.WAITING)
    reports = Report.objects.filter(room__in=room_ids, state=Report.State.OPEN)
    held_in, reports_in = (
        dict(found.order_by().values_list("room_id").annotate(Count("pk"))) for found in (held, reports)
    )
    return {room_id: Waiting(held_in.get(room_id, 0), reports_in.get(room_id, 0)) for room_id in room_ids}
