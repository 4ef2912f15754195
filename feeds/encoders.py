"""Events as bytes, one form for each kind of reader. Pure: no request, no connection.

Server-Sent Events as django-eventstream writes them: ``event``, ``id``, ``data``, in that order, with ids made
by its ``make_id``.
"""

from dataclasses import dataclass

from django.conf import settings
from django_eventstream.utils import make_id

from chat import events
from chat.events import LoggedEvent
from chat.follower import Count, Message, runs_of
from chat.queue import Waiting
from chat.rights import Rights


def body(content: str) -> Message:
    """An ASGI message that carries ``content`` and says that there is more to come."""
    return {"type": "http.response.body", "body": content.encode(), "more_body": True}


@dataclass(frozen=True)
class ServerSentEvents:
    """The stream of the room ``slug``."""

    slug: str

    @property
    def heartbeat_seconds(self) -> float:
        return settings.STREAM_COMMENT_SECONDS

    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        blocks = [self._block(event.type, event.json, event.seq) for event in logged]
        return [body("".join(run)) for run in runs_of(blocks)]

    def heartbeat(self, head: int) -> list[Message]:
        # A comment keeps proxies awake, but scripts cannot see it: the event tells them the line is alive.
        return [body(":\n" + self._fleeting({"type": "heartbeat", "head": head}))]

    def reset(self, head: int) -> list[Message]:
        return [body(self._block("stream-reset", events.encode({"channels": [self.slug]}), head))]

    def presence(self, people: Count) -> list[Message]:
        return [body(self._fleeting({"type": "presence", **people.as_dict()}))]

    def typing(self, author: dict[str, str]) -> list[Message]:
        return []  # for those who take part

    def you(self, rights: Rights) -> list[Message]:
        return [body(self._fleeting({"type": "you", **rights.as_dict()}))]

    def queue(self, waiting: Waiting) -> list[Message]:
        return [body(self._fleeting({"type": "queue", **waiting.as_dict()}))]

    def going_away(self, retry_after: float) -> list[Message]:
        """Before a planned end: when to come back, for browsers by themselves and for scripts."""
        frame = {"type": "going-away", "retry_after": round(retry_after, 1)}
        return [body(f"retry: {int(retry_after * 1000)}\n{self._fleeting(frame)}")]

    def opening(self, head: int | None, history: list[dict]) -> list[Message]:
        """The first words: how soon to come back, that the stream is open, and a snapshot if one was asked for.

        ``head`` gives a reader without a cursor one before the first event, so that a connection lost in a quiet
        room can be resumed; None leaves the reader the cursor it came with.
        """
        snapshot = "".join(self._block(events.MESSAGE, events.encode(message), None) for message in history)
        return [body(f"retry: {settings.STREAM_RETRY_MS}\n{self._block('stream-open', '', head)}{snapshot}")]

    def error(self, condition: str, text: str) -> list[Message]:
        """The last words to somebody who should not come back with this cursor."""
        data = events.encode({"condition": condition, "text": text, "channels": [self.slug]})
        return [body(f"event: stream-error\nid: error\ndata: {data}\n\n")]

    def _fleeting(self, frame: dict) -> str:
        """What is not in the log: without an id, so that the reader's cursor stays where it is."""
        return self._block(frame["type"], events.encode(frame), None)

    def _block(self, type: str, data: str, seq: int | None) -> str:
        # JSON escapes every line end within it, so the data is one line.
        cursor = "" if seq is None else f"id: {make_id({self.slug: seq})}\n"
        return f"event: {type}\n{cursor}data: {data}\n\n"
