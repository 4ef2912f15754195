"""A ban reaches everybody it promises to reach, and nobody else, on every process and at every door."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.clients import Participant, participant, viewer
from tests.people import browsing, cookies_of, submit
from tests.servers import Engawa

HERE, ELSEWHERE, OFFICE = "203.0.113.5", "203.0.113.6", "198.51.100.9"
PREPARE = """
from chat import actions
from chat.models import Membership, User
people = {name: User.objects.create_user(name, password='a long password') for name in ('olga', 'mod', 'mio', 'sven')}
for name in ('account', 'guest', 'network', 'mute', 'slow'):
    room, _ = actions.create_room(people['olga'].identity, name)
    Membership.objects.create(room=room, user=people['mod'], role='moderator')
    Membership.objects.create(room=room, user=people['mio'])
"""
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[list[Engawa]]:
    """Three processes behind a proxy on this machine."""
    folder = tmp_path_factory.mktemp("three")
    settings = {"REDIS_URL": redis_url, "TRUSTED_PROXIES": "127.0.0.0/8"}
    first = Engawa(folder, "one", **settings)
    first.shell(PREPARE)
    servers = [first, Engawa(folder, "two", **settings), Engawa(folder, "three", **settings)]
    yield servers
    for server in servers:
        server.stop()


async def banned(socket: Participant) -> None:
    error = await socket.until("error")
    assert error["code"] == "banned"
    assert await socket.closed() == 4503


async def refused(server: Engawa, slug: str, cookie: str | None, network: str, *, may_watch: bool = False) -> None:
    """At the sockets, streams and pages of people; a stream without a cookie only watches."""
    headers = {"X-Forwarded-For": network}
    async with participant(server.sockets, slug, "?after=0", cookie, headers=headers) as socket:
        assert socket.refusal["code"] == "banned"
        assert await socket.closed() == 4503
    with httpx.Client(base_url=server.base, headers={**headers, "Cookie": cookie or ""}) as http:
        paths = [f"/chat/{slug}/messages", f"/chat/{slug}/"] + ([] if may_watch else [f"/chat/{slug}/stream"])
        for path in paths:
            answer = http.get(path, headers=JSON)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "banned"), path


async def moderate(server: Engawa, slug: str, **frame: object) -> None:
    """As the room's moderator, on one of the processes."""
    with browsing(server, "mod") as http:
        cookie = cookies_of(http)
    async with participant(server.sockets, slug, cookie=cookie) as moderator:
        await moderator.send(key="0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11", **frame)
        while True:
            answer = await moderator.receive()
            if answer["type"] in ("done", "error") and "key" in answer:
                assert answer["type"] == "done", answer
                return


async def test_a_banned_account_is_out_everywhere_and_its_sessions_too(three: list[Engawa]) -> None:
    one, two, last = three
    with browsing(one, "sven") as http, browsing(two, "sven") as other_session:
        cookie, other_cookie = cookies_of(http), cookies_of(other_session)
        submit(http, "/chat/account/messages", message="spam")
        async with AsyncExitStack() as stack:
            open_one = stack.enter_async_context
            sockets = [await open_one(participant(server.sockets, "account", cookie=cookie)) for server in three]
            sockets.append(await open_one(participant(two.sockets, "account", cookie=other_cookie)))
            streams = [
                await open_one(viewer(server.base, path="/chat/account/stream", headers={"Cookie": cookie}))
                for server in three
            ]
            bystander = await open_one(viewer(last.base, "account"))
            guest = await open_one(participant(last.sockets, "account"))
            post = await sockets[0].post("spam again")
            await moderate(one, "account", type="ban", mid=post["mid"], reason="spam")
            async with asyncio.timeout(5):
                for socket in sockets:
                    await banned(socket)
                for stream in streams:
                    while (block := await stream.block())["event"] != "stream-error":
                        pass
                    assert "banned" in block["data"]
            assert (await guest.post("sentinel"))["type"] == "posted"
            assert (await bystander.events_until("sentinel"))[0]["message"] == "spam again"
        for server in three:
            await refused(server, "account", cookie, HERE)
        assert submit(http, "/chat/account/messages", message="again").status_code == 403
        assert http.get("/feeds/account/").status_code == 200, "an account's ban does not end public reading"
        assert http.get("/chat/guest/").status_code == 200, "nor any other room"
    with browsing(last, "sven", ELSEWHERE) as anew:
        await refused(two, "account", cookies_of(anew), ELSEWHERE)


async def test_a_banned_guest_stays_out_with_a_new_name_and_a_new_cookie(three: list[Engawa]) -> None:
    one, two, last = three
    with browsing(one, network=HERE) as http, browsing(one, network=HERE) as neighbour:
        for each in (http, neighbour):
            each.get("/chat/guest/")
        cookie = cookies_of(http)
        submit(http, "/chat/guest/messages", message="spam")
        (message,) = http.get("/chat/guest/messages", headers=JSON).json()["messages"]
        headers = {"X-Forwarded-For": HERE}
        async with (
            participant(two.sockets, "guest", cookie=cookie, headers=headers) as socket,
            participant(last.sockets, "guest", cookie=cookies_of(neighbour), headers=headers) as other,
        ):
            await moderate(last, "guest", type="ban", mid=message["mid"], seconds=3600)
            await banned(socket)
            assert (await other.post("sentinel"))["type"] == "posted", "who was a guest before it is left alone"
        for server in three:
            await refused(server, "guest", cookie, HERE)
            await refused(server, "guest", cookie, ELSEWHERE)  # the same guest from elsewhere
            await refused(server, "guest", None, HERE, may_watch=True)
        submit(http, "/accounts/guest/", name="Somebody Else")
        assert cookies_of(http) != cookie
        await refused(two, "guest", cookies_of(http), HERE)
    with browsing(one, network=HERE) as cleared:
        cleared.get("/chat/network/")
        await refused(two, "guest", cookies_of(cleared), HERE)
        assert cleared.get("/feeds/guest/").status_code == 200
    with browsing(one, network=ELSEWHERE) as far:
        assert far.get("/chat/guest/").status_code == 200


async def test_a_banned_network_neither_takes_part_nor_watches(three: list[Engawa]) -> None:
    one, two, last = three
    headers = {"X-Forwarded-For": OFFICE}
    with browsing(one, "mio", OFFICE) as member:
        member_cookie = cookies_of(member)
    async with AsyncExitStack() as stack:
        open_one = stack.enter_async_context
        guests = [await open_one(participant(server.sockets, "network", headers=headers)) for server in three]
        viewers = [await open_one(viewer(server.base, "network", headers=headers)) for server in three]
        inside = await open_one(participant(two.sockets, "network", cookie=member_cookie, headers=headers))
        far = await open_one(viewer(two.base, "network", headers={"X-Forwarded-For": ELSEWHERE}))
        post = await guests[0].post("spam")
        await moderate(two, "network", type="ban", mid=post["mid"], target="network", reason="flood")
        for guest in guests:
            await banned(guest)
        for watching in viewers:
            while (await watching.block())["event"] != "stream-error":
                pass
        assert (await inside.post("sentinel"))["type"] == "posted", "members are not shut out"
        assert (await far.events_until("sentinel"))[-1]["message"] == "sentinel"
    for server in three:
        await refused(server, "network", None, OFFICE)
        with httpx.Client(base_url=server.base, headers=headers) as http:
            for path in ("/feeds/network/", "/embed/network/", "/feeds/network/stream"):
                answer = http.get(path)
                assert answer.status_code == 403, path
                assert "set-cookie" not in answer.headers
    with browsing(last, "sven", OFFICE) as account:
        await refused(last, "network", cookies_of(account), OFFICE)


async def test_a_mute_holds_for_who_reconnects_to_evade_it(three: list[Engawa]) -> None:
    headers = {"X-Forwarded-For": HERE}
    with browsing(three[0], network=ELSEWHERE) as http:
        http.get("/chat/mute/")
        submit(http, "/chat/mute/messages", message="by a stream")
        (said,) = http.get("/chat/mute/messages", headers=JSON).json()["messages"]
        cookie = {"Cookie": cookies_of(http), "X-Forwarded-For": ELSEWHERE}
    async with viewer(three[2].base, path="/chat/mute/stream", headers=cookie) as watching:
        told = []
        for may_post in (True, False):  # as they come, and once they are muted
            while (block := await watching.block())["event"] != "you":
                pass
            told.append(json.loads(block["data"]))
            assert told[-1]["may"]["post"] is may_post
            if may_post:
                await moderate(three[1], "mute", type="mute", mid=said["mid"], seconds=60)
        assert "until" in told[-1]["muted"]
        await moderate(three[1], "mute", type="delete", mid=said["mid"])
    async with participant(three[0].sockets, "mute", headers=headers) as first:
        post = await first.post("spam")
        await moderate(three[1], "mute", type="mute", mid=post["mid"], seconds=60)
        you = await first.until("you")
        assert (you["may"]["post"], "until" in you["muted"]) == (False, True)
        assert (await first.post("more"))["code"] == "muted"
    for attempt in range(6):
        server = three[attempt % 3]
        async with participant(server.sockets, "mute", headers=headers) as again:
            assert again.welcome["may"]["post"] is False
            refusal = await again.post(f"and again {attempt}")
            assert refusal["code"] == "muted"
            assert 0 < refusal["retry_after"] <= 60
        with browsing(server, network=HERE) as http:
            http.get("/chat/mute/")
            answer = http.post(
                "/chat/mute/messages",
                json={"message": f"by another door {attempt}"},
                headers={"X-CSRFToken": http.cookies["csrftoken"], "Referer": server.base, **JSON},
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "muted")
    async with participant(three[0].sockets, "mute", headers={"X-Forwarded-For": OFFICE}) as somebody:
        assert (await somebody.post("hello"))["type"] == "posted"
    history = httpx.get(f"{three[0].base}/chat/mute/messages", headers=JSON).json()["messages"]
    assert [message["message"] for message in history] == ["spam", "hello"]


async def test_slow_mode_holds_for_who_reconnects_to_evade_it(three: list[Engawa]) -> None:
    with browsing(three[0], "olga") as owner:
        three[0].shell(
            "from chat import governing; from chat.models import Room\n"
            "governing.change_room(None, Room.objects.get(slug='slow').pk, {'slow_seconds': 3600})"
        )
        assert owner.get("/chat/slow/messages", headers=JSON).json()["about"]["slow_seconds"] == 3600
    with browsing(three[0], "sven") as http:
        cookie = cookies_of(http)
    said = 0
    for attempt in range(6):
        async with participant(three[attempt % 3].sockets, "slow", cookie=cookie) as account:
            answer = await account.post(f"account {attempt}")
            said += answer["type"] == "posted"
            assert answer["type"] == "posted" or answer["code"] == "slow_mode"
        async with participant(three[attempt % 3].sockets, "slow") as passing:
            assert (await passing.post("guest"))["code"] == "slow_mode"
    assert said == 1
