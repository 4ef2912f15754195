"""A room as lines of JSON: what stands in it, and what was done in it. Some rows are read at a time, however many there
are.
"""

from collections.abc import Iterator

from chat.events import encode, message_fields, room_fields, timestamp
from chat.models import AuditEntry, Message, Room

AT_ONCE = 500


def room_lines(room: Room, *, with_audit: bool = False) -> Iterator[str]:
    """The room, its messages as they were said, and its audit log where that is wanted: each a JSON object with a
    ``type`` (``room``, ``message``, ``audit``). What was deleted or hidden is not among them."""
    yield encode({"type": "room", "room": room.slug, "created_at": timestamp(room.created_at), **room_fields(room)})
    last = ""
    while found := list(Message.objects.visible().filter(room=room, mid__gt=last).order_by("mid")[:AT_ONCE]):
        last = found[-1].mid
        for message in found:
            yield encode(message_fields(message, room.slug))
    if with_audit:
        yield from _audit_lines(room)


def _audit_lines(room: Room) -> Iterator[str]:
    last = 0
    while found := list(AuditEntry.objects.filter(room=room, pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = found[-1].pk
        for entry in found:
            yield encode(
                {
                    "type": "audit",
                    "room": room.slug,
                    "at": timestamp(entry.at),
                    "actor": entry.actor_name,
                    "action": entry.action,
                    "target": entry.target,
                    "mid": entry.mid,
                    "reason": entry.reason,
                    "details": entry.details,
                }
            )
