"""What this process counts, as plain numbers that others read when somebody asks (``config.collector``).

Nothing here waits, and what is counted for each delivery is an addition to an integer. Most is counted on the event
loop alone; what is counted in the threads that commit and answer requests as well is a ``Tally`` or a
``SharedHistogram``, which lock. No room, person, address or text is ever a label.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from django.db import InterfaceError, OperationalError

from chat import errors


class Histogram:
    """How many values were at most each of ``bounds``, which rise, and how many were above all of them."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last: above all
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times


class SharedHistogram(Histogram):
    """One that several threads observe."""

    __slots__ = ("_lock",)

    def __init__(self, *bounds: float) -> None:
        super().__init__(*bounds)
        self._lock = threading.Lock()

    def observe(self, value: float, times: int = 1) -> None:
        with self._lock:
            super().observe(value, times)


class Tally:
    """Counts by label, of which there are few, from any thread. The labels given are there from the start."""

    def __init__(self, *labels: str) -> None:
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(labels, 0))

    def add(self, *labels: str) -> None:
        """Count each of ``labels`` once more."""
        with self._lock:
            self._counts.update(labels)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


class Transport:
    """One way in which connections follow rooms: how many ``opened`` and ``closed``, how many ``deliveries`` (events
    times connections) they were handed, and how many were let go because they were too ``slow``."""

    __slots__ = ("closed", "deliveries", "name", "opened", "slow")

    def __init__(self, name: str) -> None:
        self.name = name
        self.opened = self.closed = self.deliveries = self.slow = 0


SOCKET = Transport("websocket")
PLAIN_SOCKET = Transport("websocket-plain")
EVENTS = Transport("sse")
MERGED_EVENTS = Transport("sse-merged")
LINES = Transport("ndjson")
TEXT = Transport("text")
PAGE = Transport("html")
REPLAY = Transport("replay")
TRANSPORTS = (SOCKET, PLAIN_SOCKET, EVENTS, MERGED_EVENTS, LINES, TEXT, PAGE, REPLAY)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MANY = (1, 2, 5, 10, 20, 50, 100, 200)

# Who follows rooms: accounts, guests, programs, viewers, and viewers with a view token.
followers = {"user": 0, "guest": 0, "bot": 0, "viewer": 0, "token": 0}

# What a follower's first answer came from, by ``chat.audience``.
NEW, CURRENT, RING, LOG, RESET, FAILED = "new", "current", "ring", "log", "reset", "failed"
resumes = dict.fromkeys((NEW, CURRENT, RING, LOG, RESET, FAILED), 0)

committed = Tally("message")  # events, by type
posts_refused = Tally()  # by error code
socket_post_seconds = Histogram(*_SECONDS)
http_post_seconds = SharedHistogram(*_SECONDS)
posts_together = Histogram(*_MANY)  # in a transaction
events_together = Histogram(*_MANY)  # passed on to a room's followers in one go
delivery_seconds = Histogram(*_SECONDS)

layer_seconds = Histogram(*_SECONDS)
layer_failures = Tally("send", "receive", "dropped", "silence")
database_failures = Tally("busy")  # calls that the database did not answer
webhooks = Tally("delivered", "failed")  # requests
grip = Tally("held", "published")  # viewers as they came; events


class Counts:
    """What has no labels. ``gaps``: how often something was missing in what a relay heard and was read from the log,
    and ``gap_events`` how many events; ``hung_up``: connections that the server ended because they could not even be
    told that they were too slow."""

    __slots__ = ("gap_events", "gaps", "hung_up")

    def __init__(self) -> None:
        self.gaps = self.gap_events = self.hung_up = 0


counts = Counts()


@contextmanager
def http_post() -> Iterator[None]:
    """Around the answering of a post over HTTP: how long it took, or why it was refused."""
    begun = monotonic()
    try:
        yield
    except errors.ChatError as error:
        posts_refused.add(error.code)
        raise
    except (OperationalError, InterfaceError):  # as which a middleware answers these
        posts_refused.add(errors.ServerBusy.code)
        raise
    http_post_seconds.observe(monotonic() - begun)
