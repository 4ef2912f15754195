"""Pushpin in front of the streams, as it ships: it holds the viewers, and we hold none."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import psutil
import pytest

from tests.clients import participant
from tests.deploy.pushpin import Pushpin
from tests.deploy.viewers import Watching, all_leave, until, watch, watch_together
from tests.parts import LONG
from tests.people import browsing, cookies_of
from tests.servers import Engawa, Postgres, Redis, free_port, manage

VIEWERS = 2000 if LONG else 500
MESSAGES = 60 if LONG else 40
# Of processes that answer requests and hold no stream: those that zurl keeps open for the next request, more where more
# is asked in the same moment. A stream that was held would stay as long as its viewer does.
MOST_CONNECTIONS = 250 if LONG else 60
MOST_THREADS = 60


@dataclass
class Edge:
    """Two processes of ours, and a proxy that asks the first, or the other where that is away."""

    pushpin: Pushpin
    one: Engawa
    two: Engawa

    @property
    def base(self) -> str:
        return self.pushpin.base

    def make(self, code: str, *names: str) -> str:
        """Run Python in Django beside them, with accounts of these names."""
        head = "from chat import actions, governing, moderation, posting, viewing\nfrom chat.models import *\n"
        head += (
            "from chat.identity import new_guest\nfrom datetime import timedelta\nfrom django.utils import timezone\n"
        )
        for name in names:
            head += f"{name} = User.objects.filter(username='{name}').first() or "
            head += f"User.objects.create_user('{name}', password='a long password')\n"
        return self.one.shell(head + code)

    def held_by_us(self) -> int:
        """How many connections our processes have."""
        return sum(
            connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == each.port
            for each in (self.one, self.two)
            for connection in psutil.Process(each.pid).net_connections("tcp")
        )


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    ports = [free_port(), free_port()]
    pushpin = Pushpin(folder, " ".join(f"127.0.0.1:{port}" for port in ports))
    settings = {
        "DATABASE_URL": postgres.fresh_database(),
        "REDIS_URL": redis.url,
        "GRIP_URL": pushpin.grip_url,
        "GRIP_ASK_SECONDS": "10",
        "TRUSTED_PROXIES": "127.0.0.1",
        "STREAM_COMMENT_SECONDS": "2",
        "GUEST_POSTS_PER_MINUTE": "0",
        "POSTS_PER_MINUTE": "0",
    }
    one = Engawa(folder, "one", PORT=str(ports[0]), **settings)
    two = Engawa(folder, "two", PORT=str(ports[1]), **settings)
    try:
        yield Edge(pushpin, one, two)
    finally:
        for process in (one, two):
            process.stop()
        pushpin.remove()


@pytest.fixture(autouse=True)
async def _nobody_stays() -> AsyncIterator[None]:
    yield
    await all_leave()


def ids(slug: str, first: int, last: int) -> list[str]:
    return [f"{slug}:{number}" for number in range(first, last + 1)]


def have(watching: list[Watching], last: str) -> bool:
    return all(each.ids and each.ids[-1] == last for each in watching)


async def post(edge: Edge, slug: str, texts: list[str]) -> None:
    """Through one process and the other in turn, each acknowledged before the next."""
    async with participant(edge.one.sockets, slug) as here, participant(edge.two.sockets, slug) as there:
        for number, text in enumerate(texts):
            assert (await (here, there)[number % 2].post(text))["type"] == "posted"


async def test_it_holds_everybody_and_tells_everybody_everything_once(edge: Edge) -> None:
    edge.make("actions.create_room(new_guest(), 'hall')")
    watching = await watch_together(VIEWERS, edge.base, "/feeds/hall/stream")
    assert {each.status for each in watching} == {200}
    await until(lambda: edge.held_by_us() < MOST_CONNECTIONS)
    threads = sum(psutil.Process(each.pid).num_threads() for each in (edge.one, edge.two))
    assert threads < MOST_THREADS
    await post(edge, "hall", [f"100% number {number}" for number in range(MESSAGES)])
    await until(lambda: have(watching, f"hall:{MESSAGES}"))
    assert all(each.ids == ids("hall", 1, MESSAGES) for each in watching)
    await until(lambda: edge.held_by_us() < MOST_CONNECTIONS)

    # Half of them lose their connections, while more is said, and come back.
    gone, stayed = watching[::2], watching[1::2]
    for each in gone:
        each.leave()
    await post(edge, "hall", ["meanwhile"] * 10)
    cursors = [each.last_id for each in gone]
    back = await watch_together(
        len(gone), edge.base, "/feeds/hall/stream", lambda number: {"Last-Event-ID": cursors[number]}
    )
    assert {each.status for each in back} == {200}
    await post(edge, "hall", ["again"] * 10)
    await until(lambda: have(stayed + back, f"hall:{MESSAGES + 20}"))
    assert all(each.ids == ids("hall", 1, MESSAGES + 20) for each in stayed)
    assert all(each.ids == ids("hall", MESSAGES + 1, MESSAGES + 20) for each in back)

    # The proxy ends as in a crash, and is started again. What was said meanwhile waits for those who come back.
    edge.pushpin.kill()
    await until(lambda: all(each.has_ended for each in stayed + back))
    await post(edge, "hall", ["while it was away"] * 5)
    edge.pushpin.start()
    edge.pushpin.wait_until_ready()
    edge.pushpin.wait_until(lambda: edge.pushpin.asked() == 200)
    back = await watch_together(
        VIEWERS, edge.base, "/feeds/hall/stream", lambda number: {"Last-Event-ID": f"hall:{MESSAGES + 20}"}
    )
    assert {each.status for each in back} == {200}
    await post(edge, "hall", ["here again"] * 5)
    await until(lambda: have(back, f"hall:{MESSAGES + 30}"))
    assert all(each.ids == ids("hall", MESSAGES + 21, MESSAGES + 30) for each in back)
    await until(lambda: edge.held_by_us() < MOST_CONNECTIONS)


def only_lasting(body: bytes) -> list[bytes]:
    """The blocks of a stream, but for how many are here, which a proxy is not told, and heartbeats, which come
    when it is time."""
    blocks = body.replace(b":\nevent: heartbeat", b"event: heartbeat").split(b"\n\n")
    return [block for block in blocks if not block.startswith((b"event: presence", b"event: heartbeat"))]


async def test_it_says_what_we_would_say(edge: Edge) -> None:
    edge.make("actions.create_room(new_guest(), '雑談')")
    path = "/feeds/%E9%9B%91%E8%AB%87/stream"
    async with participant(edge.one.sockets, "%E9%9B%91%E8%AB%87") as somebody:
        mids = [(await somebody.post(f"100% %s %(x)s 雑談 {number}"))["mid"] for number in range(6)]
        pairs = []
        for query, headers in [
            ("", {}),
            ("", {"Last-Event-ID": "%E9%9B%91%E8%AB%87:2"}),
            ("?lastEventId=0", {}),
            ("", {"Last-Event-ID": "999"}),
            ("?history=3", {}),
            ("?lang=ja", {"Accept": "text/event-stream"}),
        ]:
            pairs.append([await watch(base, path + query, headers) for base in (edge.base, edge.one.base)])
        await somebody.send(type="edit", mid=mids[0], message="100% edited")
        await somebody.until("message.edited")
        await somebody.send(type="delete", mid=mids[1])
        await somebody.until("message.deleted")
        last = f"%E9%9B%91%E8%AB%87:{(await somebody.post('the last'))['id']}"
    everybody = [each for pair in pairs for each in pair]
    await until(lambda: have(everybody, last))
    await until(lambda: all(b":\nevent: heartbeat\ndata: {" in each.body for each in everybody))
    own = {"date", "server", "connection", "transfer-encoding", "x-request-id"}
    for held, direct in pairs:
        assert only_lasting(held.body) == only_lasting(direct.body)
        assert held.status == direct.status
        assert held.headers["x-request-id"] != direct.headers["x-request-id"]
        assert {name: value for name, value in held.headers.items() if name not in own} == {
            name: value for name, value in direct.headers.items() if name not in own
        }
    for refused, headers in [
        ("/feeds/nowhere/stream", {}),
        (path + "?history=many", {}),
        (path + "?ticket=nonsense", {}),
        (path, {"Authorization": "Bearer nonsense"}),
        (path, {"Last-Event-ID": "error"}),
    ]:
        held, direct = [await watch(base, refused, headers) for base in (edge.base, edge.one.base)]
        assert held.status == direct.status >= 400
        assert held.body == direct.body


async def test_who_may_no_longer_read_is_let_go_and_nobody_else(edge: Edge) -> None:
    secret, other, ticket, room_id = edge.make(
        "room, _ = actions.create_room(olga.identity, 'closed')\n"
        "governing.change_visibility(olga.identity, room.pk, 'private')\n"
        "Membership.objects.create(room=room, user=mia)\nMembership.objects.create(room=room, user=max)\n"
        "ends = timezone.now() + timedelta(days=1)\n"
        "token, secret = viewing.create_view_token(olga.identity, room.pk, 'one', ends)\n"
        "print(secret, viewing.create_view_token(olga.identity, room.pk, 'two', ends)[1])\n"
        "print(viewing.ticket_of(viewing.grant_of(secret))[0], room.pk)",
        "olga",
        "mia",
        "max",
    ).split()
    with browsing(edge.one, "mia") as mia, browsing(edge.one, "max") as max, browsing(edge.one, "olga") as olga:
        cookies = {name: cookies_of(http) for name, http in [("mia", mia), ("max", max), ("olga", olga)]}
        by_token = await watch(edge.base, "/feeds/closed/stream", {"Authorization": f"Bearer {secret}"})
        by_ticket = await watch(edge.base, f"/feeds/closed/stream?ticket={ticket}")
        by_other = await watch(edge.base, "/feeds/closed/stream", {"Authorization": f"Bearer {other}"})
        of_mia = await watch(edge.base, "/chat/closed/stream", {"Cookie": cookies["mia"]})
        of_max = await watch(edge.base, "/chat/closed/stream", {"Cookie": cookies["max"]})
        assert (await watch(edge.base, "/feeds/closed/stream")).status == 404
        assert (await watch(edge.base, "/chat/closed/stream")).status == 404
        held = [by_token, by_ticket, by_other, of_mia, of_max]
        assert {each.status for each in held} == {200}
        await until(lambda: edge.held_by_us() < MOST_CONNECTIONS)

        async def say(text: str, *hear: Watching) -> None:
            async with participant(edge.two.sockets, "closed", cookie=cookies["olga"]) as somebody:
                await somebody.post(text)
            await until(lambda: all(text.encode() in each.body for each in hear))

        await say("first", *held)
        edge.make(f"viewing.revoke_view_token(olga.identity, {room_id}, ViewToken.objects.get(name='one').pk)", "olga")
        await until(lambda: by_token.has_ended and by_ticket.has_ended)
        assert by_token.body.rstrip().split(b"\n\n")[-1].startswith(b"event: stream-error\nid: error\n")
        await say("second", by_other, of_mia, of_max)
        max.post(
            "/accounts/logout/",
            data={"csrfmiddlewaretoken": max.cookies["csrftoken"]},
            headers={"Referer": edge.one.base},
        )
        await until(lambda: of_max.has_ended)
        await say("third", by_other, of_mia)
        edge.make(f"governing.set_role(olga.identity, {room_id}, 'mia', None)", "olga")
        await until(lambda: of_mia.has_ended)
        await say("fourth", by_other)
        assert not by_other.has_ended
        edge.make(f"governing.delete_room(olga.identity, {room_id})", "olga")
        await until(lambda: by_other.has_ended)
    for watching, *unheard in [
        (by_token, b"second", b"third"),
        (of_max, b"third", b"fourth"),
        (of_mia, b"fourth"),
        (by_other, b"room.changed"),
    ]:
        assert not [text for text in unheard if text in watching.body]


async def test_a_room_that_closes_and_a_network_that_is_banned(edge: Edge) -> None:
    room_id = edge.make("print(actions.create_room(olga.identity, 'open')[0].pk)", "olga")
    here = {"X-Forwarded-For": "203.0.113.7"}
    elsewhere = {"X-Forwarded-For": "198.51.100.9"}
    crowd = await watch_together(100, edge.base, "/feeds/open/stream", lambda number: elsewhere if number else here)
    # What somebody writes before the proxy's own word is not believed.
    forged = await watch(edge.base, "/feeds/open/stream", {"X-Forwarded-For": "198.51.100.9, 203.0.113.7"})
    edge.make(
        "from chat.addresses import keyed_network\nfrom chat import site\nfrom django.db import transaction\n"
        "with transaction.atomic():\n"
        f"    Sanction.objects.create(room_id={room_id}, kind='ban', target='network', name='x', by_name='x', "
        "subject='n' + keyed_network('203.0.113.7'))\n"
        f"    site.room_changed({room_id})\n",
        "olga",
    )
    await until(lambda: crowd[0].has_ended and forged.has_ended)
    assert (await watch(edge.base, "/feeds/open/stream", here)).status == 403
    assert b"going-away" in forged.body
    crowd = [each for each in crowd[1:] if not each.has_ended]
    crowd += await watch_together(5, edge.base, "/feeds/open/stream", lambda number: elsewhere)
    async with participant(edge.two.sockets, "open") as somebody:
        await somebody.post("still here")
    await until(lambda: have(crowd, "open:1"))
    edge.make(
        f"governing.change_visibility(olga.identity, {room_id}, 'private')\n"
        f"posting.post(olga.identity, {room_id}, 'among us')",
        "olga",
    )
    await until(lambda: all(each.has_ended for each in crowd))
    for each in crowd:
        assert b"among us" not in each.body
        assert b"room.changed" not in each.body
        assert b"stream-error" in each.body


async def test_what_was_not_published_is_asked_for(edge: Edge) -> None:
    edge.make("actions.create_room(new_guest(), 'quiet')")
    watching = await watch_together(50, edge.base, "/feeds/quiet/stream")
    say = "posting.post(new_guest(), Room.objects.get(slug='quiet').pk, '{}')"
    lost = {**edge.two.environment, "GRIP_URL": ""}
    head = "from chat import posting\nfrom chat.models import Room\nfrom chat.identity import new_guest\n"
    manage(lost, "shell", "-v0", "-c", head + say.format("nobody publishes this"))
    # By itself, where nothing more is said.
    await until(lambda: have(watching, "quiet:1"))
    manage(lost, "shell", "-v0", "-c", head + say.format("nor this"))
    edge.make(say.format("but this"))
    await until(lambda: have(watching, "quiet:3"), seconds=8)
    assert all(each.ids == ids("quiet", 1, 3) for each in watching)


async def test_a_proxy_that_stands_still_holds_up_nobody(edge: Edge) -> None:
    edge.make("actions.create_room(new_guest(), 'still')")
    watching = await watch_together(20, edge.base, "/feeds/still/stream")
    parts = edge.pushpin.processes()
    for part in parts:
        part.suspend()
    try:
        async with participant(edge.one.sockets, "still") as somebody:
            slowest = 0.0
            for number in range(200):
                began = time.monotonic()
                await somebody.post(f"{number}")
                slowest = max(slowest, time.monotonic() - began)
    finally:
        for part in parts:
            part.resume()
    assert slowest < 1
    await until(lambda: have(watching, "still:200"))
    assert all(each.ids == ids("still", 1, 200) for each in watching)
