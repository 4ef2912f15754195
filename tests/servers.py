"""Real servers for the tests: Redis, and Engawa in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import redis

from tests.parts import redis_server

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def hear_interrupts() -> None:
    """Run in a new process: the shell of a test that runs in the background has it ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Process:
    """A server process, its log in a file that a failing test shows."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env=environment,
                preexec_fn=hear_interrupts,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    def wait_until(self, is_up: object, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not is_up():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"{self.popen.args[:4]} did not come up:\n{self.output()}")
            time.sleep(0.05)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """End it, and return its exit code."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        return self.popen.wait()


class Engawa(Process):
    """One Engawa process on a port of its own. ``base`` is its address."""

    def __init__(self, folder: Path, name: str = "engawa", command: list[str] | None = None, **settings: str) -> None:
        self.port = int(settings.get("PORT") or free_port())
        self.base = f"http://127.0.0.1:{self.port}"
        self.sockets = f"ws://127.0.0.1:{self.port}"
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "SECRET_KEY": "a secret for tests, and for nothing else at all",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PYTHONWARNINGS": "default",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        command = [part.format(port=self.port) for part in command or ["manage.py", "start"]]
        super().__init__([sys.executable, *command], folder / f"{name}.log", self.environment)
        self.wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def manage(self, *arguments: str, input: str | None = None) -> str:
        """Run a management command beside the server, on the same database. Returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python in Django beside the server. Returns what it printed."""
        return self.manage("shell", "-v0", "-c", code).strip()


@contextmanager
def redis_process(folder: Path) -> Iterator[str]:
    """A Redis server of our own. Yields its URL."""
    port = free_port()
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = Process(command, folder / "redis.log")
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> bool:
        try:
            with redis.Redis.from_url(url) as client:
                return client.ping()
        except redis.ConnectionError:
            return False

    process.wait_until(answers)
    try:
        yield url
    finally:
        process.stop()
