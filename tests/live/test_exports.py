"""Transcripts of a long history, taken from a real server: whole, in bounded memory, by slow readers, and cut off where
somebody may not read on."""

import asyncio
import csv
import io
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from bench.long_history import fill_postgres, fill_sqlite, mid_of
from tests.clients import participant
from tests.live.test_resources import database_files
from tests.parts import LONG
from tests.people import browsing, cookies_of
from tests.servers import Engawa, Postgres

MESSAGES = 1_000_000 if LONG else 100_000
MOST_BYTES = 64 * 1024 * 1024
SLOW_READERS = 300 if LONG else 60
PATIENCE_SECONDS = 60
FORMS = ("html", "txt", "csv", "jsonl")
PREPARE = """
from chat import actions
from chat.models import Membership, User
from tests.people import PASSWORD
olga = User.objects.create_user('olga', password=PASSWORD)
mio = User.objects.create_user('mio', password=PASSWORD)
for slug in ('long', 'closing', 'shrinking'):
    room, _ = actions.create_room(olga.identity, slug)
    Membership.objects.create(room=room, user=mio)
"""
CLOSE = """
from chat import governing
from chat.models import Room, User
governing.change_visibility(User.objects.get(username='olga').identity, Room.objects.get(slug='closing').pk, 'private')
"""
DELETE = """
from chat import actions
from chat.models import Room, User
room = Room.objects.get(slug='shrinking')
actions.delete(User.objects.get(username='olga').identity, room.pk, room.last_mid)
"""


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    folder = tmp_path_factory.mktemp("long")
    engawa = Engawa(folder)
    engawa.shell(PREPARE)
    fill_sqlite(folder / "db.sqlite3", "long", MESSAGES)
    yield engawa
    engawa.stop()


class Growth:
    """How much more memory a process has than it had, at most."""

    def __init__(self, server: Engawa) -> None:
        self._process = psutil.Process(server.pid)
        self._before = self._process.memory_info().rss
        self.most = 0

    def look(self) -> None:
        self.most = max(self.most, self._process.memory_info().rss - self._before)


def taken(server: Engawa, slug: str, form: str) -> tuple[str, int, int]:
    """The beginning and the end of a transcript, how many messages are in it, and how much memory that took."""
    mark = {"html": b'<li id="m-', "txt": b"\n[", "csv": b"\r\nmessage,", "jsonl": b'{"type":"message",'}[form]
    httpx.get(f"{server.base}/feeds/{slug}/export.{form}?to={mid_of(300)}")  # what is loaded at the first
    growth = Growth(server)
    first, tail, count = b"", b"", 0
    with httpx.stream("GET", f"{server.base}/feeds/{slug}/export.{form}", timeout=PATIENCE_SECONDS) as answer:
        assert answer.status_code == 200
        assert answer.headers["Engawa-Messages"] == str(MESSAGES)
        for piece in answer.iter_bytes():
            first = first or piece
            content = tail + piece
            count += content.count(mark)
            tail = content[max(content.rfind(mark) + len(mark), len(content) - 200) :] if mark in content else content
            tail = tail[-200:]
            growth.look()
    return first.decode() + tail.decode(), count, growth.most


@pytest.mark.parametrize("form", FORMS)
def test_a_long_history_is_taken_in_little_memory(long_server: Engawa, form: str) -> None:
    text, count, growth = taken(long_server, "long", form)
    assert (count, growth < MOST_BYTES) == (MESSAGES, True), f"{growth:,} bytes"
    assert str(MESSAGES) in text.splitlines()[-1 if form in ("csv", "jsonl", "txt") else -3]
    assert "omplete" in text[-200:]
    assert "ncomplete" not in text


if LONG:

    @pytest.mark.parametrize("form", FORMS)
    def test_a_long_history_is_taken_from_postgres(long_on_postgres: Engawa, form: str) -> None:
        _, count, growth = taken(long_on_postgres, "lobby", form)
        assert (count, growth < MOST_BYTES) == (MESSAGES, True), f"{growth:,} bytes"


@pytest.fixture(scope="module")
def long_on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Engawa]:
    url = postgres.fresh_database()
    engawa = Engawa(tmp_path_factory.mktemp("long_on_postgres"), DATABASE_URL=url)
    fill_postgres(url, "lobby", MESSAGES)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE chat_message")
    yield engawa
    engawa.stop()


class Items(HTMLParser):
    """What a page has in it."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "srcset", "poster", "data") or (tag == "link" and name == "href"):
                self.outside.append(value or "")


def test_every_form_is_what_it_says_it_is(long_server: Engawa) -> None:
    wanted = [mid_of(number) for number in range(100, 111)]
    span = f"from={wanted[0]}&to={wanted[-1]}"
    files = {form: httpx.get(f"{long_server.base}/feeds/long/export.{form}?{span}") for form in FORMS}
    lines = [json.loads(line) for line in files["jsonl"].text.splitlines()]
    assert [line["mid"] for line in lines[1:-1]] == wanted
    assert (lines[0]["type"], lines[0]["total"], lines[-1]) == ("transcript", 11, {"type": "complete", "messages": 11})
    rows = list(csv.DictReader(io.StringIO(files["csv"].content.decode("utf-8-sig"), newline="")))
    assert [row["mid"] for row in rows if row["type"] == "message"] == wanted
    assert (rows[-1]["type"], rows[-1]["message"]) == ("complete", "11 messages")
    page = Items()
    page.feed(files["html"].text)
    assert page.ids == [f"m-{mid}" for mid in wanted]
    assert page.outside == []
    assert [line[:21] for line in files["txt"].text.splitlines() if line.startswith("[")] == [
        f"[2026-01-01 00:0{number // 60}:{number % 60:02}]" for number in range(100, 111)
    ]
    for form, file in files.items():
        assert file.headers["Content-Disposition"] == f'attachment; filename="long-2026-01-01-2026-01-01.{form}"'
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in file.headers


def test_what_is_no_transcript(long_server: Engawa) -> None:
    base = f"{long_server.base}/feeds"
    for path, status in (
        ("long/export.exe", 404),
        ("nowhere/export.csv", 404),
        ("long/export.csv?from=yesterday", 400),
        ("long/export.csv?to=2026-02-30", 400),
        ("long/export.csv?from=9999-12-31&to=9999-12-31", 400),
    ):
        assert httpx.get(f"{base}/{path}").status_code == status, path
    assert httpx.post(f"{base}/long/export.csv").status_code == 405
    assert httpx.options(f"{base}/long/export.csv").headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert httpx.get(f"{base}/long/export.csv", headers={"Host": "evil.example"}).status_code == 400
    assert httpx.get(f"{base}/long/export.csv", headers={"Authorization": "Bearer x"}).status_code == 401
    head = httpx.head(f"{base}/long/export.csv")
    assert (head.status_code, head.headers["Engawa-Messages"], head.text) == (200, str(MESSAGES), "")
    nothing = httpx.get(f"{base}/long/export.jsonl?to=2025-01-01").text.splitlines()
    assert [json.loads(line)["type"] for line in nothing] == ["transcript", "complete"]


# Slow readers -----------------------------------------------------------------------------------------------

Reading = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def begun(server: Engawa, count: int, slug: str = "long", form: str = "jsonl") -> AsyncIterator[list[Reading]]:
    """Readers who have read the beginning of a transcript, and pause."""
    request = f"GET /feeds/{slug}/export.{form} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    readings: list[Reading] = []
    try:
        for _ in range(count):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", server.port))
            readings.append(await asyncio.open_connection(sock=connection, limit=4096))
            readings[-1][1].write(request)
        for reader, _ in readings:
            await asyncio.wait_for(reader.readuntil(b'"type":"transcript"'), PATIENCE_SECONDS)
        yield readings
    finally:
        for _, writer in readings:
            writer.transport.abort()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """The last of what is still to come."""
    tail = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while piece := await reader.read(1 << 20):
            tail = (tail + piece)[-4000:]
            if tail.endswith(b"0\r\n\r\n"):
                break
    return tail


async def test_slow_readers_hold_no_thread_and_no_connection_and_hurt_nobody(long_server: Engawa) -> None:
    process = psutil.Process(long_server.pid)
    async with participant(long_server.sockets, "long") as somebody:
        async with begun(long_server, 5):
            for number in range(10):
                await somebody.post(f"warm {number}")
        threads, files = process.num_threads(), database_files(process)
        async with begun(long_server, SLOW_READERS) as readings:
            assert (await somebody.post("while they read"))["type"] == "posted"
            assert process.num_threads() <= max(threads, 20)
            assert database_files(process) <= files + 8
            async with httpx.AsyncClient() as http:
                page = await http.get(f"{long_server.base}/feeds/long/", timeout=PATIENCE_SECONDS)
                assert "while they read" in page.text
            for _, writer in readings[1:]:  # it would have its turn once after each of theirs
                writer.transport.abort()
            tail = await rest_of(readings[0][0])
            assert b'"type":"complete"' in tail
            assert b"while they read" not in tail, "it was said after the transcript was begun"


@pytest.fixture(scope="module")
def short_rooms(long_server: Engawa) -> Engawa:
    """Rooms whose histories are longer than all buffers between here and there."""
    path = Path(long_server.log).parent / "db.sqlite3"
    for number, slug in enumerate(("closing", "shrinking"), 1):
        fill_sqlite(path, slug, 60_000, since=number * 2_000_000)
    return long_server


async def test_who_may_not_read_any_more_gets_no_further(short_rooms: Engawa) -> None:
    async with begun(short_rooms, 1, "closing") as ((reader, _),):
        await asyncio.to_thread(short_rooms.shell, CLOSE)
        tail = await rest_of(reader)
    assert b'"type":"incomplete"' in tail
    assert b"There is no such room" in tail
    assert httpx.get(f"{short_rooms.base}/feeds/closing/export.jsonl").status_code == 404
    assert httpx.get(f"{short_rooms.base}/chat/closing/export.jsonl").status_code == 404
    with browsing(short_rooms, "mio") as http:
        mine = httpx.get(f"{short_rooms.base}/chat/closing/export.jsonl", headers={"Cookie": cookies_of(http)})
    assert mine.text.endswith('{"type":"complete","messages":60000}\n')
    assert "Access-Control-Allow-Origin" not in mine.headers


async def test_what_is_deleted_meanwhile_is_not_in_what_is_still_to_come(short_rooms: Engawa) -> None:
    last = mid_of(2_000_000 * 2 + 60_000 - 1).encode()
    async with begun(short_rooms, 1, "shrinking") as ((reader, _),):
        await asyncio.to_thread(short_rooms.shell, DELETE)
        tail = await rest_of(reader)
    assert last not in tail
    assert b'{"type":"complete","messages":59999}' in tail


def test_the_log_is_clean(long_server: Engawa) -> None:
    assert "Traceback" not in long_server.output()
