"""The log of a busy server to which everything that must not be in it was said, and on which things go wrong."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.clients import participant, viewer
from tests.people import PASSWORD, browsing, cookies_of, submit
from tests.servers import Engawa, Postgres

PLANTED = "xyzzy"  # in all that people write, are called, or prove themselves with
NETWORK = "198.51.100.77"
SETTINGS = {"LOG_LEVEL": "debug", "ACCESS_LOG": "true", "TRUSTED_PROXIES": "127.0.0.1", "WEBHOOK_SECONDS": "1"}
# What the database says of a row that it refuses has the row in it.
REFUSING = """
ALTER TABLE chat_message ADD CONSTRAINT no_message CHECK (text NOT LIKE '%refuse me%') NOT VALID;
ALTER TABLE chat_room ADD CONSTRAINT no_room CHECK (title NOT LIKE '%refuse me%') NOT VALID;
ALTER TABLE chat_user ADD CONSTRAINT no_user CHECK (username NOT LIKE '%refused%') NOT VALID;
"""
PREPARE = """
from datetime import timedelta
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from chat import actions, governing, invitations, programs, viewing
from chat.models import User
user = User.objects.create_user('olga', 'olga-xyzzy@den.example', 'a long password')
olga = user.identity
rooms = [actions.create_room(olga, name)[0] for name in ('den', 'hut', 'loft')]
programs.create_webhook(olga, rooms[0].pk, 'https://hooks.invalid/services/xyzzy-hook')
governing.change_visibility(olga, rooms[2].pk, 'private')
secret = viewing.create_view_token(olga, rooms[2].pk, 'xyzzy', timezone.now() + timedelta(hours=1))[1]
reset = urlsafe_base64_encode(force_bytes(user.pk)) + '/' + default_token_generator.make_token(user)
print(*(room.pk for room in rooms), programs.create_token(olga, rooms[0].pk, 'Xyzzy bot', programs.SCOPES)[1], secret,
      viewing.ticket_of(viewing.grant_of(secret))[0], invitations.invite(olga, rooms[2].pk)[1], reset)
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, postgres: Postgres, redis_url: str) -> Iterator[tuple[dict[str, Engawa], list[str]]]:
    """A server for each format, and what was made on them."""
    url = postgres.fresh_database()
    folder: Path = tmp_path_factory.mktemp("logs")
    more = {"DATABASE_URL": url, "REDIS_URL": redis_url, **SETTINGS}
    servers = {"line": Engawa(folder, "line", LOG_FORMAT="line", **more)}
    servers["json"] = Engawa(folder, "json", LOG_FORMAT="json", wait=False, **more)
    made = servers["line"].shell(PREPARE).split()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(REFUSING)
    servers["json"].wait_until_ready()
    yield servers, made
    for server in servers.values():
        server.stop()


@pytest.mark.parametrize("form", ["line", "json"])
async def test_what_is_said_and_what_lets_somebody_in_is_not_in_it(prepared, form: str) -> None:
    servers, (den, hut, _, token, secret, ticket, invitation, reset) = prepared
    server = servers[form]
    hidden = [PLANTED, NETWORK, PASSWORD, token[8:], secret[15:], ticket, ticket.replace(":", "%3A"), invitation]
    hidden += [reset.partition("/")[2], "hooks.invalid"]
    with browsing(server, "olga", NETWORK) as http:
        hidden += await asyncio.to_thread(sit_down, server, http, form)
        await asyncio.to_thread(be_a_program, server, token)
        await asyncio.to_thread(come_by_links, server, secret, ticket, invitation, reset)
        failed = await talk(server, cookies_of(http))
    server.stop()
    log = server.output()
    for each in hidden:
        assert each.lower() not in log.lower(), each
    assert log.count("violates check constraint") >= 6, "things did go wrong"
    told = {"line": lines_of, "json": records_of}[form](log)
    assert told["post failed"] == {"den": {den}, "hut": {hut}}, "each socket's lines are told apart, by its own id"
    assert failed in told["errors"], "who is shown the page that something went wrong can name the lines"


def sit_down(server: Engawa, http: httpx.Client, form: str) -> list[str]:
    """What somebody does on pages, and some of it wrong. Returns their cookies."""
    for _ in range(2):
        submit(http, "/chat/den/messages", message=f"{PLANTED}, refuse me", key=f"k-{form}")
        submit(http, "/chat/den/messages", message=f"{PLANTED} said", name=f"Gil {PLANTED}")
    submit(http, "/chat/", name=f"refuse me {PLANTED}")
    http.get("/chat/den/search", params={"q": PLANTED})
    http.get("/chat/nowhere/", params={"q": PLANTED}, headers={"Referer": f"https://a.example/?{PLANTED}"})
    http.post("/accounts/profile/", data={"email": f"{PLANTED}@den.example", "csrfmiddlewaretoken": PLANTED})
    with browsing(server, network=NETWORK) as stranger:
        stranger.get("/accounts/signup/")
        submit(stranger, "/accounts/login/", username=f"olga-{PLANTED}", password=PLANTED)
        name = f"refused-{PLANTED}"
        submit(stranger, "/accounts/signup/", username=name, password1=PASSWORD, password2=PASSWORD)
        stranger.get("/chat/den/", headers={"Cookie": f"guest={PLANTED}; sessionid={PLANTED}; language={PLANTED}"})
        return [*http.cookies.values(), *stranger.cookies.values()]


def be_a_program(server: Engawa, token: str) -> None:
    messages = f"{server.base}/api/v1/rooms/den/messages"
    for given in (token, f"engawa_{PLANTED * 9}"):
        with httpx.Client(headers={"Authorization": f"Bearer {given}"}) as http:
            http.post(messages, json={"message": f"{PLANTED}, refuse me"})
            http.post(messages, content=f'{{"message": "{PLANTED}')
            http.post(messages, json={PLANTED: 1})


def come_by_links(server: Engawa, secret: str, ticket: str, invitation: str, reset: str) -> None:
    with browsing(server, network=NETWORK) as http:
        for path in (f"/join/{invitation}/", f"/join/{invitation}x/", f"/accounts/reset/{reset}/"):
            http.get(path)
            http.put(path)
            http.post(path, data={"csrfmiddlewaretoken": PLANTED})
            http.get(path + "more")
        for query in (f"?ticket={ticket}", f"?ticket={PLANTED}:{ticket}"):
            http.get(f"/feeds/loft/{query}")
            http.get(f"/feeds/loft/nothing{query}", headers={"Authorization": f"Bearer {secret}"})
            http.post(f"/feeds/loft/ticket{query}", headers={"Authorization": f"Bearer {secret}{PLANTED}"})


async def talk(server: Engawa, cookie: str) -> str:
    """On sockets and a stream, some of which end badly. Returns the id that an error's page names."""
    network = {"X-Forwarded-For": NETWORK}
    async with (
        participant(server.sockets, "den", cookie=cookie, headers=network) as olga,
        participant(server.sockets, "hut", headers=network) as guest,
        viewer(server.base, "den", headers=network) as watching,
    ):
        await guest.send(type="name", name=f"Gil {PLANTED}")
        for socket in (olga, guest):
            await socket.post(f"{PLANTED} is fine")
            assert (await socket.post(f"{PLANTED}, refuse me"))["code"] == "server.error"
            await socket.send(type=PLANTED, message=PLANTED)
            await socket.send(type="delete", mid=PLANTED)
            await socket.socket.send(PLANTED)
        assert (await watching.event())["message"] == f"{PLANTED} is fine"
        olga.socket.transport.abort()
    with browsing(server, network=NETWORK) as http:
        http.get("/chat/")
        page = submit(http, "/chat/", name=f"refuse me again {PLANTED}")
        assert page.status_code == 500
        assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text
        given = http.get("/chat/nowhere/", headers={"X-Request-ID": "of-the-proxy"})
        assert given.headers["X-Request-ID"] == "of-the-proxy"
    return page.headers["X-Request-ID"]


def lines_of(log: str) -> dict:
    """Of whom lines tell, and in which rooms."""
    opened = dict(re.findall(r"config\.access \[connection ([\w-]+)[^\]]*\]: GET /ws/chat/(\w+)/ 101", log))
    failed = re.findall(r"chat\.consumers \[connection ([\w-]+), room (\d+)\]: a post could not be written", log)
    assert re.search(r"WARNING django\.request \[request of-the-proxy\]: Not Found: /chat/nowhere/\n", log)
    assert re.search(r"config\.access \[request [\w-]+, room \d+\]: GET /feeds/den/stream 200, \d{3,} bytes", log)
    return {
        "post failed": {opened[ident]: {room for other, room in failed if other == ident} for ident, _ in failed},
        "errors": re.findall(r"ERROR +django\.request \[request ([\w-]+)\]: Internal Server Error: /chat/", log),
    }


def records_of(log: str) -> dict:
    """The same from JSON, of which every line is one object."""
    records = [json.loads(line) for line in log.partition("Ctrl-C stops it.\n")[2].splitlines()]
    assert all(record.keys() >= {"time", "level", "logger", "message", "role", "process"} for record in records)
    access = [record for record in records if record["logger"] == "config.access"]
    opened = {each["connection"]: each["path"].split("/")[3] for each in access if each["transport"] == "websocket"}
    failed = [record for record in records if record["message"] == "a post could not be written"]
    assert all("CheckViolation" in record["exception"] for record in failed)
    (given,) = (
        each for each in records if each.get("request") == "of-the-proxy" and each["logger"] == "django.request"
    )
    assert given["message"] == "Not Found: /chat/nowhere/"
    (stream,) = (each for each in access if each["transport"] == "stream" and each["status"] == 200)
    assert (stream["path"], stream["bytes"] > 100) == ("/feeds/den/stream", True)
    return {
        "post failed": {
            opened[ident]: {str(each["room"]) for each in failed if each["connection"] == ident}
            for ident in {record["connection"] for record in failed}
        },
        "errors": [record["request"] for record in records if record["level"] == "error" and "request" in record],
    }
