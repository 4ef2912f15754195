"""What an event looks like on every wire: the one place where its JSON is made.

An event is encoded once, when it is appended to the log, and forwarded as those characters. A message in a
history has the same fields, without ``id``: a history is a snapshot, not a replay.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chat.models import Message, NewMessage, Room

MESSAGE = "message"
EDITED = "message.edited"
DELETED = "message.deleted"
REDACTED = "message.redacted"
REACTIONS = "message.reactions"
PINNED = "message.pinned"
UNPINNED = "message.unpinned"
ROOM_CHANGED = "room.changed"
ARCHIVED = "room.archived"
REOPENED = "room.reopened"

WITH_TEXT = (MESSAGE, EDITED)
OF_THE_ROOM = (ROOM_CHANGED, ARCHIVED, REOPENED)  # what somebody may do is different after these
OF_THE_PIN = (PINNED, UNPINNED)  # of what any reader may know of a room, these change that alone

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of a room's log, as every process passes it on."""

    seq: int
    type: str
    mid: str
    json: str


def encode(fields: dict[str, Any]) -> str:
    """JSON on one line, as itself rather than escaped where it is not ASCII."""
    return _encoder.encode(fields)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond: ``2026-11-21T07:00:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_fields(message: Message | NewMessage, slug: str, hue: int | None = None) -> dict[str, Any]:
    """A message's content as readers see it, in an event or in a history. ``hue`` is the colour that its author chose,
    where the message does not know it itself."""
    fields: dict[str, Any] = {
        "type": MESSAGE,
        "room": slug,
        "mid": message.mid,
        "at": timestamp(message.created_at),
        "message": message.text,
        "html": message.html,
        "key": str(message.key),
    }
    if message.reply_to:
        fields["reply_to"] = message.reply_to
    if message.edited_at:
        fields["edited_at"] = timestamp(message.edited_at)
    if message.reaction_counts:
        fields["reactions"] = message.reaction_counts
    fields["author"] = {
        "name": message.author_name,
        "kind": message.author_kind,
        "role": message.author_role,
        "id": message.author_key,
    }
    if hue is None:
        hue = message.author_hue
    if hue is not None:
        fields["author"]["hue"] = hue
    return fields


def room_fields(room: Room) -> dict[str, Any]:
    """What any reader may know of a room, beside what is said in it."""
    return {
        "title": room.title,
        "topic": room.topic,
        "language": room.language,
        "visibility": room.visibility,
        "posting": room.posting,
        "slow_seconds": room.slow_seconds,
        "shows_names": room.shows_names,
        "shows_typing": room.shows_typing,
        "archived": room.archived_at is not None,
        "pinned": room.pinned_mid or None,
    }


def redacted(event_json: str) -> str:
    """The stub that takes the place of an event whose message was edited or deleted since."""
    fields = json.loads(event_json)
    return encode(
        {"id": fields["id"], "type": REDACTED, "room": fields["room"], "mid": fields["mid"], "at": fields["at"]}
    )
