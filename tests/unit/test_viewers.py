"""Who is on a stream of several rooms: each room's words whole, one ending leaves the others, slowness ends all."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

import chat.relays
from chat import actions, database, errors, governing, posting
from chat.database import in_database
from chat.identity import new_guest
from chat.limits import limits
from chat.models import Membership, Room, User
from chat.relays import relays
from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 15


@pytest_asyncio.fixture(autouse=True)
async def fresh_relays() -> AsyncIterator[None]:
    yield
    if chat.relays._current is not None and chat.relays._current.loop is asyncio.get_running_loop():
        await chat.relays._current.close()
        chat.relays._current = None
    await asyncio.to_thread(database.close)


def make_rooms(*names: str) -> list[Room]:
    olga = User.objects.create_user("olga")
    rooms = [actions.create_room(new_guest(), name)[0] for name in names]
    for room in rooms:
        Membership.objects.create(room=room, user=olga, role="owner")
    return rooms


class Stream:
    """A request to the application, and what it was answered. ``gate`` holds what has more to come."""

    def __init__(self, path: str, query: str = "", method: str = "GET") -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.status = 0
        self.body = b""
        self.has_ended = self.is_late = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.inbox: asyncio.Queue[dict] = asyncio.Queue()

    async def send(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if message.get("more_body"):
            await self.gate.wait()
        self.is_late = self.is_late or self.has_ended
        self.body += message["body"]
        self.has_ended = not message.get("more_body")

    async def until(self, *texts: str) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not all(text.encode() in self.body for text in texts):
                await asyncio.sleep(0.01)

    async def ended(self) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.has_ended:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def streaming(path: str, query: str = "") -> AsyncIterator[Stream]:
    stream = Stream(path, query)
    running = asyncio.create_task(application(stream.scope, stream.inbox.get, stream.send))
    try:
        yield stream
    finally:
        await stream.inbox.put({"type": "http.disconnect"})
        await running


async def say(room: Room, text: str) -> None:
    await in_database(posting.post, new_guest(), room.pk, text)


async def followers(*rooms: Room) -> list[int]:
    return [len((await relays().of(room.slug)).followers) for room in rooms]


async def test_one_slow_reader_of_several_rooms_ends_in_all_of_them_and_hurts_nobody(settings) -> None:
    settings.SLOW_SECONDS = 1
    one, two = await in_database(make_rooms, "one", "two")
    async with (
        streaming("/feeds/stream", "room=one&room=two") as slow,
        streaming("/feeds/stream", "room=one&room=two") as quick,
    ):
        for stream in (slow, quick):
            await stream.until("stream-open")
        slow.gate.clear()
        for number in range(5):
            await say(one, f"in one {number}")
            await say(two, f"in two {number}")
        await quick.until("in one 4", "in two 4")
        await slow.ended()
        assert b"in one" not in slow.body
        assert await followers(one, two) == [1, 1]
        slow.gate.set()
        await say(one, "afterwards")
        await quick.until("afterwards")
        ids = [line[4:] for line in quick.body.decode().splitlines() if line.startswith("id: ")]
        assert ids[-1] == "one:6,two:5"
        assert not slow.is_late
    assert await followers(one, two) == [0, 0]


async def test_nothing_comes_after_the_end_from_another_room() -> None:
    one, two = await in_database(make_rooms, "one", "two")
    async with streaming("/feeds/stream", "room=one&room=two") as stream:
        await stream.until("stream-open")
        (in_one,) = (await relays().of("one")).followers
        (in_two,) = (await relays().of("two")).followers
        stream.gate.clear()
        await say(two, "on its way")
        async with asyncio.timeout(WAIT_SECONDS):
            while in_two.task is None:
                await asyncio.sleep(0.01)
        (await relays().of("one")).dismiss(in_one, errors.GoingAway(retry_after=1))
        await stream.ended()
        assert await followers(one, two) == [0, 0]
        stream.gate.set()
        for _ in range(5):  # turns of the loop in which it could go on
            await asyncio.sleep(0)
        assert not stream.is_late
        assert b"on its way" not in stream.body


async def test_a_room_that_dropped_out_is_not_counted_any_more(settings) -> None:
    settings.CONNECTIONS_PER_ROOM = 5
    one, two = await in_database(make_rooms, "one", "two")
    olga = await in_database(lambda: User.objects.get(username="olga").identity)
    async with streaming("/feeds/stream", "room=one&room=two") as stream:
        await stream.until("stream-open")
        assert {f"room:{one.pk}", f"room:{two.pk}"} <= set(limits()._held)
        await in_database(governing.change_visibility, olga, one.pk, "private")
        await stream.until("stream-error")
        assert f"room:{one.pk}" not in limits()._held
        assert f"room:{two.pk}" in limits()._held
    assert f"room:{two.pk}" not in limits()._held


async def test_what_two_rooms_say_at_once_is_never_mixed() -> None:
    one, two = await in_database(make_rooms, "one", "two")
    async with streaming("/feeds/stream", "room=one&room=two") as stream:
        await stream.until("stream-open")
        stream.gate.clear()
        for number in range(10):
            await asyncio.gather(say(one, f"in one {number}"), say(two, f"in two {number}"))
        stream.gate.set()
        await stream.until("in one 9", "in two 9")
        blocks = [block for block in stream.body.decode().split("\n\n") if "event: message" in block]
        assert len(blocks) == 20
        places = {"one": 0, "two": 0}
        for block in blocks:
            cursor, type, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert (type, event["id"]) == ("event: message", places[event["room"]] + 1)
            places[event["room"]] = event["id"]
            assert cursor == f"id: one:{places['one']},two:{places['two']}"


async def test_the_last_room_that_closes_ends_the_stream() -> None:
    one, two = await in_database(make_rooms, "one", "two")
    olga = await in_database(lambda: User.objects.get(username="olga").identity)
    async with streaming("/feeds/stream.ndjson", "room=one&room=two") as stream:
        await stream.until('"open","room":"two"')
        await in_database(governing.change_visibility, olga, one.pk, "private")
        await stream.until('{"type":"error","room":"one","code":"room.not_found"')
        assert await followers(one, two) == [0, 1]
        await say(two, "goes on")
        await stream.until("goes on")
        await in_database(governing.change_visibility, olga, two.pk, "private")
        await stream.ended()
        assert json.loads(stream.body.splitlines()[-1])["room"] == "two"


LAST_WORDS = {
    "/feeds/one/stream.sse": "event: going-away",
    "/feeds/one/stream.ndjson": '{"type":"going-away","retry_after":',
    "/feeds/one/stream.txt": "It goes on with ?lastEventId=one:1",
    "/feeds/one/stream.html": '<a href="?lastEventId=one:1">Go on</a>',
    "/feeds/stream?room=one&room=two": "event: going-away",
    "/feeds/stream.ndjson?room=one&room=two": '{"type":"going-away","retry_after":',
    "/feeds/stream.txt?room=one&room=two": "It goes on with ?lastEventId=one:1,two:0",
    "/feeds/stream.html?room=one&room=two": '<a href="?room=one&amp;room=two&amp;lastEventId=one:1,two:0">Go on</a>',
}


@pytest.mark.parametrize("address", LAST_WORDS)
async def test_a_planned_end_is_told_in_each_forms_words(address: str) -> None:
    one = (await in_database(make_rooms, "one", "two"))[0]
    path, _, query = address.partition("?")
    async with streaming(path, query) as stream:
        while await followers(one) == [0]:
            await asyncio.sleep(0.01)
        await say(one, "heard")
        await stream.until("heard")
        await relays().drain()
        await stream.ended()
    assert LAST_WORDS[address] in stream.body.decode()
    assert stream.body.decode().count('"type":"going-away"') <= 1
    refused = Stream(path, query)
    await application(refused.scope, refused.inbox.get, refused.send)
    assert refused.status == 503, "who comes now is sent elsewhere"


async def test_where_no_room_is_left_the_answer_is_that_for_one() -> None:
    await in_database(make_rooms, "one")
    for path, query in (("/feeds/nowhere/stream", ""), ("/feeds/stream", "room=nowhere&room=neither")):
        stream = Stream(path, query)
        await application(stream.scope, stream.inbox.get, stream.send)
        assert (stream.status, json.loads(stream.body)["error"]["code"]) == (404, errors.RoomNotFound.code)
