"""Every process of what ships is replaced while a crowd is there: the law of the fault suite holds through Caddy."""

import asyncio
import itertools

import pytest

from tests.deploy.containers import Container
from tests.deploy.crowd import Behind
from tests.deploy.topology import Topology
from tests.faults import law
from tests.faults.crowd import Crowd
from tests.parts import LONG

WRITERS, FOLLOWERS = (30, 300) if LONG else (10, 60)
ROUNDS = 3 if LONG else 1
POSTS = 50 if LONG else 10  # that are heard by everybody after each
RECOVERY_SECONDS = 15
SERVICES = ("web", "websocket", "scheduler")


async def _new_first(topology: Topology, old: Container) -> None:
    """The old process leaves when a new one is there in its place and well."""
    new = topology.create(old.service.name)
    await _start(new)
    assert await asyncio.to_thread(topology.engine.remove, old.name) == 0


async def _old_first(topology: Topology, container: Container) -> None:
    """It is stopped and started again, as ``docker compose restart`` does it to one."""
    assert await asyncio.to_thread(container.stop) == 0
    await _start(container)


async def _start(container: Container) -> None:
    await asyncio.to_thread(container.start)
    if container.image.health_check:
        await asyncio.to_thread(container.until, container.is_healthy, RECOVERY_SECONDS, "it is well")


@pytest.mark.timeout(600)
async def test_a_rolling_restart(topology: Topology, room: str) -> None:
    before = topology.engine.restarts
    async with Crowd(Behind(topology), room, seed=900, writers=WRITERS, followers=FOLLOWERS, drop_chance=0) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS, POSTS)]
        ways = itertools.cycle((_new_first, _old_first))  # of which each is met by a process of each kind
        for _ in range(ROUNDS):
            for service in SERVICES:
                for container in topology.of(service):
                    await next(ways)(topology, container)
                    recoveries.append(await crowd.goes_on(RECOVERY_SECONDS, POSTS))
        await law.hold(crowd, "Shipped: processes replaced", len(recoveries) - 1, recoveries)
        rude = {end: count for end, count in crowd.ends.items() if not _was_told(*end)}
        assert not rude, f"these were broken off: {rude} of {dict(crowd.ends)}\n{topology['caddy'].output()[-6000:]}"
    assert topology.engine.restarts == before, "something ended by itself"


def _was_told(kind: str, how: object) -> bool:
    """Whether a connection ended in order: a socket with a code to come back on, a stream with its end."""
    return how == "end" if kind == "stream" else isinstance(how, int) and 4000 <= how < 4500
