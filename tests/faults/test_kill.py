"""Processes that are killed: their clients go elsewhere, and nobody misses anything."""

import asyncio
import random

import pytest

from tests.faults import law
from tests.faults.cluster import Cluster
from tests.faults.crowd import Crowd
from tests.parts import LONG

KILLS = 20 if LONG else 3
SEEDS = range(3) if LONG else range(1)
RECOVERY_SECONDS = 10


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_killed_process_takes_nothing_along(cluster: Cluster, room: str, seed: int) -> None:
    chance = random.Random(seed)
    async with Crowd(cluster, room, seed) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS)]
        for _ in range(KILLS):
            server = cluster.choose(chance)
            server.kill()
            recoveries.append(await crowd.goes_on(RECOVERY_SECONDS))
            await cluster.bring_up(server)
        await law.hold(crowd, "kill -9 of a process", KILLS, recoveries)


@pytest.mark.timeout(300)
async def test_all_processes_killed_at_once(cluster: Cluster, room: str) -> None:
    times = 5 if LONG else 1
    async with Crowd(cluster, room, seed=100) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS)]
        for _ in range(times):
            for server in cluster.servers:
                server.kill()
            await cluster.bring_up(*cluster.servers)
            recoveries.append(await crowd.goes_on(RECOVERY_SECONDS))
        await law.hold(crowd, "kill -9 of all processes", times, recoveries)


@pytest.mark.timeout(300)
async def test_a_process_that_stops_for_a_while(cluster: Cluster, room: str) -> None:
    """Held, it keeps its sockets and says nothing: only the missing heartbeats tell."""
    async with Crowd(cluster, room, seed=200) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS)]
        held = cluster[1]
        held.pause()
        try:
            recoveries.append(await crowd.goes_on(RECOVERY_SECONDS + 10))
        finally:
            held.resume()
        await asyncio.to_thread(held.wait_until_ready)
        await law.hold(crowd, "SIGSTOP of a process", 1, recoveries)
