"""Eight hours in three minutes: what is left in memory when everybody has gone."""

from time import monotonic, sleep

from bench.measuring import Bench, Case, Figures, follow, verify
from bench.publishers import Publisher
from bench.systems import WS, Running

ROOMS = [f"room{number}" for number in range(5)]
FOLLOWERS = 500
DELIVERIES = 5_000_000
COMINGS = 20_000
AT_A_TIME = 500  # come, and leave when all are there
RING_EVENTS = 1100  # more than the server keeps in memory, so that from the beginning it keeps all that it will
SETTLE_SECONDS = 6.0
MOST_SECONDS = 100.0  # of deliveries


def measure(bench: Bench, case: Case) -> Figures:
    with bench.running(case) as running:
        _warm(bench, running)
        before = running.memory()["rss"]
        began = monotonic()
        delivered = _deliver(bench, running, bench.of(200_000, DELIVERIES), bench.of(10, MOST_SECONDS))
        comings = _come_and_go(bench, running, bench.of(2000, COMINGS))
        seconds = monotonic() - began
        sleep(SETTLE_SECONDS)
        after = running.memory()["rss"]
        return {
            "growth_percent": (after - before) / before * 100,
            "before_megabytes": before / 2**20,
            "after_megabytes": after / 2**20,
            "delivered": delivered,
            "comings": comings,
            "seconds": seconds,
        }


def _warm(bench: Bench, running: Running) -> None:
    """Everything once: every room's recent events, and as many connections as there will ever be."""
    for room in ROOMS:
        with bench.load(running, WS) as load:
            publisher = Publisher(load, running, room)
            while publisher.sent < RING_EVENTS:
                publisher.saturate(50, 0.2)
            load.until(lambda: load.counts[publisher.fd] >= publisher.sent, 30, "The room was filled")  # noqa: B023
    _come_and_go(bench, running, 2 * AT_A_TIME)
    _deliver(bench, running, 20 * FOLLOWERS, 10)
    sleep(SETTLE_SECONDS)


def _deliver(bench: Bench, running: Running, deliveries: int, most_seconds: float) -> int:
    """Deliveries to FOLLOWERS in the first room, until there were so many or so much time is over."""
    with bench.load(running, WS) as load:
        following = follow(load, running, WS, FOLLOWERS, ROOMS[:1])
        publisher = Publisher(load, running, ROOMS[0])
        end = monotonic() + most_seconds
        while load.total < deliveries and monotonic() < end:
            publisher.saturate(20, 0.5)
        verify(load, WS, following, publisher.sent)
        return load.total


def _come_and_go(bench: Bench, running: Running, comings: int) -> int:
    come = 0
    while come < comings:
        with bench.load(running, WS) as load:
            follow(load, running, WS, AT_A_TIME, ROOMS)
            come += AT_A_TIME
    return come


def life(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [[Case("life", "everybody has left", key, measure) for key in systems if key.startswith("engawa")]]
