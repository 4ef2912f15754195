"""The load: thousands of connections read by one loop, which counts what comes and parses nothing.

No library and no task per connection: epoll, ``recv_into`` one buffer, ``bytearray.count``. A connection is known by
its file descriptor, which indexes every list here.
"""

import errno
import select
import socket
from collections.abc import Callable, Sequence
from time import monotonic, monotonic_ns, process_time

from bench.counting import Marker
from bench.errors import Failed
from bench.wire import MOMENT_AT, MOMENT_END

BUFFER_BYTES = 256 * 1024
EVENTS_A_TURN = 256
PAUSE_SECONDS = 0.002  # without anything that comes
SOURCES = [f"127.0.0.{number}" for number in range(1, 9)]  # so that ports do not run out
BUSY_SHARE = 0.9  # of its core: beyond, the load may be what was measured

Receive = Callable[[bytearray], int | None]


class Load:
    """The connections to one server. ``timed`` makes it note how long each message was under way."""

    def __init__(self, marker: Marker, *, greeting: bytes = b"", timed: bool = False) -> None:
        self.marker = marker
        self.greeting = greeting  # what a connection says once its handshake is done
        self.timed = timed
        self.counts: list[int] = []  # markers, by connection
        self.total = 0
        self.under_way: list[int] = []  # nanoseconds, where timed
        self.reads: list[int] = []  # those that gave something, by connection
        self.sockets: dict[int, socket.socket] = {}
        self.samples: dict[int, list[bytes]] = {}  # everything that came, for those that are read in full
        self._receive: list[Receive | None] = []
        self._tails: dict[int, bytes] = {}
        self._unread: list[tuple[int, int, bytearray]] = []  # connection, nanoseconds, what came; only where timed
        self._buffer = bytearray(BUFFER_BYTES)
        self._epoll = select.epoll()
        self._opened = 0

    # Reading -----------------------------------------------------------------------------------------------

    def turn(self, seconds: float) -> None:
        """Read what is there, waiting for it at most so long."""
        if self.timed:
            self._turn_timed(seconds)
            return
        buffer, receive, counts, reads, tails = self._buffer, self._receive, self.counts, self.reads, self._tails
        marker, quiet = self.marker.bytes, self.marker.quiet
        total = 0
        for fd, _ in self._epoll.poll(seconds, EVENTS_A_TURN):
            try:
                length = receive[fd](buffer)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Failed(f"A connection was lost: {error.strerror}.") from error
            if length:
                if buffer[length - 1] == quiet and fd not in tails:
                    found = buffer.count(marker, 0, length)
                else:
                    found, tail = self.marker.count(buffer[:length], tails.pop(fd, b""))
                    if tail:
                        tails[fd] = tail
                counts[fd] += found
                total += found
                reads[fd] += 1
            elif length == 0:
                self._ended(fd)
        self.total += total

    def _turn_timed(self, seconds: float) -> None:
        """Note what comes and when; look into it in a pause, so that what comes next need not wait for that."""
        buffer, receive, unread = self._buffer, self._receive, self._unread
        events = self._epoll.poll(min(seconds, PAUSE_SECONDS) if unread else seconds, EVENTS_A_TURN)
        for fd, _ in events:
            try:
                length = receive[fd](buffer)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Failed(f"A connection was lost: {error.strerror}.") from error
            if length:
                unread.append((fd, monotonic_ns(), buffer[:length]))
            elif length == 0:
                self._ended(fd)
        if not events:
            self.look()

    def look(self) -> None:
        """Count the messages in what came while it was timed, and how long each was under way."""
        tails, marker = self._tails, self.marker
        skip, end = len(marker.bytes) + MOMENT_AT, len(marker.bytes) + MOMENT_END
        for fd, now, piece in self._unread:
            found, content, tail = marker.positions(piece, tails.pop(fd, b""))
            if tail:
                tails[fd] = tail
            self.under_way += [now - int(content[at + skip : at + end]) for at in found]
            self.counts[fd] += len(found)
            self.total += len(found)
            self.reads[fd] += 1
        self._unread.clear()

    def _ended(self, fd: int) -> None:
        raise Failed(f"The server ended a connection, after {self.counts[fd]} messages.")

    def until(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Read until something is so. Returns how long that took; raises ``Failed`` with ``what``."""
        began = monotonic()
        while not condition():
            if monotonic() - began > seconds:
                raise Failed(f"{what}: not within {seconds:.0f} s.")
            self.turn(0.01)
        return monotonic() - began

    def rest(self, seconds: float) -> None:
        """Read for so long."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self.turn(min(left, 0.05))
        self.look()

    # Connections -------------------------------------------------------------------------------------------

    def open(
        self,
        count: int,
        request: Callable[[int], bytes],
        port: int,
        ready: bytes,
        *,
        at_once: int = 200,
        per_second: float | None = None,
        samples: int = 0,
        seconds: float = 120,
        receiver: Callable[[int], Receive] | None = None,
    ) -> list[int]:
        """Open connections, ``at_once`` at a time and, where it is given, so many ``per_second``. Each sends
        ``request(number)``, and is open once the server has said ``ready``. Returns their descriptors, by number.

        The first ``samples`` are kept in full. ``receiver(fd)`` makes what reads a connection from then on.
        """
        opened: list[int] = []
        begun: list[int] = []
        first = monotonic()
        while len(opened) < count:
            now = monotonic()
            if now - first > seconds:
                raise Failed(f"Only {len(opened)} of {count} connections were open after {seconds:.0f} s.")
            allowed = count if per_second is None else min(count, int((now - first) * per_second) + 1)
            while (number := len(begun)) < allowed and number - len(opened) < at_once:
                is_sample = number < samples
                begun.append(self.begin(request(number), port, ready, opened, is_sample=is_sample, receiver=receiver))
            self.turn(0.005)
        return begun

    def begin(
        self,
        request: bytes,
        port: int,
        ready: bytes,
        opened: list[int],
        *,
        is_sample: bool = False,
        receiver: Callable[[int], Receive] | None = None,
    ) -> int:
        """Begin to open a connection, which is appended to ``opened`` once it is. The rest is done in ``turn``."""
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.bind((SOURCES[self._opened % len(SOURCES)], 0))
        self._opened += 1
        error = one.connect_ex(("127.0.0.1", port))
        if error not in (0, errno.EINPROGRESS):
            raise Failed(f"A connection could not be opened: {errno.errorcode[error]}.")
        fd = one.fileno()
        while fd >= len(self._receive):
            self._receive.append(None)
            self.counts.append(0)
            self.reads.append(0)
        self.counts[fd] = self.reads[fd] = 0
        self.sockets[fd] = one
        said = bytearray()
        is_asked = False
        greeting = self.greeting

        def receive(buffer: bytearray) -> int | None:
            nonlocal is_asked, greeting
            if not is_asked:
                one.send(request)
                is_asked = True
                self._epoll.modify(fd, select.EPOLLIN)
                return None
            length = one.recv_into(buffer)
            said.extend(buffer[:length])
            if greeting and b"\r\n\r\n" in said:
                one.send(greeting)
                greeting = b""
            if ready in said:
                if is_sample:
                    self.samples[fd] = [bytes(said)]
                self._receive[fd] = receiver(fd) if receiver else self._reader(fd)
                opened.append(fd)
                # What came along with it counts as well.
                buffer[: len(said)] = said
                return len(said)
            if not length or not said.startswith(b"HTTP/1.1 "[: len(said)]):
                raise Failed(f"A connection was turned down: {bytes(said[:200])!r}.")
            if len(said) > 12 and said[9:12] not in (b"101", b"200"):
                raise Failed(f"A connection was refused: {bytes(said.split(bytes([13]))[0])!r}.")
            return None

        self._receive[fd] = receive
        self._epoll.register(fd, select.EPOLLOUT)
        return fd

    def _reader(self, fd: int) -> Receive:
        one, kept = self.sockets[fd], self.samples.get(fd)
        if kept is None:
            return one.recv_into

        def receive(buffer: bytearray) -> int:
            length = one.recv_into(buffer)
            kept.append(bytes(buffer[:length]))
            return length

        return receive

    def keep_no_more(self, fd: int) -> None:
        """Only count what a sample hears from here on."""
        del self.samples[fd]
        self._receive[fd] = self.sockets[fd].recv_into

    def send(self, fd: int, content: bytes) -> None:
        """Send all of it, waiting where the server does not read."""
        one = self.sockets[fd]
        while content:
            try:
                content = content[one.send(content) :]
            except BlockingIOError:
                if not select.select([], [fd], [], 10)[1]:
                    raise Failed("The server took nothing more from a publisher for ten seconds.") from None

    def close(self, fds: Sequence[int]) -> None:
        self._unread[:] = [came for came in self._unread if came[0] not in fds]  # another may get its number
        for fd in fds:
            self._epoll.unregister(fd)
            self.sockets.pop(fd).close()
            self._receive[fd] = None
            self._tails.pop(fd, None)
            self.samples.pop(fd, None)

    def close_all(self) -> None:
        self.close(list(self.sockets))
        self._epoll.close()


class Busy:
    """How much of its core this process used since it was asked last."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._at, self._used = monotonic(), process_time()

    def share(self) -> float:
        return (process_time() - self._used) / (monotonic() - self._at)
