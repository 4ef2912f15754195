"""What connections cost that only listen: how fast many come, and the memory that each takes."""

from time import monotonic

from bench.known import SYSTEMS
from bench.load import Busy
from bench.measuring import Bench, Case, Figures, follow
from bench.systems import SSE, WS

ROOM = "room0"
COUNT = {"quick": 1000, "full": 5000}
AT_ONCE = 200
WARM = 100  # come first, so that what is made once is there
IDLE_PER_SECOND = 400.0
SETTLE_SECONDS = 3.0


def measure_connects(bench: Bench, case: Case) -> Figures:
    transport, count = case.more["transport"], case.more["count"]
    with bench.running(case) as running, bench.load(running, transport) as load:
        follow(load, running, transport, WARM, [ROOM])
        load.rest(0.5)
        busy, cpu, began = Busy(), running.cpu(), monotonic()
        follow(load, running, transport, count, [ROOM], at_once=AT_ONCE)
        seconds = monotonic() - began
        return {
            "connects_per_second": count / seconds,
            "cpu_us_per_connect": (running.cpu() - cpu) / count * 1e6,
            "server_cpu_share": (running.cpu() - cpu) / seconds,
            "load_cpu_share": busy.share(),
        }


def measure_idle(bench: Bench, case: Case) -> Figures:
    transport, count = case.more["transport"], case.more["count"]
    with bench.running(case) as running, bench.load(running, transport) as load:
        load.close(follow(load, running, transport, WARM, [ROOM]))
        load.rest(bench.of(1.0, SETTLE_SECONDS))
        before = running.memory()
        follow(load, running, transport, count, [ROOM], per_second=IDLE_PER_SECOND)
        load.rest(bench.of(1.0, SETTLE_SECONDS))
        after = running.memory()
        cpu, began = running.cpu(), monotonic()
        load.rest(bench.of(1.0, SETTLE_SECONDS))
        return {
            "kilobytes_each": (after["rss"] - before["rss"]) / count / 1024,
            "pss_kilobytes_each": (after["pss"] - before["pss"]) / count / 1024,
            "idle_cpu_share": (running.cpu() - cpu) / (monotonic() - began),
            "connections": count,
        }


def _cases(scenario: str, measure: object, quick: bool, systems: list[str]) -> list[list[Case]]:
    size = COUNT["quick" if quick else "full"]
    return [
        [
            Case(
                scenario,
                {WS: "WebSocket", SSE: "streams"}[transport],
                key,
                measure,
                more={"transport": transport, "count": min(size, SYSTEMS[key].most_idle)},
            )
            for key in systems
            if transport in SYSTEMS[key].transports
        ]
        for transport in (SSE, WS)
    ]


def connects(quick: bool, systems: list[str]) -> list[list[Case]]:
    return _cases("connects", measure_connects, quick, systems)


def idle(quick: bool, systems: list[str]) -> list[list[Case]]:
    return _cases("idle", measure_idle, quick, systems)
