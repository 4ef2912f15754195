"""The stream in its other forms, of one room and of several, as programs and terminals meet them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlencode

import httpx
import pytest

from tests.clients import PATIENCE_SECONDS, Viewer, participant, viewer
from tests.parts import curl as curl_path
from tests.people import browsing, cookies_of, submit
from tests.servers import Engawa

FORMS = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "txt": "text/plain", "html": "text/html"}


# Olga's rooms, all made at once: a public one for each name, and a private one with a view token for each form.
PREPARE = f"""
import json
from datetime import timedelta
from django.utils import timezone
from chat import actions, governing, posting, viewing
from chat.models import User
olga = User.objects.create_user('olga', password='a long password').identity
def room(name):
    return actions.create_room(olga, name)[0]
for name in ('lines', 'terminal', 'first', '縁側', 'drops', 'goes'):
    room(name)
made = {{}}
for form in {list(FORMS)!r}:
    archived, private = room('archived-' + form), room('private-' + form)
    for number in range(120):  # more than is told at once
        posting.post(olga, archived.pk, f'said {{number}}.')
    governing.archive(olga, archived.pk)
    governing.change_visibility(olga, private.pk, 'private')
    token, secret = viewing.create_view_token(olga, private.pk, 'news', timezone.now() + timedelta(days=1))
    made[form] = [secret, viewing.ticket_of(viewing.grant_of(secret))[0], private.pk, token.pk]
print(json.dumps(made))
"""
REVOKE = """
from chat import viewing; from chat.models import User
viewing.revoke_view_token(User.objects.get(username='olga').identity, {}, {})
"""


@pytest.fixture(scope="module")
def tokens(server: Engawa) -> dict[str, list]:
    """By form: of a view token for a private room the secret, a ticket, and the numbers of room and token."""
    return json.loads(server.shell(PREPARE))


class Reader:
    """Reads a stream's lines."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()

    async def until(self, text: str) -> list[str]:
        """The lines up to the first with that text in it."""
        found: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self.lines:
                found.append(line)
                if text in line:
                    return found
        raise AssertionError(f"the stream ended with {found[-3:]}")

    async def rest(self) -> list[str]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [line async for line in self.lines]


@asynccontextmanager
async def reading(server: Engawa, path: str, **headers: str) -> AsyncIterator[Reader]:
    async with (
        httpx.AsyncClient(timeout=None, headers=headers) as http,
        http.stream("GET", server.base + path) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield Reader(response)


# One room -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMS)
def test_how_each_form_is_asked_for_and_what_its_headers_say(server: Engawa, suffix: str) -> None:
    media_type = FORMS[suffix]
    for path, headers, vary in [
        (f"/feeds/lobby/stream.{suffix}", {}, "Authorization, Accept-Language"),
        ("/feeds/lobby/stream", {"Accept": media_type}, "Accept, Authorization, Accept-Language"),
        (f"/feeds/stream.{suffix}?room=lobby", {}, "Authorization, Accept-Language"),
        ("/feeds/stream?room=lobby", {"Accept": media_type}, "Accept, Authorization, Accept-Language"),
    ]:
        answer = httpx.head(server.base + path, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == media_type
        assert answer.headers["vary"] == vary
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "set-cookie" not in answer.headers
        preflight = httpx.options(server.base + path, headers={"Origin": "https://example.org"})
        assert preflight.status_code == 204
        assert {"authorization", "last-event-id"} <= set(
            preflight.headers["access-control-allow-headers"].replace(",", " ").split()
        )
        assert httpx.post(server.base + path).status_code == 405


def test_a_live_page_has_the_headers_of_every_page(server: Engawa) -> None:
    page = httpx.get(f"{server.base}/feeds/lobby/")
    live = httpx.head(f"{server.base}/feeds/lobby/stream.html")
    for name in ("content-security-policy", "x-frame-options", "cross-origin-opener-policy", "x-content-type-options"):
        policies = [sorted(answer.headers[name].split("; ")) for answer in (page, live)]
        assert policies[0] == policies[1], name


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("suffix", FORMS)
def test_what_may_not_be_known_is_not_there_in_any_form(server: Engawa, suffix: str) -> None:
    for path in ("/feeds/{}/stream." + suffix, f"/feeds/stream.{suffix}?room={{}}"):
        hidden, missing = (httpx.get(server.base + path.format(slug)) for slug in (f"private-{suffix}", "no-such-room"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
        own = {"date": "", "x-request-id": ""}
        assert {**hidden.headers, **own} == {**missing.headers, **own}


def test_a_form_that_there_is_not(server: Engawa) -> None:
    answer = httpx.get(f"{server.base}/feeds/lobby/stream", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "form.not_acceptable")
    assert answer.headers["vary"] == "Accept, Authorization, Accept-Language"
    assert httpx.get(f"{server.base}/feeds/lobby/stream.xml").status_code == 404


@pytest.mark.usefixtures("tokens")
async def test_lines_are_what_the_log_has_and_resume(server: Engawa) -> None:
    slug = "lines"
    async with participant(server.sockets, slug) as somebody:
        await somebody.post("one")
        async with reading(server, f"/feeds/{slug}/stream.ndjson?history=5") as lines:
            opened, history = [json.loads(line) for line in await lines.until("one")]
            assert opened == {"type": "open", "room": slug, "after": 1}
            assert "id" not in history
            posted = await somebody.post("two\nlines")
            event = json.loads((await lines.until('"id"'))[-1])
            assert (event["id"], event["mid"], event["message"]) == (posted["id"], posted["mid"], "two\nlines")
        async with viewer(server.base, slug, last_id=f"{slug}:1") as watching:
            data = (await watching.block())["data"]
        for cursor in ("1", f"{slug}:1"):
            async with reading(server, f"/feeds/{slug}/stream.ndjson?lastEventId={cursor}") as lines:
                assert (await lines.until('"id"'))[-1] == data
            async with reading(server, f"/feeds/{slug}/stream.ndjson", **{"Last-Event-ID": cursor}) as lines:
                assert (await lines.until('"id"'))[-1] == data
        async with reading(server, f"/feeds/{slug}/stream.ndjson?lastEventId=99") as lines:
            assert json.loads((await lines.until("reset"))[-1]) == {"type": "reset", "room": slug, "head": 2}


@pytest.mark.usefixtures("tokens")
async def test_a_terminal_cannot_be_made_to_act(server: Engawa) -> None:
    slug = "terminal"
    curl = await asyncio.create_subprocess_exec(
        curl_path(),
        *("-sN", f"{server.base}/feeds/{slug}/stream.txt?colour=1"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), participant(server.sockets, slug) as somebody:
            await curl.stdout.readuntil(b"terminal\n")
            first = await somebody.post("\x1b]0;owned\x07\x9b31m red\n12:00:00 * The room was archived \u2066x")
            await somebody.send(type="delete", mid=first["mid"])
            await somebody.post("the end")
            said = (await curl.stdout.readuntil(b"the end\n")).decode()
    finally:
        curl.kill()
        await curl.wait()
    assert not re.search("[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)
    assert set(re.findall("\x1b.*?m", said)) <= {"\x1b[2m", "\x1b[0m", *(f"\x1b[{colour}m" for colour in range(31, 37))}
    assert "\n         12:00:00 * The room was archived" in said
    assert re.search(r"\* The message of \d\d:\d\d:\d\d was deleted\.", said)


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("suffix", ["ndjson", "txt", "html"])
async def test_an_archived_room_is_told_and_then_it_is_over(server: Engawa, suffix: str) -> None:
    slug = f"archived-{suffix}"
    for query in ("history=5", "lastEventId=3", "lastEventId=121"):
        async with reading(server, f"/feeds/{slug}/stream.{suffix}?{query}") as lines:
            said = "\n".join(await lines.rest())
        first = {"history=5": 115, "lastEventId=3": 3, "lastEventId=121": 120}[query]
        expected = [f"said {number}." for number in range(first, 120)]
        found = re.findall(r"said \d+\.", said)
        assert list(dict.fromkeys(found)) == expected
        assert '"complete"' in said if suffix == "ndjson" else "This room is archived" in said
        assert 'http-equiv="refresh"' not in said


# View tokens --------------------------------------------------------------------------------------------------


async def test_a_view_token_opens_a_private_room_until_it_is_revoked(server: Engawa, tokens) -> None:
    with browsing(server, "olga") as http:
        cookie = cookies_of(http)
    opened: dict[str, list[Reader]] = {}
    async with AsyncExitStack() as stack:
        for suffix, (secret, ticket, _, _) in tokens.items():
            slug = f"private-{suffix}"
            path = f"/feeds/{slug}/stream.{suffix}"
            merged = f"/feeds/stream.{suffix}?room=lobby&room={slug}&ticket={ticket}"
            olga = await stack.enter_async_context(participant(server.sockets, slug, cookie=cookie))
            opened[suffix] = [
                await stack.enter_async_context(reading(server, path, Authorization=f"Bearer {secret}")),
                await stack.enter_async_context(reading(server, f"{path}?ticket={ticket}")),
                await stack.enter_async_context(reading(server, merged)),
            ]
            await olga.post("in private")
            for lines in opened[suffix]:
                await lines.until("in private")
        server.shell("".join(REVOKE.format(*numbers) for _, _, *numbers in tokens.values()))
        for suffix, (by_header, by_ticket, of_two) in opened.items():
            for lines in (by_header, by_ticket):
                last = "\n".join(await lines.rest())
                assert "token" in last or (suffix == "html" and "This page ended" in last)
            if suffix == "html":
                assert 'http-equiv="refresh" content="0;' in "\n".join(await of_two.rest())
            else:
                await of_two.until("token")
                async with participant(server.sockets) as somebody:
                    await somebody.post(f"the other goes on, {suffix}")
                await of_two.until(f"the other goes on, {suffix}")
    for suffix, (secret, ticket, _, _) in tokens.items():
        for request in ({"headers": {"Authorization": f"Bearer {secret}"}}, {"params": {"ticket": ticket}}):
            refused = httpx.get(f"{server.base}/feeds/private-{suffix}/stream.{suffix}", **request)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == 'Bearer realm="engawa"'
            assert refused.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("request_", [{"headers": {"Authorization": "Basic eDp5"}}, {"params": {"ticket": "x"}}])
def test_what_is_no_token_is_refused(server: Engawa, request_: dict) -> None:
    answer = httpx.get(f"{server.base}/feeds/lobby/stream", **request_)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token.invalid")


# Several rooms ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def watching_several(server: Engawa, query: str, last_id: str | None = None) -> AsyncIterator[Viewer]:
    async with viewer(server.base, path=f"/feeds/stream?{query}", last_id=last_id) as watching:
        yield watching


@pytest.mark.usefixtures("tokens")
async def test_several_rooms_on_one_stream_in_order_and_resumed(server: Engawa) -> None:
    one, two = "first", "縁側"
    query = f"room={one}&room={two}"
    async with participant(server.sockets, one) as here, participant(server.sockets, two) as there:
        async with watching_several(server, query) as watching:
            assert watching.opened["id"] == f"{one}:0,%E7%B8%81%E5%81%B4:0"
            for number in range(5):
                await here.post(f"here {number}")
                await there.post(f"there {number}")
            told = [await watching.event() for _ in range(10)]
            last_id = watching.last_id
        for slug, word in ((one, "here"), (two, "there")):
            assert [(event["id"], event["message"]) for event in told if event["room"] == slug] == [
                (number + 1, f"{word} {number}") for number in range(5)
            ]
        assert last_id == f"{one}:5,%E7%B8%81%E5%81%B4:5"
        for number in range(3):
            await here.post(f"missed {number}")
        await there.post("missed, too")
        async with watching_several(server, query, last_id) as back:
            assert back.opened["id"] == last_id
            missed = [await back.event() for _ in range(4)]
        assert sorted((event["room"], event["id"]) for event in missed) == [(one, 6), (one, 7), (one, 8), (two, 6)]
        async with watching_several(server, query, f"{one}:7") as back:
            assert (await back.event())["message"] == "missed 2"
        async with watching_several(server, f"{query}&history=1") as back:
            history = [json.loads((await back.block())["data"]) for _ in range(2)]
            assert [message["message"] for message in history] == ["missed 2", "missed, too"]


@pytest.mark.usefixtures("tokens")
async def test_a_room_that_is_closed_drops_out_and_the_others_go_on(server: Engawa) -> None:
    one, two, secret = "goes", "drops", "private-sse"
    async with (
        watching_several(server, f"room={one}&room=no-such-room&room={secret}&room={two}") as watching,
        participant(server.sockets, one) as somebody,
    ):
        refused = [await watching.block() for _ in range(2)]
        assert [json.loads(block["data"])["channels"] for block in refused] == [["no-such-room"], [secret]]
        assert len({block["data"].replace(secret, "no-such-room") for block in refused}) == 1
        assert "id" not in refused[0]
        with browsing(server, "olga") as http:
            http.get(f"/chat/{two}/settings")
            assert submit(http, f"/chat/{two}/settings", visibility="private").status_code == 200
        block = await watching.block()
        while block["event"] in ("presence", "heartbeat"):
            block = await watching.block()
        assert block["event"] == "stream-error"
        assert json.loads(block["data"])["channels"] == [two]
        await somebody.post("still here")
        assert (await watching.event())["message"] == "still here"


@pytest.mark.usefixtures("tokens")
async def test_a_page_of_rooms_that_cannot_all_be_read_says_so_and_stays(server: Engawa) -> None:
    path = "/feeds/stream.html?room=no-such-room&room=lobby&room=private-html"
    async with reading(server, path) as page, participant(server.sockets) as somebody:
        refused = await page.until("private-html: ")
        assert "no-such-room: " in "".join(refused)
        await somebody.post("told on a page that stays")
        said = await page.until("told on a page that stays")
        assert 'content="0;' not in "\n".join(refused + said)


def test_too_many_rooms_or_none(server: Engawa) -> None:
    many = "&".join(f"room=r{number}" for number in range(21))
    answer = httpx.get(f"{server.base}/feeds/stream?{many}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "query.invalid")
    assert httpx.get(f"{server.base}/feeds/stream").status_code == 404
    assert httpx.get(f"{server.base}/feeds/stream?room=!!!").status_code == 404
    answer = httpx.get(f"{server.base}/feeds/stream?room=lobby&room=garden&lastEventId=7")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "cursor.invalid")


async def test_as_many_rooms_as_there_may_be_are_followed_by_their_longest_names(server: Engawa) -> None:
    slugs = [f"{'縁' * 62}{number}" for number in range(10, 30)]
    server.shell(
        f"from chat.models import Room\nRoom.objects.bulk_create(Room(slug=slug, title='x') for slug in {slugs})"
    )
    rooms = urlencode([("room", slug) for slug in slugs])
    async with viewer(server.base, path=f"/feeds/stream?{rooms}") as watching:
        place = watching.last_id
    assert place.count(":0") == 20
    again = f"/feeds/stream?{rooms}&{urlencode({'lastEventId': place})}"
    assert 16 * 1024 < len(again) < 64 * 1024
    async with viewer(server.base, path=again) as watching:
        async with participant(server.sockets, slugs[7]) as author:
            await author.post("heard")
        block: dict[str, str] = {"data": ""}
        while "heard" not in block["data"]:
            block = await watching.block()
        assert block["id"].count(":0") == 19
