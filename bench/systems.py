"""The systems that are measured: how each is started, entered and spoken to."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench import wire
from bench.counting import Marker
from bench.placement import on_core, pin
from bench.services import Services
from tests.servers import Engawa, Process, free_port

WS, SSE = "ws", "sse"
_CLOSES = {WS: b"}", SSE: b"\n"}


def usage(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that some processes have used, with their children."""
    return sum(
        times.user + times.system
        for parent in processes
        for one in (parent, *parent.children(recursive=True))
        for times in (one.cpu_times(),)
    )


@dataclass
class Running:
    """A system that runs. ``process`` is what was started; what serves may be children of it."""

    system: "System"
    port: int
    process: psutil.Process
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def cpu(self) -> float:
        return usage([self.process])

    def memory(self) -> dict[str, int]:
        """Resident and proportional bytes of all its processes."""
        full = [one.memory_full_info() for one in (self.process, *self.process.children(True))]
        return {"rss": sum(one.rss for one in full), "pss": sum(one.pss for one in full)}

    def request(self, transport: str, room: str, *, after: int | None = None) -> bytes:
        return self.system.request(transport, room, self.port, after)

    def publisher_request(self, room: str) -> bytes:
        return self.system.publisher_request(room, self.port)


class System:
    """One system. Subclasses say how it is started and what its clients say and hear."""

    key: str
    title: str
    transports: tuple[str, ...] = (WS,)
    separator = ": "  # between a key and a value in its JSON
    hears_itself = True  # whether who publishes is told of it on the same connection
    most_in_flight = 1000  # beyond, it loses messages
    most_idle = 1_000_000  # connections, where each costs more than a machine should give
    greeting = b""  # what a client says once its handshake is done
    rooms = True
    has_edits = False
    slow_rate: float | None = None  # messages a second for 1,000 followers, where ten are too many

    def marker(self, transport: str, *, timed: bool = False) -> Marker:
        content = f'"message"{self.separator}"{wire.FIRST}'.encode()
        extent = len(content) + wire.MOMENT_END if timed else 0
        return Marker(content, _CLOSES[transport], extent)

    def ready(self, transport: str) -> bytes:
        """What a connection has been told once it follows."""
        return b"\r\n\r\n" if transport == WS else b"event: stream-open"

    @property
    def publisher_ready(self) -> bytes:
        return self.ready(WS)

    def publisher_request(self, room: str, port: int) -> bytes:
        return self.request(WS, room, port, None)

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        raise NotImplementedError

    def publication(self, text: str) -> bytes:
        """What a publisher sends."""
        return wire.client_frame(json.dumps({"message": text}))

    def version(self) -> str:
        """What it is made of, with versions."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Make sure of what it needs. Raises ``Failed`` where that cannot be had."""

    @contextmanager
    def run(self, services: Services, folder: Path, **options: Any) -> Iterator[Running]:
        """Run it in ``folder`` on the server's core."""
        with ExitStack() as stack:
            with on_core(services.cores.server):
                process, port, environment = self.start(services, folder, **options)
            stack.callback(process.stop)
            process.wait_until(lambda: listens(process, port))
            yield Running(self, port, psutil.Process(process.pid), folder, environment)

    def start(self, services: Services, folder: Path, **options: Any) -> tuple[Process, int, dict[str, str]]:
        raise NotImplementedError


def listens(process: Process, port: int) -> bool:
    """Whether a process or a child of it listens on ``port``."""
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for parent in [psutil.Process(process.pid)]
        for one in (parent, *parent.children(True))
        for connection in one.net_connections("tcp4")
    )


def python_versions(*names: str) -> str:
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in names)


class Daphne(System):
    """A project of our own on Daphne as it is shipped."""

    project: str
    redis = False

    def start(self, services: Services, folder: Path, **options: Any) -> tuple[Process, int, dict[str, str]]:
        port = free_port()
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": f"bench.{self.project}.settings"}
        if self.redis:
            environment["REDIS_URL"] = services.redis.url
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
        command.append(f"bench.{self.project}.asgi:application")
        return Process(command, folder / "server.log", environment), port, environment


class Tutorial(Daphne):
    key = "tutorial"
    title = "Channels tutorial, Daphne, in memory"
    project = "tutorial"
    most_in_flight = 50  # the in-memory layer drops what goes beyond 100 for one channel
    slow_rate = 3

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        return wire.socket_request(f"/ws/chat/{room}/", port)

    def version(self) -> str:
        return python_versions("Django", "channels", "daphne")


class TutorialRedis(Tutorial):
    key = "tutorial-redis"
    title = "Channels tutorial, Daphne, Redis pub/sub"
    redis = True

    def version(self) -> str:
        return python_versions("Django", "channels", "daphne", "channels-redis")


class EventStream(Daphne):
    key = "eventstream"
    title = "django-eventstream's view, Daphne"
    project = "eventstream"
    transports = (SSE,)
    hears_itself = False
    most_idle = 1000  # each takes a thread
    most_in_flight = 8  # its view drops what goes beyond ten for one listener
    slow_rate = 5

    @property
    def publisher_ready(self) -> bytes:
        return b"\r\n\r\n"

    def publisher_request(self, room: str, port: int) -> bytes:
        return wire.socket_request(f"/publish/{room}/", port)

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        return wire.stream_request(f"/events/{room}/", port)

    def version(self) -> str:
        return python_versions("Django", "django-eventstream", "daphne")


class EngawaDaphne(System):
    """Engawa as it is started. Options: ``database`` ("sqlite" or "postgres"), ``redis``, ``workers``,
    ``settings`` (a settings module in place of its own), and further environment."""

    key = "engawa-daphne"
    title = "Engawa, its own server"
    transports = (WS, SSE)
    separator = ":"
    has_edits = True
    command: list[str] | None = None

    def ready(self, transport: str) -> bytes:
        return b'"type":"welcome"' if transport == WS else b"event: stream-open"

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        if transport == SSE:
            return wire.stream_request(f"/feeds/{room}/stream", port, None if after is None else f"{room}:{after}")
        query = "" if after is None else f"?after={after}"
        return wire.socket_request(f"/ws/chat/{room}/{query}", port, "engawa.v1")

    def account_request(self, room: str, port: int, session_key: str) -> bytes:
        """The handshake of an account's socket."""
        return wire.socket_request(f"/ws/chat/{room}/", port, "engawa.v1", f"sessionid={session_key}")

    def publication(self, text: str) -> bytes:
        return wire.client_frame(f'{{"type":"post","message":"{text}"}}')

    def version(self) -> str:
        return python_versions("Django", "channels", "daphne", "Twisted", "autobahn")

    @contextmanager
    def run(
        self,
        services: Services,
        folder: Path,
        *,
        database: str = "sqlite",
        redis: bool = False,
        workers: int = 1,
        settings: str | None = None,
        **environment: str,
    ) -> Iterator[Running]:
        environment = {
            "DATABASE_URL": services.postgres_database() if database == "postgres" else services.sqlite(folder),
            "POSTS_PER_MINUTE": "0",
            "FRAMES_PER_SECOND": "0",
            "CONNECTIONS_PER_ADDRESS": "0",
            "STREAMS_PER_ADDRESS": "0",
            "PYTHONWARNINGS": "ignore",
            **({"REDIS_URL": services.redis.url} if redis else {}),
            **({"DJANGO_SETTINGS_MODULE": settings} if settings else {}),
            **environment,
        }
        cores = services.cores.servers(workers)
        if workers > 1:
            environment["WORKERS"] = str(workers)
        with ExitStack() as stack:
            with on_core(*cores):
                server = Engawa(folder, "server", self.command, wait=False, **environment)
            stack.callback(server.stop)
            server.wait_until_ready()
            process = psutil.Process(server.pid)
            if workers > 1:
                server.wait_until(lambda: "Ctrl-C stops it." in server.output())  # said when all of them serve
                for worker, core in zip(process.children(), cores, strict=True):
                    pin(worker, core)
            yield Running(self, server.port, process, folder, server.environment)


class EngawaUvicorn(EngawaDaphne):
    key = "engawa-uvicorn"
    title = "Engawa on uvicorn"
    command = [
        *("-m", "uvicorn", "config.asgi:application", "--port", "{port}", "--log-level", "warning"),
        *("--http", "httptools", "--ws", "websockets-sansio", "--loop", "uvloop"),
    ]

    def version(self) -> str:
        return python_versions("Django", "channels", "uvicorn", "uvloop", "httptools", "websockets")
