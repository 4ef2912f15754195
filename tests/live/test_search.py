"""Searching beside a server that goes on: at once, on both databases, and without a trace."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients import participant
from tests.servers import Engawa, Postgres

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    settings = {}
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings["DATABASE_URL"] = postgres.fresh_database()
    engawa = Engawa(tmp_path_factory.mktemp(f"search-{request.param}"), **settings)
    yield engawa
    engawa.stop()


def found(server: Engawa, words: str) -> list[str]:
    answer = httpx.get(f"{server.base}/feeds/lobby/search", params={"q": words}, headers=JSON)
    return [message["message"] for message in answer.json()["messages"]]


async def test_what_was_acknowledged_is_found_and_what_was_deleted_is_not(server: Engawa) -> None:
    async with participant(server.sockets, "lobby") as somebody:
        for number in range(20):
            mid = (await somebody.post(f"第{number}回 東京タワー plover"))["mid"]
            assert found(server, f"第{number}回 タワ plo") == [f"第{number}回 東京タワー plover"]
        await somebody.send(type="delete", mid=mid, key="0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11")
        await somebody.until("done")
        assert found(server, "第19回") == []
        assert len(found(server, "東京")) == 19


async def test_the_index_is_made_anew_beside_the_server(server: Engawa) -> None:
    async with participant(server.sockets, "lobby") as somebody:
        await somebody.post("a heron")
        assert "the index is complete" in server.manage("reindex", "--restart")
        await somebody.post("another heron")
    assert found(server, "heron") == ["another heron", "a heron"]


def test_what_is_looked_for_is_in_no_log(server: Engawa) -> None:
    for path in ("/feeds/lobby/search", "/chat/lobby/search", "/chat/nowhere/search", "/chat/lobby/search/"):
        for words in ("kingfisher", "kingfisher" * 30):
            httpx.get(server.base + path, params={"q": words})
    log = Path(server.log).read_text()
    assert "kingfisher" not in log
    assert "Traceback" not in log
