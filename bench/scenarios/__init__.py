"""What is measured. Each scenario gives groups of cases; those of a group take turns."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.measuring import Case
from bench.scenarios import (
    archives,
    ceiling,
    connecting,
    fanout,
    growth,
    history,
    latency,
    life,
    lighthouse,
    moderation,
    posting,
    returning,
    search,
)

Cases = Callable[[bool, list[str]], list[list[Case]]]


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of a table: its name among the figures, its heading, how many digits after the point."""

    figure: str
    heading: str
    digits: int = 0
    scale: float = 1.0
    higher_is_better: bool = False  # said where it is drawn


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    title: str
    what: str
    cases: Cases  # of (whether it is a quick run, the systems' keys)
    columns: tuple[Column, ...]  # the first is what is compared
    is_quick: bool = True  # part of a quick run that names no scenarios
    drawn_too: tuple[str, ...] = ()  # figures of rows that lack the first

    @property
    def drawn(self) -> list[Column]:
        """What the picture shows."""
        return [self.columns[0], *(column for column in self.columns if column.figure in self.drawn_too)]


_CPU = Column("cpu_us_per_delivery", "CPU µs per delivery", 1)
_SERVER = Column("server_cpu_share", "server's core %", 0, 100)
_LOAD = Column("load_cpu_share", "load's core %", 0, 100)
_JOINED = Column("messages_per_read", "messages a read", 1)
_FANOUT = (Column("deliveries_per_second", "deliveries/s", higher_is_better=True), _CPU, _JOINED, _SERVER, _LOAD)
_LATENCY = (
    Column("p99_ms", "p99 ms", 1),
    Column("p50_ms", "p50 ms", 1),
    Column("p90_ms", "p90 ms", 1),
    Column("max_ms", "max ms", 1),
    _SERVER,
    _LOAD,
)

_ALL = [
    Scenario(
        "ceiling",
        "The load's own ceiling",
        "Processes that only send prepared frames, on every core but the load's, to 3,000 connections. First one to "
        "each, so that every read gives one message; then as much as they can, where several come with one read. More "
        "than this the load cannot tell of any system.",
        ceiling.ceiling,
        (
            Column("reads_per_second", "reads/s", higher_is_better=True),
            Column("deliveries_per_second", "messages/s, several a read"),
            _JOINED,
            Column("senders", "senders"),
            _LOAD,
        ),
    ),
    Scenario(
        "fanout-ws",
        "Fan-out over WebSocket, saturated",
        "500 followers in a room, and one publisher who keeps some messages of 64 bytes in flight: for each that comes "
        "back to it, it posts another.",
        fanout.over_sockets,
        _FANOUT,
    ),
    Scenario(
        "fanout-sse",
        "Fan-out over Server-Sent Events, saturated",
        "The same with 500 streams. Who publishes does so over a WebSocket.",
        fanout.over_streams,
        _FANOUT,
    ),
    Scenario(
        "latency-ws",
        "Latency over WebSocket",
        "1,000 followers in a room. Each text says when it was sent; what is measured is from there to its receipt by "
        "each follower. Busy rooms beside: 200 more followers in two other rooms, with 20 messages a second.",
        latency.over_sockets,
        _LATENCY,
    ),
    Scenario(
        "latency-sse",
        "Latency over Server-Sent Events",
        "The same with 1,000 streams.",
        latency.over_streams,
        _LATENCY,
    ),
    Scenario(
        "latency-mixed",
        "Latency with everything at once",
        "200 followers in a hall with ten messages a second; 800 in 49 other rooms, with ten a second there in turn. "
        "In the hall five people come and five leave each second, and where there are edits, a message is edited each "
        "second.",
        latency.mixed,
        _LATENCY,
        is_quick=False,
    ),
    Scenario(
        "idle",
        "Memory of idle connections",
        "Connections with a browser's headers that only listen, opened at 400 a second. What the server's resident "
        "memory grew by, divided by their number; kernel memory is not in it.",
        connecting.idle,
        (
            Column("kilobytes_each", "RSS KB each", 1),
            Column("pss_kilobytes_each", "PSS KB each", 1),
            Column("connections", "connections"),
            Column("idle_cpu_share", "server's core % while idle", 1, 100),
        ),
    ),
    Scenario(
        "connects",
        "Connections a second",
        "A storm: connections are opened, 200 at a time, until the last has had its first words.",
        connecting.connects,
        (
            Column("connects_per_second", "connects/s", higher_is_better=True),
            Column("cpu_us_per_connect", "CPU µs per connect"),
            _SERVER,
            _LOAD,
        ),
    ),
    Scenario(
        "posts",
        "Durable posts",
        "50 writers in one room with 100 followers. Each waits until its posts are acknowledged, which is after the "
        "commit, and posts again.",
        posting.posts,
        (
            Column("posts_per_second", "posts/s", higher_is_better=True),
            Column("p50_ms", "p50 ms", 1),
            Column("p99_ms", "p99 ms", 1),
            Column("cpu_us_per_post", "CPU µs per post"),
            _JOINED,
            _SERVER,
            Column("database_cpu_share", "database's core %", 0, 100),
            _LOAD,
        ),
    ),
    Scenario(
        "reconnect",
        "Everybody comes back at once",
        "Connections that come at the same moment, each with the number of an event 50 ago: how long until all have "
        "caught up, and how many queries that took (less those that an idle server makes in that time).",
        returning.reconnect,
        (
            Column("seconds", "seconds", 2),
            Column("queries", "queries"),
            Column("returning", "connections"),
            _SERVER,
            _LOAD,
        ),
    ),
    Scenario(
        "moderation",
        "A moderator clicks",
        "1,000 followers in a room, half over WebSocket and half over streams, on two server processes with one "
        "database and Redis, while ten messages a second are posted. From the sending of a moderator's frame until the "
        "last of the 1,000 has been told of the last deletion; of a ban, until the server has closed the last of the "
        "banned author's sockets, of which each process has one at least. The figures are of all clicks of a run.",
        moderation.moderation,
        (
            Column("p99_ms", "p99 ms", 1),
            Column("p50_ms", "p50 ms", 1),
            Column("max_ms", "max ms", 1),
            Column("clicks", "clicks"),
            _SERVER,
            _LOAD,
        ),
    ),
    Scenario(
        "history",
        "Pages of a long history",
        "50 messages out of a room with very many, asked for by one client, one page after the other.",
        history.history,
        (
            Column("p95_ms", "p95 ms", 1),
            Column("p50_ms", "p50 ms", 1),
            Column("queries", "queries", 1),
            Column("kilobytes", "KB"),
        ),
        is_quick=False,
    ),
    Scenario(
        "archive",
        "Dated pages of a long history",
        "Of a room with very many messages, asked for by one client, one page after the other; a day has 86,400, of "
        "which a page shows 200.",
        archives.archive,
        (
            Column("p95_ms", "p95 ms", 1),
            Column("p50_ms", "p50 ms", 1),
            Column("queries", "queries", 1),
            Column("kilobytes", "KB"),
        ),
        is_quick=False,
    ),
    Scenario(
        "export",
        "All of a long history as a transcript",
        "One reader takes it as fast as it comes, while somebody else looks at the room's page twenty times a second. "
        "Memory is what the server has at most beyond what it had before.",
        archives.export,
        (
            Column("megabytes_per_second", "MB/s", 1, higher_is_better=True),
            Column("messages_per_second", "messages/s"),
            Column("growth_megabytes", "memory MB", 1),
            Column("page_p95_ms", "page p95 ms meanwhile", 1),
            Column("megabytes", "MB"),
            Column("seconds", "seconds", 1),
        ),
        is_quick=False,
    ),
    Scenario(
        "search",
        "Searches in a long history",
        "Searches in a room with very many messages of a few words, a fourth of them Japanese, asked for by one client "
        "over HTTP as JSON, one after the other. The common words are in a third and a tenth of all messages, the rare "
        "ones in one of 50,000.",
        search.search,
        (
            Column("p95_ms", "p95 ms", 1),
            Column("p50_ms", "p50 ms", 1),
            Column("queries", "queries", 1),
            Column("found", "found"),
        ),
        is_quick=False,
    ),
    Scenario(
        "lighthouse",
        "Pages, judged by Lighthouse",
        "Lighthouse's own view of a phone (a slow one, on a slow network, both simulated), of pages as `bin/start` "
        "serves them: the start page, and a room with 200 messages that search engines may list, for those who take "
        "part and for those who watch. Each is opened by a browser that was never here. Scores are out of 100.",
        lighthouse.lighthouse,
        (
            Column("performance", "performance", higher_is_better=True),
            Column("accessibility", "accessibility"),
            Column("best_practices", "best practices"),
            Column("seo", "SEO"),
            Column("first_ms", "first content ms"),
            Column("largest_ms", "largest content ms"),
            Column("blocked_ms", "blocked ms"),
            Column("shift", "layout shift", 3),
            Column("kilobytes", "KB"),
        ),
        is_quick=False,
    ),
    Scenario(
        "growth",
        "What rises with what",
        "CPU for each delivery with more followers (20 in flight); posts a second of 100 writers over more rooms; what "
        "Redis takes and gives for each event with more processes, as `bin/start --workers` makes them (500 followers, "
        "20 messages a second, PostgreSQL).",
        growth.growth,
        (
            _CPU,
            Column("posts_per_second", "posts/s", higher_is_better=True),
            Column("published_per_event", "published to Redis per event", 2),
            Column("delivered_per_event", "delivered by Redis per event", 2),
            _JOINED,
            _SERVER,
            _LOAD,
        ),
        is_quick=False,
        drawn_too=("posts_per_second", "delivered_per_event"),
    ),
    Scenario(
        "life",
        "Eight hours in three minutes",
        "Five million deliveries to 500 followers, or as many as 100 seconds allow, and 20,000 connections that come "
        "and leave over five rooms. Memory is compared when everybody has left with what it was when everything had "
        "happened once.",
        life.life,
        (
            Column("growth_percent", "memory grew by %", 1),
            Column("before_megabytes", "MB before", 1),
            Column("after_megabytes", "MB after", 1),
            Column("delivered", "deliveries"),
            Column("comings", "connections"),
            Column("seconds", "seconds"),
        ),
        is_quick=False,
    ),
]
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
