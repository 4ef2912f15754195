"""Whatever is sent is answered with a code that documents know, or with a 4xx, or the connection ends: never with a
traceback, and the process is well afterwards."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator

import httpx
import psutil
import pytest
import websockets

from chat.errors import every_error
from tests.clients import participant, viewer
from tests.faults.cluster import cluster_on
from tests.faults.hostile import Hostility, Request
from tests.parts import LONG
from tests.servers import Engawa, Postgres, Redis

INPUTS = 20_000 if LONG else 2_000
AT_ONCE = 16
ANSWER_SECONDS = 10
HELD_SECONDS = 0.3  # what is not whole is waited for by the server, and not by us
GROWTH_BYTES = 150 * 1024 * 1024

CODES = {error.code for error in every_error()} - {"server.error", "server.busy"}
CLOSE_CODES = {1000, 1002, 1003, 1006, 1007, 1009, 4500, 4501}


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis
) -> Iterator[Engawa]:
    settings = {"REDIS_URL": redis.url}
    if request.param == "postgresql":  # which takes fewer strings than SQLite does
        settings["DATABASE_URL"] = postgres.fresh_database()
    with cluster_on(tmp_path_factory.mktemp("hostile"), 1, **settings) as cluster:
        cluster.make_room("veranda")
        yield cluster[0]


@pytest.fixture(autouse=True)
async def healthy_afterwards(server: Engawa):
    """No traceback in the log, everything is served as before, and it did not grow out of bounds."""
    logged = len(server.output())
    process = psutil.Process(server.pid)
    memory = process.memory_info().rss
    yield
    new = server.output()[logged:]
    assert "Traceback" not in new, new[new.index("Traceback") - 1000 :][:6000]
    assert await asyncio.to_thread(server.is_ready)
    async with viewer(server.base, "veranda") as watching, participant(server.sockets, "veranda") as somebody:
        await somebody.post("all is well")
        await watching.events_until("all is well")
    assert process.memory_info().rss - memory < GROWTH_BYTES


async def in_turns(count: int, do: Callable[[int], Awaitable[None]]) -> None:
    """``do`` all numbers below ``count``, some at a time, and complain of all that went wrong together."""
    numbers = iter(range(count))
    wrong: list[str] = []

    async def work() -> None:
        for number in numbers:
            try:
                await do(number)
            except AssertionError as error:
                wrong.append(str(error)[:1500])

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    assert not wrong, f"{len(wrong)} of {count} went wrong:\n" + "\n".join(wrong[:10])


def hostility(server: Engawa, seed: int) -> Hostility:
    with httpx.Client(base_url=server.base, timeout=30) as http:
        http.get("/chat/veranda/").raise_for_status()
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        return Hostility(seed, f"127.0.0.1:{server.port}", "veranda", cookies, http.cookies["csrftoken"])


async def ask(server: Engawa, request: Request) -> tuple[int | None, bytes]:
    """The status and the body of the answer; None where the connection ended without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(request.encode())
        async with asyncio.timeout(ANSWER_SECONDS if request.whole else HELD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            body = b""
            if length and request.method != b"HEAD" and b" 304 " not in head[:20]:
                body = await reader.readexactly(int(length[1]))
        return int(head.split(b" ", 2)[1]), body
    except (asyncio.IncompleteReadError, ConnectionError):
        return None, b""
    except TimeoutError:
        if request.whole:
            raise AssertionError(f"no answer to {request}") from None
        return None, b""
    finally:
        writer.transport.abort()


async def is_refused_or_served(server: Engawa, request: Request) -> None:
    status, body = await ask(server, request)
    assert status is None or 100 <= status < 500, f"{status} {body[:300]!r} to {request}"
    if body.startswith(b'{"error"'):
        assert json.loads(body)["error"]["code"] in CODES, f"{body!r} to {request}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("what", "share"), [("page", 0.2), ("form", 0.15), ("opening", 0.2), ("handshake", 0.1)])
async def test_requests(server: Engawa, what: str, share: float) -> None:
    source = hostility(server, seed=len(what))
    await in_turns(int(INPUTS * share), lambda _: is_refused_or_served(server, getattr(source, what)()))


_SESSION = (b"Cookie", b'sessionid="\\000\\000abcdefgh"')  # eight zeros and letters, once a cookie parser has read it
_HANDSHAKE = [
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"Sec-WebSocket-Version", b"13"),
]


@pytest.mark.parametrize(
    ("target", "header", "most"),
    [
        (b"/chat/veranda/", (b"Host", b"gzip"), 400),
        (b"/chat/veranda/", (b"Daphne-Root-Path", b"/xanadu"), 200),
        (b"/feeds/veranda/stream", (b"Daphne-Root-Path", b"/xanadu"), 200),
        (b"/chat/veranda/", (b"Daphne-Root-Path", "é".encode()), 400),
        (b"/chat/veranda/", _SESSION, 200),
        (b"/chat/veranda/stream", _SESSION, 200),
        (b"/ws/chat/veranda/", (b"Sec-WebSocket-Protocol", "é".encode()), 400),
        (b"/ws/chat/veranda/", (b"Daphne-Root-Path", b"/xanadu"), 200),
    ],
)
async def test_headers_that_somebody_might_believe(
    server: Engawa, target: bytes, header: tuple[bytes, bytes], most: int
) -> None:
    headers = [] if header[0] == b"Host" else [(b"Host", f"127.0.0.1:{server.port}".encode())]
    headers += _HANDSHAKE if target.startswith(b"/ws/") else []
    status, body = await ask(server, Request(b"GET", target, [*headers, header]))
    assert status is None or 100 <= status <= most
    assert b"xanadu" not in body


async def test_a_form_in_another_encoding(server: Engawa) -> None:
    source = hostility(server, seed=1)
    for charset in (b"idna", b"utf-16", b"latin1", b"nothing"):
        headers = [
            (b"Host", source.host.encode()),
            (b"Cookie", source.cookie.encode()),
            (b"X-CSRFToken", source.token.encode()),
            (b"Content-Type", b"application/x-www-form-urlencoded; charset=" + charset),
            (b"Content-Length", b"9"),
        ]
        await is_refused_or_served(server, Request(b"POST", b"/chat/veranda/messages", headers, b"message=x"))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type": "post", "message": "x", "reply_to": {}}', "message.not_found"),
        ('{"type": "post", "message": "x", "reply_to": []}', "message.not_found"),
        ('{"type": "post", "message": "x", "reply_to": "\\ud800"}', "message.not_found"),
        ('{"type": "post", "message": "x", "key": "\\ud800"}', "key.invalid"),
        ('{"type": "none", "key": "\\ud800"}', "frame.unknown_type"),
        ('{"type": "delete", "mid": "\\ud800", "key": "\\udfff"}', "message.not_found"),
    ],
)
async def test_values_that_are_no_strings_or_only_half_of_them(server: Engawa, frame: str, code: str) -> None:
    async with participant(server.sockets, "veranda") as client:
        await client.socket.send(frame)
        assert (await client.until("error"))["code"] == code
        await client.send(type="ping")
        await client.until("pong")


async def test_a_cookie_with_zeros_is_nobodys(server: Engawa) -> None:
    async with participant(server.sockets, "veranda", cookie=_SESSION[1].decode()) as client:
        assert client.welcome["you"]["kind"] == "guest"


async def test_who_hangs_up_at_once_is_no_error(server: Engawa) -> None:
    """Their answers have nowhere to go, which is no reason for a traceback."""

    async def shout_and_leave(number: int) -> None:
        async with participant(server.sockets, "veranda") as client:
            for _ in range(10):
                await client.send(type="post", message=f"gone {number}")
            if number % 2:
                client.socket.transport.abort()

    await in_turns(INPUTS // 20, shout_and_leave)


@pytest.mark.timeout(900)
async def test_frames(server: Engawa) -> None:
    """Each is answered with nothing or an error of a known code, and the socket stays."""
    source = Hostility(7, "")

    async def converse(_: int) -> None:
        async with participant(server.sockets, "veranda") as client:
            for _ in range(20):
                frame = source.frame()
                await client.socket.send(frame)
                await client.send(type="ping")
                while (answer := await client.receive())["type"] != "pong":
                    assert answer["type"] != "error" or answer["code"] in CODES, f"{answer} to {frame!r}"
                if not isinstance(frame, bytes) and re.search(r'"type": *"ping"', frame):
                    await client.socket.send('{"type": "none", "key": "a ping may have been answered twice"}')
                    while (await client.receive()).get("key") != "a ping may have been answered twice":
                        pass

    await in_turns(int(INPUTS * 0.2 / 20), converse)


@pytest.mark.timeout(900)
async def test_frames_to_the_plain_exchange(server: Engawa) -> None:
    source = Hostility(8, "")

    async def converse(number: int) -> None:
        async with websockets.connect(f"{server.sockets}/ws/chat/veranda/") as socket:
            for turn in range(10):
                frame = source.frame()
                await socket.send(frame)
                sentinel = f"sentinel {number} {turn}"
                await socket.send(json.dumps({"message": sentinel}))
                async with asyncio.timeout(ANSWER_SECONDS):
                    while (answer := json.loads(await socket.recv()))["message"] != sentinel:
                        assert isinstance(answer["message"], str)
                        assert answer.get("error", "text.empty") in CODES, f"{answer} to {frame!r}"

    await in_turns(int(INPUTS * 0.05 / 10), converse)


@pytest.mark.timeout(900)
async def test_what_is_no_websocket_frame(server: Engawa) -> None:
    """Noise on an open socket ends it, or is ignored; either way the process goes on."""
    source = Hostility(9, f"127.0.0.1:{server.port}")
    opening = (
        f"GET /ws/chat/veranda/ HTTP/1.1\r\nHost: {source.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()

    async def disturb(_: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(opening)
            async with asyncio.timeout(ANSWER_SECONDS):
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
                writer.write(source.wire_frames())
                writer.write_eof()  # nothing more comes: the end is the server's to make
                await reader.read()
        except OSError:
            pass  # it was hung up on before all was said
        finally:
            writer.transport.abort()

    await in_turns(int(INPUTS * 0.1), disturb)


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 4 * 1024 * 1024])
async def test_a_frame_of_more_than_a_mebibyte(server: Engawa, size: int) -> None:
    async with websockets.connect(f"{server.sockets}/ws/chat/veranda/", compression=None) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.send("x" * size)
            while True:
                await asyncio.wait_for(socket.recv(), ANSWER_SECONDS)
        assert socket.close_code in CLOSE_CODES


async def test_a_bomb_in_a_compressed_frame(server: Engawa) -> None:
    """A hundred mebibytes that travel as a hundred kibibytes."""
    async with websockets.connect(f"{server.sockets}/ws/chat/veranda/") as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.send("x" * (100 * 1024 * 1024))
            while True:
                await asyncio.wait_for(socket.recv(), ANSWER_SECONDS)
