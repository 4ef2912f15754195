"""The line between a browser and a server, for tests to cut and to hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

CHUNK_BYTES = 65_536


class Line:
    """Listens at ``base`` and passes on to a server, byte for byte.

    ``sockets`` says what becomes of WebSockets: they ``pass``, their handshake is refused, or never answered.
    """

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.sockets: Literal["pass", "refuse", "hang"] = "pass"
        self.handshakes = 0
        self._hears = asyncio.Event()
        self._hears.set()
        self._tasks: set[asyncio.Task] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def mute_server(self) -> None:
        """From now on nothing that the server says arrives. What it is told still does."""
        self._hears.clear()

    def cut(self) -> None:
        """Break every connection off. New ones are whole again."""
        for writer in self._writers:
            writer.transport.abort()
        self._hears.set()

    async def start(self) -> None:
        self._listener = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._listener.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /ws/"):
            self.handshakes += 1
            if self.sockets == "hang":
                await reader.read()
                return
            if self.sockets == "refuse":
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        self._writers.add(to_server)
        try:
            to_server.write(head)
            ways = [
                asyncio.ensure_future(self._pass(reader, to_server)),
                asyncio.ensure_future(self._pass(from_server, writer, self._hears)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            to_server.transport.abort()
            self._writers.discard(to_server)

    @staticmethod
    async def _pass(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event | None = None
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if is_open is not None:
                await is_open.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    line = Line(port)
    await line.start()
    try:
        yield line
    finally:
        await line.stop()
