"""What rises with what: CPU with followers, posts with rooms, Redis with processes."""

from time import monotonic

from bench.measuring import Bench, Case, Figures, Window, follow, verify
from bench.publishers import Publisher, paced
from bench.scenarios import fanout, posting
from bench.systems import SSE, WS

ROOM = "room0"
REDIS_FOLLOWERS = 500
REDIS_PER_SECOND = 20.0
WRITERS = 100
FOLLOWERS = (10, 100, 1000, 10_000)
ROOMS = (1, 10, 100)
PROCESSES = (1, 2, 4)


def measure_redis(bench: Bench, case: Case) -> Figures:
    """What Redis is told and tells for each event, while 500 follow over all processes."""
    redis = bench.services.redis
    with bench.running(case) as running, bench.load(running, WS) as load:
        following = follow(load, running, WS, REDIS_FOLLOWERS, [ROOM])
        publisher = Publisher(load, running, ROOM)
        seconds = bench.of(2.0, 5.0)
        load.rest(2.0)  # everybody's presence has been told
        idle = _published(redis)
        load.rest(seconds)
        idle = _published(redis) - idle
        before, sent, began = _published(redis), publisher.sent, monotonic()
        window = Window(load, running, lambda: load.total - publisher.heard)
        window.start()
        paced(load, [(REDIS_PER_SECOND, publisher.post)], seconds)
        figures = window.figures()
        load.rest(0.5)
        took = monotonic() - began
        published = _published(redis) - before - idle * took / seconds
        subscribers = max(
            (redis.command_line("PUBSUB", "NUMSUB", channel)[1] for channel in _rooms_of(redis)), default=0
        )
        verify(load, WS, following, publisher.sent)
        events = publisher.sent - sent
        return {
            "cpu_us_per_delivery": figures["cpu_us_per_delivery"],
            "published_per_event": published / events,
            "delivered_per_event": published * subscribers / events,
            "load_cpu_share": figures["load_cpu_share"],
        }


def _published(redis: object) -> int:
    statistics = redis.command_line("INFO", "commandstats")
    return statistics.get("cmdstat_publish", {}).get("calls", 0)


def _rooms_of(redis: object) -> list[bytes]:
    return [channel for channel in redis.command_line("PUBSUB", "CHANNELS", "*") if b"__group__" in channel]


def growth(quick: bool, systems: list[str]) -> list[list[Case]]:
    ours = [key for key in systems if key == "engawa-daphne"]
    by_followers = [
        [
            Case(
                "growth",
                f"{number:,} followers, {name}",
                key,
                fanout.measure,
                more={"transport": transport, "in_flight": 20, "followers": number},
            )
            for key in ours
            for number in FOLLOWERS[: 3 if quick else 4]
        ]
        for transport, name in ((WS, "WebSocket"), (SSE, "streams"))
    ]
    by_rooms = [
        [
            Case(
                "growth",
                f"posts in {number} rooms" if number > 1 else "posts in 1 room",
                key,
                posting.measure,
                options={"database": "sqlite"},
                more={"in_flight": 1, "rooms": number, "writers": WRITERS},
            )
            for key in ours
            for number in ROOMS
        ]
    ]
    by_processes = [
        [
            Case(
                "growth",
                f"{number} processes, Redis" if number > 1 else "1 process, Redis",
                key,
                measure_redis,
                options={"redis": True, "processes": number, "database": "postgres"},
            )
            for key in ours
            for number in PROCESSES
        ]
    ]
    return by_followers + by_rooms + by_processes
