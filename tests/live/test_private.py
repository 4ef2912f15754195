"""A private room through every door, by who may and by who may not know of it."""

import pytest

from tests.clients import participant, viewer
from tests.people import browsing, cookies_of
from tests.servers import Engawa

SECRET = "the word xyzzy"
PREPARE = f"""
from chat import actions, governing, posting
from chat.models import User, Membership
olga, mio, sven = (User.objects.create_user(name, password='a long password') for name in ('olga', 'mio', 'sven'))
room, _ = actions.create_room(olga.identity, 'hideaway')
governing.change_visibility(olga.identity, room.pk, 'private')
Membership.objects.create(room=room, user=mio)
posting.post(olga.identity, room.pk, {SECRET!r})
"""


@pytest.fixture(scope="module")
def hideaway(servers: tuple[Engawa, Engawa]) -> tuple[Engawa, Engawa]:
    servers[0].shell(PREPARE)
    return servers


PATHS = [
    "/chat/{}/",
    "/chat/{}/messages",
    "/chat/{}/settings",
    "/chat/{}/stream",
    "/feeds/{}/",
    "/feeds/{}/stream",
    "/feeds/{}/stream?history=5",
    "/embed/{}/",
    "/chat/{}/?before=7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
]


@pytest.mark.parametrize("name", [None, "sven"])
@pytest.mark.parametrize("path", PATHS)
def test_who_may_not_know_finds_nothing_at_all(hideaway, name: str | None, path: str) -> None:
    with browsing(hideaway[0], name) as http:
        for accept in ("text/html", "application/json"):
            hidden = http.get(path.format("hideaway"), headers={"Accept": accept})
            missing = http.get(path.format("no-such-room"), headers={"Accept": accept})
            # A stream has no form that is a JSON object: that is said before any room is looked for.
            has_no_form = accept == "application/json" and path.startswith("/feeds/{}/stream")
            assert hidden.status_code == missing.status_code == (406 if has_no_form else 404)
            assert hidden.content == missing.content
            volatile = {"date", "expires", "x-request-id"}
            assert {k: v for k, v in hidden.headers.items() if k not in volatile} == {
                k: v for k, v in missing.headers.items() if k not in volatile
            }
        assert "hideaway" not in http.get("/chat/").text
        form = {"csrfmiddlewaretoken": http.cookies["csrftoken"]}
        headers = {"Referer": hideaway[0].base}
        entered = http.post("/chat/", data={**form, "name": "hideaway"}, headers=headers)
        assert entered.status_code == 400, "no more than that the name cannot be had"
        assert "That name is reserved" in entered.text
        assert SECRET not in entered.text
        posted = http.post("/chat/hideaway/messages", data={**form, "message": "hi"}, headers=headers)
        assert posted.status_code == 404


@pytest.mark.parametrize("name", [None, "sven"])
async def test_who_may_not_know_gets_no_socket(hideaway, name: str | None) -> None:
    with browsing(hideaway[0], name) as http:
        cookie = cookies_of(http) or None
    for slug in ("hideaway", "no-such-room"):
        for query in ("", "?history=5", "?after=0"):
            async with participant(hideaway[0].sockets, slug, query, cookie) as client:
                assert client.refusal == {"type": "error", "code": "room.not_found", "detail": "There is no such room."}
                assert await client.closed() == 4501


@pytest.mark.parametrize("name", ["olga", "mio"])
async def test_who_may_know_finds_it(hideaway, name: str) -> None:
    one, two = hideaway
    with browsing(one, name) as http:
        assert SECRET in http.get("/chat/hideaway/").text
        assert SECRET in http.get("/chat/hideaway/messages", headers={"Accept": "application/json"}).text
        assert "hideaway" in http.get("/chat/").text
        cookie = cookies_of(http)
        # The anonymous side stays closed to everybody: it does not know who asks.
        for path in ("/feeds/hideaway/", "/feeds/hideaway/stream", "/embed/hideaway/"):
            assert http.get(path).status_code == 404
    headers = {"Cookie": cookie}
    async with (
        participant(two.sockets, "hideaway", "?history=9", cookie) as client,
        viewer(two.base, path="/chat/hideaway/stream?history=9", headers=headers) as watching,
    ):
        history = await client.until("history")
        assert history["messages"][0]["message"] == SECRET
        assert SECRET in (await watching.block())["data"]
        await client.post(f"{name} was here")
        assert (await watching.event())["message"] == f"{name} was here"


async def test_made_private_it_closes_on_the_other_process_too(servers: tuple[Engawa, Engawa]) -> None:
    one, two = servers
    one.shell(
        "from chat import actions; from chat.models import User\n"
        "actions.create_room(User.objects.create_user('otto', password='a long password').identity, 'porch')"
    )
    with browsing(one, "otto") as http:
        cookie = cookies_of(http)
        async with (
            viewer(one.base, "porch") as here,
            viewer(two.base, "porch") as there,
            participant(two.sockets, "porch") as guest,
            participant(two.sockets, "porch", cookie=cookie) as owner,
        ):
            await owner.post("open")
            form = {"visibility": "private", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            assert http.post("/chat/porch/settings", data=form, headers={"Referer": one.base}).status_code == 200
            await owner.until("room.changed")
            await owner.post(SECRET)
            for watching in (here, there):
                texts, block = [], await watching.block()
                while block and block["event"] != "stream-error":
                    texts.append(block["data"])
                    block = await watching.block()
                assert block["id"] == "error"
                assert await watching.block() == {}, "the stream ends there"
                assert any("open" in text for text in texts)
                assert not any(SECRET in text or "room.changed" in text for text in texts)
            assert (await guest.until("error"))["code"] == "room.not_found"
            assert await guest.closed() == 4501
            await owner.send(type="ping")
            await owner.until("pong")
