"""A network of its own that goes dead: run as ``unshare --net python -m tests.live.half_open FOLDER``.

Connects sockets and streams over its loopback interface, takes that down, and prints after how many seconds the
server has let go of all of them. No packet says that the peers are gone; that is the point.
"""

import asyncio
import fcntl
import os
import socket
import struct
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from tests.clients import participant, viewer
from tests.servers import Engawa

CONNECTIONS = 10
MOST_SECONDS = 90
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


def loopback(up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP if up else 0))


async def main(folder: Path) -> float:
    loopback(up=True)
    server = Engawa(folder)
    try:
        process = psutil.Process(server.pid)

        def held() -> int:
            """Connections alone: while it serves it may open other files, as the database's, which it keeps."""
            return len(process.net_connections()) - 1  # where it listens

        stack = AsyncExitStack()
        for _ in range(CONNECTIONS):
            await stack.enter_async_context(participant(server.sockets))
            await stack.enter_async_context(viewer(server.base))
        assert held() == 2 * CONNECTIONS
        loopback(up=False)
        began = time.monotonic()
        while held():
            assert time.monotonic() - began < MOST_SECONDS, f"{held()} connections are still held"
            await asyncio.sleep(0.5)
        return time.monotonic() - began
    finally:
        server.stop()


if __name__ == "__main__":
    print(f"{asyncio.run(asyncio.wait_for(main(Path(sys.argv[1])), 2 * MOST_SECONDS)):.1f}", flush=True)
    os._exit(0)  # without asking the clients, who would wait for answers that cannot come
