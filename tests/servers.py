"""Real servers for the tests: Redis, PostgreSQL, and Engawa in processes of its own."""

import ctypes
import http.client
import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from tests.parts import postgres_binaries, redis_server

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 10
DATABASE = "db.sqlite3"  # its name in a server's folder
PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """One that nobody has. It lies below those that the system gives to who connects, so that none of the hundreds of
    clients gets it before its server does, or while that is away."""
    while True:
        port = 16_384 + secrets.randbelow(16_384)  # `random` may be seeded alike in two processes
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def hear_interrupts() -> None:
    """Run in a new process: the shell of a test that runs in the background has it ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def leave_with_us(number: signal.Signals, *, thread_stays: bool = False) -> Callable[[], None]:
    """What to run in a new process so that the system tells it to leave when we end, even where we are killed."""
    # The system does so when the thread ends that started it: of most, only the main one lives as long as we do.
    stays = thread_stays or threading.current_thread() is threading.main_thread()
    if sys.platform != "linux" or not stays:
        return hear_interrupts
    prctl = ctypes.CDLL(None).prctl  # here: in the new process nothing should be loaded

    def prepare() -> None:
        hear_interrupts()
        prctl(PR_SET_PDEATHSIG, number)

    return prepare


class Process:
    """A server process, its log in a file that a failing test shows. It can be ended and started again, and held
    for a while, as servers are by what goes wrong around them."""

    stop_signal = signal.SIGTERM
    stop_seconds = STOP_SECONDS
    thread_stays = False  # whether that which starts it lives as long as it

    def __init__(
        self,
        command: list[str],
        log: Path,
        environment: dict[str, str] | None = None,
        *,
        cwd: Path = ROOT,
        user: str | None = None,
    ) -> None:
        self.command = command
        self.log = log
        self.environment = environment
        self.cwd = cwd
        self.user = user
        self.start()

    def start(self) -> None:
        """Start it, the first time or again. ``wait_until`` waits until it is up."""
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.cwd,
                env=self.environment,
                preexec_fn=leave_with_us(self.stop_signal, thread_stays=self.thread_stays),
                **identity_of(self.user),
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    def wait_until(self, is_up: Callable[[], object], seconds: float = START_SECONDS) -> None:
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
            self.popen.send_signal(self.stop_signal)
            self.resume()  # one that is held hears nothing
            try:
                self.popen.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        return self.popen.wait()

    def kill(self) -> None:
        """End it as a crash does: nothing of it runs any more."""
        self.popen.kill()
        self.popen.wait()

    def pause(self) -> None:
        """Hold it: it keeps its connections, and says nothing on them."""
        self.popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.popen.send_signal(signal.SIGCONT)


def identity_of(user: str | None) -> dict[str, object]:
    """What ``subprocess`` needs to run something as ``user``."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def engawa_environment(folder: Path, **settings: str) -> dict[str, str]:
    """What an Engawa process finds in its environment. Its database is in ``folder``, unless ``settings`` say else."""
    return {
        **{key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
        "DATABASE_URL": f"sqlite:///{folder}/{DATABASE}",
        "SECRET_KEY": "a secret for tests, and for nothing else at all",
        "HOST": "127.0.0.1",
        "PYTHONWARNINGS": "default",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


def manage(environment: dict[str, str], *arguments: str, input: str | None = None, seconds: float = 300) -> str:
    """Run a management command. Returns what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        input=input,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_database(folder: Path) -> Path:
    """A database that is up to date and empty, for ``Engawa.database``."""
    manage(engawa_environment(folder), "migrate", "-v0")
    return folder / DATABASE


class Engawa(Process):
    """One Engawa process on a port of its own. ``base`` is its address.

    Without ``wait`` it is only begun, so that several can come up together; call ``wait_until_ready`` then.
    """

    # Where one that is to use a new SQLite file finds one to copy: making it takes as long as all else at the start.
    # Without, it makes its own.
    database: Callable[[], Path] | None = None
    host = "127.0.0.1"
    trust = None  # it has no TLS of its own

    def __init__(
        self,
        folder: Path,
        name: str = "engawa",
        command: list[str] | None = None,
        *,
        wait: bool = True,
        **settings: str,
    ) -> None:
        self.port = int(settings.get("PORT") or free_port())
        self.base = f"http://{self.host}:{self.port}"
        self.sockets = f"ws://{self.host}:{self.port}"
        command = [part.format(port=self.port) for part in command or ["manage.py", "start"]]
        environment = engawa_environment(folder, **{**settings, "PORT": str(self.port)})
        if Engawa.database and "DATABASE_URL" not in settings and not (folder / DATABASE).exists():
            shutil.copy(Engawa.database(), folder)
        super().__init__([sys.executable, *command], folder / f"{name}.log", environment)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        self.wait_until(self.is_ready)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def manage(self, *arguments: str, input: str | None = None) -> str:
        """Run a management command beside the server, on the same database. Returns what it printed."""
        return manage(self.environment, *arguments, input=input)

    def shell(self, code: str) -> str:
        """Run Python in Django beside the server. Returns what it printed."""
        return self.manage("shell", "-v0", "-c", code).strip()


class Redis(Process):
    """A Redis server of our own, which keeps its port when it is started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = [redis_server(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        super().__init__(command, folder / "redis.log")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        self.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.command_line("PING") is not None
        except redis.ConnectionError:
            return False

    def command_line(self, *words: str) -> object:
        """What Redis answers to a command."""
        with redis.Redis.from_url(self.url) as client:
            return client.execute_command(*words)


class Postgres(Process):
    """A PostgreSQL server of our own, its data in a folder that goes with it.

    It refuses to be root, so root runs it as somebody else, and then its folder is where that user may pass through.
    """

    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for every client to leave
    crash_signal = signal.SIGQUIT  # "immediate": every process of it ends at once, and the next start recovers

    def __init__(self, log_folder: Path) -> None:
        user = somebody_else()
        self.port = free_port()
        self.folder = postgres_folder(log_folder)
        self._databases = itertools.count(1)
        data = self.folder / "data"
        binaries = postgres_binaries()
        initialise_postgres(data)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",  # their names may be too long
            "max_connections": 200,
        }
        command = [str(binaries / "postgres"), "-D", str(data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        super().__init__(command, log_folder / "postgres.log", cwd=self.folder, user=user)
        self.wait_until_ready()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://engawa@127.0.0.1:{self.port}/{database}"

    def fresh_database(self, template: str = "template1") -> str:
        """The URL of a new database: an empty one, or a copy of the one of the name ``template``."""
        name = f"engawa_{next(self._databases)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url_of(name)

    def wait_until_ready(self) -> None:
        self.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def restart(self) -> None:
        """As an administrator does it: clients are sent away, what they had begun is rolled back."""
        self.stop()
        self.start()
        self.wait_until_ready()

    def crash(self) -> None:
        """End it without a last word. ``start`` recovers what was committed."""
        self.popen.send_signal(self.crash_signal)
        self.popen.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def postgres_folder(wanted: Path) -> Path:
    """A new folder for PostgreSQL's data, in ``wanted`` where it can be reached there. Its user owns it."""
    user = somebody_else()
    folder = Path(tempfile.mkdtemp(prefix="engawa-postgres-", dir=_open_folder(wanted) if user else wanted))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return folder


def initialise_postgres(data: Path, *options: str) -> None:
    """Make what a PostgreSQL server keeps in ``data``, in a folder of ``postgres_folder``. Its owner is "engawa", who
    needs no password, unless ``options`` of initdb say else."""
    command = [postgres_binaries() / "initdb", "-D", data, "-U", "engawa", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [*command, *(options or ("--auth=trust",))],
        cwd=data.parent,
        capture_output=True,
        text=True,
        timeout=120,
        **identity_of(somebody_else()),
    )
    assert made.returncode == 0, made.stdout + made.stderr


def somebody_else() -> str | None:
    """Who runs what root may not."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _open_folder(wanted: Path) -> Path:
    """``wanted``, or else a folder for temporary files, that every user may pass through."""
    for folder in map(Path, (wanted, tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if all(part.stat().st_mode & 0o001 for part in (folder.resolve(), *folder.resolve().parents)):
            return folder
    raise AssertionError("there is no folder for temporary files that another user may pass through")


@contextmanager
def redis_process(folder: Path) -> Iterator[Redis]:
    """A Redis server of our own, stopped at the end."""
    process = Redis(folder)
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def postgres_process(folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL server of our own, gone at the end. Its log is in ``folder``."""
    process = Postgres(folder)
    try:
        yield process
    finally:
        process.remove()
