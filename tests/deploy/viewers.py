"""Thousands of viewers of streams in one process, each no more than a socket and what came over it."""

import asyncio
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

PATIENCE_SECONDS = 30
AT_ONCE = 40  # who open a stream in the same moment

present: set["Watching"] = set()  # all who are connected

_SAID = re.compile(rb"^id: (\S+)\ndata: \{", re.MULTILINE)


class Watching(asyncio.Protocol):
    """A viewer. ``body`` is what came, chunks joined; ``status`` and ``headers`` come first."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.has_ended = False
        self._raw = b""
        self._body = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        present.add(self)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        if not self.status:
            head, end, rest = self._raw.partition(b"\r\n\r\n")
            if not end:
                return
            first, *lines = head.decode("latin1").split("\r\n")
            self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            self._raw, self.status = rest, int(first.split()[1])
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            self._body += self._raw
            self._raw = b""
            self.has_ended = len(self._body) >= int(self.headers.get("content-length", "0"))
            return
        while True:
            size, end, rest = self._raw.partition(b"\r\n")
            if not end or len(rest) < (length := int(size, 16)) + 2:
                return
            self._body += rest[:length]
            self._raw = rest[length + 2 :]
            self.has_ended = self.has_ended or length == 0

    def connection_lost(self, error: Exception | None) -> None:
        self.has_ended = True
        present.discard(self)

    @property
    def body(self) -> bytes:
        return bytes(self._body)

    @property
    def ids(self) -> list[str]:
        """The ids of the events that came."""
        return [id.decode() for id in _SAID.findall(self._body)]

    @property
    def last_id(self) -> str:
        found = re.findall(rb"^id: (\S+)$", self._body, re.MULTILINE)
        return found[-1].decode() if found else ""

    def leave(self) -> None:
        self.transport.abort()


async def watch(base: str, path: str, headers: dict[str, str] | None = None) -> Watching:
    """Open a stream, and wait for its first words."""
    address = urlsplit(base)
    _, watching = await asyncio.get_running_loop().create_connection(Watching, address.hostname, address.port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    watching.transport.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{lines}\r\n".encode())
    await until(lambda: watching.status and (watching.body or watching.has_ended))
    return watching


async def watch_together(
    count: int, base: str, path: str, headers: Callable[[int], dict[str, str]] = lambda number: {}
) -> list[Watching]:
    """The same ``count`` times, some at once."""
    door = asyncio.Semaphore(AT_ONCE)

    async def come(number: int) -> Watching:
        async with door:
            return await watch(base, path, headers(number))

    return list(await asyncio.gather(*map(come, range(count))))


async def until(is_so: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something to become so, and fail where it does not."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that in time"
        await asyncio.sleep(0.02)


async def all_leave() -> None:
    """Nobody is connected any longer."""
    for each in present:
        each.leave()
    await until(lambda: not present)
