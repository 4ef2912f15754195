"""Each limit, at its door."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bench.long_history import fill_sqlite
from tests.clients import PATIENCE_SECONDS, participant, viewer
from tests.servers import Engawa

ADDRESS = {"X-Forwarded-For": "203.0.113.5"}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[tuple[Engawa, Engawa]]:
    """Two processes that allow little, behind a proxy on this machine."""
    folder = tmp_path_factory.mktemp("strict")
    settings = {
        "REDIS_URL": redis_url,
        "TRUSTED_PROXIES": "127.0.0.0/8",
        "POSTS_PER_MINUTE": "4",
        "FRAMES_PER_SECOND": "1",
        "STREAMS_PER_ADDRESS": "2",
        "EXPORTS_PER_ADDRESS": "1",
        "CONNECTIONS_PER_ROOM": "6",
    }
    one, two = Engawa(folder, "one", **settings), Engawa(folder, "two", **settings)
    yield one, two
    one.stop()
    two.stop()


async def test_posts_are_counted_by_author_on_every_process(strict: tuple[Engawa, Engawa]) -> None:
    one, two = strict
    with httpx.Client(base_url=one.base) as http:
        http.get("/chat/lobby/")
        guest = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    async with participant(one.sockets, cookie=guest) as here, participant(two.sockets, cookie=guest) as there:
        for number in range(4):
            assert (await (here, there)[number % 2].post(f"{number}"))["type"] == "posted"
        for socket in (here, there):
            refused = await socket.post("one too many")
            assert (refused["code"], refused["retryable"]) == ("limit.posts", True)
            assert 0 < refused["retry_after"] <= 15
        async with participant(one.sockets) as somebody_else:
            assert (await somebody_else.post("mine"))["type"] == "posted"


async def test_frames_are_counted_by_connection(strict: tuple[Engawa, Engawa]) -> None:
    async with participant(strict[0].sockets) as somebody:
        for _ in range(12):
            await somebody.send(type="ping")
        assert (await somebody.until("error"))["code"] == "limit.frames"
        assert await somebody.closed() == 4009


async def test_streams_are_counted_by_address_on_every_process(strict: tuple[Engawa, Engawa]) -> None:
    one, two = strict
    async with viewer(one.base, headers=ADDRESS), viewer(two.base, headers=ADDRESS):
        for server in strict:
            async with viewer(server.base, headers=ADDRESS) as refused:
                assert refused.response.status_code == 429
                assert int(refused.response.headers["retry-after"]) > 0
        async with viewer(one.base, headers={"X-Forwarded-For": "203.0.113.6"}) as another:
            assert another.response.status_code == 200


async def test_connections_are_counted_by_room(strict: tuple[Engawa, Engawa]) -> None:
    one, two = strict
    one.shell(
        "from chat import actions; from chat.identity import new_guest; actions.create_room(new_guest(), 'small')"
    )
    async with (
        participant(one.sockets, "small"),
        participant(two.sockets, "small"),
        participant(two.sockets, "small"),
        viewer(one.base, "small"),
        viewer(two.base, "small"),
        viewer(two.base, "small"),
    ):
        async with participant(one.sockets, "small") as refused:
            assert refused.refusal["code"] == "limit.connections"
            assert await refused.closed() == 4504
        async with viewer(one.base, "small") as refused:
            assert refused.response.status_code == 429


async def test_sockets_are_counted_by_address(tmp_path) -> None:
    server = Engawa(tmp_path, TRUSTED_PROXIES="127.0.0.1", CONNECTIONS_PER_ADDRESS="1")
    try:
        async with participant(server.sockets, headers=ADDRESS):
            async with participant(server.sockets, headers=ADDRESS) as refused:
                assert await refused.closed() == 4504
            async with participant(server.sockets) as from_here:
                assert from_here.welcome
        async with participant(server.sockets, headers=ADDRESS) as again:
            assert again.welcome
    finally:
        server.stop()


async def test_transcripts_are_counted_by_address_on_every_process(strict: tuple[Engawa, Engawa]) -> None:
    one, two = strict
    address = f"{one.base}/feeds/lobby/export.jsonl"
    fill_sqlite(Path(one.log).parent / "db.sqlite3", "lobby", 60_000)  # more than fits between here and there
    async with httpx.AsyncClient(headers=ADDRESS) as http, http.stream("GET", address):
        for server in strict:
            refused = await http.get(f"{server.base}/feeds/lobby/export.csv")
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "limit.connections")
    async with httpx.AsyncClient(headers=ADDRESS) as http:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await http.get(f"{two.base}/feeds/lobby/export.csv?to=2001-01-01")).status_code == 429:
                await asyncio.sleep(0.05)


async def test_replays_are_counted_with_the_streams(strict: tuple[Engawa, Engawa]) -> None:
    # Two messages a second apart, so that telling them at a tenth of the speed takes ten.
    strict[0].shell(
        "from time import sleep; from chat import actions, posting; from chat.identity import new_guest\n"
        "room, _ = actions.create_room(new_guest(), 'told')\n"
        "posting.post(new_guest(), room.pk, 'early'); sleep(1); posting.post(new_guest(), room.pk, 'late')"
    )
    path = "/feeds/told/replay/stream?speed=0.1"
    async with viewer(strict[0].base, headers=ADDRESS), viewer(strict[1].base, headers=ADDRESS, path=path) as telling:
        assert telling.opened["event"] == "replay-open"
        async with viewer(strict[0].base, headers=ADDRESS, path=path) as refused:
            assert refused.response.status_code == 429
