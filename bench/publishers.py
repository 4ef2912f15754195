"""Who posts: as fast as their messages come back, or at a pace."""

from collections import deque
from collections.abc import Callable
from heapq import heapify, heapreplace
from time import monotonic, monotonic_ns

from bench import wire
from bench.errors import Failed
from bench.load import Load, Receive
from bench.systems import Running


class Publisher:
    """Posts numbered texts into one room over a connection of its own.

    Its ``ear`` is the connection that tells it of its own messages: its own, where the system does that, else the
    follower that it is given.
    """

    def __init__(
        self,
        load: Load,
        running: Running,
        room: str,
        ear: int | None = None,
        *,
        first: int = 1,
        begin: str = wire.FIRST,
    ) -> None:
        self.load = load
        self.sent = 0
        self.first = first  # the number of its first text
        self._begin = begin
        self._publication = running.system.publication
        ready = running.system.publisher_ready
        (self.fd,) = load.open(1, lambda _: running.publisher_request(room), running.port, ready)
        self.ear = self.fd if running.system.hears_itself else ear

    @property
    def heard(self) -> int:
        """How many of what is counted came to the publisher itself, which is no follower."""
        return self.load.counts[self.fd]

    def post(self, count: int = 1) -> None:
        said = []
        for _ in range(count):
            said.append(self._publication(wire.text(self.first + self.sent, monotonic_ns(), self._begin)))
            self.sent += 1
        self.load.send(self.fd, b"".join(said))

    def saturate(self, in_flight: int, seconds: float) -> None:
        """Keep so many messages under way, for so long."""
        turn, counts, ear = self.load.turn, self.load.counts, self.ear
        end = monotonic() + seconds
        while monotonic() < end:
            missing = in_flight - self.sent + counts[ear]
            if missing > 0:
                self.post(missing)
            turn(0.05)


def paced(load: Load, doings: list[tuple[float, Callable[[], object]]], seconds: float) -> None:
    """Do each of these so many times a second, for so long, whether anything comes back or not."""
    began = monotonic()
    due = [(began + 1 / per_second * place / len(doings), place) for place, (per_second, _) in enumerate(doings)]
    heapify(due)
    while (now := monotonic()) - began < seconds:
        at, place = due[0]
        if now < at:
            load.turn(min(at, began + seconds) - now)
            continue
        per_second, do = doings[place]
        heapreplace(due, (at + 1 / per_second, place))
        do()


class Writer:
    """Posts into an Engawa room, ``in_flight`` at a time, and notes how long each took to be acknowledged."""

    ACKNOWLEDGED = b'"type":"posted"'
    REFUSED = b'"type":"error"'

    def __init__(self, fd: int, load: Load, running: Running) -> None:
        self.fd = fd
        self.load = load
        self.is_stopped = False
        self.under_way: deque[int] = deque()
        self.took: list[int] = []
        self.sent = self.acknowledged = 0
        self._publication = running.system.publication
        self._tail = b""
        self.receive: Receive = self._receive

    def start(self, in_flight: int) -> None:
        for _ in range(in_flight):
            self._post()

    def _post(self) -> None:
        now = monotonic_ns()
        self.under_way.append(now)
        self.sent += 1
        self.load.send(self.fd, self._publication(wire.text(self.sent, now)))

    def _receive(self, buffer: bytearray) -> int:
        length = self.load.sockets[self.fd].recv_into(buffer)
        said = self._tail + buffer[:length]
        if self.REFUSED in said:
            raise Failed(f"A post was refused: {bytes(said[-300:])!r}.")
        now = monotonic_ns()
        for _ in range(said.count(self.ACKNOWLEDGED)):
            # A connection's frames are answered in their order.
            self.took.append(now - self.under_way.popleft())
            self.acknowledged += 1
            if not self.is_stopped:
                self._post()
        # Each byte is in one piece and at most one tail; a tail that is shorter than the marker holds none.
        self._tail = bytes(said[-(len(self.ACKNOWLEDGED) - 1) :])
        return length
