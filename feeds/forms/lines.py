"""NDJSON: each line a JSON object, an event with the characters that the log has."""

from dataclasses import dataclass

from chat import events, meters
from chat.errors import ChatError
from chat.events import LoggedEvent
from chat.follower import Count, Message, runs_of
from feeds.encoders import body
from feeds.forms.parts import Watching


@dataclass(frozen=True)
class Lines(Watching):
    """The events of the room ``slug``. Every line says of which room it is, so several rooms need no other form."""

    slug: str
    transport = meters.LINES

    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return [body("".join(run)) for run in runs_of([event.json + "\n" for event in logged])]

    def heartbeat(self, head: int) -> list[Message]:
        return [body(self._line("heartbeat", head=head))]

    def reset(self, head: int) -> list[Message]:
        return [body(self._line("reset", head=head))]

    def presence(self, people: Count) -> list[Message]:
        return [body(self._line("presence", **people.as_dict()))]

    def opening(self, after: int, history: list[dict]) -> str:
        """``after`` is the number after which events follow, and so a cursor before there is another."""
        return self._line("open", after=after) + "".join(events.encode(message) + "\n" for message in history)

    def dropped(self, error: ChatError) -> list[Message]:
        return [body(self._line("error", **error.as_dict()))]

    def complete(self, head: int) -> str:
        """The last words where a room is archived: there is no more to come."""
        return self._line("complete", head=head)

    def ending(self, error: ChatError, place: str = "") -> str:
        if error.retryable:
            frame = {"type": "going-away", "retry_after": round(error.retry_after or 0, 1)}
            return events.encode(frame) + "\n"
        return self._line("error", **error.as_dict())

    def _line(self, type: str, **fields: object) -> str:
        return events.encode({"type": type, "room": self.slug, **fields}) + "\n"
