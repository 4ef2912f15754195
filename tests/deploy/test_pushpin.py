"""What starts Pushpin, and ends it: nothing of it is left, whoever runs it and whatever hangs."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from tests.deploy.pushpin import Pushpin
from tests.servers import somebody_else

ENDED_SECONDS = 5.0
STARTS, AT_ONCE = 3, 40
PROGRAMS = ["condure", "pushpin-handler", "pushpin-proxy", "zurl"]
# As a container's init does: it is told, and tells.
INIT = """
import signal, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
sys.exit(child.wait())
"""
# Comes up as far as others see, and does not leave.
STUBBORN = """#!{python}
import pathlib, signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
run = next(part for part in sys.argv if part.startswith("--config=")).removeprefix("--config=")
kept = []
for name in ("inspect", "accept", "retry", "proxy-stats"):
    kept.append(socket.socket(socket.AF_UNIX))
    kept[-1].bind(str(pathlib.Path(run).with_name("pushpin-" + name)))
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may pass through."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def of(pushpin: Pushpin) -> list[psutil.Process]:
    """All that runs of it, whose ever child it is."""
    return [each for each in psutil.process_iter() if _speaks_of(each, str(pushpin.run))]


def _speaks_of(process: psutil.Process, folder: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and any(folder in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def names(pushpin: Pushpin) -> list[str]:
    return sorted(Path(each.cmdline()[0]).name for each in of(pushpin))


def gone(pushpin: Pushpin) -> bool:
    deadline = monotonic() + ENDED_SECONDS
    while of(pushpin) and monotonic() < deadline:
        sleep(0.02)
    return not of(pushpin)


@pytest.mark.parametrize("way", ["alone", "under init", "as another user"])
def test_all_of_it_leaves_when_it_is_told_to(folder: Path, way: str) -> None:
    user = somebody_else() if way == "as another user" else None
    before = [sys.executable, "-c", INIT] if way == "under init" else []
    pushpin = Pushpin(folder, "127.0.0.1:1", before=before, user=user)
    try:
        assert names(pushpin) == PROGRAMS
        if user:
            assert {each.username() for each in of(pushpin)} == {user}
        began = monotonic()
        assert pushpin.stop() == 0
        assert monotonic() - began < ENDED_SECONDS
        assert names(pushpin) == []
    finally:
        pushpin.remove()


@pytest.mark.parametrize("tenths", [0, 1, 2, 4, 6])
def test_it_leaves_while_it_is_starting(folder: Path, tenths: int) -> None:
    pushpin = Pushpin(folder, "127.0.0.1:1", wait=False)
    try:
        sleep(tenths / 10)
        began = monotonic()
        code = pushpin.stop()
        assert monotonic() - began < ENDED_SECONDS
        assert code in ((0, -signal.SIGTERM) if tenths == 0 else (0,))  # the shell itself may not have begun
        assert names(pushpin) == []
    finally:
        pushpin.remove()


def test_what_does_not_listen_is_ended(folder: Path) -> None:
    program = folder / "pushpin-proxy"
    program.write_text(STUBBORN.format(python=sys.executable))
    program.chmod(0o755)
    pushpin = Pushpin(folder, "127.0.0.1:1", wait=False, PATH=f"{folder}:{os.environ['PATH']}")
    try:
        pushpin.wait_until(lambda: (pushpin.run / "run" / "pushpin-proxy-stats").exists())
        sleep(1)
        began = monotonic()
        assert pushpin.stop() == 0
        assert 2 < monotonic() - began < ENDED_SECONDS
        assert of(pushpin) == []
    finally:
        pushpin.remove()


@pytest.mark.parametrize("name", PROGRAMS)
def test_where_one_ends_all_end(folder: Path, name: str) -> None:
    pushpin = Pushpin(folder, "127.0.0.1:1")
    try:
        next(each for each in of(pushpin) if each.name() == name).kill()
        assert pushpin.popen.wait(ENDED_SECONDS) == 1
        assert names(pushpin) == []
    finally:
        pushpin.remove()


async def test_who_comes_while_it_starts_is_answered(folder: Path) -> None:
    """Rightly, as soon as it can be reached at all: many at once, from the first moment."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def come(pushpin: Pushpin) -> bytes:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", pushpin.port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.002)
                continue
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer[:12]

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    pushpin = Pushpin(folder, f"127.0.0.1:{server.sockets[0].getsockname()[1]}", wait=False)
    try:
        for number in range(STARTS):
            if number:
                await asyncio.to_thread(pushpin.stop)
                pushpin.start()
            async with asyncio.timeout(10):
                assert set(await asyncio.gather(*(come(pushpin) for _ in range(AT_ONCE)))) == {b"HTTP/1.1 200"}
    finally:
        await asyncio.to_thread(pushpin.remove)
        server.close()
        await server.wait_closed()


def test_nothing_outlives_what_started_it(folder: Path) -> None:
    pushpin = Pushpin(folder, "127.0.0.1:1")
    try:
        pushpin.popen.kill()
        pushpin.popen.wait()
        assert gone(pushpin)
    finally:
        pushpin.remove()
