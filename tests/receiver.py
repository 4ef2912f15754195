"""Somebody whom webhooks call: a small HTTP server that keeps what came and answers as it is told."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 30


@dataclass
class Request:
    target: str
    headers: dict[str, str]  # by name in small letters
    body: bytes
    status: int  # what it was answered with

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """``answers`` are what the next requests are answered with, the last of them for ever: statuses or whole answers.
    ``open`` holds the answers back while it is cleared."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[int | bytes] = [204]
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def taken(self) -> list[Request]:
        return [request for request in self.requests if 200 <= request.status < 300]

    def events(self) -> list[dict[str, Any]]:
        """What was taken, in the order of its coming."""
        return [event for request in self.taken for event in request.json.get("events", [])]

    async def until(self, condition: Any) -> None:
        """Wait until ``condition()`` is true, looked at whenever something has come."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            await self._news.wait_for(condition)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self._writers.add(writer)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.waiting += 1
        await self._tell()
        await self.open.wait()
        self.waiting -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            answer = f"HTTP/1.1 {answer} So\r\nContent-Length: 0\r\n\r\n".encode()
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
        writer.write(answer)
        self.requests.append(Request(head[0].split(" ")[1], headers, body, status))
        await self._tell()
        await reader.read()  # until they hang up


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        receiver.open.set()
        for task in receiver._tasks:
            task.cancel()
        await asyncio.gather(*receiver._tasks, return_exceptions=True)
        for writer in receiver._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in receiver._writers), return_exceptions=True)
