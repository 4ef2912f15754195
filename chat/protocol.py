"""What is said over a WebSocket: how frames are read, and the two ways in which they are written.

``Plain`` is the tutorial's exchange, ``{"message": …}`` both ways and nothing else. ``EngawaV1`` is the whole
protocol, spoken with whoever offers the subprotocol ``engawa.v1``. ``docs/protocol.md`` has every frame.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import errors, events, meters
from chat.answers import Held, Posted
from chat.doorway import Entry
from chat.errors import ChatError
from chat.events import LoggedEvent
from chat.follower import Count, Message, runs_of
from chat.identity import Identity
from chat.queue import Waiting
from chat.rights import Rights
from chat.sentences import filled
from chat.text import well_formed

SUBPROTOCOL = "engawa.v1"
MAX_PARAMETERS = 20


@dataclass(frozen=True, slots=True)
class Query:
    """What a connection's address asks for: to go on ``after`` a number, and the last ``history`` messages."""

    after: int | None
    history: int | None


def read_cursor(text: str) -> int:
    """A log number out of an address or a header. Raises ``InvalidCursor``."""
    if not (1 <= len(text) <= 18 and text.isascii() and text.isdigit()):
        raise errors.InvalidCursor()
    return int(text)


def read_history(text: str) -> int:
    """How many messages are asked for, at most settings.MAX_HISTORY. Raises ``InvalidQuery``."""
    if not (1 <= len(text) <= 9 and text.isascii() and text.isdigit()):
        raise errors.InvalidQuery(_("history is a number of messages."))
    return min(int(text), settings.MAX_HISTORY)


def read_query(query_string: bytes) -> Query:
    """Raises ``InvalidCursor`` or ``InvalidQuery``; parameters that we do not know are ignored."""
    try:
        query = parse_qs(query_string.decode("ascii"), max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise errors.InvalidQuery() from None
    return Query(
        after=read_cursor(query["after"][-1]) if "after" in query else None,
        history=read_history(query["history"][-1]) if "history" in query else None,
    )


def read_frame(text: str | None) -> dict[str, Any]:
    """A frame as its JSON object. Raises ``InvalidFrame`` or ``FrameTooLong`` (settings.MAX_FRAME_BYTES)."""
    if text is None:
        raise errors.InvalidFrame(_("Frames are text, not binary."))
    if len(text) > settings.MAX_FRAME_BYTES or len(text.encode()) > settings.MAX_FRAME_BYTES:
        raise errors.FrameTooLong(filled(_("A frame has at most %(most)s bytes."), most=settings.MAX_FRAME_BYTES))
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise errors.InvalidFrame(_("That frame is not JSON.")) from None
    if not isinstance(frame, dict):
        raise errors.InvalidFrame()
    return frame


def _text(frame: dict[str, Any]) -> Message:
    return {"type": "websocket.send", "text": events.encode(frame)}


@dataclass(frozen=True)
class Plain:
    """The tutorial's exchange: one object with a string ``message`` a frame, new messages only."""

    heartbeat_seconds = float("inf")
    transport = meters.PLAIN_SOCKET
    subprotocol = None

    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return [self._message(json.loads(event.json)["message"]) for event in logged if event.type == events.MESSAGE]

    def heartbeat(self, head: int) -> list[Message]:
        return []

    def reset(self, head: int) -> list[Message]:
        return []

    def presence(self, people: Count) -> list[Message]:
        return []

    def typing(self, author: dict[str, str]) -> list[Message]:
        return []

    def you(self, rights: Rights) -> list[Message]:
        return []

    def queue(self, waiting: Waiting) -> list[Message]:
        return []

    def welcome(self, actor: Identity, entry: Entry) -> list[Message]:
        return [self._message(message["message"]) for message in entry.history or ()]

    def posted(self, posted: Posted | Held) -> list[Message]:
        if isinstance(posted, Held):
            return [_text({"message": f"⚠ {posted.detail}", "error": "post.held"})]
        return []

    def done(self, key: object) -> list[Message]:
        return []

    def error(self, error: ChatError, key: object = None) -> list[Message]:
        # Such a client prints .message whatever comes, so that is where its user reads what went wrong.
        return [_text({"message": f"⚠ {error.detail}", "error": error.code})]

    @staticmethod
    def _message(text: str) -> Message:
        return _text({"message": text})


@dataclass(frozen=True)
class EngawaV1:
    """The whole protocol: every frame has a ``type``; events are as the log has them."""

    transport = meters.SOCKET
    subprotocol = SUBPROTOCOL

    @property
    def heartbeat_seconds(self) -> float:
        return settings.HEARTBEAT_SECONDS

    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return [
            {
                "type": "websocket.send",
                "text": run[0] if len(run) == 1 else f'{{"type":"batch","events":[{",".join(run)}]}}',
            }
            for run in runs_of([event.json for event in logged])
        ]

    def heartbeat(self, head: int) -> list[Message]:
        return [_text({"type": "heartbeat", "head": head})]

    def reset(self, head: int) -> list[Message]:
        return [_text({"type": "reset", "head": head})]

    def presence(self, people: Count) -> list[Message]:
        return [_text({"type": "presence", **people.as_dict()})]

    def typing(self, author: dict[str, str]) -> list[Message]:
        return [_text({"type": "typing", "author": author})]

    def you(self, rights: Rights) -> list[Message]:
        return [_text({"type": "you", **rights.as_dict()})]

    def queue(self, waiting: Waiting) -> list[Message]:
        return [_text({"type": "queue", **waiting.as_dict()})]

    def welcome(self, actor: Identity, entry: Entry) -> list[Message]:
        welcome = _text(
            {
                "type": "welcome",
                "room": entry.slug,
                "you": {**actor.as_dict(), "ids": actor.ids, "role": entry.rights.role},
                **entry.rights.as_dict(),
                "about": entry.about,
                "head": entry.head,
                "heartbeat": settings.HEARTBEAT_SECONDS,
                "limits": {"text": settings.MAX_TEXT_CHARS, "frame": settings.MAX_FRAME_BYTES},
            }
        )
        if entry.history is None:
            return [welcome]
        history = [
            {
                "type": "websocket.send",
                "text": f'{{"type":"history","head":{entry.head},"messages":[{",".join(run)}]}}',
            }
            for run in runs_of([events.encode(message) for message in entry.history]) or [[]]
        ]
        return [welcome, *history]

    def posted(self, posted: Posted | Held) -> list[Message]:
        if isinstance(posted, Held):
            return [_text({"type": "held", "key": posted.key, "detail": str(posted.detail)})]
        return [_text({"type": "posted", "key": posted.key, "mid": posted.mid, "id": posted.seq})]

    def done(self, key: object) -> list[Message]:
        """What was asked by the frame with that key is done."""
        return [_text({"type": "done", "key": well_formed(key[:64])})] if isinstance(key, str) else []

    def pong(self) -> list[Message]:
        return [_text({"type": "pong"})]

    def error(self, error: ChatError, key: object = None) -> list[Message]:
        frame: dict[str, Any] = {"type": "error", **error.as_dict()}
        if isinstance(key, str):
            frame["key"] = well_formed(key[:64])
        return [_text(frame)]


PLAIN = Plain()
ENGAWA_V1 = EngawaV1()


def dialect_for(subprotocols: list[str]) -> Plain | EngawaV1:
    return ENGAWA_V1 if SUBPROTOCOL in subprotocols else PLAIN
