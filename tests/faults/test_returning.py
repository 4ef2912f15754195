"""A crowd that comes back at once, each with a number fifty events old, costs the database next to nothing."""

import asyncio
import base64
import os
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from tests.clients import participant
from tests.faults.wire import stream
from tests.parts import LONG
from tests.servers import Engawa, Postgres

RETURNING = 2000 if LONG else 1000
EVENTS = 50
MOST_QUERIES = 20
TOLD_SECONDS = 2.0  # processes tell of their transactions once a second
GREETED_AT_ONCE = 100  # by us, who are one process as well

_HANDSHAKE = (
    "GET /ws/chat/lobby/?after={after} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: engawa.v1\r\n"
    "Sec-WebSocket-Key: {key}\r\n\r\n"
)


@asynccontextmanager
async def returning_socket(server: Engawa, after: int, last: bytes):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(_HANDSHAKE.format(after=after, port=server.port, key=key).encode())
        await reader.readuntil(last)
        yield
    finally:
        writer.transport.abort()


@asynccontextmanager
async def returning_stream(server: Engawa, after: int, last: bytes):
    async with stream(server, "lobby", f"lobby:{after}") as opened:
        while last not in (await opened.piece() or b""):
            pass
        yield


async def come_back(stack: AsyncExitStack, server: Engawa, after: int, last: bytes) -> None:
    turn = asyncio.Semaphore(GREETED_AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            door = (returning_socket, returning_stream)[number % 2]
            await stack.enter_async_context(door(server, after, last))

    await asyncio.gather(*(one(number) for number in range(RETURNING)))


async def transactions(url: str) -> int:
    """How many transactions the database has seen: outside of one, each query is one."""
    await asyncio.sleep(TOLD_SECONDS)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as database:
        found = await database.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        )
        return (await found.fetchone())[0]


@pytest.mark.timeout(170)
async def test_two_thousand_come_back_at_once(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.fresh_database()
    server = Engawa(tmp_path, DATABASE_URL=url, DATABASE_THREADS="1")
    try:
        async with participant(server.sockets) as somebody:
            for number in range(EVENTS):
                posted = await somebody.post(f"message {number}")
            last = posted["mid"].encode()
            after = posted["id"] - EVENTS
            # What an idle second costs (heads are compared in it), to be taken off.
            idle_before, began = await transactions(url), time.monotonic()
            await asyncio.sleep(5)
            idle_after = await transactions(url)
            idle = (idle_after - idle_before) / (time.monotonic() - began)
            async with AsyncExitStack() as stack:
                began, before = time.monotonic(), idle_after
                await come_back(stack, server, after, last)
                caught_up = time.monotonic() - began
                spent = await transactions(url) - before - idle * (time.monotonic() - began)
                await somebody.post("to all")
        print(f"\n{RETURNING} came back in {caught_up:.1f} s; {spent:.0f} queries beside {idle:.1f} an idle second")
        assert spent < MOST_QUERIES
        assert "Traceback" not in server.output()
    finally:
        server.stop()
