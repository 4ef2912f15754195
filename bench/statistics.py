"""Figures out of figures. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs of one measurement gave."""

    median: float
    least: float
    most: float
    runs: int

    def as_dict(self) -> dict[str, float]:
        return {"median": self.median, "min": self.least, "max": self.most, "runs": self.runs}


def median(values: Iterable[float]) -> float:
    """The middle value, or the mean of the two in the middle. Raises ``ValueError`` where there is none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values, no median")
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest rank: the least of the sorted values that ``percent`` of them do not exceed."""
    if not ordered:
        raise ValueError("no values, no percentile")
    return ordered[max(ceil(len(ordered) * percent / 100) - 1, 0)]


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values), len(values))


def latencies(nanoseconds: Iterable[int]) -> dict[str, float]:
    """p50, p90, p99 and the maximum, in milliseconds."""
    ordered = sorted(nanoseconds)
    figures = {f"p{percent}_ms": percentile(ordered, percent) / 1e6 for percent in (50, 90, 99)}
    return {**figures, "max_ms": ordered[-1] / 1e6}


def joined(runs: Sequence[dict[str, Any]]) -> dict[str, Spread]:
    """Each figure's spread over those runs that have it."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    return {name: spread([run[name] for run in runs if name in run]) for name in names}
