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
