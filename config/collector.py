"""What this process counts (``chat.meters``), and how things are in it just now, in the types of ``prometheus_client``:
read when somebody asks, so that nothing of that is on the way of a message. ``docs/observability.md`` has each."""

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chat import database, meters, relays
from chat.meters import Histogram


@cache
def version() -> str:
    """Which Engawa this is."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["version"]


def counter(name: str, what: str, counts: dict[str, int] | int, label: str | None = None) -> CounterMetricFamily:
    return _family(CounterMetricFamily, name, what, counts, label)


def gauge(
    name: str, what: str, counts: dict[str, float] | float, label: str | None = None, unit: str = ""
) -> GaugeMetricFamily:
    return _family(GaugeMetricFamily, name, what, counts, label, unit)


def _family(kind: type, name: str, what: str, counts: Any, label: str | None, unit: str = "") -> Any:
    if label is None:
        return kind(name, what, value=counts, unit=unit)
    family = kind(name, what, labels=[label], unit=unit)
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def histogram(name: str, what: str, histograms: dict[str, Histogram] | Histogram, label: str = "") -> Metric:
    family = HistogramMetricFamily(name, what, labels=[label] if label else [])
    for value, each in histograms.items() if isinstance(histograms, dict) else [("", histograms)]:
        # Read once, and added up to what is below each bound, as Prometheus has it.
        counts, total, buckets = list(each.counts), 0, []
        for bound, count in zip((*each.bounds, float("inf")), counts, strict=True):
            total += count
            buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), total))
        family.add_metric([value] if label else [], buckets, each.sum)
    return family


class EngawaCollector(Collector):
    """Everything but what only a server of ours knows."""

    def describe(self) -> list[Metric]:
        return []  # it is not asked before there is something to say

    def collect(self) -> Iterator[Metric]:
        build = InfoMetricFamily("engawa_build", "Which Engawa this is.")
        build.add_metric([], {"version": version()})
        yield build
        yield from _connections()
        yield from _messages()
        yield from _resumes()
        yield from _layer_and_database()
        yield from _rooms()


def _connections() -> Iterator[Metric]:
    transports = meters.TRANSPORTS
    yield gauge(
        "engawa_connections",
        "Open sockets and streams, by transport.",
        {each.name: each.opened - each.closed for each in transports},
        "transport",
    )
    yield counter(
        "engawa_connections_opened",
        "Sockets and streams that were opened, by transport.",
        {each.name: each.opened for each in transports},
        "transport",
    )
    yield gauge("engawa_followers", "Who follows rooms, a room each, by kind.", meters.followers, "kind")
    yield counter(
        "engawa_deliveries",
        "Events of logs times connections that were handed them, by transport.",
        {each.name: each.deliveries for each in transports},
        "transport",
    )
    yield counter(
        "engawa_slow_closed",
        "Followers that were let go because they fell behind and stayed there, by transport.",
        {each.name: each.slow for each in transports},
        "transport",
    )
    yield counter("engawa_hung_up", "Connections that could not even be told so.", meters.counts.hung_up)
    yield counter("engawa_grip", "Viewers left to a proxy as they came; events it took.", meters.grip.counts(), "what")


def _messages() -> Iterator[Metric]:
    committed = meters.committed.counts()
    yield counter("engawa_messages_posted", "Messages committed by this process.", committed["message"])
    yield counter("engawa_events_committed", "Events committed by this process, by type.", committed, "type")
    yield counter(
        "engawa_posts_refused",
        "Posts that were answered with an error, by its code.",
        meters.posts_refused.counts(),
        "code",
    )
    yield histogram(
        "engawa_post_seconds",
        "From the receipt of a post to its acknowledgement, by where it came in.",
        {"socket": meters.socket_post_seconds, "http": meters.http_post_seconds},
        "door",
    )
    yield histogram(
        "engawa_delivery_seconds",
        "From the commit of an event to when the last follower here was handed it, each delivery once.",
        meters.delivery_seconds,
    )
    yield histogram("engawa_posts_together", "Posts in one transaction.", meters.posts_together)
    yield histogram("engawa_events_together", "Events passed on to followers in one go.", meters.events_together)


def _resumes() -> Iterator[Metric]:
    yield counter(
        "engawa_resumes", "Who came to follow a room, by where the first answer was from.", meters.resumes, "outcome"
    )
    yield counter("engawa_gaps_repaired", "Times that the log was read for what was not heard of.", meters.counts.gaps)
    yield counter("engawa_gap_events", "Events that were read from the log like that.", meters.counts.gap_events)


def _layer_and_database() -> Iterator[Metric]:
    yield histogram(
        "engawa_layer_seconds", "How long a message to ourselves takes through the channel layer.", meters.layer_seconds
    )
    yield counter(
        "engawa_layer_failures", "What went wrong with the channel layer.", meters.layer_failures.counts(), "what"
    )
    busy, waiting = database.pool()
    yield gauge("engawa_database_threads", "Threads that may use the database at once.", settings.DATABASE_THREADS)
    yield gauge("engawa_database_threads_busy", "Those of them that are at work.", busy)
    yield gauge("engawa_database_calls_waiting", "Calls that wait for one of them.", waiting)
    yield counter(
        "engawa_database_failures", "Calls that the database did not answer.", meters.database_failures.counts()["busy"]
    )
    yield counter(
        "engawa_webhook_calls", "Calls of webhooks, by what came of them.", meters.webhooks.counts(), "outcome"
    )


def _rooms() -> Iterator[Metric]:
    measured = relays.measure()
    rooms, ring_events, ring_chars, silence = 0, 0, 0, None
    if measured is not None:
        rooms, ring_events = measured.rooms, measured.ring_events
        ring_chars, silence = measured.ring_chars, measured.silence
    yield gauge("engawa_rooms_followed", "Rooms that somebody follows here, or did a moment ago.", rooms)
    yield gauge("engawa_ring_events", "Recent events in memory.", ring_events)
    yield gauge("engawa_ring_characters", "The characters of their JSON; bytes, where that is ASCII.", ring_chars)
    if silence is not None:
        yield gauge("engawa_layer_silence_seconds", "Since when nothing came through the channel layer.", silence)


class BufferCollector(Collector):
    """What waits in a server of ours for readers that are behind."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        behind = list(self._server.paused)
        yield gauge("engawa_connections_behind", "Connections whose reader is behind.", len(behind))
        yield gauge(
            "engawa_buffer_bytes", "What waits to be written to them.", sum(each.waiting_bytes for each in behind)
        )
