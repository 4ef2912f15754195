"""Replays after the event: everything once and in order, at the speed that was asked for, as it stands by then."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import httpx
import psutil
import pytest

from bench.long_history import fill_sqlite, mid_of
from tests.clients import Viewer, participant, viewer
from tests.live.test_gone import ask
from tests.live.test_resources import database_files
from tests.people import browsing, cookies_of
from tests.servers import Engawa

MESSAGES = 20
MIDS = [mid_of(number) for number in range(200 * MESSAGES)]
ROOMS = ("told", "losing", "closing", "secret", "silent")
PREPARE = f"""
from chat import actions, governing
from chat.models import Membership, User
from tests.people import PASSWORD
olga = User.objects.create_user('olga', password=PASSWORD)
mio = User.objects.create_user('mio', password=PASSWORD)
for slug in {ROOMS}:
    room, _ = actions.create_room(olga.identity, slug)
    Membership.objects.create(room=room, user=mio)
    if slug == 'secret':
        governing.change_visibility(olga.identity, room.pk, 'private')
"""
IN_ROOM = """
from chat import actions, governing
from chat.models import Room, User
olga, room = User.objects.get(username='olga').identity, Room.objects.get(slug={0!r})
{1}
"""


@pytest.fixture(scope="module")
def past(server: Engawa) -> Engawa:
    """A server with rooms in each of which MESSAGES were said, one a second."""
    server.shell(PREPARE)
    for number, slug in enumerate(ROOMS):
        fill_sqlite(Path(server.log).parent / "db.sqlite3", slug, MESSAGES, since=number * MESSAGES)
    return server


def mids_of(slug: str) -> list[str]:
    first = ROOMS.index(slug) * MESSAGES
    return MIDS[first : first + MESSAGES]


@asynccontextmanager
async def replay(server: Engawa, slug: str, query: str = "", last_id: str | None = None) -> AsyncIterator[Viewer]:
    async with viewer(server.base, path=f"/feeds/{slug}/replay/stream?{query}", last_id=last_id) as telling:
        yield telling


async def until(telling: Viewer, event: str) -> list[dict[str, str]]:
    """The blocks up to the next of a kind."""
    blocks = [await telling.block()]
    while blocks[-1] and blocks[-1]["event"] != event:
        blocks.append(await telling.block())
    assert blocks[-1], "the stream ended"
    return blocks


def messages_in(blocks: list[dict[str, str]]) -> list[dict]:
    return [json.loads(block["data"]) for block in blocks if block["event"] == "message"]


async def test_everything_is_told_again_once_and_in_order(past: Engawa) -> None:
    async with replay(past, "told", "speed=max") as telling:
        opened = json.loads(telling.opened["data"])
        assert (opened["from"], opened["to"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:19.000Z")
        blocks = await until(telling, "replay-end")
        assert [message["mid"] for message in messages_in(blocks)] == mids_of("told")
        assert [block["id"] for block in blocks] == [*mids_of("told"), mids_of("told")[-1]]
        assert "<em>nothing</em>" in messages_in(blocks)[0]["html"]
    again = {"Last-Event-ID": mids_of("told")[-1]}
    assert httpx.get(f"{past.base}/feeds/told/replay/stream", headers=again).status_code == 204


async def test_it_takes_as_long_as_it_took_or_as_is_wished(past: Engawa) -> None:
    began = monotonic()
    async with replay(past, "told", f"speed=10&to={mids_of('told')[8]}") as telling:
        told = messages_in(await until(telling, "replay-end"))
    assert len(told) == 9
    assert monotonic() - began >= 0.8


async def test_who_pauses_goes_on_from_there(past: Engawa) -> None:
    async with replay(past, "told", "speed=100") as telling:
        for _ in range(5):
            await telling.block()
        cursor = telling.last_id
    assert cursor == mids_of("told")[4]
    async with replay(past, "told", "speed=max", last_id=cursor) as telling:
        told = messages_in(await until(telling, "replay-end"))
    assert [message["mid"] for message in told] == mids_of("told")[5:]
    async with replay(past, "told", f"speed=max&from={mids_of('told')[3]}&lastEventId={mids_of('told')[1]}") as telling:
        told = messages_in(await until(telling, "replay-end"))
    assert [message["mid"] for message in told] == mids_of("told")[3:]


async def test_what_is_deleted_meanwhile_is_not_told_and_taken_back_where_it_was(past: Engawa) -> None:
    first, *_, later = mids_of("losing")[:8]
    with browsing(past, "olga") as http:
        cookie = cookies_of(http)
    async with (
        participant(past.sockets, "losing", cookie=cookie) as olga,
        replay(past, "losing", "speed=4") as telling,
    ):
        assert messages_in([await telling.block()])[0]["mid"] == first
        for mid in (first, later):  # long before that one's time comes
            await ask(olga, type="delete", mid=mid)
        blocks = []
        while not [block for block in blocks if block.get("id") == mids_of("losing")[8]]:
            blocks.append(await telling.block())
    assert [json.loads(block["data"])["mid"] for block in blocks if block["event"] == "message.deleted"] == [first]
    assert [message["mid"] for message in messages_in(blocks)] == [*mids_of("losing")[1:7], mids_of("losing")[8]]


async def test_a_silence_is_cut_short_and_that_is_said(past: Engawa) -> None:
    async with participant(past.sockets, "silent") as somebody:
        await somebody.post("months later")
    async with replay(past, "silent", "speed=1000&gap=0.1") as telling:
        blocks = await until(telling, "replay-end")
    (gap,) = [json.loads(block["data"]) for block in blocks if block["event"] == "replay-gap"]
    assert gap["seconds"] > 24 * 3600
    assert messages_in(blocks)[-1]["message"] == "months later"


async def test_who_may_not_read_any_more_is_let_go_at_once(past: Engawa) -> None:
    async with replay(past, "closing", "speed=0.1") as telling:
        await telling.block()
        code = "governing.change_visibility(olga, room.pk, 'private')"
        await asyncio.to_thread(past.shell, IN_ROOM.format("closing", code))
        (*_, ended) = await until(telling, "stream-error")
        assert json.loads(ended["data"])["text"] == "There is no such room."
        assert await telling.block() == {}
    assert httpx.get(f"{past.base}/feeds/closing/replay/stream?speed=max").status_code == 404


def test_members_are_told_of_what_was_said_in_private(past: Engawa) -> None:
    address = f"{past.base}/chat/secret/replay/stream?speed=max"
    assert httpx.get(address).status_code == 404
    assert httpx.get(address.replace("/chat/", "/feeds/")).status_code == 404
    with browsing(past, "mio") as http:
        told = httpx.get(address, headers={"Cookie": cookies_of(http)})
    assert told.text.count("\nevent: message\n") + told.text.startswith("event: message\n") == MESSAGES
    assert "Access-Control-Allow-Origin" not in told.headers


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(("speed=0", 400), ("speed=nan", 400), ("speed=-1", 400), ("speed=1e9", 400), ("speed=x", 400)),
        *(("from=x", 400), ("lastEventId=told:3", 400), (f"lastEventId={'8' * 26}", 400), ("to=2001-01-01", 204)),
        *(("gap=-1", 400), (f"from={'Z' * 26}", 400), ("ticket=x", 401)),
    ],
)  # fmt: skip
def test_what_is_no_replay(past: Engawa, query: str, status: int) -> None:
    assert httpx.get(f"{past.base}/feeds/told/replay/stream?{query}").status_code == status


async def test_replays_that_wait_hold_no_thread_and_no_connection(past: Engawa) -> None:
    process = psutil.Process(past.pid)
    async with participant(past.sockets, "told") as somebody:
        for number in range(10):
            await somebody.post(f"warm {number}")
        threads, files = process.num_threads(), database_files(process)
        tellings = [replay(past, "told", "speed=0.1") for _ in range(50)]
        for telling in tellings:
            assert (await (await telling.__aenter__()).block())["id"] == mids_of("told")[0]
        try:
            assert process.num_threads() <= max(threads, 20)
            assert database_files(process) <= files + 8
            assert (await somebody.post("while they wait"))["type"] == "posted"
        finally:
            for telling in tellings:
                await telling.__aexit__(None, None, None)


def test_the_log_is_clean(past: Engawa) -> None:
    assert "Traceback" not in past.output()
