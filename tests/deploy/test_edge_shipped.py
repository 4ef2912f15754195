"""The profile ``edge`` of compose.yaml: who comes in by Caddy is held by Pushpin, and by none of our processes."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import httpx
import psutil
import pytest

from tests.clients import Viewer, participant, viewer
from tests.deploy.containers import Container
from tests.deploy.test_addresses import CLAIMED, LIES, SOMEBODY, own_addresses
from tests.deploy.topology import Topology, topology_in
from tests.faults.cluster import SETTINGS, make_room
from tests.people import PASSWORD

VIEWERS = 20
BY_ZURL = 5  # connections that it may keep open to us: viewers come one after the other
BACK_SECONDS = 20
EVENTS = {"Accept": "text/event-stream"}
HEAD = "from chat import actions, governing\nfrom chat.models import *\n"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    settings = {**SETTINGS, "COMPOSE_PROFILES": "edge", "GUEST_POSTS_PER_MINUTE": "0"}
    with topology_in(tmp_path_factory.mktemp("edge"), settings) as topology:
        yield topology


@pytest.fixture(scope="module")
def place(edge: Topology) -> str:
    """A room."""
    with edge.http(follow_redirects=True) as http:
        return make_room(http, "edge")


def seen(edge: Topology, path: str, last_id: str | None = None, **more: object) -> object:
    return viewer(edge.base, path=path, last_id=last_id, verify=edge.trust, http2=True, **more)


@asynccontextmanager
async def inside(edge: Topology, room: str, **more: object) -> AsyncIterator[object]:
    async with participant(edge.sockets, room, trust=edge.trust, **more) as somebody:
        yield somebody


def held_by(containers: list[Container]) -> int:
    """How many connections they have at their doors."""
    return sum(
        one.status == psutil.CONN_ESTABLISHED and one.laddr.port == int(container.environment["PORT"])
        for container in containers
        for process in (psutil.Process(container.pid), *psutil.Process(container.pid).children())
        for one in process.net_connections("tcp")
    )


def counted(edge: Topology, service: str, what: str) -> float:
    """Of ``engawa_grip_total``, by all processes of a service."""
    wanted = re.compile(rf'^engawa_grip_total{{what="{what}"}} (\S+)$', re.MULTILINE)
    port = edge.network.port(9464)
    pages = (httpx.get(f"http://{each.address}:{port}/metrics").text for each in edge.of(service))
    return sum(float(wanted.search(page)[1]) for page in pages)


async def test_pushpin_holds_whoever_comes_in_by_caddy(edge: Topology, place: str) -> None:
    """Each hears, once, what is said on sockets, whose processes publish it; and hears it when Pushpin was away."""
    path = f"/feeds/{place}/stream"
    before = held_by(edge.of("web"))
    async with httpx.AsyncClient(base_url=edge.base, http2=True, verify=edge.trust, timeout=20) as client:
        opened = [await client.send(client.build_request("GET", path), stream=True) for _ in range(VIEWERS)]
        assert {(each.status_code, each.http_version) for each in opened} == {(200, "HTTP/2")}
        assert held_by([edge["pushpin"]]) >= VIEWERS
        assert held_by(edge.of("web")) <= before + BY_ZURL
        assert counted(edge, "web", "held") == VIEWERS
        async with inside(edge, place) as writer:
            for number in range(5):
                assert (await writer.post(f"by a socket {number}"))["type"] == "posted"
        for viewer in map(Viewer, opened):
            said = await viewer.events_until("by a socket 4")
            assert [event["id"] for event in said] == [1, 2, 3, 4, 5]
        assert (counted(edge, "websocket", "published"), counted(edge, "web", "published")) == (5, 0)
        last_id = viewer.last_id
    async with inside(edge, place) as writer:
        await writer.post("meanwhile")
        async with seen(edge, path, last_id) as back:
            assert [event["message"] for event in await back.events_until("meanwhile")] == ["meanwhile"]
            await writer.post("and now")
            await back.events_until("and now")
            edge["pushpin"].stop()
            await writer.post("while it was away")
            coming = asyncio.create_task(come_back(edge, path, back.last_id))
            edge["pushpin"].start()
            assert await coming == f"{place}:8"
    edge["pushpin"].until(edge["pushpin"].is_healthy, BACK_SECONDS, "it is well")


async def come_back(edge: Topology, path: str, last_id: str) -> str:
    """As an EventSource does, which after an answer that is no stream would not come again. Returns the id of the first
    message."""
    deadline = monotonic() + BACK_SECONDS
    async with httpx.AsyncClient(base_url=edge.base, http2=True, verify=edge.trust, timeout=20) as client:
        while monotonic() < deadline:
            headers = {"Last-Event-ID": last_id, **EVENTS}
            async with client.stream("GET", path, headers=headers) as answer:
                assert answer.status_code == 200
                assert answer.headers["content-type"].startswith("text/event-stream")
                events = Viewer(answer)
                while block := await events.block():
                    if block["event"] == "message":
                        return block["id"]
    raise AssertionError("nothing was told in time")


def is_told_to_come_again(events: httpx.Response) -> None:
    assert events.status_code == 200
    assert events.headers["content-type"] == "text/event-stream"
    assert events.headers["access-control-allow-origin"] == "*"
    found = re.fullmatch(
        r'retry: (\d+)\nevent: going-away\ndata: {"type":"going-away","retry_after":([\d.]+)}\n\n', events.text
    )
    assert found, events.text
    assert 1000 <= int(found[1]) == round(1000 * float(found[2])) <= 5000


async def test_without_it_who_would_be_held_is_told_to_come_again(edge: Topology, place: str) -> None:
    """For an EventSource takes an error for good; whoever else asks is told what there is. All else goes past it."""
    edge["pushpin"].stop()
    async with httpx.AsyncClient(base_url=edge.base, http2=True, verify=edge.trust, timeout=30) as client:
        both = asyncio.gather(*(client.get(f"/feeds/{place}/stream", headers=headers) for headers in (EVENTS, {})))
        for path in (f"/feeds/{place}/stream.ndjson", f"/feeds/{place}/stream.html", f"/feeds/stream?room={place}"):
            async with client.stream("GET", path) as answer:
                assert answer.status_code == 200, path
        events, other = await both
    edge["pushpin"].start()
    is_told_to_come_again(events)
    assert other.status_code == 502
    edge["pushpin"].until(edge["pushpin"].is_healthy, BACK_SECONDS, "it is well")


async def test_who_it_is_comes_through(edge: Topology) -> None:
    """A session's cookie, and the address that Caddy saw, whatever somebody claims."""
    edge.shell(
        HEAD + f"olga = User.objects.create_user('olga', password={PASSWORD!r})\n"
        "room, _ = actions.create_room(olga.identity, 'closed')\n"
        "governing.change_visibility(olga.identity, room.pk, 'private')\n"
        f"mia = User.objects.create_user('mia', password={PASSWORD!r})\n"
        "Membership.objects.create(room=room, user=mia)\n"
    )
    with edge.http(follow_redirects=True) as http:
        http.get("/accounts/login/")
        token = next(cookie.value for cookie in http.cookies.jar if cookie.name.endswith("csrftoken"))
        form = {"username": "mia", "password": PASSWORD, "csrfmiddlewaretoken": token}
        assert http.post("/accounts/login/", data=form, headers={"Referer": edge.base}).status_code == 200
        cookie = "; ".join(f"{each.name}={each.value}" for each in http.cookies.jar)
    async with (
        seen(edge, "/chat/closed/stream", headers={"Cookie": cookie}) as of_mia,
        seen(edge, "/chat/closed/stream") as of_nobody,
        inside(edge, "closed", cookie=cookie) as writer,
    ):
        assert of_nobody.response.status_code == 404
        await writer.post("among us")
        assert [event["message"] for event in await of_mia.events_until("among us")] == ["among us"]


async def test_a_banned_network_is_refused(edge: Topology, place: str) -> None:
    """Whatever it claims; and nobody is it by claiming so."""
    banned = own_addresses()
    edge.shell(
        HEAD + f"from chat.addresses import keyed_network\nroom = Room.objects.get(slug={place!r})\n"
        f"for address in {[*banned, CLAIMED]!r}:\n"
        "    Sanction.objects.create(room=room, kind='ban', target='network', name='x', by_name='x', "
        "subject='n' + keyed_network(address))"
    )
    path = f"/feeds/{place}/stream"
    for address in banned:
        for headers in ({}, {"X-Forwarded-For": SOMEBODY}):
            transport = httpx.AsyncHTTPTransport(verify=edge.trust, http2=True, local_address=address)
            async with viewer(edge.base, path=path, headers=headers, transport=transport) as refused:
                assert refused.response.status_code == 403
    async with seen(edge, path, headers=LIES) as welcome:
        assert welcome.response.status_code == 200


def test_where_it_reaches_nobody_the_same_is_said(edge: Topology, place: str) -> None:
    edge["web-1"].stop()  # the only one that Pushpin finds by its name here
    with edge.http() as http:
        is_told_to_come_again(http.get(f"/feeds/{place}/stream", headers=EVENTS))
        other = http.get(f"/feeds/{place}/stream")
        assert (other.status_code, other.text) == (502, "Error while proxying to origin.\n")
