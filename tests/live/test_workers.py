"""Several workers on one port: what a parent does for them, and what people notice of it."""

import asyncio
import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.clients import Participant, participant, viewer
from tests.faults import law
from tests.faults.cluster import SETTINGS, Cluster
from tests.faults.crowd import Crowd
from tests.metrics import scrape
from tests.servers import ROOT, Engawa, Redis, free_port

WORKERS = 3
PATIENCE_SECONDS = 20
RECOVERY_SECONDS = 10
REPLACED = "all workers were replaced"


class Workers(Engawa):
    """A parent and its workers."""

    def __init__(self, folder: Path, redis: Redis, count: int = WORKERS, name: str = "workers", **settings: str):
        command = ["manage.py", "start", "--workers", str(count)]
        super().__init__(folder, name, command, **SETTINGS, REDIS_URL=redis.url, **settings)
        self.wait_until(lambda: "Ctrl-C stops it." in self.output())

    def pids(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.pid).children()}

    def connections(self) -> dict[int, set[int]]:
        """The clients' ports, by the worker that has their connections."""
        return {
            pid: {
                connection.raddr.port
                for connection in psutil.Process(pid).net_connections("tcp")
                if connection.raddr and connection.laddr.port == self.port
            }
            for pid in self.pids()
        }

    def worker_of(self, client_port: int) -> int:
        (pid,) = (pid for pid, ports in self.connections().items() if client_port in ports)
        return pid


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        await asyncio.sleep(0.05)


def are_gone(pids: set[int]) -> bool:
    return not any(psutil.pid_exists(pid) for pid in pids)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, redis: Redis) -> Iterator[Workers]:
    first = free_port()
    server = Workers(tmp_path_factory.mktemp("workers"), redis, METRICS_PORT=str(first))
    server.metrics_ports = range(first, first + WORKERS)
    yield server
    server.stop()


def started(workers: Workers) -> set[float]:
    """When each of the workers was, as it says on its own port; nothing where one does not answer there."""
    try:
        return {scrape(port)("process_start_time_seconds") for port in workers.metrics_ports}
    except OSError:
        return set()


# Sharing --------------------------------------------------------------------------------------------------


async def test_connections_spread_over_all_workers(workers: Workers) -> None:
    async with AsyncExitStack() as stack:
        ours = set()
        for _ in range(60):
            _, writer = await asyncio.open_connection("127.0.0.1", workers.port)
            stack.callback(writer.close)
            ours.add(writer.get_extra_info("sockname")[1])
        await until(lambda: ours <= set().union(*workers.connections().values()), "all were accepted")
        spread = [len(ports & ours) for ports in workers.connections().values()]
        assert len(spread) == WORKERS
        assert min(spread) > 0, spread


async def test_each_worker_counts_for_itself_and_says_so_on_its_own_port(workers: Workers) -> None:
    async with AsyncExitStack() as stack:
        ours = [await stack.enter_async_context(participant(workers.sockets)) for _ in range(20)]
        here = {somebody.socket.local_address[1] for somebody in ours}
        spread = sorted(len(ports & here) for ports in workers.connections().values())
        assert sum(spread) == len(ours)
        await until(
            lambda: sorted(scrape(port)("engawa_connections", "websocket") for port in workers.metrics_ports) == spread,
            "each says what it has",
        )


async def test_people_on_different_workers_hear_each_other_and_are_counted_together(workers: Workers) -> None:
    room = Cluster([workers]).make_room("three verandas")
    async with AsyncExitStack() as stack:
        people: dict[int, Participant] = {}
        everybody = 0
        while len(people) < WORKERS:  # by chance, each lands on one of them
            somebody = await stack.enter_async_context(participant(workers.sockets, room))
            everybody += 1
            people.setdefault(workers.worker_of(somebody.socket.local_address[1]), somebody)
        watching = await stack.enter_async_context(viewer(workers.base, room))
        for number, speaker in enumerate(people.values()):
            await speaker.post(f"word {number}")
            for listener in people.values():
                if listener is not speaker:
                    assert (await listener.event())["message"] == f"word {number}"
            assert (await watching.event())["message"] == f"word {number}"
        for somebody in people.values():
            while (presence := await somebody.until("presence"))["participants"] != everybody:
                pass
            while presence["viewers"] != 1:
                presence = await somebody.until("presence")


async def test_who_vanishes_is_found_on_a_shared_port_too(workers: Workers) -> None:
    async with participant(workers.sockets) as somebody:
        port = somebody.socket.local_address[1]
        kind, seconds = timer(workers.port, port)
        assert kind == "02"  # keep-alive
        assert seconds <= 20


def timer(server_port: int, client_port: int) -> tuple[str, float]:
    """The timer of a server's end of a connection: its kind, and when it is due."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = f":{server_port:04X}", f":{client_port:04X}"
    (found,) = (row[5] for row in rows if row[1].endswith(ports[0]) and row[2].endswith(ports[1]))
    kind, _, ticks = found.partition(":")
    return kind, int(ticks, 16) / os.sysconf("SC_CLK_TCK")


# Coming and going -----------------------------------------------------------------------------------------


class Asking:
    """Requests without a pause, some on connections of their own and some on one that is kept."""

    def __init__(self, server: Engawa) -> None:
        self.address = f"{server.base}/health/live"
        self.answered = 0
        self.failures: list[str] = []

    async def _ask(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        try:
            answer = await http.get(self.address, headers=headers)
        except httpx.HTTPError as error:
            self.failures.append(repr(error))
        else:
            self.answered += 1
            if answer.status_code != 200:
                self.failures.append(str(answer.status_code))

    async def _go_on(self, headers: dict[str, str]) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            while True:
                await self._ask(http, headers)


@asynccontextmanager
async def asking(server: Engawa) -> AsyncIterator[Asking]:
    asking = Asking(server)
    tasks = [asyncio.create_task(asking._go_on(headers)) for headers in 3 * [{}] + 3 * [{"Connection": "close"}]]
    try:
        yield asking
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(how, asyncio.CancelledError) for how in ended), ended


def crowd(workers: Workers, seed: int) -> Crowd:
    cluster = Cluster([workers])
    room = cluster.make_room(f"veranda {seed}")
    return Crowd(cluster, room, seed, writers=6, followers=30, pause=0.3, drop_chance=0)


async def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(workers: Workers) -> None:
    async with crowd(workers, 900) as people:
        recoveries = [await people.goes_on(RECOVERY_SECONDS, posts=10)]
        before = workers.pids()
        victim = max(workers.connections().items(), key=lambda item: len(item[1]))[0]
        os.kill(victim, signal.SIGKILL)
        recoveries.append(await people.goes_on(RECOVERY_SECONDS, posts=10))
        await until(lambda: len(workers.pids()) == WORKERS, "another took its place")
        new = workers.pids() - before
        assert len(new) == 1
        await until(lambda: workers.connections()[min(new)], "it serves")
        await law.hold(people, "kill -9 of a worker", 1, recoveries)
    assert f"(process {victim}) was ended by SIGKILL" in workers.output()


async def test_replacing_all_workers_under_load_fails_nobody(workers: Workers) -> None:
    async with crowd(workers, 901) as people, asking(workers) as requests:
        recoveries = [await people.goes_on(RECOVERY_SECONDS, posts=10)]
        before = workers.pids()
        said_before = started(workers)
        replaced = workers.output().count(REPLACED)
        answered = requests.answered
        workers.popen.send_signal(signal.SIGHUP)
        await until(lambda: workers.output().count(REPLACED) > replaced, REPLACED)
        assert not workers.pids() & before
        assert len(workers.pids()) == WORKERS
        # The old ones had the ports for metrics until they had left.
        await until(
            lambda: len(started(workers) - said_before) == WORKERS, "the new ones answer on the ports of the old"
        )
        recoveries.append(await people.goes_on(RECOVERY_SECONDS, posts=10))
        await law.hold(people, "SIGHUP: all workers replaced", WORKERS, recoveries)
        assert requests.answered > answered + 100
        assert requests.failures == []
    rude = {(kind, how): count for (kind, how), count in people.ends.items() if not was_told(kind, how)}
    assert not rude, dict(people.ends)
    assert sum(people.ends.values()) >= 36  # everybody came back at least once


def was_told(kind: str, how: object) -> bool:
    return how == "end" if kind == "stream" else isinstance(how, int) and 4000 <= how < 4500


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_all_leave_when_the_parent_is_told_to(tmp_path: Path, redis: Redis, how: signal.Signals) -> None:
    workers = Workers(tmp_path, redis, 2)
    pids = workers.pids()
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(participant(workers.sockets)) for _ in range(20)]
        workers.popen.send_signal(how)
        for somebody in people:
            assert await somebody.closed() == 4001
    assert await asyncio.to_thread(workers.popen.wait, PATIENCE_SECONDS) == 0
    assert are_gone(pids)
    assert "Traceback" not in workers.output()


async def test_workers_leave_when_the_parent_is_killed(tmp_path: Path, redis: Redis) -> None:
    workers = Workers(tmp_path, redis, 2)
    pids = workers.pids()
    assert len(pids) == 2
    async with participant(workers.sockets) as somebody:
        workers.kill()
        assert await somebody.closed() == 4001
    await until(lambda: are_gone(pids), "the workers are gone")
    assert "Traceback" not in workers.output()
    with socket.create_server(("127.0.0.1", workers.port)):
        pass  # nobody has the port any more


async def test_a_second_signal_waits_for_nobody(tmp_path: Path, redis: Redis) -> None:
    workers = Workers(tmp_path, redis, 2, DRAIN_SECONDS="600")
    pids = workers.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    workers.popen.send_signal(signal.SIGTERM)
    workers.popen.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(workers.popen.wait, PATIENCE_SECONDS) == 0
    assert are_gone(pids)


async def test_new_workers_that_do_not_come_up_leave_the_old_ones_alone(tmp_path: Path, redis: Redis) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret for tests, and for nothing else at all")
    workers = Workers(tmp_path, redis, 2, SECRET_KEY="", SECRET_KEY_FILE=str(secret))
    try:
        before = workers.pids()
        secret.rename(tmp_path / "elsewhere")
        workers.popen.send_signal(signal.SIGHUP)
        await until(lambda: "those that are there go on" in workers.output(), "it gave up")
        assert f"SECRET_KEY_FILE: cannot read {secret}" in workers.output()
        assert workers.pids() == before
        os.kill(min(before), signal.SIGKILL)
        await until(lambda: workers.output().count("before it served") >= 2, "it tried to replace the dead one")
        (tmp_path / "elsewhere").rename(secret)
        await until(lambda: len(workers.pids()) == 2 and workers.is_ready(), "another took its place")
        workers.popen.send_signal(signal.SIGHUP)
        await until(lambda: REPLACED in workers.output(), REPLACED)
        assert not workers.pids() & before
    finally:
        assert workers.stop() == 0


@contextmanager
def on_a_terminal(command: list[str], environment: dict[str, str], log: Path) -> Iterator[tuple[subprocess.Popen, int]]:
    """A process that leads a session on a terminal of its own, and the other end of that."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where the tests run under nohup
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=theirs,
            stdout=output,
            stderr=output,
            preexec_fn=take_terminal,
        )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()


async def test_closing_the_terminal_ends_it(tmp_path: Path, workers: Workers) -> None:
    log = tmp_path / "terminal.log"
    settings = {"PORT": str(free_port()), "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    with on_a_terminal(workers.command, workers.environment | settings, log) as (parent, terminal):
        await until(lambda: "Ctrl-C stops it." in log.read_text(), "all have started")
        pids = {child.pid for child in psutil.Process(parent.pid).children()}
        assert len(pids) == WORKERS
        os.close(terminal)
        assert await asyncio.to_thread(parent.wait, PATIENCE_SECONDS) == 0
        assert are_gone(pids)


# Refusals -------------------------------------------------------------------------------------------------


def refusal(folder: Path, *options: str, **settings: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "SECRET_KEY": "a secret for tests, and for nothing else at all",
        "PORT": str(free_port()),
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "start", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize("option", ["-1", "x"])
def test_junk_is_refused(tmp_path: Path, option: str) -> None:
    assert refusal(tmp_path, "--workers", option) == f"CommandError: --workers: {option!r} is not between 1 and 64"


def test_junk_in_the_setting_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, WORKERS="0") == "engawa: WORKERS: 0 is not between 1 and 64"


@pytest.mark.parametrize(("options", "settings"), [(["--workers", "2"], {"WORKERS": "1"}), ([], {"WORKERS": "2"})])
def test_several_without_a_redis_are_refused(tmp_path: Path, options: list[str], settings: dict[str, str]) -> None:
    sentence = refusal(tmp_path, *options, **settings)
    assert sentence.startswith("engawa: REDIS_URL: several workers need a Redis between them.")
    assert "\n" not in sentence


def test_the_option_wins_over_the_setting(tmp_path: Path) -> None:
    one = Engawa(tmp_path, command=["manage.py", "start", "--workers", "1"], WORKERS="3")
    assert psutil.Process(one.pid).children() == []
    assert one.stop() == 0


def test_a_port_that_other_workers_have_is_refused(tmp_path: Path, workers: Workers) -> None:
    sentence = refusal(tmp_path, "--workers", "2", PORT=str(workers.port), REDIS_URL=workers.environment["REDIS_URL"])
    assert sentence.startswith(f"CommandError: cannot listen on 127.0.0.1:{workers.port} (Address already in use)")


def test_a_first_worker_that_does_not_come_up_ends_it_and_is_heard(tmp_path: Path, redis: Redis) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'work' in sys.orig_argv:\n    os.write(2, b'a broken installation\\n')\n    os._exit(3)\n"
    )
    said = refusal(tmp_path, "--workers", "2", PYTHONPATH=str(tmp_path), REDIS_URL=redis.url)
    broken, reason, end = said.splitlines()
    assert broken == "a broken installation"
    assert reason.endswith("ended with exit code 3 before it served")
    assert end == "CommandError: no worker came up; what it said stands above"
