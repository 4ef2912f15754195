"""Searches in a room in which very many have talked, by one client, one after the other."""

import http.client
import json
from time import monotonic_ns
from urllib.parse import urlencode

from bench.errors import Failed
from bench.measuring import Bench, Case, Figures
from bench.queries import count
from bench.statistics import percentile
from bench.talk import (
    COMMON,
    COMMON_RUN,
    NEVER_TOGETHER,
    RARE,
    RARE_EVERY,
    RARE_RUN,
    ROOM,
    talk_in_postgres,
    talked_in,
)

WARM = 3
MESSAGES = {"quick": 100_000, "full": 1_000_000}
SOUGHT = {
    "a rare word": {"q": RARE},
    "a common word": {"q": COMMON},
    "a rare Japanese word": {"q": RARE_RUN},
    "two common kana": {"q": COMMON_RUN},
    "two common words that are never together": {"q": NEVER_TOGETHER},
    "an author": {"author": "guest7"},
    "a rare word by an author who never said it": {"author": "guest7", "q": RARE},
}
_RARE = (RARE, RARE_RUN)


def measure(bench: Bench, case: Case) -> Figures:
    messages, sought = case.more["messages"], case.more["sought"]
    if case.more["database"] == "postgres":
        url = talk_in_postgres(bench.services, messages)
    else:
        url = f"sqlite:///{talked_in(bench.services, messages)}"
    expected = _expected(sought, messages)
    with bench.running(case, count_queries=True, DATABASE_URL=url) as running:
        client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        took: list[int] = []
        requests = bench.of(40, 200)
        for number in range(WARM + requests):
            if number == WARM:
                before = count(running.folder)
            began = monotonic_ns()
            client.request("GET", f"/feeds/{ROOM}/search?{urlencode(sought)}", headers={"Accept": "application/json"})
            response = client.getresponse()
            body = response.read()
            took.append(monotonic_ns() - began)
            found = len(json.loads(body)["messages"]) if response.status == 200 else -1
            if found != expected:
                raise Failed(f"{found} messages were found instead of {expected}, with {response.status}.")
        client.close()
        ordered = sorted(took[WARM:])
        return {
            "p95_ms": percentile(ordered, 95) / 1e6,
            "p50_ms": percentile(ordered, 50) / 1e6,
            "queries": (count(running.folder) - before) / requests,
            "found": found,
        }


def _expected(sought: dict[str, str], messages: int) -> int:
    """How many messages of a page are to be found."""
    if sought.get("q") == NEVER_TOGETHER or len(sought) > 1:
        return 0
    return min(50, messages // RARE_EVERY) if sought.get("q") in _RARE else 50


def search(quick: bool, systems: list[str]) -> list[list[Case]]:
    messages = MESSAGES["quick" if quick else "full"]
    return [
        [
            Case(
                "search",
                f"{what}, {title}, {messages:,} messages",
                key,
                measure,
                more={"database": database, "sought": sought, "messages": messages},
            )
            for what, sought in SOUGHT.items()
            for key in systems
            if key == "engawa-daphne"
        ]
        for database, title in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
    ]
