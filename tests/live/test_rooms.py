"""One room, seen through every door at once: same messages, same order, live."""

import asyncio
import json
from contextlib import AsyncExitStack

import httpx
import pytest
import websockets
from django.utils import translation

from chat import errors
from tests.clients import PATIENCE_SECONDS, participant, viewer
from tests.people import browsing, cookies_of, submit
from tests.servers import Engawa

A_ROOM_THAT_SHOWS_TYPING = """
from chat import actions, governing
from chat.identity import new_guest
room, _ = actions.create_room(new_guest(), "typing")
governing.change_room(None, room.pk, {"shows_typing": True})
print(room.slug)
"""


@pytest.fixture(params=["one process", "two processes"])
def doors(request: pytest.FixtureRequest) -> tuple[Engawa, Engawa]:
    if request.param == "one process":
        server = request.getfixturevalue("server")
        return server, server
    return request.getfixturevalue("servers")


async def test_everybody_sees_the_same_in_the_same_order(doors: tuple[Engawa, Engawa]) -> None:
    one, two = doors
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        people = [await enter(participant(server.sockets)) for server in (one, two, one)]
        watching = [await enter(viewer(server.base)) for server in (one, two)]
        plain = await enter(websockets.connect(f"{two.sockets}/ws/chat/lobby/"))

        async def write(name: int) -> None:
            async with participant((one, two)[name % 2].sockets) as writer:
                for number in range(10):
                    assert (await writer.post(f"{name}: {number}"))["type"] == "posted"

        await asyncio.gather(*(write(name) for name in range(4)))
        async with participant(one.sockets) as last:
            await last.post("the end")
        seen = await asyncio.gather(*(follower.events_until("the end") for follower in [*people, *watching]))
        assert all(events == seen[0] for events in seen)
        ids = [event["id"] for event in seen[0]]
        assert ids == list(range(ids[0], ids[0] + 41))
        texts = [json.loads(await plain.recv()) for _ in range(41)]
        assert texts == [{"message": event["message"]} for event in seen[0]]


async def test_the_tutorials_exchange(server: Engawa) -> None:
    """{"message": …} both ways, and nothing else."""
    async with (
        websockets.connect(f"{server.sockets}/ws/chat/lobby/") as one,
        websockets.connect(f"{server.sockets}/ws/chat/lobby/") as two,
    ):
        assert one.subprotocol is None
        await one.send('{"message": "hi"}')
        await two.send('{"message": "hello \\ud83d\\ude42"}')
        for socket in (one, two):
            frames = [json.loads(await socket.recv()) for _ in range(2)]
            assert sorted(frames, key=lambda frame: frame["message"]) == [{"message": "hello 🙂"}, {"message": "hi"}]
        # Whatever else happens in the room, a frame always has a string to print.
        async with participant(server.sockets) as somebody:
            posted = await somebody.post("draft")
            await somebody.send(type="edit", mid=posted["mid"], message="final")
            await somebody.send(type="delete", mid=posted["mid"])
            await somebody.until("message.deleted")
        await one.send("not json")
        await one.send('{"message": ""}')
        await one.send('{"message": "still here"}')
        frames = [json.loads(await one.recv()) for _ in range(4)]
        assert all(isinstance(frame["message"], str) for frame in frames)
        assert [frame.get("error") for frame in frames] == [None, "frame.invalid", "text.empty", None]
        assert frames[3] == {"message": "still here"}


async def test_welcome_history_and_resume(server: Engawa) -> None:
    async with participant(server.sockets) as first:
        assert first.welcome["room"] == "lobby"
        assert first.welcome["you"]["kind"] == "guest"
        assert first.welcome["may"] == {"post": True, "react": True, "moderate": False, "govern": False}
        for number in range(5):
            posted = await first.post(f"history {number}")
    async with participant(server.sockets, query="?history=3") as second:
        history = await second.until("history")
        assert [message["message"] for message in history["messages"]] == [f"history {n}" for n in (2, 3, 4)]
        assert history["head"] == second.welcome["head"] == posted["id"]
        assert "id" not in history["messages"][0]
    async with participant(server.sockets, query=f"?after={posted['id'] - 2}") as third:
        frame = await third.until("batch")
        assert [event["message"] for event in frame["events"]] == ["history 3", "history 4"]
    async with participant(server.sockets, query=f"?after={10**17}") as fourth:
        assert await fourth.until("reset") == {"type": "reset", "head": posted["id"]}


async def test_long_histories_come_in_several_frames(server: Engawa) -> None:
    server.shell(
        "from chat import actions, posting; from chat.identity import new_guest\n"
        "room, _ = actions.create_room(new_guest(), 'long')\n"
        "for n in range(60): posting.post(new_guest(), room.pk, f'{n} ' + 'é\"&' * 1300)"
    )
    async with participant(server.sockets, "long", "?history=60") as client:
        messages: list[dict] = []
        while len(messages) < 60:
            messages += (await client.until("history"))["messages"]
        assert [message["message"].split()[0] for message in messages] == [str(n) for n in range(60)]
    async with participant(server.sockets, "long", "?after=0") as client:
        events = await client.events_until(messages[-1]["message"])
        assert [event["id"] for event in events] == list(range(1, 61))


async def test_frames_that_are_wrong_get_a_code_and_the_socket_stays(server: Engawa) -> None:
    async with participant(server.sockets) as client:
        for frame, code in [
            ("{", "frame.invalid"),
            ("[]", "frame.invalid"),
            ("[" * 60_000, "frame.invalid"),
            ('{"type": "fly"}', "frame.unknown_type"),
            ("{}", "frame.unknown_type"),
            ('{"type": ["post"]}', "frame.unknown_type"),
            ('{"type": "post"}', "text.invalid"),
            ('{"type": "post", "message": 7}', "text.invalid"),
            ('{"type": "post", "message": "\\u0000"}', "text.empty"),
            ('{"type": "post", "message": "x", "key": "k"}', "key.invalid"),
            ('{"type": "post", "message": "x", "key": 1}', "key.invalid"),
            ('{"type": "post", "message": "x", "reply_to": "y"}', "message.not_found"),
            (json.dumps({"type": "post", "message": "x" * 4001}), "text.too_long"),
            ('{"type": "edit", "mid": "x", "message": "y"}', "message.not_found"),
            ('{"type": "delete", "mid": {"a": 1}}', "message.not_found"),
            ('{"type": "ping"' + " " * 65_536 + "}", "frame.too_long"),
            (b"\x00\x01", "frame.invalid"),
        ]:
            await client.socket.send(frame)
            answer = await client.until("error")
            assert answer["code"] == code, frame[:80]
            assert answer["detail"].endswith(".")
        await client.send(type="ping")
        assert await client.until("pong") == {"type": "pong"}


async def test_an_error_names_the_key_of_what_it_answers(server: Engawa) -> None:
    async with participant(server.sockets) as client:
        await client.send(type="post", message="", key="8b3c6f0e-9e31-4d5c-9c53-b1c0d3a7e111")
        assert (await client.until("error"))["key"] == "8b3c6f0e-9e31-4d5c-9c53-b1c0d3a7e111"


async def test_posting_twice_with_one_key_is_posting_once(servers: tuple[Engawa, Engawa]) -> None:
    key = "3f0c6f0e-9e31-4d5c-9c53-b1c0d3a7e222"
    one, two = servers
    async with httpx.AsyncClient(base_url=one.base) as http:
        await http.get("/chat/lobby/")
        guest = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    async with (
        participant(one.sockets, cookie=guest) as here,
        participant(two.sockets, cookie=guest) as there,
        viewer(two.base) as watching,
    ):
        answers = await asyncio.gather(here.post("once", key=key), there.post("once", key=key))
        assert answers[0] == answers[1]
        await here.post("the end")
        texts = [event["message"] for event in await watching.events_until("the end")]
        assert texts == ["once", "the end"]


@pytest.mark.parametrize(
    ("slug", "query", "code", "close"),
    [
        ("nowhere", "", "room.not_found", 4501),
        ("a%20b", "", "room.not_found", 4501),
        ("%F0%9F%8E%89", "", "room.not_found", 4501),
        ("lobby", "?after=x", "cursor.invalid", 4500),
        ("lobby", "?after=-1", "cursor.invalid", 4500),
        ("lobby", "?after=" + "9" * 19, "cursor.invalid", 4500),
        ("lobby", "?history=many", "query.invalid", 4500),
    ],
)
async def test_refusals_say_why_and_whether_to_come_back(
    server: Engawa, slug: str, query: str, code: str, close: int
) -> None:
    async with participant(server.sockets, slug, query) as client:
        assert client.refusal["code"] == code
        assert await client.closed() == close


@pytest.mark.parametrize(
    ("origin", "cookie", "opens"),
    [
        (None, None, True),
        (None, "guest=x", False),
        ("{base}", "guest=x", True),
        ("https://evil.example", None, False),
        ("null", None, False),
        ("http://127.0.0.1:1", "guest=x", False),
        ("http://127.0.0.1.evil.example", None, False),
        ("file://", None, False),
    ],
)
async def test_only_our_own_pages_open_sockets(
    server: Engawa, origin: str | None, cookie: str | None, opens: bool
) -> None:
    headers = {"Cookie": cookie} if cookie else {}
    connecting = websockets.connect(
        f"{server.sockets}/ws/chat/lobby/",
        origin=origin and origin.format(base=server.base),
        additional_headers=headers,
    )
    if opens:
        async with connecting:
            pass
    else:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connecting
        assert refused.value.response.status_code == 403


async def test_a_slug_is_found_however_it_is_spelt(server: Engawa) -> None:
    async with participant(server.sockets, "LOBBY") as client:
        assert client.welcome["room"] == "lobby"
    async with viewer(server.base, "%EF%BC%AC%EF%BC%AF%EF%BC%A2%EF%BC%A2%EF%BC%B9") as watching:  # ＬＯＢＢＹ
        assert watching.opened["id"].startswith("lobby:")


async def test_nobody_types_as_somebody_else(server: Engawa) -> None:
    slug = server.shell(A_ROOM_THAT_SHOWS_TYPING)
    with browsing(server) as http:
        http.get(f"/chat/{slug}/")
        submit(http, "/accounts/guest/", name="Somebody Important")
        cookie = cookies_of(http)
    async with (
        participant(server.sockets, slug) as reader,
        participant(server.sockets, slug) as passing,
        participant(server.sockets, slug, cookie=cookie) as named,
    ):
        await named.send(type="typing")
        await named.send(type="ping")
        await named.until("pong")
        await passing.send(type="typing")
        assert (await reader.until("typing"))["author"]["name"].startswith("guest-")
        await named.post("it is me")
        await named.send(type="typing")
        assert (await reader.until("typing"))["author"]["name"] == "Somebody Important"


async def test_each_is_told_what_is_wrong_in_their_own_language(server: Engawa) -> None:
    asking = {
        "en": {},
        "ja": {"headers": {"Accept-Language": "ja,en;q=0.5"}},
        "zh-hans": {"query": "?lang=zh-Hans", "headers": {"Accept-Language": "ja"}},
        "zh-hant": {"cookie": "language=zh-hant", "headers": {"Accept-Language": "ja"}},
    }
    async with AsyncExitStack() as stack:
        sockets = {
            language: await stack.enter_async_context(participant(server.sockets, **ways))
            for language, ways in asking.items()
        }
        # All at once, so that they are refused together, in another thread than the one that tells them.
        answers = await asyncio.gather(*(socket.post("hello", reply_to="nothing") for socket in sockets.values()))
        assert {answer["code"] for answer in answers} == {"message.not_found"}
        for language, answer in zip(sockets, answers, strict=True):
            assert answer["detail"] == told_in(language, errors.MessageNotFound)
        assert len({answer["detail"] for answer in answers}) == len(asking)

    async with websockets.connect(
        f"{server.sockets}/ws/chat/lobby/", additional_headers={"Accept-Language": "ja"}
    ) as plain:
        await plain.send(json.dumps({"message": " "}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = json.loads(await plain.recv())
        assert frame == {"message": f"⚠ {told_in('ja', errors.TextEmpty)}", "error": "text.empty"}
    async with participant(server.sockets, slug="nowhere", headers={"Accept-Language": "zh-TW"}) as outside:
        assert outside.refusal["detail"] == told_in("zh-hant", errors.RoomNotFound)
        assert await outside.closed() == errors.ROOM_NOT_FOUND


def told_in(language: str, error: type[errors.ChatError]) -> str:
    with translation.override(language):
        return str(error.detail)
