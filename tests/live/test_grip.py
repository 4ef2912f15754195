"""What a GRIP proxy is answered and told. With a real one: tests/deploy/test_edge.py."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import jwt
import pytest

from tests.clients import participant, viewer
from tests.servers import Engawa, free_port

KEY = b"a key that only the proxy and we know"


class Proxy(ThreadingHTTPServer):
    """Where a GRIP proxy takes what is published: remembers the items."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Publish)
        self.items: list[dict] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def items_of(self, channel: str, count: int) -> list[dict]:
        deadline = time.monotonic() + 10
        while True:
            found = [item for item in self.items if item["channel"] == channel and "formats" in item]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


class _Publish(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.items += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["items"]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.shutdown()
    proxy.server_close()


@pytest.fixture(scope="module")
def engawa(tmp_path_factory: pytest.TempPathFactory, proxy: Proxy) -> Iterator[Engawa]:
    key = base64.b64encode(KEY).decode()
    folder: Path = tmp_path_factory.mktemp("grip")
    server = Engawa(folder, GRIP_URL=f"http://127.0.0.1:{proxy.server_port}/?iss=engawa&key=base64:{key}")
    yield server
    server.stop()


def signed(key: bytes = KEY, age: int = 0) -> dict[str, str]:
    return {"Grip-Sig": jwt.encode({"iss": "pushpin", "exp": int(time.time()) + 3600 - age}, key, algorithm="HS256")}


def blocks(body: str) -> list[dict[str, str]]:
    found = []
    for part in body.split("\n\n"):
        lines = [line.partition(":") for line in part.split("\n") if line and not line.startswith(":")]
        if lines:
            found.append({name: value.removeprefix(" ") for name, _, value in lines})
    return found


async def test_what_is_answered_is_what_we_would_say(engawa: Engawa) -> None:
    async with participant(engawa.sockets) as somebody:
        mids = [(await somebody.post(f"100% number {number}"))["mid"] for number in range(8)]
        await somebody.send(type="delete", mid=mids[2])
        await somebody.send(type="edit", mid=mids[3], message="edited")
        await somebody.until("message.edited")
    for cursor, events in [("lobby:1", 9), ("lobby:5", 5), ("lobby:999", 1), (None, 0)]:
        headers = {"Last-Event-ID": cursor} if cursor else {}
        held = httpx.get(f"{engawa.base}/feeds/lobby/stream", headers={**signed(), **headers})
        assert held.status_code == 200, held.text
        assert held.headers["Grip-Hold"] == "stream"
        assert held.headers["Grip-Channel"].startswith("events-lobby; prev-id=10, ")
        assert blocks(base64.b64decode(held.headers["Grip-Keep-Alive"].partition(";")[0]).decode()) == [
            {"event": "heartbeat", "data": '{"type":"heartbeat","head":10}'}
        ]
        address = f"{engawa.base}/feeds/lobby/stream"
        async with httpx.AsyncClient() as client, client.stream("GET", address, headers=headers) as direct:
            ours = b""
            async for chunk in direct.aiter_raw():
                ours += chunk
                if ours.count(b"\n\n") > events:
                    break
        assert held.content == ours[: len(held.content)]
        assert len(blocks(held.text)) == 1 + events
        own = {"server", "date", "connection", "transfer-encoding", "content-length", "x-request-id"}
        theirs = {name: value for name, value in held.headers.items() if not name.startswith("grip-")}
        assert {name: theirs[name] for name in theirs if name not in own} == {
            name: value for name, value in direct.headers.items() if name not in own
        }


async def test_a_long_past_is_told_in_several_answers(engawa: Engawa) -> None:
    engawa.shell(
        "from chat import actions, posting; from chat.identity import new_guest\n"
        "me = new_guest(); room, _ = actions.create_room(me, 'long')\n"
        "for n in range(40): posting.post(me, room.pk, f'{n} ' + 'x' * 2000)"
    )
    answer = httpx.get(f"{engawa.base}/feeds/long/stream", headers={**signed(), "Last-Event-ID": "long:0"})
    told = blocks(answer.text)[1:]
    answers = 1
    while "Grip-Hold" not in answer.headers:
        assert len(answer.content) < 60_000
        link = answer.headers["Grip-Link"]
        answer = httpx.get(engawa.base + link[1 : link.index(">")], headers=signed())
        told += blocks(answer.text)
        answers += 1
    assert answers > 2
    assert [block["id"] for block in told] == [f"long:{number}" for number in range(1, 41)]
    # What came between the last answer and its being held may have passed it by: it asks again soon.
    assert answer.headers["Grip-Link"].endswith("; rel=next; timeout=2")


async def test_commits_are_published_in_order(engawa: Engawa, proxy: Proxy) -> None:
    engawa.shell(
        "from chat import actions; from chat.identity import new_guest; actions.create_room(new_guest(), 'ord')"
    )
    async with participant(engawa.sockets, "ord") as somebody:
        for number in range(5):
            await somebody.post(f"100% {number}")
    items = proxy.items_of("events-ord", 5)
    assert [(item["id"], item["prev-id"]) for item in items] == [(str(n), str(n - 1)) for n in range(1, 6)]
    contents = [blocks(item["formats"]["http-stream"]["content"])[0] for item in items]
    assert [json.loads(block["data"])["message"] for block in contents] == [f"100% {number}" for number in range(5)]
    assert [block["id"] for block in contents] == [f"ord:{number}" for number in range(1, 6)]


def test_those_held_are_asked_about_before_a_change_is_told(engawa: Engawa, proxy: Proxy) -> None:
    room_id = engawa.shell(
        "from chat import actions, governing; from chat.models import User\n"
        "otto = User.objects.create_user('otto').identity\n"
        "room, _ = actions.create_room(otto, 'closing')\n"
        "governing.change_visibility(otto, room.pk, 'private')\n"
        "print(room.pk)"
    )
    (changed,) = proxy.items_of("events-closing", 1)
    asked = proxy.items_of(f"anybody-{room_id}", 1)[0]
    assert asked["formats"] == {"http-stream": {"action": "hint"}}
    assert proxy.items.index(asked) < proxy.items.index(changed)


async def test_what_a_proxy_that_was_away_missed_it_asks_for(tmp_path: Path) -> None:
    port = free_port()
    key = base64.b64encode(KEY).decode()
    engawa = Engawa(tmp_path, GRIP_URL=f"http://127.0.0.1:{port}/?iss=engawa&key=base64:{key}")
    try:
        async with participant(engawa.sockets) as somebody:
            await somebody.post("nobody is there to hear of it")
            engawa.wait_until(lambda: "the proxy was not reached" in engawa.output())
            proxy = Proxy(port)
            assert proxy.items_of("everybody", 1)[0]["formats"] == {"http-stream": {"action": "hint"}}
            await somebody.post("and now")
            (told,) = proxy.items_of("events-lobby", 1)
            assert told["id"] == "2"
    finally:
        engawa.stop()
        proxy.shutdown()
        proxy.server_close()


@pytest.mark.parametrize(
    "headers",
    [{}, {"Grip-Sig": "x"}, signed(b"another key, of somebody we do not know"), signed(age=7200)],
    ids=["none", "rubbish", "wrong key", "expired"],
)
async def test_who_has_not_the_key_is_a_reader_like_all(engawa: Engawa, headers: dict) -> None:
    path = "/feeds/lobby/stream?recover=true&link=next"
    async with viewer(engawa.base, path=path, headers={**headers, "Grip-Last": "events-lobby; last-id=1"}) as watching:
        assert watching.response.status_code == 200
        assert "grip-hold" not in watching.response.headers
        assert watching.opened["event"] == "stream-open"


def test_a_private_room_is_not_found_by_the_proxy_either(engawa: Engawa) -> None:
    engawa.shell(
        "from chat import actions, governing, posting; from chat.models import User\n"
        "olga = User.objects.create_user('olga').identity\n"
        "room, _ = actions.create_room(olga, 'closed')\n"
        "governing.change_visibility(olga, room.pk, 'private')\n"
        "posting.post(olga, room.pk, 'the word xyzzy')"
    )
    hidden = httpx.get(f"{engawa.base}/feeds/closed/stream", headers={**signed(), "Last-Event-ID": "closed:0"})
    missing = httpx.get(f"{engawa.base}/feeds/missing/stream", headers=signed())
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content


TOKEN = """
from datetime import timedelta
from django.utils import timezone
from chat import actions, governing, viewing
from chat.models import User
tora = User.objects.create_user('tora').identity
room, _ = actions.create_room(tora, 'held')
governing.change_visibility(tora, room.pk, 'private')
token, secret = viewing.create_view_token(tora, room.pk, 'news', timezone.now() + timedelta(days=1))
print(secret, viewing.ticket_of(viewing.grant_of(secret))[0])
"""


async def test_a_token_and_a_ticket_are_held_by_one_link(engawa: Engawa) -> None:
    secret, ticket = engawa.shell(TOKEN).split()
    links = []
    for path, headers in [
        ("/feeds/held/stream", {"Authorization": f"Bearer {secret}"}),
        (f"/feeds/held/stream?ticket={ticket}", {}),
    ]:
        held = httpx.get(engawa.base + path, headers={**signed(), **headers})
        assert held.headers["Grip-Hold"] == "stream"
        link = held.headers["Grip-Link"]
        links.append(link[1 : link.index(">")])
        assert secret not in link
        assert ticket not in link
    assert links[0] == links[1]
    again = httpx.get(engawa.base + links[0], headers={**signed(), "Grip-Last": "events-held; last-id=0"})
    assert [block["event"] for block in blocks(again.text)] == ["room.changed"]
    assert again.headers["Grip-Hold"] == "stream"
    # A link is for who signs, and for its own room.
    for link, headers in [(links[0], {}), (links[0].replace("/held/", "/closed/", 1), signed())]:
        assert httpx.get(engawa.base + link, headers=headers).status_code == 404
    refused = httpx.get(f"{engawa.base}/feeds/held/stream", headers={**signed(), "Authorization": "Bearer nonsense"})
    assert refused.status_code == 401


async def test_what_it_cannot_hold_we_do(engawa: Engawa) -> None:
    async with viewer(engawa.base, path="/feeds/stream?room=lobby", headers=signed()) as watching:
        assert watching.response.status_code == 200
        assert "grip-hold" not in watching.response.headers
    lines = httpx.head(f"{engawa.base}/feeds/lobby/stream", headers={**signed(), "Accept": "application/x-ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson"
