"""How much the load itself can read: servers that only send, on every core but its own."""

import sys
from contextlib import ExitStack
from time import monotonic

from bench.counting import Marker
from bench.load import Busy, Load
from bench.measuring import Bench, Case, Figures
from bench.placement import on_core
from bench.systems import listens
from bench.wire import socket_request
from tests.servers import Process, free_port

FOLLOWERS = 500
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
        load.open(FOLLOWERS, lambda number: socket_request("/", ports[number % len(ports)]), ports, _READY, at_once=50)
        load.rest(0.5)
        busy, began, total, pieces = Busy(), monotonic(), load.total, load.pieces
        load.rest(bench.of(2.0, 5.0))
        seconds = monotonic() - began
        return {
            "reads_per_second": (load.pieces - pieces) / seconds,
            "deliveries_per_second": (load.total - total) / seconds,
            "senders": len(ports),
            "load_cpu_share": busy.share(),
        }


def ceiling(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [[Case("ceiling", f"{BYTES} bytes each", "null", measure)]]
