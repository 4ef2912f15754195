"""Each service goes away and comes back, in every order: none takes another along, each says how it is, and everybody
hears everything once."""

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from tests.deploy.containers import Container
from tests.deploy.crowd import Behind
from tests.deploy.topology import Topology
from tests.faults import law
from tests.faults.crowd import Crowd
from tests.parts import LONG

SERVICES = ("postgres", "redis", "web", "websocket", "caddy")
SERVING = ("web", "websocket")
# In the short run each is stopped alone, and each pair in both orders is met in one of these: all go, one after the
# other, and come back in another order.
ORDERS = [
    (("postgres", "redis", "web", "websocket", "caddy"), ("caddy", "websocket", "web", "redis", "postgres")),
    (("caddy", "websocket", "web", "redis", "postgres"), ("postgres", "redis", "web", "websocket", "caddy")),
]
SEEN_SECONDS = 8.0  # until a process says how it is now
CAUGHT_UP_SECONDS = 20.0
POSTS = 5


class Truth:
    """What each process says of itself, held against what is there."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.away: set[str] = set()

    def _expected(self) -> tuple[int, str]:
        if "postgres" in self.away:
            return 503, "database"
        return 200, "degraded" if "redis" in self.away else "ready"

    def told(self) -> None:
        """Wait until every process says what is; each lives all the time."""
        expected, deadline = self._expected(), monotonic() + SEEN_SECONDS

        def tells(container: Container) -> None:
            while (said := _said(container)) != expected:
                assert container.ask("/health/live")[0] == 200, f"{container.name} does not live"
                assert monotonic() < deadline, f"{container.name} says {said}, and {expected} is true"
                sleep(0.05)
            assert container.ask("/health/live")[0] == 200, f"{container.name} does not live"

        there = [each for service in SERVING if service not in self.away for each in self.topology.of(service)]
        _together(tells, there)

    def stop(self, service: str) -> None:
        _together(Container.stop, self.topology.of(service))
        self.away.add(service)

    def start(self, service: str) -> None:
        for container in self.topology.of(service):
            container.start()
        for container in self.topology.of(service):
            container.until(_is_up(container), SEEN_SECONDS, "it answers")
        self.away.discard(service)


def _together(what: Callable[[Container], object], containers: list[Container]) -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(what, containers))


def _said(container: Container) -> tuple[int, str]:
    status, text = container.ask("/health/ready")
    return status, text.split()[0]


def _is_up(container: Container) -> Callable[[], object]:
    """Whether a process listens: it may not be ready, since what it needs is away."""

    def lives() -> bool:
        try:
            return container.ask("/health/live")[0] == 200
        except OSError:
            return False

    return lives if container.service.name in SERVING else container.is_healthy


def _crowd(topology: Topology, room: str, seed: int) -> Crowd:
    return Crowd(Behind(topology), room, seed=seed, writers=4, followers=12, pause=0.4, drop_chance=0)


@pytest.mark.timeout(300)
async def test_each_alone(topology: Topology, room: str) -> None:
    truth, before = Truth(topology), topology.engine.restarts
    async with _crowd(topology, room, 1000) as crowd:
        recoveries = []
        for service in SERVICES:
            await asyncio.to_thread(truth.stop, service)
            await asyncio.to_thread(truth.told)
            await asyncio.to_thread(truth.start, service)
            await asyncio.to_thread(truth.told)
            recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS, POSTS))
        await law.hold(crowd, "Shipped: each service stopped", len(SERVICES), recoveries)
    assert topology.engine.restarts == before, "something ended because something else was away"


def _orders() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    if not LONG:
        return ORDERS
    return [(order, order[::-1]) for order in itertools.permutations(SERVICES)]


@pytest.mark.timeout(3600 if LONG else 300)
async def test_all_of_them_in_any_order(topology: Topology, room: str) -> None:
    truth, before = Truth(topology), topology.engine.restarts
    async with _crowd(topology, room, 1100) as crowd:
        recoveries = []
        for going, coming in _orders():
            for service in going:
                await asyncio.to_thread(truth.stop, service)
                await asyncio.to_thread(truth.told)
            for service in coming:
                await asyncio.to_thread(truth.start, service)
                await asyncio.to_thread(truth.told)
            recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS, POSTS))
        await law.hold(crowd, "Shipped: all services stopped, in turn", len(recoveries), recoveries)
    assert topology.engine.restarts == before, "something ended because something else was away"


async def test_what_crashes_is_started_again(topology: Topology, room: str) -> None:
    """Once for each, by its policy, and nothing else with it."""
    before = topology.engine.restarts
    crashed = ["web-1", "websocket-1", "redis-1", "caddy-1", "scheduler-1"]
    async with _crowd(topology, room, 1200) as crowd:
        recoveries = []
        for name in crashed:
            container = next(each for each in topology.engine.containers.values() if each.service.name == name[:-2])
            count = container.restarts
            container.kill()
            await asyncio.to_thread(container.until, lambda one=container, n=count: one.restarts > n, 5, "it is back")
            recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS, POSTS))
        await law.hold(crowd, "Shipped: kill -9 of each service", len(crashed), recoveries)
    after = topology.engine.restarts
    assert after - before == len(crashed)
