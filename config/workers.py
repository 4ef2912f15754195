"""Several processes on one port.

A parent holds a listening socket for each of them, and accepts nothing itself. The system spreads connections over
the sockets (SO_REUSEPORT). While a worker is missing, or another takes its place, who connects waits in the queue of
its socket: nobody is refused.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.worker import Worker

QUEUE = 4096  # connections that wait for a worker; the system may allow fewer
STEADY_SECONDS = 10.0  # one that served for so long did not die of how it is made
LONGEST_PAUSE_SECONDS = 8.0

logger = logging.getLogger(__name__)


class NoWorkers(Exception):
    """Not even the first one came up. It has said why itself."""


def need_redis() -> None:
    """Refuse to be one of several without what carries limits, presence and news between them at once."""
    if not settings.REDIS_URLS:
        raise ImproperlyConfigured(
            "REDIS_URL: several workers need a Redis between them. Set it, such as redis://localhost:6379/0, "
            "or start one worker."
        )


def supervise(listening: list[socket.socket], on_ready: Callable[[], None]) -> None:
    """Have a worker on each of these sockets until told to stop. Raises ``NoWorkers``."""
    asyncio.run(Supervisor(listening, on_ready).run())


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """``count`` sockets that listen on one port. Raises ``OSError``."""
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
    with _bound(family, address):
        pass  # so the port is free: those below would share it even with a stranger of the same user
    listening = [_bound(family, address, shared=True) for _ in range(count)]
    for each in listening:
        each.listen(QUEUE)
    return listening


def _bound(family: int, address: tuple, shared: bool = False) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class Slot:
    """One of the sockets, and the worker that serves on it."""

    def __init__(self, number: int, listening: socket.socket) -> None:
        self.listening = listening
        self.workers: set[Worker] = set()  # with those that are coming and going
        self._number = number
        self._worker: Worker | None = None
        self._changing = asyncio.Lock()

    async def fill(self) -> bool:
        """Have a worker, if one comes up."""
        worker = await self._new()
        if worker is not None:
            self._worker = worker
        return worker is not None

    async def keep(self) -> None:
        """Have a worker, always: where one is missing, start another, at once at first and then ever more slowly."""
        failures = 0
        while True:
            worker = self._worker
            how = await worker.ended() if worker is not None else ""
            async with self._changing:
                if worker is not self._worker:
                    continue  # it was replaced meanwhile
                if worker is not None:
                    self._worker = None
                    self.workers.discard(worker)
                    failures = 0 if worker.age() > STEADY_SECONDS else failures
                failures += 1
                pause = pause_before(failures)
                if worker is not None:
                    logger.warning(
                        "worker %s (process %s) %s; the next starts in %g s", self._number, worker.pid, how, pause
                    )
                await asyncio.sleep(pause)
                await self.fill()

    async def replace(self) -> bool:
        """Put a new worker in the place of the one that is there, which leaves once the new one serves. Where that
        does not come up, the old one stays."""
        async with self._changing:
            old = self._worker
            if not await self.fill():
                return False
        if old is not None:
            await old.leave()
            self.workers.discard(old)
        return True

    async def _new(self) -> Worker | None:
        try:
            worker = await Worker.start(self.listening, self._number)
        except OSError as error:
            logger.error("worker %s cannot be started: %s", self._number, error)
            return None
        self.workers.add(worker)
        if await worker.is_ready():
            return worker
        self.workers.discard(worker)
        logger.error("worker %s (process %s) %s before it served", self._number, worker.pid, await worker.ended())
        return None


def pause_before(failure: int) -> float:
    """Seconds to wait before another worker is started after the first, second, … failure in a row."""
    return 0.0 if failure <= 1 else min(0.5 * 2 ** (failure - 2), LONGEST_PAUSE_SECONDS)


class Supervisor:
    """The parent: SIGHUP replaces the workers one after the other, SIGTERM and SIGINT end them all."""

    def __init__(self, listening: list[socket.socket], on_ready: Callable[[], None]) -> None:
        self._slots = [Slot(number, each) for number, each in enumerate(listening, 1)]
        self._on_ready = on_ready
        self._stop = asyncio.Event()
        self._replace = asyncio.Event()
        self._dies_with_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_DFL and _has_terminal()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        serving = asyncio.create_task(self._serve())
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        stopped.cancel()
        (result, _) = await asyncio.gather(serving, stopped, return_exceptions=True)
        await self._end()
        if not isinstance(result, asyncio.CancelledError):
            raise result

    async def _serve(self) -> None:
        first, *others = self._slots
        if not await first.fill():  # alone, so that what is wrong is said once
            raise NoWorkers()
        await asyncio.gather(*(slot.fill() for slot in others))
        self._on_ready()
        async with asyncio.TaskGroup() as tasks:
            for slot in self._slots:
                tasks.create_task(slot.keep())
            tasks.create_task(self._replace_when_told())

    async def _replace_when_told(self) -> None:
        while True:
            await self._replace.wait()
            self._replace.clear()
            for slot in self._slots:
                if not await slot.replace():
                    logger.error("the new worker did not come up, so those that are there go on")
                    break
            else:
                logger.info("all workers were replaced")

    async def _end(self) -> None:
        for slot in self._slots:
            slot.listening.close()
        await asyncio.gather(*(worker.leave() for slot in self._slots for worker in slot.workers))

    def _told_to_stop(self) -> None:
        if self._stop.is_set():
            for slot in self._slots:
                for worker in slot.workers:
                    worker.kill()
        self._stop.set()

    def _hung_up(self) -> None:
        if self._dies_with_terminal and not _has_terminal():
            self._told_to_stop()
        else:
            self._replace.set()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
