"""Requests that mean harm: answered or turned away at once, and nobody else waits."""

import asyncio
import json
import socket
import time
from contextlib import suppress

import httpx
import psutil
import pytest
import websockets

from tests.clients import participant
from tests.servers import Engawa

MEGABYTE = 1024 * 1024


def raw(server: Engawa, request: bytes) -> bytes:
    """What the server answers to exactly these bytes, until it closes or falls silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        with suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(request)
        answer = b""
        try:
            while piece := line.recv(65536):
                answer += piece
                if b"</html>" in answer or answer.endswith(b"}\n"):
                    break
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


@pytest.mark.parametrize("path", ["/nowhere", "/feeds/lobby/stream", "/chat/lobby/messages"])
@pytest.mark.parametrize("length", [b"Content-Length: %d" % (50 * MEGABYTE), b"Transfer-Encoding: chunked"])
async def test_a_body_that_is_too_large_is_turned_away_at_its_first_byte_too_many(
    server: Engawa, path: str, length: bytes
) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    ).encode() + length
    body = b"a&" * (MEGABYTE // 2)
    if b"chunked" in length:
        body = b"%x\r\n%b\r\n" % (len(body), body)
    began = time.monotonic()
    answer = await asyncio.to_thread(raw, server, head + b"\r\n\r\n" + body)
    assert time.monotonic() - began < 5
    assert answer.startswith(b"HTTP/1.1 413 ") or answer == b"", answer[:200]


async def test_a_large_form_delays_nobody(server: Engawa) -> None:
    """Up to the limit a form is taken, and parsed where nobody waits for it."""
    form = b"a&" * (250 * 1024 // 2)

    async def bother() -> None:
        async with httpx.AsyncClient(base_url=server.base) as http:
            for _ in range(20):
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                assert (await http.post("/nowhere", content=form, headers=headers)).status_code in (400, 403, 404)

    async with participant(server.sockets) as somebody:
        bothering = asyncio.create_task(bother())
        worst = 0.0
        while not bothering.done():
            began = time.monotonic()
            await somebody.send(type="ping")
            await somebody.until("pong")
            worst = max(worst, time.monotonic() - began)
            await asyncio.sleep(0.01)
        await bothering
        assert worst < 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "post", "message": "x", "reply_to": [1]}, "message.not_found"),
        ({"type": "post", "message": "x", "reply_to": {"a": 1}}, "message.not_found"),
        ({"type": "post", "message": "", "key": "\ud800"}, "key.invalid"),
        ({"type": "edit", "mid": "\ud800", "message": "x"}, "message.not_found"),
    ],
)
async def test_odd_values_are_refused_and_not_stumbled_over(server: Engawa, frame: dict, code: str) -> None:
    async with participant(server.sockets) as somebody:
        await somebody.socket.send(json.dumps(frame))
        assert (await somebody.until("error"))["code"] == code
        await somebody.send(type="ping")
        await somebody.until("pong")


async def test_marks_without_end_are_cut_short(server: Engawa) -> None:
    """Putting them in order would take the square of their number."""
    async with participant(server.sockets, query="?history=0") as somebody:
        marks = "a" + "\u0301" * 8000 + "\u0316" * 7000
        await somebody.socket.send(json.dumps({"type": "post", "message": marks}, ensure_ascii=False))
        assert len((await somebody.event())["message"]) <= 31


def test_a_form_in_another_charset_is_answered(server: Engawa) -> None:
    with httpx.Client(base_url=server.base, timeout=10) as http:
        http.get("/chat/")
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16", "Referer": server.base}
        answer = http.post("/chat/", content=f"csrfmiddlewaretoken={http.cookies['csrftoken']}", headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize("header", ["Daphne-Root-Path: /x", "Daphne-Root-Path: \xff"])
def test_a_root_path_from_outside_is_not_heard(server: Engawa, header: str) -> None:
    request = f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{header}\r\nConnection: close\r\n\r\n"
    assert raw(server, request.encode("latin1")).endswith(b"alive\n")


@pytest.mark.parametrize("offered", ["\xff", "engawa%2ev1", "a;b"])
def test_a_subprotocol_that_is_none_is_refused(server: Engawa, offered: str) -> None:
    request = (
        f"GET /ws/chat/lobby/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: {offered}\r\n\r\n"
    )
    assert raw(server, request.encode("latin1")).startswith(b"HTTP/1.1 400 ")


async def test_who_sends_faster_than_can_be_answered_is_held_back(server: Engawa) -> None:
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    frame = json.dumps({"type": "post", "message": "@" * 4000, "reply_to": "x" * 50_000})

    async def flood() -> int:
        async with websockets.connect(f"{server.sockets}/ws/chat/lobby/", subprotocols=["engawa.v1"]) as line:
            sent = 0
            try:
                async with asyncio.timeout(4):
                    for sent in range(2000):  # noqa: B007
                        await line.send(frame)
            except (TimeoutError, websockets.ConnectionClosed):
                pass
            return sent

    await asyncio.gather(*(flood() for _ in range(4)))
    assert process.memory_info().rss - before < 64 * MEGABYTE
    async with participant(server.sockets) as somebody:
        await somebody.post("still here")


def test_who_pings_and_does_not_read_is_owed_the_last_answer_alone(server: Engawa) -> None:
    process = psutil.Process(server.pid)
    request = (
        f"GET /ws/chat/lobby/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    def ping(text: bytes) -> bytes:
        return b"\x89" + bytes([0x80 | len(text)]) + bytes(4) + text  # masked with nothing

    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(20)
        line.connect(("127.0.0.1", server.port))
        line.sendall(request.encode())
        assert line.recv(12) == b"HTTP/1.1 101"
        before = process.memory_info().rss
        for _ in range(600):
            line.sendall(ping(b"." * 125) * 500)  # 37 MiB in all
        line.sendall(ping(b"the last"))
        assert process.memory_info().rss - before < 16 * MEGABYTE
        tail = b""
        while not tail.endswith(b"the last"):
            tail = tail[-20:] + line.recv(65536)


async def test_a_busy_room_does_not_hold_up_another(server: Engawa) -> None:
    server.shell(
        "from chat import actions; from chat.identity import new_guest; actions.create_room(new_guest(), 'loud')"
    )

    async def shout() -> None:
        async with participant(server.sockets, "loud") as somebody:
            for _ in range(5):
                await somebody.post("://" * 1300)

    shouting = [asyncio.create_task(shout()) for _ in range(8)]
    times = []
    async with participant(server.sockets) as somebody:
        while not all(task.done() for task in shouting):
            began = time.monotonic()
            await somebody.post("calm")
            times.append(time.monotonic() - began)
    await asyncio.gather(*shouting)
    assert sorted(times)[len(times) // 2] < 1


def test_nothing_of_that_is_a_fault_of_ours(server: Engawa) -> None:
    assert "Traceback" not in server.output()
