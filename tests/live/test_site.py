"""What happens to accounts and members reaches open connections on every process."""

import time

import pytest

from tests.clients import participant, viewer
from tests.live.test_rooms import A_ROOM_THAT_SHOWS_TYPING
from tests.people import browsing, cookies_of
from tests.servers import Engawa

PREPARE = """
from chat import actions, governing
from chat.models import User, Membership
olga, _ = User.objects.get_or_create(username='olga')
{name} = User.objects.create_user('{name}', password='a long password')
room, _ = actions.create_room(olga.identity, 'site {name}')
governing.change_visibility(olga.identity, room.pk, 'private')
Membership.objects.create(room=room, user={name})
"""
CHANGES = {
    "logout": None,
    "password": "user = User.objects.get(username=name); user.set_password('another one'); user.save()",
    "suspended": "user = User.objects.get(username=name); user.is_active = False; user.save()",
    "deleted": "User.objects.get(username=name).delete()",
    "not a member any more": "Membership.objects.filter(user__username=name).delete()",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_it_closes_sockets_and_streams_on_every_process(servers: tuple[Engawa, Engawa], change: str) -> None:
    one, two = servers
    name = "p" + change.replace(" ", "")
    one.shell(PREPARE.format(name=name))
    slug = f"site-{name}"
    with browsing(one, name) as http, browsing(one, "olga") as _:
        cookie = cookies_of(http)
        async with (
            participant(one.sockets, slug, cookie=cookie) as here,
            participant(two.sockets, slug, cookie=cookie) as there,
            viewer(two.base, path=f"/chat/{slug}/stream", headers={"Cookie": cookie}) as reading,
        ):
            assert here.welcome["you"]["name"] == name
            if change == "logout":
                form = {"csrfmiddlewaretoken": http.cookies["csrftoken"]}
                assert http.post("/accounts/logout/", data=form, headers={"Referer": one.base}).status_code == 200
            else:
                one.shell(f"from chat.models import User, Membership; name = {name!r}; {CHANGES[change]}")
            began = time.monotonic()
            for socket in (here, there):
                frame = await socket.until("error")
                assert frame["code"] in ("session.ended", "room.not_found")
                assert await socket.closed() in (4002, 4501)
            while await reading.block():
                pass
            assert time.monotonic() - began < 3
        async with participant(two.sockets, slug, cookie=cookie) as again:
            assert again.refusal["code"] == "room.not_found"


async def test_presence_is_counted_over_all_processes(servers: tuple[Engawa, Engawa]) -> None:
    one, two = servers
    one.shell(
        "from chat import actions; from chat.identity import new_guest; actions.create_room(new_guest(), 'census')"
    )
    async with participant(one.sockets, "census") as here, viewer(two.base, "census") as watching:
        async with participant(two.sockets, "census"), viewer(one.base, "census"):
            while (frame := await here.until("presence")) != {"type": "presence", "participants": 2, "viewers": 2}:
                pass
            assert frame
        while (await here.until("presence")) != {"type": "presence", "participants": 1, "viewers": 1}:
            pass
        block = await watching.block()
        while block["event"] != "presence":
            block = await watching.block()
        assert "id" not in block


async def test_typing_is_told_once_on_every_process(servers: tuple[Engawa, Engawa]) -> None:
    one, two = servers
    slug = one.shell(A_ROOM_THAT_SHOWS_TYPING)
    async with (
        participant(one.sockets, slug) as somebody,
        participant(one.sockets, slug) as here,
        participant(two.sockets, slug) as there,
    ):
        # Typing is told once, to those who are there: so first see to it that the layer carries.
        while (await there.until("presence"))["participants"] != 3:
            pass
        for _ in range(5):
            await somebody.send(type="typing")
        for other in (here, there):
            frame = await other.until("typing")
            assert frame["author"]["id"] == somebody.welcome["you"]["id"]
        await somebody.post("done")
        for other in (here, there):
            while (frame := await other.receive())["type"] != "message":
                assert frame["type"] != "typing"
