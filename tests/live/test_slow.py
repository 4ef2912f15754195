"""Who stops reading is waited for, let go, and comes back; nobody else notices. On our server and on uvicorn."""

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.clients import participant, viewer
from tests.parts import LONG
from tests.servers import Engawa

STALLED = 50
MESSAGES = 100_000 if LONG else 12_000
KERNEL_BYTES = 64 * 1024  # what we let the kernel keep for a stalled reader, so that the server's buffers fill
SERVERS = {
    "daphne": None,
    "uvicorn": ["-m", "uvicorn", "config.asgi:application", "--port", "{port}", "--log-level", "warning"],
}
FLOOD = """
from chat import posting
from chat.posting import Post
from chat.identity import new_guest
from chat.models import Room
gil, room = new_guest(), Room.objects.get(slug='lobby')
for start in range(0, {count}, 100):
    posting.post_together(room.pk, [Post(gil, f'message {{n}} ' + 'x' * 400) for n in range(start, start + 100)])
posting.post(gil, room.pk, 'the end')
"""


@pytest.fixture(scope="module", params=SERVERS)
def engawa(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> Iterator[Engawa]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    Engawa(folder, "first").stop()  # the database, and the lobby
    # A ring that the flood leaves behind at once would let go of everybody for that; here they are to be slow.
    server = Engawa(folder, "second", SERVERS[request.param], REDIS_URL=redis_url, SLOW_SECONDS="5")
    yield server
    server.stop()


@asynccontextmanager
async def stalled(server: Engawa, count: int, request: str) -> AsyncIterator[list[socket.socket]]:
    """Readers who ask, read the first answer, and then nothing."""
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            reader = socket.socket()
            sockets.append(reader)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
            reader.setblocking(False)
            await loop.sock_connect(reader, ("127.0.0.1", server.port))
            await loop.sock_sendall(reader, request.format(host=f"127.0.0.1:{server.port}").encode())
            assert await loop.sock_recv(reader, 100)
        yield sockets
    finally:
        for reader in sockets:
            reader.close()


STREAM = "GET /feeds/lobby/stream HTTP/1.1\r\nHost: {host}\r\n\r\n"
SEVERAL = "GET /feeds/stream?room=lobby&room=nowhere HTTP/1.1\r\nHost: {host}\r\n\r\n"
SOCKET = (
    "GET /ws/chat/lobby/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: engawa.v1\r\nSec-WebSocket-Key: "
    + base64.b64encode(os.urandom(16)).decode()
    + "\r\n\r\n"
)
ASKED = {"sockets": SOCKET, "streams": STREAM, "streams of several rooms": SEVERAL}


@pytest.mark.timeout(900 if LONG else 180)
@pytest.mark.parametrize("kind", ASKED if LONG else ["sockets", "streams"])
async def test_who_stops_reading_costs_little_and_hurts_nobody(engawa: Engawa, kind: str) -> None:
    process = psutil.Process(engawa.pid)
    async with participant(engawa.sockets) as quick, viewer(engawa.base) as watching:
        await quick.post("warm")
        await watching.events_until("warm")
        async with stalled(engawa, STALLED, ASKED[kind]) as readers:
            before = process.memory_info().rss
            flood = asyncio.create_task(asyncio.to_thread(engawa.shell, FLOOD.format(count=MESSAGES)))
            most = 0

            async def watch_memory() -> None:
                nonlocal most
                while True:
                    most = max(most, process.memory_info().rss)
                    await asyncio.sleep(0.1)

            watcher = asyncio.create_task(watch_memory())
            # Everybody else gets all of it, in order, once.
            seen = await asyncio.gather(quick.events_until("the end"), watching.events_until("the end"))
            await flood
            for events in seen:
                ids = [event["id"] for event in events if event.get("message") != "warm"]
                assert ids == list(range(ids[0], ids[0] + MESSAGES + 1))
            # The stalled are let go, whether they notice or not.
            async with participant(engawa.sockets) as newcomer:
                everybody = {"type": "presence", "participants": 2, "viewers": 1}
                while await newcomer.until("presence") != everybody:
                    pass
            # What is left for them to read ends.
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(60):
                await asyncio.gather(*(_read_to_the_end(loop, reader) for reader in readers))
            watcher.cancel()
            ring = 8 * 1024 * 1024  # the ring, and what passing on takes
            assert most - before < STALLED * 1024 * 1024 + ring, f"{(most - before) / STALLED:.0f} bytes each"
            assert most - before < MESSAGES * 450 * STALLED / 4, "that is no bound, but all there was"
    # And they come back, and miss nothing.
    head = seen[0][-1]["id"]
    async with participant(engawa.sockets, query=f"?after={head - 500}") as back:
        assert [event["id"] for event in await back.events_until("the end")] == list(range(head - 499, head + 1))
    async with viewer(engawa.base, last_id=f"lobby:{head - 500}") as back:
        assert [event["id"] for event in await back.events_until("the end")] == list(range(head - 499, head + 1))


async def _read_to_the_end(loop: asyncio.AbstractEventLoop, reader: socket.socket) -> None:
    try:
        while await loop.sock_recv(reader, 1 << 20):
            pass
    except ConnectionResetError:
        pass


async def test_everything_else_works_on_this_server(engawa: Engawa) -> None:
    async with (
        participant(engawa.sockets, query="?history=1") as somebody,
        viewer(engawa.base, path="/feeds/lobby/stream?history=1") as watching,
    ):
        assert somebody.socket.subprotocol == "engawa.v1"
        await somebody.until("history")
        posted = await somebody.post("hello")
        await watching.block()
        block = await watching.block()
        while "id" not in block:
            block = await watching.block()
        assert json.loads(block["data"])["id"] == posted["id"]
    async with participant(engawa.sockets, "nowhere") as refused:
        assert await refused.closed() == 4501
