"""Events as Server-Sent Events, as django-eventstream writes them: ``event``, ``id``, ``data``, in that order, with ids
made by its ``make_id``. Pure: no request, no connection. The other forms of a stream are in ``feeds.forms``.
"""

from dataclasses import dataclass

from django.conf import settings
from django_eventstream.utils import make_id

from chat import events, meters
from chat.errors import ChatError
from chat.events import LoggedEvent
from chat.follower import Count, Message, runs_of
from chat.queue import Waiting
from chat.rights import Rights


def body(content: str) -> Message:
    """An ASGI message that carries ``content`` and says that there is more to come."""
    return {"type": "http.response.body", "body": content.encode(), "more_body": True}


def block(type: str, data: str, cursor: str | None = None) -> str:
    """An event of the type, with the id ``cursor`` where it has one. ``data`` is JSON, which escapes every line end
    within it, and so is one line."""
    id = "" if cursor is None else f"id: {cursor}\n"
    return f"event: {type}\n{id}data: {data}\n\n"


def fleeting(frame: dict) -> str:
    """What is not in the log: without an id, so that the reader's cursor stays where it is."""
    return block(frame["type"], events.encode(frame))


def last_words(error: ChatError, slugs: list[str]) -> str:
    """What is said before a stream ends: to who should not come back with this cursor, why; to who should come back,
    when, for browsers by themselves and for scripts. Nothing where it is to come back as it likes."""
    if not error.retryable:
        data = events.encode({"condition": "forbidden", "text": str(error.detail), "channels": slugs})
        return block("stream-error", data, "error")
    if error.retry_after is None:
        return ""
    frame = {"type": "going-away", "retry_after": round(error.retry_after, 1)}
    return f"retry: {int(error.retry_after * 1000)}\n{fleeting(frame)}"


@dataclass(frozen=True)
class ServerSentEvents:
    """The stream of the room ``slug``."""

    slug: str
    transport = meters.EVENTS

    @property
    def heartbeat_seconds(self) -> float:
        return settings.STREAM_COMMENT_SECONDS

    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return [body("".join(run)) for run in runs_of([self.block_of(event) for event in logged])]

    def block_of(self, event: LoggedEvent) -> str:
        return block(event.type, event.json, self._id(event.seq))

    def heartbeat(self, head: int) -> list[Message]:
        # A comment keeps proxies awake, but scripts cannot see it: the event tells them the line is alive.
        return [body(":\n" + fleeting({"type": "heartbeat", "head": head}))]

    def reset(self, head: int) -> list[Message]:
        return [body(block("stream-reset", events.encode({"channels": [self.slug]}), self._id(head)))]

    def presence(self, people: Count) -> list[Message]:
        return [body(fleeting({"type": "presence", **people.as_dict()}))]

    def typing(self, author: dict[str, str]) -> list[Message]:
        return []  # for those who take part

    def you(self, rights: Rights) -> list[Message]:
        return [body(fleeting({"type": "you", **rights.as_dict()}))]

    def queue(self, waiting: Waiting) -> list[Message]:
        return [body(fleeting({"type": "queue", **waiting.as_dict()}))]

    def opening(self, head: int | None, history: list[dict]) -> str:
        """The first words: how soon to come back, that the stream is open, and a snapshot if one was asked for.

        ``head`` gives a reader without a cursor one before the first event, so that a connection lost in a quiet
        room can be resumed; None leaves the reader the cursor it came with.
        """
        cursor = None if head is None else self._id(head)
        return f"retry: {settings.STREAM_RETRY_MS}\n{block('stream-open', '', cursor)}{snapshot(history)}"

    def ending(self, error: ChatError, place: str = "") -> str:
        return last_words(error, [self.slug])

    def _id(self, seq: int) -> str:
        return make_id({self.slug: seq})


def snapshot(history: list[dict]) -> str:
    """The messages of a history, which have no numbers."""
    return "".join(block(events.MESSAGE, events.encode(message)) for message in history)
