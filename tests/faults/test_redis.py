"""Redis goes away, stops, or throws its clients out: posting goes on meanwhile, and what was only a hint is made up."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from time import monotonic

import pytest

from tests.faults import law
from tests.faults.cluster import Cluster
from tests.faults.crowd import Crowd
from tests.parts import LONG
from tests.servers import Redis

AWAY_SECONDS = 20 if LONG else 5
CAUGHT_UP_SECONDS = 5
WAITS_SECONDS = 2.0  # the longest time in which nobody's post was acknowledged, a busy machine allowed for


async def _restart(redis: Redis, crowd: Crowd) -> None:
    redis.stop()
    await _posting_goes_on(crowd, AWAY_SECONDS / 2)
    redis.start()
    await asyncio.to_thread(redis.wait_until_ready)


async def _hold(redis: Redis, crowd: Crowd) -> None:
    redis.pause()
    try:
        await _posting_goes_on(crowd, AWAY_SECONDS)
    finally:
        redis.resume()


async def _kill_ordinary_clients(redis: Redis, crowd: Crowd) -> None:
    redis.command_line("CLIENT", "KILL", "TYPE", "normal")
    await _posting_goes_on(crowd, 1)


async def _kill_subscribers(redis: Redis, crowd: Crowd) -> None:
    assert redis.command_line("CLIENT", "KILL", "TYPE", "pubsub")
    await _posting_goes_on(crowd, 1)


async def _forget_everything(redis: Redis, crowd: Crowd) -> None:
    redis.command_line("FLUSHALL")
    await _posting_goes_on(crowd, 1)


async def _posting_goes_on(crowd: Crowd, seconds: float) -> None:
    """Acknowledgements keep coming, and everybody hears of them: Redis is waited for by nobody."""
    until = monotonic() + seconds
    began = len(crowd.acknowledged)
    while monotonic() < until:
        await crowd.goes_on(WAITS_SECONDS + CAUGHT_UP_SECONDS, posts=5)
    times = [ack.at for ack in crowd.acknowledged[max(began - 1, 0) :]]
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert longest < WAITS_SECONDS, f"for {longest:.1f} s no post was acknowledged"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("restart", _restart),
        (f"SIGSTOP for {AWAY_SECONDS} s", _hold),
        ("CLIENT KILL TYPE normal", _kill_ordinary_clients),
        ("CLIENT KILL TYPE pubsub", _kill_subscribers),
        ("FLUSHALL", _forget_everything),
    ],
)
async def test_redis(
    cluster: Cluster, room: str, redis: Redis, name: str, fault: Callable[[Redis, Crowd], Awaitable[None]]
) -> None:
    times = 3 if LONG else 1
    async with Crowd(cluster, room, seed=len(name)) as crowd:
        recoveries = []
        for _ in range(times):
            await crowd.goes_on(CAUGHT_UP_SECONDS)
            await fault(redis, crowd)
            recoveries.append(await crowd.goes_on(CAUGHT_UP_SECONDS))
        crowd.drop_chance = 0
        await law.hold(crowd, f"Redis: {name}", times, recoveries)
        lost = {end: count for end, count in crowd.ends.items() if end[1] != "dropped"}
        assert not lost, f"Redis took connections along: {lost}"
