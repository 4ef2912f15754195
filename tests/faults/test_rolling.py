"""All processes are restarted, one after the other, as an upgrade does it: nothing is broken off, and nothing lost."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.faults import law
from tests.faults.cluster import Cluster, cluster_on
from tests.faults.crowd import Crowd
from tests.parts import LONG
from tests.servers import Postgres, Redis

ROUNDS = 5 if LONG else 1
RECOVERY_SECONDS = 10


@pytest.mark.timeout(600)
async def test_a_rolling_restart_breaks_nothing_off(cluster: Cluster, room: str) -> None:
    async with Crowd(cluster, room, seed=700, drop_chance=0) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS)]
        for _ in range(ROUNDS):
            for server in cluster.servers:
                code = await asyncio.to_thread(server.stop)
                assert code == 0, f"SIGTERM ended it with {code}"
                recoveries.append(await crowd.goes_on(RECOVERY_SECONDS))
                await cluster.bring_up(server)
        await law.hold(crowd, "SIGTERM of each process", ROUNDS * len(cluster.servers), recoveries)
        rude = {(kind, how): count for (kind, how), count in crowd.ends.items() if not _was_told(kind, how)}
        assert not rude, f"these were broken off: {rude} of {dict(crowd.ends)}"


def _was_told(kind: str, how: object) -> bool:
    """Whether a connection ended in order: a socket with a code to come back on, a stream with its end. Whoever then
    meets the process that is gone is refused by the system, which is in order, too."""
    if how == "ConnectionRefusedError":
        return True
    return how == "end" if kind == "stream" else isinstance(how, int) and 4000 <= how < 4500


@pytest.fixture(scope="module")
def uvicorns(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis) -> Iterator[Cluster]:
    """The same application under another server. What waits for slow readers and says goodbye is our own server's,
    and so is not here."""
    command = ["-m", "uvicorn", "config.asgi:application", "--port", "{port}", "--ws-ping-interval", "20"]
    settings = {"DATABASE_URL": postgres.fresh_database(), "REDIS_URL": redis.url}
    with cluster_on(tmp_path_factory.mktemp("uvicorn"), 2, command, **settings) as cluster:
        yield cluster


@pytest.mark.timeout(300)
async def test_another_server_under_the_same_law(uvicorns: Cluster) -> None:
    chance = random.Random(800)
    room = uvicorns.make_room("another veranda")
    async with Crowd(uvicorns, room, seed=800) as crowd:
        recoveries = [await crowd.goes_on(RECOVERY_SECONDS)]
        server = uvicorns.choose(chance)
        server.kill()
        recoveries.append(await crowd.goes_on(RECOVERY_SECONDS))
        await uvicorns.bring_up(server)
        await law.hold(crowd, "uvicorn: kill -9 of a process", 1, recoveries)
