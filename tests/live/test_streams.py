"""The stream as readers meet it."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from tests.clients import participant, viewer
from tests.servers import Engawa


async def test_what_a_stream_says(server: Engawa) -> None:
    async with viewer(server.base) as watching:
        headers = watching.response.headers
        assert headers["content-type"] == "text/event-stream"
        assert headers["access-control-allow-origin"] == "*"
        assert headers["cache-control"] == "no-store"
        assert headers["x-accel-buffering"] == "no"
        assert "set-cookie" not in headers
        assert watching.opened["event"] == "stream-open"
        assert watching.opened["retry"] == "3000"
        cursor = watching.opened["id"]
        async with participant(server.sockets) as somebody:
            posted = await somebody.post("line one\nline two")
        block = await watching.block()
        assert block["event"] == "message"
        assert block["id"] == f"lobby:{posted['id']}"
        assert json.loads(block["data"])["message"] == "line one\nline two"
    async with viewer(server.base, last_id=cursor) as again:
        assert "id" not in again.opened
        assert (await again.event())["mid"] == posted["mid"]


async def test_a_viewer_cut_off_for_a_hundred_messages_misses_none(servers: tuple[Engawa, Engawa]) -> None:
    one, two = servers
    async with viewer(one.base) as watching, participant(one.sockets) as somebody:
        await somebody.post("before")
        await watching.events_until("before")
        last_id = watching.last_id
    async with participant(two.sockets) as somebody:
        for number in range(100):
            await somebody.post(f"missed {number}")
        for server in servers:
            async with viewer(server.base, last_id=last_id) as back:
                await somebody.post("live")
                texts = [event["message"] for event in await back.events_until("live")]
                assert texts[:100] == [f"missed {number}" for number in range(100)]
                assert set(texts[100:]) == {"live"}


async def test_the_header_beats_the_address(server: Engawa) -> None:
    async with participant(server.sockets) as somebody:
        first = await somebody.post("one")
        await somebody.post("two")
    path = f"/feeds/lobby/stream?lastEventId=lobby:{first['id'] - 1}"
    async with viewer(server.base, path=path) as watching:
        assert (await watching.event())["message"] == "one"
    async with viewer(server.base, path=path, last_id=f"lobby:{first['id']}") as watching:
        assert (await watching.event())["message"] == "two"


async def test_history_comes_first(server: Engawa) -> None:
    async with participant(server.sockets) as somebody:
        for number in range(4):
            await somebody.post(f"earlier {number}")
        async with viewer(server.base, path="/feeds/lobby/stream?history=2") as watching:
            for expected in ("earlier 2", "earlier 3"):
                block = await watching.block()
                assert block["event"] == "message"
                assert "id" not in block
                assert json.loads(block["data"])["message"] == expected
            await somebody.post("now")
            assert (await watching.event())["message"] == "now"


@pytest.fixture
def own_server(tmp_path: Path):
    engawa = Engawa(tmp_path)
    yield engawa
    engawa.stop()


async def test_away_for_longer_than_the_log_reaches_is_one_reset(own_server: Engawa) -> None:
    async with participant(own_server.sockets) as somebody:
        for number in range(20):
            await somebody.post(f"{number}")
        own_server.manage("prune", "--keep", "5")
        async with viewer(own_server.base, last_id="lobby:3") as watching:
            # The ring of the running process may still reach back. A process that starts now cannot.
            first = await watching.block()
        assert first["event"] in ("message", "stream-reset")
    own_server.stop()
    fresh = Engawa(own_server.log.parent, "fresh")
    try:
        async with viewer(fresh.base, last_id="lobby:3") as watching, participant(fresh.sockets) as somebody:
            await somebody.post("after")
            block = await watching.block()
            assert (block["event"], block["id"]) == ("stream-reset", "lobby:20")
            assert json.loads(block["data"]) == {"channels": ["lobby"]}
            events = await watching.events_until("after")
            assert [event["id"] for event in events] == [21]
    finally:
        fresh.stop()


async def test_a_database_restored_meanwhile_is_one_reset(tmp_path: Path) -> None:
    server = Engawa(tmp_path, "before")
    async with participant(server.sockets) as somebody:
        for number in range(5):
            await somebody.post(f"kept {number}")
    server.stop()
    backup = tmp_path / "backup.sqlite3"
    shutil.copy(tmp_path / "db.sqlite3", backup)
    server = Engawa(tmp_path, "between")
    async with participant(server.sockets) as somebody, viewer(server.base) as watching:
        for number in range(5):
            await somebody.post(f"lost {number}")
        await watching.events_until("lost 4")
        last_id = watching.last_id
    server.stop()
    for leftover in ("db.sqlite3-wal", "db.sqlite3-shm"):
        (tmp_path / leftover).unlink(missing_ok=True)
    shutil.copy(backup, tmp_path / "db.sqlite3")
    assert "restarted" in server.manage("restart_logs")
    server = Engawa(tmp_path, "after")
    try:
        async with participant(server.sockets) as somebody:
            # More than were lost: by number alone the old cursor would look good again.
            for number in range(10):
                await somebody.post(f"new {number}")
            async with viewer(server.base, last_id=last_id) as watching:
                assert (await watching.block())["event"] == "stream-reset"
                await somebody.post("after")
                assert [event["message"] for event in await watching.events_until("after")] == ["after"]
    finally:
        server.stop()


@pytest.mark.parametrize(
    "cursor", ["x", "lobby", "lobby:", "lobby:x", "lobby:-1", "lobby:1:2", "lobby:" + "9" * 19, "error", "lobby:１"]
)
def test_rubbish_for_a_cursor_is_400_with_a_sentence(server: Engawa, cursor: str) -> None:
    for request in (
        {"headers": {"Last-Event-ID": cursor.encode()}},
        {"params": {"lastEventId": cursor}},
    ):
        answer = httpx.get(f"{server.base}/feeds/lobby/stream", **request)
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        assert error["code"] == "cursor.invalid"
        assert error["detail"].endswith(".")


@pytest.mark.parametrize("parameters", ["es-meta=x", "recover=true", "link=next", "es-meta=&recover=true&link=next"])
async def test_what_only_a_proxy_may_say_is_not_heard(server: Engawa, parameters: str) -> None:
    async with viewer(server.base, path=f"/feeds/lobby/stream?{parameters}") as watching:
        assert watching.opened["event"] == "stream-open"


def test_other_methods(server: Engawa) -> None:
    url = f"{server.base}/feeds/lobby/stream"
    head = httpx.head(url)
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream")
    preflight = httpx.options(url, headers={"Origin": "https://example.org"})
    assert preflight.status_code == 204
    assert "last-event-id" in preflight.headers["access-control-allow-headers"]
    assert httpx.post(url).status_code == 405
    assert httpx.post(url).headers["allow"] == "GET, HEAD, OPTIONS"
    twin = httpx.options(f"{server.base}/chat/lobby/stream")
    assert "access-control-allow-origin" not in twin.headers


def test_a_foreign_host_is_refused(server: Engawa) -> None:
    answer = httpx.get(f"{server.base}/feeds/lobby/stream", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "host.invalid"


async def test_the_twin_is_for_people(server: Engawa) -> None:
    async with viewer(server.base, path="/chat/lobby/stream") as watching:
        assert "access-control-allow-origin" not in watching.response.headers
        async with participant(server.sockets) as somebody:
            await somebody.post("both")
        assert (await watching.event())["message"] == "both"
