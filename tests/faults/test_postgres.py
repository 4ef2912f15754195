"""PostgreSQL restarts, crashes, or keeps a table locked: everybody waits or is told to, and nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import psutil
import psycopg
import pytest

from tests.faults import law
from tests.faults.cluster import Cluster
from tests.faults.crowd import Crowd
from tests.parts import LONG
from tests.servers import Postgres

LOCKED_SECONDS = 10
AWAY_SECONDS = 10 if LONG else 4
CAUGHT_UP_SECONDS = 5


async def _restart(postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.restart)


async def _crash(postgres: Postgres) -> None:
    postgres.crash()
    postgres.start()
    await asyncio.to_thread(postgres.wait_until_ready)


async def _go_away(postgres: Postgres) -> None:
    postgres.stop()
    await asyncio.sleep(AWAY_SECONDS)  # what is tested is that it is away for so long
    postgres.start()
    await asyncio.to_thread(postgres.wait_until_ready)


async def _hang(postgres: Postgres) -> None:
    """The machine that it runs on stops: connections stay, and nothing comes."""
    held = [process for process in psutil.Process(postgres.pid).children() if process.is_running()]
    postgres.pause()
    for process in held:
        process.suspend()
    try:
        await asyncio.sleep(AWAY_SECONDS)
    finally:
        postgres.resume()
        for process in held:
            process.resume()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("restart", _restart),
        ("crash", _crash),
        (f"away for {AWAY_SECONDS} s", _go_away),
        (f"hangs for {AWAY_SECONDS} s", _hang),
    ],
)
async def test_postgres_goes_and_comes_back(
    cluster: Cluster, room: str, postgres: Postgres, name: str, fault: Callable[[Postgres], Awaitable[None]]
) -> None:
    times = 5 if LONG else 1
    async with Crowd(cluster, room, seed=len(name)) as crowd:
        recoveries = []
        for _ in range(times):
            await crowd.goes_on(CAUGHT_UP_SECONDS)
            await fault(postgres)
            recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS))
        await law.hold(crowd, f"PostgreSQL: {name}", times, recoveries)


@pytest.mark.timeout(120)
async def test_a_locked_table_is_waited_for(cluster: Cluster, room: str) -> None:
    """Nothing can be posted while a migration holds the rooms; nobody who follows is let go because of it."""
    async with Crowd(cluster, room, seed=300, drop_chance=0) as crowd:
        await crowd.goes_on(CAUGHT_UP_SECONDS)
        connections = sum(client.connections for client in crowd.clients)
        await asyncio.to_thread(_hold_the_rooms, cluster[0].environment["DATABASE_URL"], LOCKED_SECONDS)
        recovery = await crowd.goes_on(CAUGHT_UP_SECONDS)
        await law.hold(crowd, f"PostgreSQL: rooms locked for {LOCKED_SECONDS} s", 1, [recovery])
        assert not crowd.ends, f"a lock took connections along: {crowd.ends}"
        assert sum(client.connections for client in crowd.clients) == connections


def _hold_the_rooms(database_url: str, seconds: float) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE chat_room IN ACCESS EXCLUSIVE MODE")
        until = monotonic() + seconds
        while monotonic() < until:
            connection.execute("SELECT pg_sleep(0.5)")
