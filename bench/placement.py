"""Which core runs what."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Cores:
    """The server has one core, the load another, and the database and Redis share a third where there is one."""

    server: int
    load: int
    parts: int
    all: tuple[int, ...]

    def servers(self, count: int) -> list[int]:
        """A core for each of several server processes: all but the load's, in turn."""
        free = [core for core in self.all if core != self.load] or [self.server]
        return [free[number % len(free)] for number in range(count)]

    def __str__(self) -> str:
        if len(self.all) == 1:
            return "everything on the only core, so that no figure here means much"
        third = (
            f"database and Redis on core {self.parts}" if len(self.all) > 2 else "database and Redis beside the load"
        )
        return f"server on core {self.server}, load on core {self.load}, {third}"


def cores() -> Cores:
    available = tuple(sorted(os.sched_getaffinity(0)))
    load = available[min(1, len(available) - 1)]
    return Cores(server=available[0], load=load, parts=available[2] if len(available) > 2 else load, all=available)


@contextmanager
def on_core(*core: int) -> Iterator[None]:
    """What is started inside runs on ``core``, or any of several, as this process does meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin(process: psutil.Process, core: int) -> None:
    """Have a process that runs stay on ``core``, with all its threads."""
    for thread in process.threads():
        os.sched_setaffinity(thread.id, {core})
