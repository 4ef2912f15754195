"""Durable posts: many writers in one room, each waiting for its acknowledgements."""

from bench.load import Load, Receive
from bench.measuring import Bench, Case, Figures, Window, follow, verify
from bench.publishers import Writer
from bench.statistics import latencies
from bench.systems import WS, Running, usage

WRITERS = 50
FOLLOWERS = 100


def writers_in(load: Load, running: Running, rooms: list[str], count: int) -> list[Writer]:
    """Writers spread over rooms, in turn."""
    writers: dict[int, Writer] = {}

    def receiver(fd: int) -> Receive:
        writers[fd] = Writer(fd, load, running)
        return writers[fd].receive

    opened = load.open(
        count,
        lambda number: running.request(WS, rooms[number % len(rooms)]),
        running.port,
        running.system.ready(WS),
        receiver=receiver,
    )
    return [writers[fd] for fd in opened]


def measure(bench: Bench, case: Case) -> Figures:
    in_flight, rooms = case.more["in_flight"], [f"room{number}" for number in range(case.more.get("rooms", 1))]
    with bench.running(case) as running, bench.load(running, WS) as load:
        following = follow(load, running, WS, FOLLOWERS, rooms)
        writers = writers_in(load, running, rooms, case.more.get("writers", WRITERS))
        window = Window(load, running, following)
        for writer in writers:
            writer.start(in_flight)
        load.rest(bench.of(0.7, 1.5))
        for writer in writers:
            writer.took.clear()
        parts = bench.services.processes_of(case.options.get("database"))
        parts_before = usage(parts)
        window.start()
        load.rest(bench.of(2.0, 5.0))
        figures = window.figures()
        took = [nanoseconds for writer in writers for nanoseconds in writer.took]
        del figures["deliveries_per_second"], figures["cpu_us_per_delivery"]
        figures["posts_per_second"] = len(took) / figures["seconds"]
        figures["cpu_us_per_post"] = figures["server_cpu_share"] / figures["posts_per_second"] * 1e6
        if parts:
            figures["database_cpu_share"] = (usage(parts) - parts_before) / figures["seconds"]
        for writer in writers:
            writer.is_stopped = True
        load.until(
            lambda: all(writer.acknowledged == writer.sent for writer in writers), 30, "Every post was acknowledged"
        )
        for number in range(len(rooms)):
            sent = sum(writer.sent for writer in writers[number :: len(rooms)])
            verify(load, WS, following[number :: len(rooms)], sent, in_order=False)
        return {**figures, **latencies(took)}


def posts(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [
        [
            Case(
                "posts",
                f"{title}, {in_flight} in flight each",
                key,
                measure,
                options={"database": database},
                more={"in_flight": in_flight},
            )
            for key in systems
            if key.startswith("engawa")
        ]
        for database, title in (("sqlite", "SQLite, synchronous=FULL"), ("postgres", "PostgreSQL"))
        for in_flight in ((1,) if quick else (1, 4))
    ]
