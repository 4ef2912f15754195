"""What rises with what: CPU with followers, posts with rooms, Redis with processes."""

import redis

from bench.errors import Failed
from bench.measuring import Bench, Case, Figures, Window, follow, verify
from bench.publishers import Publisher, paced
from bench.scenarios import fanout, posting
from bench.systems import SSE, WS
from tests.servers import Redis

ROOM = "room0"
REDIS_FOLLOWERS = 500
REDIS_PER_SECOND = 20.0
WRITERS = 100
FOLLOWERS = (10, 100, 1000, 10_000)
ROOMS = (1, 10, 100)
PROCESSES = (1, 2, 4)


def measure_redis(bench: Bench, case: Case) -> Figures:
    """What Redis is told and tells for each event, while 500 follow over all processes."""
    server = bench.services.redis
    with (
        bench.running(case) as running,
        bench.load(running, WS) as load,
        redis.Redis.from_url(server.url) as client,
        client.pubsub() as observer,
    ):
        following = follow(load, running, WS, REDIS_FOLLOWERS, [ROOM])
        publisher = Publisher(load, running, ROOM)
        observer.psubscribe("*")  # a pattern is not among the subscribers that Redis counts below
        load.rest(1.0)
        window = Window(load, running, following)
        window.start()
        paced(load, [(REDIS_PER_SECOND, publisher.post)], bench.of(2.0, 5.0))
        figures = window.figures()
        load.rest(0.5)
        published, delivered, events = _seen(server, observer, running.system.marker(WS).bytes)
        verify(load, WS, following, publisher.sent)
        if events != publisher.sent:
            raise Failed(f"Redis was told of {events} events instead of {publisher.sent}.")
        return {
            "published_per_event": published / events,
            "delivered_per_event": delivered / events,
            "messages_per_read": figures["messages_per_read"],
            "server_cpu_share": figures["server_cpu_share"],
            "load_cpu_share": figures["load_cpu_share"],
        }


def _seen(server: Redis, observer: redis.client.PubSub, marker: bytes) -> tuple[int, int, int]:
    """Of all that was published: the messages that carry events, how many subscribers they went to, and the events."""
    published = delivered = events = 0
    while (message := observer.get_message(timeout=0.2)) is not None:
        found = message["data"].count(marker) if message["type"] == "pmessage" else 0
        if found:
            published += 1
            delivered += server.command_line("PUBSUB", "NUMSUB", message["channel"])[1]
            events += found
    return published, delivered, events


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
                options={"redis": True, "workers": number, "database": "postgres"},
            )
            for key in ours
            for number in PROCESSES
        ]
    ]
    return by_followers + by_rooms + by_processes
