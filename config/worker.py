"""One of several processes on one port: a fresh process that serves on a socket of its parent.

Between the two is a pair of sockets: by it the worker says that it serves, and notices that its parent is gone.
"""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

from django.conf import settings

from config.settings import env

START_SECONDS = 60.0  # a worker that does not serve by then never will
GRACE_SECONDS = 5.0  # beyond DRAIN_SECONDS

logger = logging.getLogger(__name__)


def leave_with(parent: int) -> None:
    """In a worker: leave as on SIGTERM as soon as the other end of the socket ``parent`` is closed, however it was."""

    def watch() -> None:
        with suppress(OSError):
            os.read(parent, 1)  # nothing is ever written there
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(settings.DRAIN_SECONDS + GRACE_SECONDS)
        os._exit(1)  # nobody else is left to see to it

    os.set_inheritable(parent, False)
    threading.Thread(target=watch, name="parent", daemon=True).start()


class Worker:
    """A process that serves on ``listening``, or is about to. ``ended`` must be awaited for each."""

    def __init__(self, process: asyncio.subprocess.Process, cord: socket.socket) -> None:
        self.pid = process.pid
        self._process = process
        self._cord = cord
        self._started = time.monotonic()
        self._told = False

    @classmethod
    async def start(cls, listening: socket.socket, number: int) -> "Worker":
        """``number`` is which of them it is, from 1. Raises ``OSError`` where there can be no more processes."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    str(settings.BASE_DIR / "manage.py"),
                    "work",
                    f"--socket={listening.fileno()}",
                    f"--parent={theirs.fileno()}",
                    f"--number={number}",
                    stdin=subprocess.DEVNULL,
                    env=env.given,  # so that it reads .env as it is now
                    pass_fds=(listening.fileno(), theirs.fileno()),
                    process_group=0,  # Ctrl-C is for the parent, which tells it
                )
        except BaseException:
            ours.close()
            raise
        return cls(process, ours)

    async def is_ready(self) -> bool:
        """Wait until it serves. False where it does not: then it has ended."""
        try:
            async with asyncio.timeout(START_SECONDS):
                if await asyncio.get_running_loop().sock_recv(self._cord, 1):
                    return True
        except TimeoutError:
            self.kill()
        await self.ended()
        return False

    async def ended(self) -> str:
        """Wait until it has ended. Returns how, in words."""
        code = await self._process.wait()
        self._cord.close()
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def age(self) -> float:
        return time.monotonic() - self._started

    async def leave(self) -> None:
        """Tell it to drain, and see that it ends."""
        if not self._told:
            self._told = True
            self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(settings.DRAIN_SECONDS + GRACE_SECONDS):
                await self.ended()
        except TimeoutError:
            logger.warning("process %s did not leave, and is killed", self.pid)
            self.kill()
            await self.ended()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
