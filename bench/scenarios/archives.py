"""Dated pages of a long history, and all of it as a transcript, for one reader."""

import http.client
from itertools import count
from threading import Event, Thread
from time import monotonic, monotonic_ns

import psutil

from bench import queries
from bench.errors import Failed
from bench.long_history import ROOM, long_history
from bench.measuring import Bench, Case, Figures
from bench.statistics import percentile

WARM = 5
MESSAGES = {"quick": 100_000, "full": 1_000_000}
PAGES = {
    "the archive": "archive/",
    "a month": "2026/01/",
    "a day": "2026/01/01/",
    "where a transcript is chosen": "export",
}
FORMS = ("html", "txt", "csv", "jsonl")
LOOK_SECONDS = 0.05
AT_ONCE = 64 * 1024  # bytes of a transcript that are read at a time


def measure_page(bench: Bench, case: Case) -> Figures:
    database = long_history(bench.services, case.more["messages"])
    path = f"/feeds/{ROOM}/{PAGES[case.more['page']]}"
    with bench.running(case, count_queries=True, DATABASE_URL=f"sqlite:///{database}") as running:
        client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        took: list[int] = []
        requests = bench.of(40, 200)
        for number in count():
            if number == WARM:
                before = queries.count(running.folder)
            if number == WARM + requests:
                break
            began = monotonic_ns()
            body = _read(client, path)
            took.append(monotonic_ns() - began)
        client.close()
        ordered = sorted(took[WARM:])
        return {
            "p95_ms": percentile(ordered, 95) / 1e6,
            "p50_ms": percentile(ordered, 50) / 1e6,
            "queries": (queries.count(running.folder) - before) / requests,
            "kilobytes": len(body) / 1024,
        }


def measure_export(bench: Bench, case: Case) -> Figures:
    """While it is taken, somebody else looks at the room, again and again."""
    messages, form = case.more["messages"], case.more["form"]
    database = long_history(bench.services, messages)
    with bench.running(case, DATABASE_URL=f"sqlite:///{database}") as running:
        client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        for _ in range(WARM):
            _read(client, f"/feeds/{ROOM}/export.{form}?to=2026-01-01T00:05:00Z")
        meanwhile = _Meanwhile(running.port, running.process)
        began, size, tail = monotonic(), 0, b""
        client.request("GET", f"/feeds/{ROOM}/export.{form}")
        response = client.getresponse()
        while piece := response.read(AT_ONCE):
            size += len(piece)
            tail = (tail + piece)[-200:]
        seconds = monotonic() - began
        page_p95_ms, growth = meanwhile.end()
        client.close()
        if (
            response.status != 200
            or b"omplete" not in tail
            or b"ncomplete" in tail
            or str(messages).encode() not in tail
        ):
            raise Failed(f"That was no whole transcript: {response.status}, {size} bytes, {tail[-80:]!r}.")
        return {
            "megabytes_per_second": size / 1e6 / seconds,
            "messages_per_second": messages / seconds,
            "growth_megabytes": growth / 1024**2,
            "page_p95_ms": page_p95_ms,
            "megabytes": size / 1e6,
            "seconds": seconds,
        }


class _Meanwhile:
    """Somebody else, who reads the room's page while a transcript is taken, and sees how much memory that takes."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self._port = port
        self._process = process
        self._is_over = Event()
        self._took: list[int] = []
        self._before = self._most = process.memory_info().rss
        self._thread = Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._is_over.wait(LOOK_SECONDS):
            began = monotonic_ns()
            _read(client, f"/feeds/{ROOM}/")
            self._took.append(monotonic_ns() - began)
            self._most = max(self._most, self._process.memory_info().rss)
        client.close()

    def end(self) -> tuple[float, int]:
        """The page's p95 in ms, and by how many bytes the process grew at most."""
        self._is_over.set()
        self._thread.join()
        if not self._took:
            raise Failed("It was over before anybody could look.")
        return percentile(sorted(self._took), 95) / 1e6, self._most - self._before


def _read(client: http.client.HTTPConnection, path: str) -> bytes:
    client.request("GET", path)
    response = client.getresponse()
    body = response.read()
    if response.status != 200:
        raise Failed(f"{path}: {response.status}")
    return body


def _cases(
    scenario: str, measure: object, quick: bool, systems: list[str], what: str, all_of: tuple
) -> list[list[Case]]:
    messages = MESSAGES["quick" if quick else "full"]
    return [
        [
            Case(scenario, f"{each}, of {messages:,}", key, measure, more={what: each, "messages": messages})
            for each in all_of
            for key in systems
            if key == "engawa-daphne"
        ]
    ]


def archive(quick: bool, systems: list[str]) -> list[list[Case]]:
    return _cases("archive", measure_page, quick, systems, "page", tuple(PAGES))


def export(quick: bool, systems: list[str]) -> list[list[Case]]:
    return _cases("export", measure_export, quick, systems, "form", FORMS)
