"""What scenarios have in common: a run of a system with followers, a window of time, and the proof that it worked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

from bench import queries, wire
from bench.counting import Marker
from bench.errors import Failed
from bench.known import SYSTEMS
from bench.load import BUSY_SHARE, Busy, Load
from bench.services import Services
from bench.systems import SSE, WS, Running

SAMPLES = 5  # connections of each transport whose every byte is read again
PATIENCE_SECONDS = 30

Figures = dict[str, float]


@dataclass(frozen=True)
class Case:
    """One row: a system in a situation. ``measure(bench, case)`` gives its figures, or raises ``Failed``."""

    scenario: str
    situation: str
    system: str
    measure: Callable[["Bench", "Case"], Figures]
    options: dict[str, Any] = field(default_factory=dict)  # what the system is run with
    more: dict[str, Any] = field(default_factory=dict)  # what ``measure`` is told

    @property
    def title(self) -> str:
        return f"{self.scenario}: {SYSTEMS[self.system].title}, {self.situation}"


class Bench:
    """What a run of the whole has: its services, whether it is a quick one, and where runs put their files."""

    def __init__(self, services: Services, *, quick: bool) -> None:
        self.services = services
        self.quick = quick
        self._numbers = count(1)

    def of(self, quick: Any, full: Any) -> Any:
        return quick if self.quick else full

    @contextmanager
    def running(self, case: Case, *, count_queries: bool = False, **more: Any) -> Iterator[Running]:
        """The case's system, run with its options and ``more``; ``count_queries`` for ``bench.queries.count``."""
        folder = self.services.folder / f"{next(self._numbers)}-{case.system}"
        folder.mkdir()
        options = {**case.options, **(queries.counted(folder) if count_queries else {}), **more}
        with SYSTEMS[case.system].run(self.services, folder, **options) as running:
            yield running

    @contextmanager
    def load(
        self, running: Running, transport: str, *, timed: bool = False, marker: Marker | None = None
    ) -> Iterator[Load]:
        """``marker`` is what is counted, if not messages."""
        marker = marker or running.system.marker(transport, timed=timed)
        load = Load(marker, greeting=running.system.greeting, timed=timed)
        try:
            yield load
        finally:
            load.close_all()


def follow(
    load: Load, running: Running, transport: str, followers: int, rooms: Sequence[str], **more: Any
) -> list[int]:
    """Open followers, spread over the rooms in turn."""
    return load.open(
        followers,
        lambda number: running.request(transport, rooms[number % len(rooms)]),
        running.port,
        running.system.ready(transport),
        samples=SAMPLES,
        **more,
    )


class Window:
    """What happened between ``start`` and ``figures``: deliveries to some followers, in how many reads, the server's
    CPU, the load's own."""

    def __init__(self, load: Load, running: Running, following: Sequence[int]) -> None:
        self._load = load
        self._running = running
        self._following = following
        self._busy = Busy()

    def start(self) -> None:
        self._deliveries, self._reads = self._sums()
        self._cpu = self._running.cpu()
        self._busy.start()
        self._began = monotonic()

    def figures(self) -> Figures:
        seconds = monotonic() - self._began
        load_cpu_share = self._busy.share()  # before it looks into what came
        cpu = self._running.cpu() - self._cpu
        deliveries, reads = self._sums()
        deliveries -= self._deliveries
        if deliveries == 0:
            raise Failed("Nothing was delivered while it was measured.")
        return {
            "deliveries_per_second": deliveries / seconds,
            "cpu_us_per_delivery": cpu / deliveries * 1e6,
            "messages_per_read": deliveries / (reads - self._reads),
            "server_cpu_share": cpu / seconds,
            "load_cpu_share": load_cpu_share,
            "seconds": seconds,
        }

    def _sums(self) -> tuple[int, int]:
        self._load.look()
        counts, reads = self._load.counts, self._load.reads
        return sum(counts[fd] for fd in self._following), sum(reads[fd] for fd in self._following)


def is_limited_by_load(figures: Figures) -> bool:
    return figures.get("load_cpu_share", 0) > BUSY_SHARE


def sampled(load: Load, transport: str, followers: Sequence[int]) -> Iterator[Iterator[bytes]]:
    """The payloads that each of those of ``followers`` was told which are kept to the last byte."""
    read = {WS: wire.frames, SSE: wire.blocks}[transport]
    return (read(b"".join(load.samples[fd])) for fd in set(followers) & set(load.samples))


def verify(load: Load, transport: str, followers: Sequence[int], expected: int, *, in_order: bool = True) -> None:
    """That each follower was told of ``expected`` messages, and the samples of each once and in order (or, where many
    posted, of as many as that, each with a number of the log one higher than the last).

    Reads on until the last has come. Raises ``Failed``.
    """
    counts = load.counts
    goal = expected * len(followers)
    try:
        load.until(
            lambda: sum(counts[fd] for fd in followers) >= goal,
            PATIENCE_SECONDS,
            "Not everybody was told of everything",
        )
    except Failed as error:
        behind = sum(counts[fd] < expected for fd in followers)
        fewest = min(counts[fd] for fd in followers)
        raise Failed(f"{error} {behind} of {len(followers)} miss some; one has {fewest} of {expected}.") from None
    wrong = [counts[fd] for fd in followers if counts[fd] != expected]
    if wrong:
        raise Failed(f"{len(wrong)} connections were told of {wrong[0]} messages instead of {expected}.")
    for payloads in sampled(load, transport, followers):
        posted = wire.posted(payloads)
        numbers = (
            [wire.number_of(message["message"]) for message in posted]
            if in_order
            else [message["id"] for message in posted]
        )
        first = 1 if in_order else numbers[0]
        if numbers != list(range(first, first + expected)):
            raise Failed(f"A follower was told of {len(numbers)} messages of {expected}, or in another order.")
