"""The contract between django-eventstream's own view and our stream: same ids, same data, same resets."""

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
from tests.servers import Engawa

KEY = b"a key that only the proxy and we know"


class Proxy(ThreadingHTTPServer):
    """Where a GRIP proxy takes what is published: remembers the items."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Publish)
        self.items: list[dict] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def items_of(self, channel: str, count: int) -> list[dict]:
        deadline = time.monotonic() + 10
        while True:
            found = [item for item in self.items if item["channel"] == channel]
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


async def test_catching_up_is_the_same_through_both(engawa: Engawa) -> None:
    async with participant(engawa.sockets) as somebody:
        mids = [(await somebody.post(f"100% number {number}"))["mid"] for number in range(8)]
        await somebody.send(type="delete", mid=mids[2])
        await somebody.send(type="edit", mid=mids[3], message="edited")
        await somebody.until("message.edited")
    for cursor, reset in [("lobby:1", False), ("lobby:5", False), ("lobby:999", True)]:
        held = httpx.get(f"{engawa.base}/feeds/lobby/stream", headers={**signed(), "Last-Event-ID": cursor})
        assert held.status_code == 200, held.text
        assert held.headers["Grip-Hold"] == "stream"
        assert 'events-lobby; prev-id=10; filter="build-id"; filter="skip-users"' in held.headers[
            "Grip-Channel"
        ].replace("filter=build-id", 'filter="build-id"').replace("filter=skip-users", 'filter="skip-users"')
        theirs = [block for block in blocks(held.text) if block["event"] != "stream-open"]
        ours = []
        async with viewer(engawa.base, last_id=cursor) as watching:
            while len(ours) < len(theirs):
                ours.append(await watching.block())
        if reset:
            assert [block["event"] for block in ours] == ["stream-reset"]
        for mine, library in zip(ours, theirs, strict=True):
            # In what a proxy will send on, percent signs are doubled.
            library = {name: value.replace("%%", "%") for name, value in library.items()}
            assert mine["event"] == library["event"]
            assert mine["id"] == library["id"]
            assert json.loads(mine["data"]) == json.loads(library["data"])
    assert len(theirs) == 1


async def test_commits_are_published_in_order(engawa: Engawa, proxy: Proxy) -> None:
    engawa.shell(
        "from chat import actions; from chat.identity import new_guest; actions.create_room(new_guest(), 'ord')"
    )
    async with participant(engawa.sockets, "ord") as somebody:
        for number in range(5):
            await somebody.post(f"{number}")
    items = proxy.items_of("events-ord", 5)
    assert [(item["id"], item["prev-id"]) for item in items] == [(str(n), str(n - 1)) for n in range(1, 6)]
    contents = [blocks(item["http-stream"]["content"])[0] for item in items]
    assert [json.loads(block["data"])["message"] for block in contents] == [str(number) for number in range(5)]
    assert {block["event"] for block in contents} == {"message"}


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


async def test_what_is_for_one_reader_or_in_another_form_is_not_the_proxys(engawa: Engawa) -> None:
    secret, ticket = engawa.shell(TOKEN).split()
    for path, headers in [
        ("/feeds/held/stream", {"Authorization": f"Bearer {secret}"}),
        (f"/feeds/held/stream?ticket={ticket}", {}),
        ("/feeds/stream?room=lobby", {}),
    ]:
        async with viewer(engawa.base, path=path, headers={**signed(), **headers}) as watching:
            assert watching.response.status_code == 200
            assert "grip-hold" not in watching.response.headers
            assert watching.opened["event"] == "stream-open"
    lines = httpx.head(f"{engawa.base}/feeds/lobby/stream", headers={**signed(), "Accept": "application/x-ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    refused = httpx.get(f"{engawa.base}/feeds/held/stream", headers={**signed(), "Authorization": "Bearer nonsense"})
    assert refused.status_code == 401
