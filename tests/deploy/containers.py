"""What runs in place of a container: a process with its command, environment and files, and an engine that starts it
again where its policy says so."""

import http.client
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from tests.deploy.compose import Service
from tests.servers import ROOT, Process

STEADY_SECONDS = 10.0  # Docker's: one that ran for so long is started again at once
FIRST_PAUSE_SECONDS = 0.1  # and this, too, which doubles with each time in a row
CHECK_SECONDS = 10.0


@dataclass
class Image:
    """What an image has, and what a container of it is started with."""

    command: list[str]
    environment: dict[str, str]
    health_check: list[str] = field(default_factory=list)
    cwd: Path = ROOT
    user: str | None = None
    prepare: Callable[[], None] = lambda: None  # before each start


class Container(Process):
    """A process of a service. Only its engine starts it, from a thread that lives as long as it."""

    thread_stays = True

    def __init__(self, name: str, service: Service, address: str, image: Image, log: Path) -> None:
        self.name = name
        self.service = service
        self.address = address
        self.image = image
        self.command, self.environment = image.command, image.environment
        self.log, self.cwd, self.user = log, image.cwd, image.user
        self.stop_signal, self.stop_seconds = service.stop_signal, service.stop_seconds
        self.restarts = 0  # how many times it ended without being told to, and was started again
        self._wanted = False
        self._due = self._began = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._seen = True  # whether the process that ended last was looked at
        self._started = threading.Event()
        self.popen: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly, and is not started again."""
        return self._seen and not self._wanted and self.popen is not None and self.popen.poll() not in (None, 0)

    def start(self) -> None:
        """Have it started, which has been done when this returns. It need not be up yet."""
        self._started.clear()
        self._due = 0.0
        self._wanted = True
        assert self._started.wait(CHECK_SECONDS), f"{self.name} was not started"

    def stop(self) -> int:
        """Tell it to leave, as its service says, and return its exit code."""
        self._wanted = False
        code = super().stop()
        self._seen = True
        return code

    def kill(self) -> None:
        """End it as a crash does. Its policy applies."""
        self.popen.kill()
        self.popen.wait()

    def tend(self) -> None:
        """See to it that it runs where it should. For the engine."""
        if self.is_running:
            return
        if not self._seen:
            self._seen = True
            code = self.popen.returncode
            policy = self.service.restart
            self._wanted &= policy in ("always", "unless-stopped") or (policy == "on-failure" and code != 0)
            if self._wanted:
                self.restarts += 1
                steady = monotonic() - self._began > STEADY_SECONDS
                self._pause = FIRST_PAUSE_SECONDS if steady else 2 * self._pause
                self._due = monotonic() + self._pause
        if self._wanted and monotonic() >= self._due:
            self.image.prepare()
            super().start()
            self._seen = False
            self._began = monotonic()
            self._started.set()

    # How it fares ------------------------------------------------------------------------------------------

    def is_healthy(self) -> bool:
        """What its health check says, which it must have."""
        assert self.image.health_check, f"{self.name} has no health check"
        try:
            done = subprocess.run(
                self.image.health_check,
                env=self.environment,
                cwd=self.cwd,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=CHECK_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False
        return self.is_running and done.returncode == 0

    def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        deadline = monotonic() + seconds
        while not condition():
            assert monotonic() < deadline, f"{self.name}: {what}, not within {seconds} s\n{self.output()[-6000:]}"
            sleep(0.05)

    def ask(self, path: str, headers: dict[str, str] | None = None, source: str = "") -> tuple[int, str]:
        """The status and the text that it answers directly with, asked from the address ``source``. Raises
        ``OSError``."""
        connection = http.client.HTTPConnection(
            self.address, int(self.environment["PORT"]), timeout=CHECK_SECONDS, source_address=(source, 0)
        )
        try:
            connection.request("GET", path, headers={"Host": "localhost", **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(f"{self.name}: {error!r}") from error
        finally:
            connection.close()


class Engine:
    """Tends containers, in a thread of its own that starts all of them."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self._restarts_of_removed = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(0.02):
            for container in list(self.containers.values()):
                container.tend()

    def add(self, container: Container) -> Container:
        assert container.name not in self.containers
        self.containers[container.name] = container
        return container

    def remove(self, name: str) -> int:
        """Stop one, and forget it. Returns its exit code."""
        container = self.containers[name]
        code = container.stop()
        del self.containers[name]
        self._restarts_of_removed += container.restarts
        return code

    @property
    def restarts(self) -> int:
        """How many times something has ended without being told to, and was started again."""
        return self._restarts_of_removed + sum(each.restarts for each in self.containers.values())

    def close(self) -> None:
        for container in reversed(self.containers.values()):
            if container.popen is not None:
                container.stop()
        self._closed.set()
        self._thread.join()
