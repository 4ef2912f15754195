"""Server-Sent Events of several rooms on one connection: what is shared, to which each connection puts its own ids."""

from dataclasses import dataclass

from django.conf import settings

from chat import events, meters
from chat.errors import ChatError
from chat.events import LoggedEvent
from chat.follower import Count, Message
from feeds.encoders import block, fleeting, last_words, snapshot
from feeds.forms.parts import Part, Watching, together


@dataclass(frozen=True)
class MergedEvents(Watching):
    """The events of the room ``slug`` among those of others. What is not in the log says of which room it is."""

    slug: str
    transport = meters.MERGED_EVENTS

    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return together([Part(block(event.type, event.json).encode(), event.seq) for event in logged])

    def heartbeat(self, head: int) -> list[Message]:
        return self._fleeting(":\n", type="heartbeat", head=head)

    def reset(self, head: int) -> list[Message]:
        return together([Part(block("stream-reset", events.encode({"channels": [self.slug]})).encode(), head)])

    def presence(self, people: Count) -> list[Message]:
        return self._fleeting(type="presence", **people.as_dict())

    def dropped(self, error: ChatError) -> list[Message]:
        """This room is not to be read any more; the others go on, so the reader's cursor stays good."""
        data = events.encode({"condition": "forbidden", "text": str(error.detail), "channels": [self.slug]})
        return together([Part(block("stream-error", data).encode())])

    def ending(self, error: ChatError, place: str) -> str:
        return last_words(error, [])

    def _fleeting(self, before: str = "", **frame: object) -> list[Message]:
        frame = {"type": frame.pop("type"), "room": self.slug, **frame}
        return together([Part((before + fleeting(frame)).encode())])


def opening(place: str, histories: list[list[dict]]) -> str:
    """``place``: the ids of all rooms."""
    return f"retry: {settings.STREAM_RETRY_MS}\n{block('stream-open', '', place)}{''.join(map(snapshot, histories))}"
