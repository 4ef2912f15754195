"""What Engawa is meant to reach, what it dreams of, and whether it did. Pure: of rows as ``--json`` writes them."""

from dataclasses import dataclass
from typing import Any

OURS = "engawa-daphne"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was to be reached, and how far it came. ``is_reached`` is None where there is nothing to compare with."""

    goal: str
    found: str  # as a multiple of the other's, where there is another
    is_reached: bool | None


@dataclass(frozen=True, slots=True)
class Verdict:
    what: str
    measured: str
    target: Judgement
    moonshot: Judgement | None


@dataclass(frozen=True, slots=True)
class Goal:
    """``least`` or ``most`` of a figure; where there is ``against``, as a multiple of that system's, in the same
    situation or in ``situation``. Of several that begin so, it is their best: "" is the best of all."""

    least: float | None = None
    most: float | None = None
    against: str | None = None
    situation: str | None = None

    def judge(self, target: "Target", measured: float | None, rows: list[Row]) -> Judgement:
        bound, sign = (self.least, "≥") if self.least is not None else (self.most, "≤")
        if self.against is None:
            return self._judgement(f"{sign} {bound:,g} {target.unit}".strip(), "", measured, bound)
        situation = target.situation if self.situation is None else self.situation
        others = [
            one for one in matching(rows, target.scenario, self.against, situation) if target.name in one["figures"]
        ]
        whose = situation if self.against == OURS else self.against
        goal = f"{sign} {bound:,g} × {whose}{'' if situation else ' at its best'}"
        if measured is None or not others:
            return Judgement(goal, "", False if measured is None else None)
        best = max if self.least is not None else min
        other = best(others, key=lambda one: median(one, target.name))
        theirs = median(other, target.name)
        # Of no microseconds or queries there is no multiple.
        multiple = measured / theirs if theirs else float("inf")
        limited = f", {self.against} limited by the load" if other["limited_by_load"] else ""
        return self._judgement(goal, f"{said(multiple)} ×{limited}", multiple, bound)

    def _judgement(self, goal: str, found: str, measured: float | None, bound: float) -> Judgement:
        if measured is None:
            return Judgement(goal, found, False)
        return Judgement(goal, found, measured >= bound if self.least is not None else measured <= bound)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of our own first row whose situation begins so."""

    what: str
    scenario: str
    name: str
    situation: str
    unit: str
    target: Goal
    moonshot: Goal | None = None

    def judge(self, rows: list[Row]) -> Verdict | None:
        """None where it was not measured."""
        ours = row(rows, self.scenario, OURS, self.situation)
        if ours is None:
            return None
        measured = None if ours["failures"] else median(ours, self.name)
        if ours["failures"]:
            told = f"failed: {ours['failures'][0]}"
        elif measured is None:
            return None
        else:
            limited = " (limited by the load)" if ours["limited_by_load"] else ""
            told = f"{said(measured)} {self.unit}".strip() + limited
        moonshot = None if self.moonshot is None else self.moonshot.judge(self, measured, rows)
        return Verdict(self.what, told, self.target.judge(self, measured, rows), moonshot)


def matching(rows: list[Row], scenario: str, system: str, situation: str) -> list[Row]:
    """The rows of a system whose situation begins so."""
    return [
        one
        for one in rows
        if one["scenario"] == scenario and one["system"] == system and one["situation"].startswith(situation)
    ]


def row(rows: list[Row], scenario: str, system: str, situation: str) -> Row | None:
    """The first of those."""
    return next(iter(matching(rows, scenario, system, situation)), None)


def median(one: Row, name: str) -> float | None:
    found = one["figures"].get(name)
    return None if found is None else found["median"]


def said(value: float) -> str:
    """Three digits that tell, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _least(bound: float, against: str | None = None, situation: str | None = None) -> Goal:
    return Goal(least=bound, against=against, situation=situation)


def _most(bound: float, against: str | None = None, situation: str | None = None) -> Goal:
    return Goal(most=bound, against=against, situation=situation)


def _returning(what: str, situation: str) -> list[Target]:
    return [
        Target(f"{what}, until all have caught up", "reconnect", "seconds", situation, "s", _most(5), _most(2)),
        Target(f"{what}, queries", "reconnect", "queries", situation, "", _most(5)),
    ]


def _clicked(what: str, situation: str) -> Target:
    return Target(what, "moderation", "p99_ms", situation, "ms", _most(1000))


def _cost(name: str) -> Target:
    """What a delivery costs must not rise with those who follow."""
    return Target(
        f"A delivery to 10,000 followers, {name}",
        "growth",
        "cpu_us_per_delivery",
        f"10,000 followers, {name}",
        "µs of CPU",
        _most(1.25, OURS, f"1,000 followers, {name}"),
        _most(1, OURS, f"10 followers, {name}"),
    )


def _judged(page: str) -> list[Target]:
    judged = {"performance": 95, "accessibility": 100, "best_practices": 100, "seo": 100}
    return [
        Target(f"{page.capitalize()}, {name.replace('_', ' ')}", "lighthouse", name, page, "of 100", _least(least))
        for name, least in judged.items()
    ]


_DELIVERIES = "deliveries_per_second"
_CONNECTS = "connects_per_second"
_POSTS = "posts_per_second"
_SQLITE, _POSTGRES = "SQLite, synchronous=FULL, 1 in flight", "PostgreSQL, 1 in flight"

TARGETS = [
    Target(
        "WebSocket fan-out",
        "fanout-ws",
        _DELIVERIES,
        "20 in",
        "deliveries/s",
        _least(2, "node-ws", ""),
        _least(1, "nchan", ""),
    ),
    Target("WebSocket fan-out", "fanout-ws", _DELIVERIES, "20 in", "deliveries/s", _least(15, "tutorial", "")),
    Target("Stream fan-out", "fanout-sse", _DELIVERIES, "8 in", "deliveries/s", _least(10, "eventstream", "")),
    Target(
        "Stream fan-out",
        "fanout-sse",
        _DELIVERIES,
        "20 in",
        "deliveries/s",
        _least(0.5, "nchan", ""),
        _least(1, "nchan", ""),
    ),
    Target("p99, 1,000 WebSockets", "latency-ws", "p99_ms", "10 a", "ms", _most(0.8, "node-ws"), _most(0.5, "nchan")),
    Target("Memory of an idle stream", "idle", "kilobytes_each", "streams", "KB", _most(10), _most(4)),
    Target("Memory of an idle WebSocket", "idle", "kilobytes_each", "WebSocket", "KB", _most(16), _most(8)),
    Target(
        "Streams opened",
        "connects",
        _CONNECTS,
        "streams",
        "a second",
        _least(2000),
        _least(1, "node-ws", "WebSocket"),
    ),
    Target("WebSockets opened", "connects", _CONNECTS, "WebSocket", "a second", _least(1200), _least(1, "node-ws")),
    Target("Durable posts, SQLite", "posts", _POSTS, _SQLITE, "a second", _least(2000), _least(8000)),
    Target("Durable posts, SQLite, p99", "posts", "p99_ms", _SQLITE, "ms", _most(100), _most(25)),
    Target("Durable posts, PostgreSQL", "posts", _POSTS, _POSTGRES, "a second", _least(1500), _least(5000)),
    _clicked("A deletion is on 1,000 screens, SQLite, p99", "delete a message, SQLite"),
    _clicked("A deletion is on 1,000 screens, PostgreSQL, p99", "delete a message, PostgreSQL"),
    _clicked("200 deletions are on 1,000 screens, SQLite, p99", "delete 200 messages of one author, SQLite"),
    _clicked("200 deletions are on 1,000 screens, PostgreSQL, p99", "delete 200 messages of one author, PostgreSQL"),
    _clicked("Somebody banned is out, SQLite, p99", "ban somebody, SQLite"),
    _clicked("Somebody banned is out, PostgreSQL, p99", "ban somebody, PostgreSQL"),
    *_returning("Lost streams come back", "streams, connections"),
    *_returning("Streams come back after a restart", "streams, the server"),
    *_returning("Lost WebSockets come back", "WebSocket, connections"),
    *_returning("WebSockets come back after a restart", "WebSocket, the server"),
    Target(
        "Newest page of a long history, p95",
        "history",
        "p95_ms",
        "the room's page, the newest",
        "ms",
        _most(30),
        _most(10),
    ),
    Target(
        "A page in its middle, p95", "history", "p95_ms", "the room's page, in the middle", "ms", _most(30), _most(10)
    ),
    Target("A page in its middle, queries", "history", "queries", "the room's page, in the middle", "", _most(5)),
    *(
        Target(
            f"A search in a long history for {sought}, {database}, p95",
            "search",
            "p95_ms",
            f"{sought}, {database}",
            "ms",
            _most(50),
            _most(20),
        )
        for database in ("SQLite", "PostgreSQL")
        for sought in ("a rare word", "a common word", "two common kana", "an author")
    ),
    _cost("WebSocket"),
    _cost("streams"),
    Target(
        "Posts in 100 rooms",
        "growth",
        _POSTS,
        "posts in 100 rooms",
        "a second",
        _least(0.8, OURS, "posts in 1 room"),
        _least(1, OURS, "posts in 1 room"),
    ),
    Target(
        "Delivered by Redis per event, 4 processes",
        "growth",
        "delivered_per_event",
        "4 processes",
        "",
        _most(4.1),
        _most(4),
    ),
    Target("Memory after eight hours, growth", "life", "growth_percent", "", "%", _most(5)),
    *(target for page in ("start page", "room page", "watch page") for target in _judged(page)),
]
