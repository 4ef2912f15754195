"""Planned ends: nobody is broken off, everybody is told when to come back."""

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from tests.clients import participant, viewer
from tests.servers import Engawa


async def test_a_process_that_is_told_to_stop_sends_everybody_away(tmp_path: Path) -> None:
    server = Engawa(tmp_path)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        people = [await enter(participant(server.sockets)) for _ in range(40)]
        watching = [await enter(viewer(server.base)) for _ in range(40)]
        server.popen.send_signal(signal.SIGTERM)
        for somebody in people:
            frame = await somebody.until("error")
            assert (frame["code"], frame["retryable"]) == ("server.going_away", True)
            assert 0 <= frame["retry_after"] <= 30
            assert await somebody.closed() == 4001
        for somebody in watching:
            block = await somebody.block()
            while block["event"] != "going-away":
                block = await somebody.block()
            assert json.loads(block["data"])["retry_after"] * 1000 - int(block["retry"]) < 101
            assert await somebody.block() == {}
        assert await asyncio.to_thread(server.popen.wait, 10) == 0
    assert "Traceback" not in server.output()


async def test_old_connections_come_back_anew(tmp_path: Path) -> None:
    server = Engawa(tmp_path, ROTATE_SECONDS="1")
    try:
        async with participant(server.sockets) as somebody, viewer(server.base) as watching:
            assert (await somebody.until("error"))["code"] == "server.going_away"
            assert await somebody.closed() == 4001
            block = await watching.block()
            while block and block["event"] != "going-away":
                block = await watching.block()
            assert block
    finally:
        server.stop()


async def test_who_has_connected_but_not_asked_yet_is_answered(tmp_path: Path) -> None:
    server = Engawa(tmp_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await asyncio.sleep(2.5)  # an idle server: what it has answered before, Daphne has forgotten by then
    server.popen.send_signal(signal.SIGTERM)
    while await is_listening(server):
        pass
    writer.write(f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    writer.close()
    assert await asyncio.to_thread(server.popen.wait, 10) == 0


async def is_listening(server: Engawa) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    except OSError:  # refused, or reset where it met the end itself
        return False
    writer.close()
    return True
