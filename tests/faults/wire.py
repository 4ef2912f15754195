"""How the crowd reads what it is sent: cheaply, since hundreds of it share one process and two cores.

Equal bytes are parsed once: a server process sends the same to all of its followers.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from tests.clients import Door

OPEN_SECONDS = 5


class Said(NamedTuple):
    """A message, as far as the law is concerned: its number, which message it is, and whose post it answers."""

    id: int
    mid: str
    key: str


class Heard(NamedTuple):
    """What one frame or piece of a stream said: events of the log, and everything else by its type."""

    events: tuple[Said, ...]
    others: tuple[tuple[str, str], ...]  # type, and what came with it


@lru_cache(maxsize=4096)
def read_frame(text: str) -> Heard:
    """A WebSocket frame. Types that we do not know count as heard, and mean nothing."""
    frame = json.loads(text)
    if frame.get("type") == "batch":
        return Heard(tuple(map(_said, frame["events"])), ())
    if _is_event(frame):
        return Heard((_said(frame),), ())
    return Heard((), ((frame["type"], text),))


@lru_cache(maxsize=4096)
def read_blocks(content: bytes) -> Heard:
    """Whole blocks of a stream. Only what has both an id and the form of a log's event is one."""
    events: list[Said] = []
    others: list[tuple[str, str]] = []
    for block in content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        type, data = fields.get("event"), fields.get("data", "")
        if type is None:
            continue
        frame = json.loads(data) if "id" in fields and data else {}
        if _is_event(frame):
            events.append(_said(frame))
        else:
            others.append((type, fields.get("id", "")))
    return Heard(tuple(events), tuple(others))


def _is_event(frame: dict[str, Any]) -> bool:
    return "room" in frame and isinstance(frame.get("id"), int)


def _said(event: dict[str, Any]) -> Said:
    return Said(event["id"], event.get("mid", ""), event.get("key", ""))


class Refused(Exception):
    """A stream was answered with something else than a stream."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        super().__init__(f"{status} {body[:200]!r}")


class Stream:
    """A stream's chunks, as they come. HTTP/1.1 by hand: a client library costs more than all that is sent."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._left = b""

    async def piece(self) -> bytes | None:
        """The next whole blocks. None where the server ends the stream; raises where it is cut off."""
        while True:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            chunk = await self._reader.readexactly(size + 2)
            if size == 0:
                return None
            content = self._left + chunk[:-2]
            whole = content.rfind(b"\n\n") + 2 if b"\n\n" in content else 0
            self._left = content[whole:]
            if whole:
                return content[:whole]


@asynccontextmanager
async def stream(door: Door, slug: str, last_id: str) -> AsyncIterator[Stream]:
    """Open a room's stream after ``last_id``. Raises ``Refused``, or ``OSError`` where there is nobody."""
    async with asyncio.timeout(OPEN_SECONDS):
        reader, writer = await asyncio.open_connection(door.host, door.port, ssl=door.trust)
    try:
        writer.write(
            f"GET /feeds/{slug}/stream HTTP/1.1\r\nHost: {door.host}:{door.port}\r\nAccept: text/event-stream\r\n"
            f"Last-Event-ID: {last_id}\r\n\r\n".encode()
        )
        async with asyncio.timeout(OPEN_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status != 200:
                length = re.search(rb"(?i)content-length: (\d+)", head)
                raise Refused(status, await reader.readexactly(int(length[1])) if length else b"")
        assert b"chunked" in head.lower()
        yield Stream(reader)
    finally:
        writer.transport.abort()
