"""From a message's sending to its receipt, for everybody in a room, at a pace.

A quiet room (one message a second) shows that joining messages delays none that comes alone; with 20 messages a second
for 200 others beside it, that other rooms do not either.
"""

import json
import re
from collections import deque

from bench import wire
from bench.errors import Failed
from bench.known import SYSTEMS
from bench.load import Load
from bench.measuring import Bench, Case, Figures, Window, follow, verify
from bench.publishers import Publisher, paced
from bench.statistics import latencies
from bench.systems import SSE, WS, Running

FOLLOWERS = 1000
ROOM = "room0"
PER_SECOND = 10.0
BESIDE = ["room1", "room2"]  # rooms that are busy meanwhile
BESIDE_FOLLOWERS = 200
BESIDE_PER_SECOND = 20.0
SETTLED_SECONDS = 1.0  # within which the last messages must have come, else the system does not keep up

HALL_FOLLOWERS = 200
ROOMS = [f"room{number}" for number in range(50)]
ELSEWHERE_FOLLOWERS = 800
COMINGS_PER_SECOND = 5.0
EDITS_PER_SECOND = 1.0


def measure(bench: Bench, case: Case) -> Figures:
    transport, rate = case.more["transport"], case.more["per_second"]
    with bench.running(case) as running, bench.load(running, transport, timed=True) as load:
        following = follow(load, running, transport, FOLLOWERS, [ROOM])
        publisher = Publisher(load, running, ROOM)
        doings = [(rate, publisher.post)]
        if case.more.get("beside"):
            follow(load, running, transport, BESIDE_FOLLOWERS, BESIDE)
            for room in BESIDE:
                other = Publisher(load, running, room, begin=wire.OTHER)
                doings.append((BESIDE_PER_SECOND / len(BESIDE), other.post))
        figures = _window(bench, running, load, doings, following, max(bench.of(3.0, 8.0), 4 / rate))
        _kept_up(load, publisher.sent * FOLLOWERS, following)
        verify(load, transport, following, publisher.sent)
        return figures


def measure_mixed(bench: Bench, case: Case) -> Figures:
    """200 in a hall with ten messages a second, 800 in 49 other rooms with ten a second in turn; in the hall five
    people come and five go each second, and where there are edits, one message is edited each second."""
    transport = case.more["transport"]
    with bench.running(case) as running, bench.load(running, transport, timed=True) as load:
        hall = follow(load, running, transport, HALL_FOLLOWERS, ROOMS[:1])
        elsewhere = follow(load, running, transport, ELSEWHERE_FOLLOWERS, ROOMS[1:])
        publishers = [Publisher(load, running, room) for room in ROOMS]
        turn = deque(publishers[1:])

        def post_elsewhere() -> None:
            turn[0].post()
            turn.rotate(-1)

        doings = [
            (PER_SECOND, publishers[0].post),
            (PER_SECOND, post_elsewhere),
            (COMINGS_PER_SECOND, Churn(load, running, transport).step),
        ]
        if running.system.has_edits:
            doings.append((EDITS_PER_SECOND, Editor(load, running, ROOMS[0]).edit))
        figures = _window(bench, running, load, doings, hall + elsewhere, bench.of(3.0, 8.0))
        verify(load, transport, hall, publishers[0].sent)
        for number, publisher in enumerate(publishers[1:]):
            verify(load, transport, elsewhere[number :: len(ROOMS) - 1], publisher.sent)
        return figures


def _window(bench: Bench, running: Running, load: Load, doings: list, following: list[int], seconds: float) -> Figures:
    paced(load, doings, bench.of(1.0, 2.0))
    load.rest(SETTLED_SECONDS)
    load.under_way.clear()
    window = Window(load, running, following)
    window.start()
    paced(load, doings, seconds)
    figures = window.figures()
    load.rest(SETTLED_SECONDS)
    return {**figures, **latencies(load.under_way)}


def _kept_up(load: Load, expected: int, following: list[int]) -> None:
    behind = expected - sum(load.counts[fd] for fd in following)
    if behind > 0:
        raise Failed(f"It cannot keep up: {behind} of {expected} deliveries were still to come a second later.")


class Churn:
    """People who come and go: with each step one begins to come, and the one before the last goes."""

    def __init__(self, load: Load, running: Running, transport: str) -> None:
        self._load = load
        self._opened: list[int] = []
        self._ready = running.system.ready(transport)
        self._request = running.request(transport, ROOMS[0])
        self._port = running.port

    def step(self) -> None:
        self._load.begin(self._request, self._port, self._ready, self._opened)
        if len(self._opened) > 1:
            self._load.close([self._opened.pop(0)])


class Editor:
    """Somebody with one message, which they edit."""

    _MID = re.compile(rb'"type":"posted"[^}]*"mid":"([0-9A-Z]{26})"')

    def __init__(self, load: Load, running: Running, room: str) -> None:
        self._load = load
        self._sent = 0
        (self._fd,) = load.open(
            1, lambda _: running.publisher_request(room), running.port, running.system.publisher_ready, samples=1
        )
        load.send(self._fd, running.system.publication(wire.text(0, 0, wire.OTHER)))
        load.until(self._find, 10, "A message to edit was acknowledged")
        load.keep_no_more(self._fd)

    def _find(self) -> bool:
        found = self._MID.search(b"".join(self._load.samples[self._fd]))
        self._mid = found[1].decode() if found else ""
        return bool(found)

    def edit(self) -> None:
        self._sent += 1
        frame = {"type": "edit", "mid": self._mid, "message": wire.text(self._sent, 0, wire.OTHER)}
        self._load.send(self._fd, wire.client_frame(json.dumps(frame)))


def _cases(scenario: str, transport: str, quick: bool, systems: list[str]) -> list[list[Case]]:
    able = [key for key in systems if transport in SYSTEMS[key].transports]
    rates = [(key, PER_SECOND) for key in able if not (quick and SYSTEMS[key].slow_rate)]
    rates += [(key, SYSTEMS[key].slow_rate) for key in able if SYSTEMS[key].slow_rate is not None]
    return [
        [
            Case(
                scenario,
                f"{rate:g} a second",
                key,
                measure,
                more={"transport": transport, "per_second": rate},
            )
            for key, rate in rates
        ]
    ]


def _quiet(scenario: str, transport: str, systems: list[str]) -> list[list[Case]]:
    return [
        [
            Case(
                scenario,
                f"1 a second, {'busy' if beside else 'quiet'} rooms beside",
                key,
                measure,
                more={"transport": transport, "per_second": 1.0, "beside": beside},
            )
            for beside in (False, True)
            for key in systems
            if key.startswith("engawa")
        ]
    ]


def over_sockets(quick: bool, systems: list[str]) -> list[list[Case]]:
    return _cases("latency-ws", WS, quick, systems) + ([] if quick else _quiet("latency-ws", WS, systems))


def over_streams(quick: bool, systems: list[str]) -> list[list[Case]]:
    return _cases("latency-sse", SSE, quick, systems) + ([] if quick else _quiet("latency-sse", SSE, systems))


def mixed(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [
        [
            Case(
                "latency-mixed",
                {WS: "over WebSocket", SSE: "over streams"}[transport],
                key,
                measure_mixed,
                more={"transport": transport},
            )
            for key in systems
            if transport in SYSTEMS[key].transports and SYSTEMS[key].rooms
        ]
        for transport in ((WS,) if quick else (WS, SSE))
    ]
