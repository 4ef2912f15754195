"""What open connections cost the operating system."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.clients import participant, viewer
from tests.servers import Engawa

STREAMS = 300


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def open_streams(server: Engawa, count: int) -> AsyncIterator[list[Stream]]:
    request = f"GET /feeds/lobby/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    streams: list[Stream] = []
    try:
        for _ in range(count):
            streams.append(await asyncio.open_connection("127.0.0.1", server.port))
            streams[-1][1].write(request)
            await streams[-1][0].readuntil(b"stream-open")
        yield streams
    finally:
        for _, writer in streams:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in streams), return_exceptions=True)


def database_files(process: psutil.Process) -> int:
    return sum("db.sqlite3" in file.path for file in process.open_files())


async def test_open_streams_add_no_thread_and_no_database_connection(server: Engawa) -> None:
    process = psutil.Process(server.pid)
    async with viewer(server.base) as watching, participant(server.sockets) as somebody:
        # Let the few threads that there are come up first.
        async with open_streams(server, 10):
            await asyncio.gather(*(_post(server, f"warm {number}") for number in range(10)))
        threads, files = process.num_threads(), database_files(process)
        assert threads < 20
        async with open_streams(server, STREAMS) as streams:
            established = [conn for conn in process.net_connections("tcp") if conn.status == psutil.CONN_ESTABLISHED]
            assert len(established) > STREAMS
            assert process.num_threads() == threads
            assert database_files(process) == files
            posted = await somebody.post("to all")
            for reader, _ in streams:
                line = await asyncio.wait_for(reader.readuntil(b"to all"), 20)
                assert f"id: lobby:{posted['id']}".encode() in line
            await watching.events_until("to all")
            assert process.num_threads() == threads
            assert database_files(process) == files


async def _post(server: Engawa, text: str) -> None:
    async with participant(server.sockets) as somebody:
        await somebody.post(text)
