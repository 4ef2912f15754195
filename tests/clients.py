"""Clients as they are outside: a participant on a WebSocket, a viewer on a stream."""

import asyncio
import json
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx
import websockets

PATIENCE_SECONDS = 20


class Door(Protocol):
    """Where somebody comes in. ``base`` and ``sockets`` are its addresses without a path; ``trust`` is what it is
    verified by, where it has TLS."""

    host: str
    port: int
    base: str
    sockets: str
    trust: ssl.SSLContext | None


class Participant:
    """An ``engawa.v1`` client, or a plain one. Frames are read in the order in which they came."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return json.loads(await self.socket.recv())

    async def until(self, type: str) -> dict[str, Any]:
        """The next frame of that type; heartbeats and whatever else comes before are passed over."""
        while True:
            frame = await self.receive()
            if frame.get("type") == type:
                return frame

    async def event(self) -> dict[str, Any]:
        """The next event of the log."""
        while True:
            frame = await self.receive()
            if "id" in frame and frame["type"] != "posted":
                return frame
            assert frame["type"] != "batch", "use events() where several may come at once"

    async def events_until(self, text: str) -> list[dict[str, Any]]:
        """All events up to the message with that text, batches opened."""
        events: list[dict[str, Any]] = []
        while True:
            frame = await self.receive()
            found = frame["events"] if frame["type"] == "batch" else [frame]
            events += [event for event in found if "id" in event and event["type"] != "posted"]
            if events and events[-1].get("message") == text:
                return events

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def post(self, text: str, **more: Any) -> dict[str, Any]:
        """Post, and wait until it is acknowledged. Events that come before are dropped."""
        key = more.setdefault("key", str(uuid.uuid4()))
        await self.send(type="post", message=text, **more)
        while True:
            frame = await self.receive()
            if frame["type"] in ("posted", "error") and frame.get("key") == key:
                return frame

    async def closed(self) -> int:
        """Wait for the end. Returns the close code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.socket.wait_closed()
        return self.socket.close_code


@asynccontextmanager
async def participant(
    base: str,
    slug: str = "lobby",
    query: str = "",
    cookie: str | None = None,
    origin: str | None = None,
    headers: dict[str, str] | None = None,
    trust: ssl.SSLContext | None = None,
    **more: Any,
) -> AsyncIterator[Participant]:
    """``more`` is for ``websockets.connect``."""
    headers = {**(headers or {}), **({"Cookie": cookie} if cookie else {})}
    if cookie and origin is None:
        origin = base.replace("ws", "http", 1)
    async with websockets.connect(
        f"{base}/ws/chat/{slug}/{query}",
        subprotocols=["engawa.v1"],
        additional_headers=headers,
        origin=origin,
        max_size=None,
        ssl=trust,
        **more,
    ) as socket:
        client = Participant(socket)
        first = await client.receive()
        if first["type"] == "welcome":
            client.welcome = first
        else:
            client.refusal = first
        yield client


class Viewer:
    """A reader of a stream, as the specification has it: blocks of lines, dispatched at a blank one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()
        self.last_id = ""

    async def block(self) -> dict[str, str]:
        """The next block with an event in it; comments are passed over."""
        block: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self.lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(":")
                    block[name] = value.removeprefix(" ")
                elif not line and "event" in block:
                    self.last_id = block.get("id", self.last_id)
                    return block
                elif not line:
                    block = {}
        return {}

    async def event(self) -> dict[str, Any]:
        """The next event of the log."""
        while True:
            block = await self.block()
            assert block, "the stream ended"
            if "id" in block and not block["event"].startswith("stream-"):
                return json.loads(block["data"])

    async def events_until(self, text: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while not events or events[-1].get("message") != text:
            events.append(await self.event())
        return events


@asynccontextmanager
async def viewer(
    base: str,
    slug: str = "lobby",
    last_id: str | None = None,
    path: str | None = None,
    headers: dict | None = None,
    **more: Any,
) -> AsyncIterator[Viewer]:
    """``more`` is for ``httpx.AsyncClient``."""
    headers = dict(headers or {}, **({"Last-Event-ID": last_id} if last_id else {}))
    async with (
        httpx.AsyncClient(timeout=None, **more) as http,
        http.stream("GET", base + (path or f"/feeds/{slug}/stream"), headers=headers) as response,
    ):
        client = Viewer(response)
        client.opened = await client.block() if response.status_code == 200 else {}
        yield client
