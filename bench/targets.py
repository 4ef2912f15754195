"""What Engawa is meant to reach, and whether it did. Pure: of rows as ``--json`` writes them."""

from dataclasses import dataclass
from typing import Any

OURS = "engawa-daphne"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    what: str
    goal: str
    measured: str
    is_reached: bool


def figure(rows: list[Row], scenario: str, system: str, name: str, situation: str) -> float | None:
    """A median, of the row whose situation begins so; None where it was not measured."""
    for row in rows:
        if row["scenario"] == scenario and row["system"] == system and row["situation"].startswith(situation):
            found = row["figures"].get(name)
            return None if found is None else found["median"]
    return None


def _failure(rows: list[Row], scenario: str, situation: str) -> str:
    """Why our own first row of a situation has no figures, if it has none."""
    ours = [row for row in rows if row["scenario"] == scenario and row["system"] == OURS]
    found = next((row for row in ours if row["situation"].startswith(situation)), None)
    return found["failures"][0] if found is not None and found["failures"] else ""


@dataclass(frozen=True, slots=True)
class Target:
    """``least`` or ``most`` of a figure; where there is ``against``, as a multiple of that system's."""

    what: str
    scenario: str
    name: str
    situation: str = ""
    least: float | None = None
    most: float | None = None
    unit: str = ""
    against: str | None = None
    their_situation: str | None = None

    def judge(self, rows: list[Row]) -> Verdict | None:
        """None where what it needs was not measured."""
        measured = figure(rows, self.scenario, OURS, self.name, self.situation)
        unit = self.unit
        if failure := _failure(rows, self.scenario, self.situation):
            goal = f"≥ {self.least:,g}" if self.least is not None else f"≤ {self.most:,g}"
            return Verdict(self.what, f"{goal} {unit}", f"failed: {failure}", False)
        if self.against is not None:
            their_situation = self.situation if self.their_situation is None else self.their_situation
            theirs = figure(rows, self.scenario, self.against, self.name, their_situation)
            if measured is None or not theirs:
                return None
            measured, unit = measured / theirs, f"× {self.their_situation or self.against}"
        if measured is None:
            return None
        if self.least is not None:
            return Verdict(self.what, f"≥ {self.least:,g} {unit}", f"{_said(measured)} {unit}", measured >= self.least)
        return Verdict(self.what, f"≤ {self.most:,g} {unit}", f"{_said(measured)} {unit}", measured <= self.most)


def _said(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


_DELIVERIES = "deliveries_per_second"
TARGETS = [
    Target("WebSocket fan-out", "fanout-ws", _DELIVERIES, "20 in", least=2, against="node-ws"),
    Target("WebSocket fan-out", "fanout-ws", _DELIVERIES, "20 in", least=15, against="tutorial"),
    Target("Stream fan-out", "fanout-sse", _DELIVERIES, "8 in", least=10, against="eventstream"),
    Target("Stream fan-out", "fanout-sse", _DELIVERIES, "20 in", least=0.5, against="nchan"),
    Target("p99, 1,000 WebSockets", "latency-ws", "p99_ms", "10 a", most=0.8, against="node-ws"),
    Target("Memory of an idle stream", "idle", "kilobytes_each", "streams", most=10, unit="KB"),
    Target("Memory of an idle WebSocket", "idle", "kilobytes_each", "WebSocket", most=16, unit="KB"),
    Target("Streams opened", "connects", "connects_per_second", "streams", least=2000, unit="a second"),
    Target("WebSockets opened", "connects", "connects_per_second", "WebSocket", least=1200, unit="a second"),
    Target("Durable posts, SQLite", "posts", "posts_per_second", "SQLite", least=2000, unit="a second"),
    Target("Durable posts, SQLite, p99", "posts", "p99_ms", "SQLite", most=100, unit="ms"),
    Target("Durable posts, PostgreSQL", "posts", "posts_per_second", "PostgreSQL", least=1500, unit="a second"),
    Target("Streams come back at once", "reconnect", "seconds", "streams", most=5, unit="s"),
    Target("Streams come back at once", "reconnect", "queries", "streams", most=5, unit="queries"),
    Target("WebSockets come back at once", "reconnect", "seconds", "WebSocket", most=5, unit="s"),
    Target("WebSockets come back at once", "reconnect", "queries", "WebSocket", most=5, unit="queries"),
    Target(
        "The newest page of a long history, p95", "history", "p95_ms", "the room's page, the newest", most=30, unit="ms"
    ),
    Target("A page in its middle, p95", "history", "p95_ms", "the room's page, in the middle", most=30, unit="ms"),
    Target("A page of history", "history", "queries", "the room's page, in", most=5, unit="queries"),
    Target(
        "CPU per delivery, 10,000 followers, WebSocket",
        "growth",
        "cpu_us_per_delivery",
        "10,000 followers, WebSocket",
        most=1.25,
        against=OURS,
        their_situation="1,000 followers, WebSocket",
    ),
    Target(
        "CPU per delivery, 10,000 followers, streams",
        "growth",
        "cpu_us_per_delivery",
        "10,000 followers, streams",
        most=1.25,
        against=OURS,
        their_situation="1,000 followers, streams",
    ),
    Target(
        "Delivered by Redis per event, 4 processes", "growth", "delivered_per_event", "4 processes", most=4.1, unit=""
    ),
    Target("Memory after eight hours", "life", "growth_percent", most=5, unit="%"),
]
