"""View tokens on two processes: they open a private room to who has one, until they are revoked or over."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.clients import Viewer, participant, viewer
from tests.people import browsing, cookies_of, submit
from tests.servers import Engawa

WORD = "the word xyzzy"
PREPARE = """
from chat import actions, governing, posting
from chat.models import User
olga = User.objects.create_user('olga', password='a long password').identity
for name in ('den', 'brief', 'hut', 'loft'):
    room, _ = actions.create_room(olga, name)
    governing.change_visibility(olga, room.pk, 'private')
    posting.post(olga, room.pk, 'among us')
"""
IN_SHELL = """
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from chat import viewing
from chat.models import Room, User
room = Room.objects.get(slug={slug!r})
olga = User.objects.get(username='olga').identity
secret = viewing.create_view_token(olga, room.pk, 'Shell', timezone.now() + timedelta(seconds={seconds}))[1]
settings.VIEW_TICKET_SECONDS = {ticket_seconds}
print(secret, viewing.ticket_of(viewing.grant_of(secret))[0])
"""
SOON = 6  # seconds: what a process takes to begin, and a little to look around


@pytest.fixture(scope="module")
def both(servers: tuple[Engawa, Engawa]) -> tuple[Engawa, Engawa]:
    servers[0].shell(PREPARE)
    return servers


def in_shell(server: Engawa, slug: str, seconds: float, ticket_seconds: float = 300) -> tuple[str, str]:
    """A token that is good for so long, and a ticket made from it."""
    secret, ticket = server.shell(IN_SHELL.format(slug=slug, seconds=seconds, ticket_seconds=ticket_seconds)).split()
    return secret, ticket


def make_token(http: httpx.Client, slug: str, name: str) -> tuple[str, str]:
    """A token's secret and number, from the owner's page."""
    http.get(f"/chat/{slug}/view-tokens")
    page = submit(http, f"/chat/{slug}/view-tokens", action="create", name=name, term="1h").text
    secret = re.search(r'id="secret" value="(engawa_view_[\w-]{43})"', page)[1]
    return secret, re.search(r'name="token" value="(\d+)"', page)[1]  # the newest comes first


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def ticket_for(server: Engawa, slug: str, secret: str) -> str:
    made = httpx.post(f"{server.base}/feeds/{slug}/ticket", headers=bearer(secret))
    assert made.status_code == 201
    return made.json()["ticket"]


def refusal(server: Engawa, path: str, secret: str | None = None) -> tuple[int, str]:
    """What a stream that does not begin is answered."""
    answer = httpx.get(server.base + path, headers=bearer(secret) if secret else {}, timeout=20)
    return answer.status_code, answer.json()["error"]["code"]


async def ended(stream: Viewer) -> str:
    """Read a stream to its end. Returns all that was in it."""
    read = ""
    async with asyncio.timeout(20):
        async for line in stream.lines:
            read += line + "\n"
    return read


async def test_revoked_it_closes_what_it_opened_on_every_process(both) -> None:
    one, two = both
    with browsing(one, "olga") as http:
        secret, number = make_token(http, "den", "The school")
        other, _ = make_token(http, "den", "The club")
        ticket = ticket_for(one, "den", secret)
        async with AsyncExitStack() as stack:
            streams = []
            for server in both:
                for path, headers in (
                    ("/feeds/den/stream?history=5", bearer(secret)),
                    (f"/feeds/den/stream?history=5&ticket={ticket}", {}),
                ):
                    opened = viewer(server.base, path=path, headers=headers)
                    streams.append(await stack.enter_async_context(opened))
            staying = await stack.enter_async_context(viewer(two.base, "den", headers=bearer(other)))
            owner = await stack.enter_async_context(participant(two.sockets, "den", cookie=cookies_of(http)))
            for stream in streams:
                assert "among us" in (await stream.block())["data"]
            while (presence := await owner.until("presence"))["viewers"] < 5:
                pass
            assert presence["participants"] == 1, "who comes with a token watches, and takes no part"
            await owner.post("still here")
            for stream in streams:
                assert (await stream.events_until("still here"))[-1]["message"] == "still here"
            page = submit(http, "/chat/den/view-tokens", action="revoke", token=number)
            assert "That token is good for nothing now." in page.text
            async with asyncio.timeout(5):
                rest = await asyncio.gather(*(ended(stream) for stream in streams))
            await owner.post(WORD)
            assert (await staying.events_until(WORD))[-1]["message"] == WORD
            assert not any(WORD in text for text in rest)
            assert all("event: stream-error" in text for text in rest), "and it is said that they need not come back"
    for server in both:
        assert refusal(server, "/feeds/den/stream", secret) == (401, "token.invalid")
        assert refusal(server, f"/feeds/den/stream?ticket={ticket}") == (401, "token.invalid")
        assert refusal(server, "/feeds/den/stream") == (404, "room.not_found")
        assert httpx.post(f"{server.base}/feeds/den/ticket", headers=bearer(secret)).status_code == 401


async def test_what_is_over_ends_and_a_ticket_is_for_connecting_only(both) -> None:
    one, two = both
    secret, ticket = in_shell(one, "brief", SOON)
    _, brief_ticket = in_shell(one, "hut", 3600, ticket_seconds=SOON)
    over = f"/feeds/hut/stream?ticket={brief_ticket}"
    with browsing(one, "olga") as http:
        cookie = cookies_of(http)
    async with (
        viewer(one.base, "brief", headers=bearer(secret)) as by_token,
        viewer(two.base, path=f"/feeds/brief/stream?ticket={ticket}") as by_ticket,
        viewer(two.base, path=over) as stays,
        participant(one.sockets, "hut", cookie=cookie) as owner,
    ):
        for stream in (by_token, by_ticket, stays):
            assert stream.response.status_code == 200
        async with asyncio.timeout(SOON + 5), httpx.AsyncClient() as http:
            for stream in (by_token, by_ticket):
                assert "among us" not in await ended(stream)
            while True:
                async with http.stream("GET", one.base + over) as again:
                    if again.status_code != 200:
                        break
                await asyncio.sleep(0.1)
        assert again.status_code == 401
        await owner.post(WORD)
        assert (await stays.event())["message"] == WORD
    for server in both:
        assert refusal(server, "/feeds/brief/stream", secret) == (401, "token.invalid")
        assert refusal(server, f"/feeds/brief/stream?ticket={ticket}") == (401, "token.invalid")


async def test_who_comes_later_knows_it_too_and_a_socket_never_does(both) -> None:
    """A process that begins after the token and the ticket were made, as after a restart."""
    one, _ = both
    secret, ticket = in_shell(one, "loft", 3600)
    settings = {name: one.environment[name] for name in ("REDIS_URL", "DATABASE_URL")} | {"LOG_LEVEL": "debug"}
    late = Engawa(Path(one.environment["DATABASE_URL"].removeprefix("sqlite:///")).parent, "late", **settings)
    try:
        for path, headers in (
            ("/feeds/loft/stream?history=1", bearer(secret)),
            (f"/feeds/loft/stream?history=1&ticket={ticket}", {}),
        ):
            async with viewer(late.base, path=path, headers=headers) as stream:
                assert "among us" in (await stream.block())["data"]
                assert stream.response.headers["referrer-policy"] == "no-referrer"
                assert "no-store" in stream.response.headers["cache-control"]
                assert "set-cookie" not in stream.response.headers
        for slug in ("den", "no-such-room"):
            assert refusal(late, f"/feeds/{slug}/stream", secret) == (404, "room.not_found")
            assert refusal(late, f"/feeds/{slug}/stream?ticket={ticket}") == (404, "room.not_found")
        for query, headers in ((f"?ticket={ticket}", {}), ("", bearer(secret))):
            async with participant(late.sockets, "loft", query, headers=headers) as socket:
                assert socket.refusal["code"] == "room.not_found"
                assert await socket.closed() == 4501
        assert refusal(late, f"/chat/loft/stream?ticket={ticket}", secret) == (404, "room.not_found")
        await told_nothing(late, secret, ticket)
    finally:
        late.stop()
    log = (Path(one.environment["DATABASE_URL"].removeprefix("sqlite:///")).parent / "late.log").read_text()
    assert "Unauthorized: /feeds/loft/" in log, "it does say something"
    for hidden in (secret[15:], ticket, ticket[5:40], ticket.replace(":", "%3A"), "wrong-one"):
        assert hidden not in log


async def told_nothing(server: Engawa, secret: str, ticket: str) -> None:
    """Ask for all kinds of things with a token and a ticket, and with such as are none."""
    wrong = "engawa_view_" + "wrong-one" * 5
    async with httpx.AsyncClient(base_url=server.base, timeout=20) as http:
        for token, asked in ((secret, ticket), (wrong, f"wrong-one:{ticket}")):
            for path in ("", "stream", "ticket", "report", "nothing", "m/x/", "export.csv", "%00", "stream/"):
                for headers in ({}, bearer(token), {"Authorization": token}):
                    for more in ({}, {"Host": "elsewhere.example"}, {"Accept": "application/json"}):
                        params = {"ticket": asked, "lastEventId": f"loft:{asked}"}
                        address = f"/feeds/loft/{path}"
                        answer = await http.get(address, params=params, headers={**headers, **more})
                        assert answer.status_code < 500, address
            for method in ("POST", "DELETE", "OPTIONS"):
                for path in ("/feeds/loft/stream", "/feeds/loft/", "/chat/loft/", "/api/v1/rooms/loft/messages"):
                    await http.request(method, path, params={"ticket": asked}, headers=bearer(token))
            referer = {"Referer": f"https://elsewhere.example/?ticket={asked}", "X-Forwarded-Proto": "https"}
            await http.post("/chat/", data={"name": "x"}, headers=referer)
    # And some that are broken off, or are no HTTP at all.
    for line in (f"GET /feeds/loft/stream?ticket={ticket} HTTP/1.1", f"GET /feeds/loft/stream?ticket={ticket} HTTP/9",
                 f"GE\0T /feeds/loft/?ticket={ticket}"):  # fmt: skip
        for headers in (f"Host: 127.0.0.1:{server.port}\r\n", f"Authorization: Bearer {secret}\r\n \r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"{line}\r\n{headers}\r\n".encode())
            await writer.drain()
            writer.close()
