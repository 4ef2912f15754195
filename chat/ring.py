"""The recent events of a room, kept in memory to answer whoever comes back soon."""

from collections import deque
from itertools import islice

from chat import events
from chat.events import LoggedEvent


class Ring:
    """Consecutive events, the newest of a log, bounded in number and in characters of JSON."""

    def __init__(self, max_events: int, max_chars: int) -> None:
        self._events: deque[LoggedEvent] = deque()
        self._max_events = max_events
        self._max_chars = max_chars
        self._chars = 0

    def __len__(self) -> int:
        return len(self._events)

    @property
    def chars(self) -> int:
        """The characters of JSON in it."""
        return self._chars

    def append(self, event: LoggedEvent) -> None:
        """Add the next event; the oldest make room."""
        self._events.append(event)
        self._chars += len(event.json)
        while len(self._events) > self._max_events or (self._chars > self._max_chars and len(self._events) > 1):
            self._chars -= len(self._events.popleft().json)

    def after(self, seq: int, most: int) -> list[LoggedEvent] | None:
        """At most ``most`` events after number ``seq``, or None where the ring does not reach back to it."""
        if not self._events or seq + 1 < self._events[0].seq:
            return None
        start = seq + 1 - self._events[0].seq
        return list(islice(self._events, start, start + most))

    def redact(self, mid: str) -> None:
        """Put stubs in the place of the events that hold a text of the message ``mid``."""
        for index, event in enumerate(self._events):
            if event.mid == mid:
                stub = redacted(event)
                self._chars += len(stub.json) - len(event.json)
                self._events[index] = stub

    def clear(self) -> None:
        self._events.clear()
        self._chars = 0


def redacted(event: LoggedEvent) -> LoggedEvent:
    """``event`` as the log has it once its message was edited or deleted."""
    if event.type in events.WITH_TEXT:
        return LoggedEvent(event.seq, events.REDACTED, event.mid, events.redacted(event.json))
    return event
