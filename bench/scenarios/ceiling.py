"""How much the load itself can read: servers that only send, on every core but its own."""

import sys
from contextlib import ExitStack
from time import monotonic, sleep

from bench.counting import Marker
from bench.errors import Failed
from bench.load import Busy, Load
from bench.measuring import Bench, Case, Figures
from bench.null_server import ON, ONE
from bench.placement import on_core
from bench.systems import listens
from bench.wire import socket_request
from tests.servers import Process, free_port

FOLLOWERS = 3000
SEND_SECONDS = 0.1  # in which every sender has sent one to everybody
BYTES = 450  # about what one of Engawa's events has
_READY = b"\r\n\r\n"


def measure(bench: Bench, case: Case) -> Figures:
    cores = bench.services.cores
    free = [core for core in cores.all if core != cores.load] or [cores.load]
    with ExitStack() as stack:
        ports = []
        for core in free:
            ports.append(free_port())
            command = [sys.executable, "-m", "bench.null_server", str(ports[-1]), str(BYTES)]
            with on_core(core):
                process = Process(command, bench.services.folder / "null.log")
            stack.callback(process.stop)
            process.wait_until(lambda: listens(process, ports[-1]))  # noqa: B023
        load = Load(Marker(b'"message":"~', b"}"))
        stack.callback(load.close_all)
        each = FOLLOWERS // len(ports)
        first = [load.open(each, lambda _: socket_request("/", port), port, _READY)[0] for port in ports]  # noqa: B023
        return {**_single(load, first, each * len(ports), bench.of(10, 30)), **_stream(load, first, bench.of(1.0, 4.0))}


def _single(load: Load, first: list[int], followers: int, rounds: int) -> Figures:
    """One message lies ready in every connection when the load begins to read: each read gives one."""
    reading = 0.0
    for number in range(1, rounds + 1):
        for fd in first:
            load.send(fd, ONE)
        sleep(SEND_SECONDS)
        began = monotonic()
        load.until(lambda: load.total >= number * followers, 10, "All was read")  # noqa: B023
        reading += monotonic() - began
    if sum(load.reads) - followers != load.total:
        raise Failed("A read did not give one message.")
    return {"reads_per_second": load.total / reading}


def _stream(load: Load, first: list[int], seconds: float) -> Figures:
    """As much as they can send: where the load lags, one read gives several messages."""
    for fd in first:
        load.send(fd, ON)
    load.rest(0.3)
    busy, began, total, reads = Busy(), monotonic(), load.total, sum(load.reads)
    load.rest(seconds)
    deliveries = load.total - total
    return {
        "deliveries_per_second": deliveries / (monotonic() - began),
        "messages_per_read": deliveries / (sum(load.reads) - reads),
        "senders": len(first),
        "load_cpu_share": busy.share(),
    }


def ceiling(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [[Case("ceiling", f"{BYTES} bytes each", "null", measure)]]
