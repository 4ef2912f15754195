"""Every process of what ships is replaced while a crowd is there: the law of the fault suite holds through Caddy."""

import asyncio

import pytest

from tests.deploy.crowd import Behind
from tests.deploy.topology import Topology
from tests.faults import law
from tests.faults.crowd import Crowd
from tests.parts import LONG

WRITERS, FOLLOWERS = (30, 300) if LONG else (10, 60)
ROUNDS = 3 if LONG else 1
POSTS = 50 if LONG else 10  # that are heard by everybody after each
RECOVERY_SECONDS = 15
ROLES = ("web", "websocket")


async def _new_first(topology: Topology, service: str) -> None:
    """Each old process leaves when a new one is there in its place and well."""
    for old in topology.of(service):
        new = topology.create(service)
        await asyncio.to_thread(new.start)
        await asyncio.to_thread(new.until, new.is_healthy, RECOVERY_SECONDS, "it is well")
        assert await asyncio.to_thread(topology.engine.remove, old.name) == 0


async def _old_first(topology: Topology, service: str) -> None:
    """Each process is stopped and started again, as ``docker compose restart`` does it to one."""
    for container in topology.of(service):
        assert await asyncio.to_thread(container.stop) == 0
        await asyncio.to_thread(container.start)
        await asyncio.to_thread(container.until, container.is_healthy, RECOVERY_SECONDS, "it is well")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", [_new_first, _old_first], ids=["new-first", "old-first"])
async def test_a_rolling_restart(topology: Topology, room: str, way) -> None:
    before = topology.restarts()
    async with Crowd(Behind(topology), room, seed=900, writers=WRITERS, followers=FOLLOWERS, drop_chance=0) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS, POSTS)]
        times = 0
        for _ in range(ROUNDS):
            for service in (*ROLES, "scheduler"):
                times += len(topology.of(service))
                await _of_kind(way, topology, service)
                recoveries.append(await crowd.goes_on(RECOVERY_SECONDS, POSTS))
        name = "new first" if way is _new_first else "old first"
        await law.hold(crowd, f"Shipped: processes replaced, {name}", times, recoveries)
        rude = {end: count for end, count in crowd.ends.items() if not _was_told(*end)}
        assert not rude, f"these were broken off: {rude} of {dict(crowd.ends)}\n{topology['caddy'].output()[-6000:]}"
    assert topology.restarts() == before, "something ended by itself"


async def _of_kind(way, topology: Topology, service: str) -> None:
    if service in ROLES:
        await way(topology, service)
        return
    for container in topology.of(service):
        assert await asyncio.to_thread(container.stop) == 0
        await asyncio.to_thread(container.start)


def _was_told(kind: str, how: object) -> bool:
    """Whether a connection ended in order: a socket with a code to come back on, a stream with its end."""
    return how == "end" if kind == "stream" else isinstance(how, int) and 4000 <= how < 4500
