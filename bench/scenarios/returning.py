"""Everybody comes back at once, each with a number that is 50 events old."""

from contextlib import ExitStack
from time import monotonic

from bench.errors import Failed
from bench.load import Busy
from bench.measuring import Bench, Case, Figures, follow
from bench.publishers import Publisher
from bench.queries import count
from bench.systems import SSE, WS, Running

ROOM = "room0"
BEHIND = 50
BEFORE = 100  # events in the log
WARM = 50
BASELINE_SECONDS = 3.0
MOST_SECONDS = 60.0


def measure(bench: Bench, case: Case) -> Figures:
    transport, returning = case.more["transport"], case.more["count"]
    with ExitStack() as stack:
        running = stack.enter_context(bench.running(case, count_queries=True))
        _fill(bench, running, transport)
        if case.more["restarted"]:
            url = running.environment["DATABASE_URL"]
            running = stack.enter_context(bench.running(case, count_queries=True, DATABASE_URL=url))
        load = stack.enter_context(bench.load(running, transport))
        before, began = count(running.folder), monotonic()
        load.rest(BASELINE_SECONDS)
        idle_rate = (count(running.folder) - before) / (monotonic() - began)
        port, ready = running.port, running.system.ready(transport)
        request = running.request(transport, ROOM, after=BEFORE - BEHIND)
        before, cpu, busy, began = count(running.folder), running.cpu(), Busy(), monotonic()
        load.open(returning, lambda _: request, port, ready, at_once=returning, seconds=MOST_SECONDS)
        load.until(lambda: load.total >= returning * BEHIND, MOST_SECONDS, "Everybody had caught up")
        seconds = monotonic() - began
        figures = {
            "seconds": seconds,
            "queries": max(count(running.folder) - before - idle_rate * seconds, 0),
            "returning": returning,
            "server_cpu_share": (running.cpu() - cpu) / seconds,
            "load_cpu_share": busy.share(),
        }
        if any(load.counts[fd] != BEHIND for fd in load.sockets):
            raise Failed("Somebody who came back was told of something twice.")
        return figures


def _fill(bench: Bench, running: Running, transport: str) -> None:
    """Some have been there, and heard what was said until now."""
    with bench.load(running, transport) as load:
        follow(load, running, transport, WARM, [ROOM])
        publisher = Publisher(load, running, ROOM)
        publisher.post(BEFORE)
        load.until(lambda: publisher.heard == BEFORE, 30, "The log was filled")


def reconnect(quick: bool, systems: list[str]) -> list[list[Case]]:
    size = 1000 if quick else 5000
    return [
        [
            Case(
                "reconnect",
                f"{ {WS: 'WebSocket', SSE: 'streams'}[transport] }, "
                + ("the server was restarted" if restarted else "connections were lost"),
                key,
                measure,
                more={"transport": transport, "restarted": restarted, "count": size},
            )
            for key in systems
            if key.startswith("engawa")
        ]
        for transport in (SSE, WS)
        for restarted in ((False,) if quick else (False, True))
    ]
