"""Pages of 50 messages out of a long history, asked for by one client, one after the other."""

import http.client
from time import monotonic_ns

from bench.errors import Failed
from bench.long_history import ROOM, long_history, mid_of
from bench.measuring import Bench, Case, Figures
from bench.queries import count
from bench.statistics import percentile

WARM = 5
MESSAGES = {"quick": 100_000, "full": 1_000_000}
PAGES = {"the room's page": (f"/chat/{ROOM}/", "text/html"), "as JSON": (f"/chat/{ROOM}/messages", "application/json")}
PLACES = ("the newest", "in the middle")


def measure(bench: Bench, case: Case) -> Figures:
    messages = case.more["messages"]
    path, accept = PAGES[case.more["page"]]
    if case.more["place"] == "in the middle":
        path += f"?before={mid_of(messages // 2)}"
    database = long_history(bench.services, messages)
    with bench.running(case, count_queries=True, DATABASE_URL=f"sqlite:///{database}") as running:
        client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        headers = {"Accept": accept}
        took: list[int] = []
        requests = bench.of(40, 200)
        for number in range(WARM + requests):
            if number == WARM:
                before = count(running.folder)
            began = monotonic_ns()
            client.request("GET", path, headers=headers)
            response = client.getresponse()
            body = response.read()
            took.append(monotonic_ns() - began)
            if response.status != 200 or body.count(b"<em>nothing</em>") + body.count(b"<em>nothing<") < 50:
                raise Failed(f"That was no page of 50 messages: {response.status}, {len(body)} bytes.")
            cookies = [value.split(";")[0] for name, value in response.getheaders() if name.lower() == "set-cookie"]
            if cookies:
                headers["Cookie"] = "; ".join(cookies)
        client.close()
        ordered = sorted(took[WARM:])
        return {
            "p95_ms": percentile(ordered, 95) / 1e6,
            "p50_ms": percentile(ordered, 50) / 1e6,
            "queries": (count(running.folder) - before) / requests,
            "kilobytes": len(body) / 1024,
        }


def history(quick: bool, systems: list[str]) -> list[list[Case]]:
    messages = MESSAGES["quick" if quick else "full"]
    return [
        [
            Case(
                "history",
                f"{page}, {place}, of {messages:,}",
                key,
                measure,
                more={"page": page, "place": place, "messages": messages},
            )
            for page in PAGES
            for place in PLACES
            for key in systems
            if key == "engawa-daphne"
        ]
    ]
