"""One room, one publisher who keeps some messages under way, many who follow: how many deliveries a second."""

from bench.known import SYSTEMS
from bench.measuring import Bench, Case, Figures, Window, follow, verify
from bench.publishers import Publisher
from bench.systems import SSE, WS

FOLLOWERS = 500
ROOM = "room0"


def measure(bench: Bench, case: Case) -> Figures:
    transport, in_flight = case.more["transport"], case.more["in_flight"]
    followers = case.more.get("followers", FOLLOWERS)
    with bench.running(case) as running, bench.load(running, transport) as load:
        following = follow(load, running, transport, followers, [ROOM])
        publisher = Publisher(load, running, ROOM, ear=following[-1])
        window = Window(load, running, following)
        publisher.saturate(in_flight, case.more.get("warm", bench.of(0.7, 1.5)))
        window.start()
        publisher.saturate(in_flight, case.more.get("seconds", bench.of(2.0, 5.0)))
        figures = window.figures()
        verify(load, transport, following, publisher.sent)
        return figures


def cases(scenario: str, transport: str, systems: list[str], in_flights: list[int]) -> list[list[Case]]:
    return [
        [
            Case(
                scenario, f"{in_flight} in flight", key, measure, more={"transport": transport, "in_flight": in_flight}
            )
            for key in systems
            if transport in SYSTEMS[key].transports and in_flight <= SYSTEMS[key].most_in_flight
        ]
        for in_flight in in_flights
    ]


def over_sockets(quick: bool, systems: list[str]) -> list[list[Case]]:
    return cases("fanout-ws", WS, systems, [20] if quick else [20, 100])


def over_streams(quick: bool, systems: list[str]) -> list[list[Case]]:
    return cases("fanout-sse", SSE, systems, [8, 20])
