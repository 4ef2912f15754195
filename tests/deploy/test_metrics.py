"""What the processes say of themselves is what their clients counted, to the message."""

import asyncio
import contextlib
import json
import re
import socket
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets
from prometheus_client import parser

from chat import meters
from chat.errors import every_error
from tests.faults.cluster import SETTINGS
from tests.metrics import Scrape, scrape, scraped_until
from tests.promql import OF_PROMETHEUS, ROOT, asked_for
from tests.servers import Engawa, Postgres, Redis, free_port

PATIENCE_SECONDS = 20
WRITERS, POSTS = 3, 30  # for each of the two processes
FOLLOWERS = 4  # of each kind and process
RING_EVENTS = 10
KERNEL_BYTES = 64 * 1024
V1, PLAIN, SSE, LINES, TEXT, PAGE = "websocket", "websocket-plain", "sse", "ndjson", "text", "html"
MERGED = "sse-merged"
PATHS = {SSE: "stream", LINES: "stream.ndjson", TEXT: "stream.txt", PAGE: "stream.html"}


class Process:
    """One of the processes, and where it is asked."""

    def __init__(self, engawa: Engawa, metrics_port: int) -> None:
        self.engawa, self.metrics_port = engawa, metrics_port

    @property
    def base(self) -> str:
        return self.engawa.base


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis) -> Iterator[list[Process]]:
    """Two processes on PostgreSQL and Redis, with a ring so short that who comes back late is answered by the log."""
    folder = tmp_path_factory.mktemp("metrics")
    settings = SETTINGS | {
        "DATABASE_URL": postgres.fresh_database(),
        "REDIS_URL": redis.url,
        "RING_EVENTS": str(RING_EVENTS),
        "SLOW_SECONDS": "1",
        "METRICS_TOKEN": "a token for tests alone",
    }
    found: list[Process] = []
    try:
        for name in ("one", "two"):
            port = free_port()
            found.append(Process(Engawa(folder, name, METRICS_PORT=str(port), **settings), port))
        yield found
    finally:
        for each in found:
            each.engawa.stop()


def together(pair: list[Process]) -> Scrape:
    return scrape(*(each.metrics_port for each in pair))


def make_room(base: str, name: str) -> str:
    with httpx.Client(base_url=base, follow_redirects=True, timeout=30) as http:
        http.get("/chat/").raise_for_status()
        form = {"name": name, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        return http.post("/chat/", data=form).raise_for_status().url.path.removeprefix("/chat/").strip("/")


class Ear:
    """A client that counts what it hears: ``texts`` of messages, by how often; sizes of ``batches``, if it is told of
    these; what its own frames were answered with."""

    def __init__(self, transport: str) -> None:
        self.transport = transport
        self.texts: Counter[str] = Counter()
        self.batches: Counter[int] = Counter()
        self.answers: Counter[str] = Counter()
        self.resets = 0
        self.news = asyncio.Event()
        self.socket: Any = None

    def event(self, event: dict[str, Any]) -> None:
        if "message" in event and "error" not in event:
            self.texts[event["message"]] += 1

    def frame(self, frame: dict[str, Any]) -> None:
        kind = frame.get("type", "message")
        if kind in ("batch", "message"):
            found = frame["events"] if kind == "batch" else [frame]
            self.batches[len(found)] += 1
            for event in found:
                self.event(event)
        elif kind == "reset":
            self.resets += 1
        elif kind in ("posted", "error"):
            self.answers[frame.get("code", kind)] += 1
        self.news.set()

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds(self):
                self.news.clear()
                await self.news.wait()

    async def post(self, text: object, key: str | None = None) -> None:
        """Post, and wait for the answer."""
        before = self.answers.total()
        await self.socket.send(json.dumps({"type": "post", "message": text, "key": key or str(uuid.uuid4())}))
        await self.until(lambda ear: ear.answers.total() > before)


@asynccontextmanager
async def listening(process: Process, transport: str, *slugs: str, after: int | None = None) -> AsyncIterator[Ear]:
    ear = Ear(transport)
    if transport in (V1, PLAIN):
        query = "" if after is None else f"?after={after}"
        address = f"{process.engawa.sockets}/ws/chat/{slugs[0]}/{query}"
        async with websockets.connect(address, subprotocols=["engawa.v1"] if transport == V1 else None) as ear.socket:
            reading = asyncio.create_task(_read_socket(ear))
            async with _ended(reading):
                yield ear
        return
    path = f"/feeds/stream?{'&'.join(f'room={slug}' for slug in slugs)}"
    if transport != MERGED:
        path = f"/feeds/{slugs[0]}/{PATHS[transport]}?history=1"
    headers = {} if after is None else {"Last-Event-ID": f"{slugs[0]}:{after}"}
    async with (
        httpx.AsyncClient(timeout=None) as http,
        http.stream("GET", process.base + path, headers=headers) as response,
    ):
        assert response.status_code == 200
        reading = asyncio.create_task(_read_stream(ear, response))
        async with _ended(reading):
            yield ear


@asynccontextmanager
async def _ended(task: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _read_socket(ear: Ear) -> None:
    async for frame in ear.socket:
        ear.frame(json.loads(frame))


async def _read_stream(ear: Ear, response: httpx.Response) -> None:
    async for line in response.aiter_lines():
        if ear.transport in (SSE, MERGED) and line.startswith("event: stream-reset"):
            ear.resets += 1
        if ear.transport in (SSE, MERGED) and line.startswith("data: {"):
            ear.event(json.loads(line[6:]))
        elif ear.transport == LINES and line.startswith("{"):
            ear.event(json.loads(line))
        elif ear.transport in (TEXT, PAGE):
            ear.texts.update(re.findall(r"(?<!\")\bword-[0-9a-z-]+", line))
        ear.news.set()


def heard(ears: list[Ear]) -> dict[str, int]:
    """What these were told of, by transport."""
    total: Counter[str] = Counter()
    for ear in ears:
        total[ear.transport] += ear.texts.total()
    return dict(total)


def less(now: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    """By how much counters rose, where they did."""
    return {name: value - before.get(name, 0) for name, value in now.items() if value != before.get(name, 0)}


def in_buckets(sizes: Counter[int], bounds: list[float]) -> dict[float, int]:
    found = dict.fromkeys(bounds, 0)
    for size, times in sizes.items():
        found[min(bound for bound in bounds if size <= bound)] += times
    return found


async def post_by_http(process: Process, slug: str, texts: list[str]) -> Counter[str]:
    """Post as programs do on people's pages. Returns how often each was answered."""
    answers: Counter[str] = Counter()
    async with httpx.AsyncClient(base_url=process.base, timeout=30) as http:
        await http.get(f"/chat/{slug}/")
        headers = {"X-CSRFToken": http.cookies["csrftoken"], "Accept": "application/json"}
        for text in texts:
            response = await http.post(f"/chat/{slug}/messages", json={"message": text}, headers=headers)
            answers["posted" if response.is_success else response.json()["error"]["code"]] += 1
    return answers


async def test_the_metrics_agree_with_what_the_clients_counted(pair: list[Process]) -> None:
    ports = [each.metrics_port for each in pair]
    slug, other = make_room(pair[0].base, "counted"), make_room(pair[0].base, "beside it")
    before = together(pair)
    by_process: list[list[Ear]] = []
    async with AsyncExitStack() as stack:
        for process in pair:
            ears = [
                await stack.enter_async_context(listening(process, transport, slug))
                for transport in (V1, PLAIN, SSE, LINES, TEXT, PAGE)
                for _ in range(FOLLOWERS)
            ]
            ears.append(await stack.enter_async_context(listening(process, MERGED, slug, other)))
            by_process.append(ears)
        everybody = [ear for ears in by_process for ear in ears]
        kinds = len(everybody) - 2  # but for the streams of two rooms
        opened = scraped_until(lambda said: sum(said.by_label("engawa_connections").values()) == len(everybody), *ports)
        assert opened.by_label("engawa_connections") == Counter(ear.transport for ear in everybody)
        sockets = sum(ear.transport in (V1, PLAIN) for ear in everybody)
        assert opened.by_label("engawa_followers") == {"guest": sockets, "viewer": kinds - sockets + 2 * 2}
        assert opened("engawa_rooms_followed") == 2 * 2

        # Many write at the same time; some post twice, some what cannot be said.
        writers = [ear for ears in by_process for ear in ears if ear.transport == V1][:: FOLLOWERS // 2]
        said = [f"word-{name}-{number}" for name in range(len(writers)) for number in range(POSTS)]
        by_http = [f"word-h-{number}" for number in range(5)]

        async def write(name: int, ear: Ear) -> None:
            key = str(uuid.uuid4())
            await ear.post(f"word-{name}-0", key)
            await ear.post(f"word-{name}-0", key)
            # Without waiting in between, so that several are committed together.
            for number in range(1, POSTS):
                frame = {"type": "post", "message": f"word-{name}-{number}", "key": str(uuid.uuid4())}
                await ear.socket.send(json.dumps(frame))
            await ear.socket.send(json.dumps({"type": "post", "message": " "}))
            await ear.socket.send(json.dumps({"type": "post", "message": "lost", "reply_to": "0" * 26}))
            await ear.until(lambda ear: ear.answers.total() == POSTS + 3)

        *_, by_form = await asyncio.gather(
            *(write(name, ear) for name, ear in enumerate(writers)), post_by_http(pair[1], slug, [*by_http, ""])
        )
        expected = Counter([*said, *by_http])
        await asyncio.gather(*(ear.until(lambda ear: ear.texts.total() >= len(expected)) for ear in everybody))
        for ear in everybody:
            assert ear.texts == expected, ear.transport
        now = together(pair)

        # Messages, by whatever door, and their answers.
        answers = sum((ear.answers for ear in writers), Counter())
        refused = {code: count for code, count in (answers + by_form).items() if code != "posted"}
        assert now("engawa_messages_posted_total") == len(expected)
        assert less(
            now.by_label("engawa_events_committed_total"), before.by_label("engawa_events_committed_total")
        ) == {"message": len(expected)}
        assert now("engawa_post_seconds_count", "socket") == answers["posted"] == len(said) + len(writers)
        assert now("engawa_post_seconds_count", "http") == by_form["posted"] == len(by_http)
        assert now.by_label("engawa_posts_refused_total") == refused
        assert refused == {"text.empty": len(writers) + 1, "message.not_found": len(writers)}
        # What a post is decided on without the database is not decided together with others.
        decided = answers["posted"] + answers["message.not_found"]
        assert now("engawa_posts_together_sum") == decided

        # Deliveries, by transport; what went together; how long it took.
        assert now.by_label("engawa_deliveries_total") == heard(everybody)
        for process, ears in zip(pair, by_process, strict=True):
            mine = scrape(process.metrics_port)
            assert mine.by_label("engawa_deliveries_total") == heard(ears)
            sizes = [ear.batches for ear in ears if ear.transport == V1]
            assert all(each == sizes[0] for each in sizes)
            buckets = mine.buckets("engawa_events_together_bucket")
            assert buckets == in_buckets(sizes[0], sorted(buckets))
            assert mine("engawa_events_together_sum") == len(expected)
            # Only what the log was asked for is not timed: nobody knows here when it was committed.
            untimed = mine("engawa_gap_events_total") * len(ears)
            assert mine("engawa_delivery_seconds_count") == sum(heard(ears).values()) - untimed
        assert now("engawa_ring_events") == 2 * RING_EVENTS

        # Coming back: who missed nothing, little, much, and who has numbers that are none of ours.
        head = len(expected)
        wanted = {"current": head, "ring": head - 3, "log": 5, "reset": head + 1000}
        back: list[Ear] = []
        for process in pair:
            for transport in (V1, SSE):
                for outcome, after in wanted.items():
                    ear = await stack.enter_async_context(listening(process, transport, slug, after=after))
                    missed = 0 if outcome == "reset" else head - after
                    await ear.until(
                        lambda ear, outcome=outcome, missed=missed: (
                            ear.texts.total() >= missed and ear.resets == (outcome == "reset")
                        )
                    )
                    back.append(ear)
        resumed = scraped_until(
            lambda said: sum(said.by_label("engawa_resumes_total").values()) >= kinds + 4 + 16, *ports
        )
        assert resumed.by_label("engawa_resumes_total") == {"new": kinds + 4} | dict.fromkeys(wanted, 2 * 2)
        assert resumed.by_label("engawa_deliveries_total") == heard(everybody + back)
        assert resumed.by_label("engawa_connections_opened_total") == Counter(ear.transport for ear in everybody + back)
    gone = scraped_until(lambda said: not said.by_label("engawa_connections"), *ports)
    assert not gone.by_label("engawa_followers")
    assert not gone.by_label("engawa_slow_closed_total")


class Stalled:
    """A client that asks, and reads nothing until it is told to: then to the end."""

    def __init__(self, process: Process, request: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
        self.socket.connect(("127.0.0.1", process.engawa.port))
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.sendall(request.format(host=f"127.0.0.1:{process.engawa.port}").encode())
        self.read = b""

    def read_to_the_end(self) -> bytes:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)  # else the rest trickles in
        with self.socket, contextlib.suppress(ConnectionResetError):  # who does not say goodbye is not waited for
            while part := self.socket.recv(1 << 20):
                self.read += part
        return self.read


STREAM = "GET /feeds/{slug}/stream HTTP/1.1\r\nHost: {{host}}\r\n\r\n"
SOCKET = (
    "GET /ws/chat/{slug}/ HTTP/1.1\r\nHost: {{host}}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: engawa.v1\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)


async def test_who_is_let_go_for_being_slow_is_counted_with_all_that_they_were_told(pair: list[Process]) -> None:
    ports = [each.metrics_port for each in pair]
    slug = make_room(pair[0].base, "loud")
    before = together(pair)
    requests = STREAM.format(slug=slug), SOCKET.format(slug=slug, key="AAAAAAAAAAAAAAAAAAAAAA==")
    stalled = [Stalled(process, request) for process, request in zip(pair, requests, strict=True)]
    scraped_until(lambda said: sum(said.by_label("engawa_connections").values()) == len(stalled), *ports)
    most_behind = 0.0

    def is_slow(said: Scrape) -> bool:
        nonlocal most_behind
        most_behind = max(most_behind, said("engawa_buffer_bytes"))
        return bool(said.by_label("engawa_slow_closed_total"))

    def read_when_let_go(process: Process, client: Stalled) -> bytes:
        # At once: a socket whose client does not answer the end within a second is hung up on.
        scraped_until(is_slow, process.metrics_port, seconds=60)
        return client.read_to_the_end()

    async with listening(pair[0], V1, slug) as writer:
        # Each is told alone: a piece of several, cut off in its middle, would be counted as none.
        text = "word-loud " + "x" * 3900
        posted = 0
        reading = asyncio.gather(
            *(asyncio.to_thread(read_when_let_go, *each) for each in zip(pair, stalled, strict=True))
        )
        while not reading.done():
            await writer.post(text)
            posted += 1
        read = await reading
        await writer.until(lambda ear: ear.texts.total() == posted)
        assert set(writer.batches) == {1}
    # To their ends.
    assert read[0].endswith(b"0\r\n\r\n")
    assert b"connection.too_slow" in read[1]
    now = scraped_until(lambda said: not said.by_label("engawa_connections"), *ports)
    told = [body.count(b'"type":"message"') for body in read]
    assert 0 < told[0] < posted
    assert 0 < told[1] < posted
    assert most_behind > 64 * 1024
    assert now("engawa_buffer_bytes") == now("engawa_connections_behind") == now("engawa_hung_up_total") == 0
    assert now.by_label("engawa_slow_closed_total") == {SSE: 1, V1: 1}
    deliveries = less(now.by_label("engawa_deliveries_total"), before.by_label("engawa_deliveries_total"))
    assert deliveries == {SSE: told[0], V1: told[1] + posted}
    assert now("engawa_messages_posted_total") - before("engawa_messages_posted_total") == posted


def test_only_the_token_opens_the_main_port(pair: list[Process]) -> None:
    with httpx.Client(base_url=pair[0].base) as http:
        nothing = http.get("/metric").status_code
        assert nothing == 404
        for authorization in ("", "Bearer", "Bearer a token for tests", "Basic a token for tests alone"):
            refused = http.get("/metrics", headers={"Authorization": authorization} if authorization else {})
            assert refused.status_code == nothing
            assert "engawa_" not in refused.text
        told = http.get("/metrics", headers={"Authorization": "Bearer a token for tests alone"})
        assert told.status_code == 200
        assert Scrape(told.text).names == scrape(pair[0].metrics_port).names
    assert httpx.get(f"http://127.0.0.1:{pair[0].metrics_port}/chat/").status_code == 404


def test_what_alerts_and_the_dashboard_ask_for_is_there(pair: list[Process]) -> None:
    there = scrape(pair[0].metrics_port).names | OF_PROMETHEUS
    asked = asked_for()
    assert all(asked.values())
    assert {name: names - there for name, names in asked.items() if names - there} == {}


def test_every_metric_of_ours_is_described_and_no_other(pair: list[Process]) -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(engawa_\w+)` \|", text, re.MULTILINE)) | {"engawa_build_info"}
    parts = re.compile(r"_(bucket|sum|count|created)$")
    there = {parts.sub("", name) for name in scrape(pair[0].metrics_port).names if name.startswith("engawa_")}
    assert there - {"engawa_build"} == described


def test_no_label_can_be_anything(pair: list[Process]) -> None:
    """Each line costs Prometheus memory for as long as it keeps it, and would tell what is nobody's business."""
    slug = make_room(pair[0].base, "nobodys business")
    httpx.get(f"{pair[0].base}/chat/{slug}/").raise_for_status()
    known = {
        "transport": {each.name for each in meters.TRANSPORTS},
        "kind": set(meters.followers),
        "outcome": {*meters.resumes, *meters.webhooks.counts()},
        "what": {*meters.layer_failures.counts(), *meters.grip.counts()},
        "code": {error.code for error in every_error()},
        "type": {"message"},
        "door": {"socket", "http"},
    }
    text = httpx.get(f"http://127.0.0.1:{pair[0].metrics_port}/metrics").text
    found = [sample for family in parser.text_string_to_metric_families(text) for sample in family.samples]
    labels = {pair for sample in found if sample.name.startswith("engawa_") for pair in sample.labels.items()}
    assert {pair for pair in labels if pair[0] not in ("le", "version") and pair[1] not in known[pair[0]]} == set()
    assert len(found) < 400
