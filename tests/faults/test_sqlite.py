"""SQLite, with somebody else in the same file: a reader that takes its time, and a writer that does."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.faults import law
from tests.faults.cluster import Cluster, cluster_on
from tests.faults.crowd import Crowd
from tests.parts import LONG
from tests.servers import Redis

WRITING_SECONDS = 3
READING_SECONDS = 20 if LONG else 5
CAUGHT_UP_SECONDS = 5
KILLS = 20 if LONG else 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("on_sqlite")


@pytest.fixture(scope="module")
def cluster(folder: Path, redis: Redis) -> Iterator[Cluster]:
    with cluster_on(folder, REDIS_URL=redis.url) as cluster:
        yield cluster


@pytest.mark.timeout(120)
async def test_a_long_reader_stops_nobody(cluster: Cluster, room: str, folder: Path) -> None:
    async with Crowd(cluster, room, seed=400) as crowd:
        await crowd.goes_on(CAUGHT_UP_SECONDS)
        reader = sqlite3.connect(folder / "db.sqlite3", isolation_level=None)
        try:
            reader.execute("BEGIN")
            known = reader.execute("SELECT count(*) FROM chat_message").fetchone()
            until = monotonic() + READING_SECONDS
            recoveries = []
            while monotonic() < until:
                recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS))
            assert reader.execute("SELECT count(*) FROM chat_message").fetchone() == known, "it read in one transaction"
        finally:
            reader.close()
        await law.hold(crowd, f"SQLite: a reader for {READING_SECONDS} s", 1, recoveries)


@pytest.mark.timeout(120)
async def test_a_long_writer_is_waited_for(cluster: Cluster, room: str, folder: Path) -> None:
    times = 5 if LONG else 1
    async with Crowd(cluster, room, seed=500, drop_chance=0) as crowd:
        recoveries = []
        for _ in range(times):
            await crowd.goes_on(CAUGHT_UP_SECONDS)
            await asyncio.to_thread(_write_for, folder / "db.sqlite3", WRITING_SECONDS)
            recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS))
        await law.hold(crowd, f"SQLite: a writer for {WRITING_SECONDS} s", times, recoveries)
        assert not crowd.ends, f"a lock took connections along: {crowd.ends}"
        assert not crowd.errors, f"posts were turned away: {crowd.errors}"


def _write_for(path: Path, seconds: float) -> None:
    """Hold the lock for writing, as a backup or a cron job might."""
    import time

    writer = sqlite3.connect(path, isolation_level=None, timeout=20)
    try:
        writer.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)  # what is tested is that this long
        writer.execute("ROLLBACK")
    finally:
        writer.close()


@pytest.mark.timeout(300)
async def test_processes_killed_beside_one_file(cluster: Cluster, room: str) -> None:
    async with Crowd(cluster, room, seed=600) as crowd:
        recoveries = [await crowd.goes_on(CAUGHT_UP_SECONDS)]
        for number in range(KILLS):
            server = cluster[number % len(cluster.servers)]
            server.kill()
            recoveries.append(await crowd.goes_on(2 * CAUGHT_UP_SECONDS))
            await cluster.bring_up(server)
        await law.hold(crowd, "SQLite: kill -9 of a process", KILLS, recoveries)
