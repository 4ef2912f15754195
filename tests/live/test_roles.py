"""Web and websocket, each a process of its own, on one PostgreSQL and one Redis; and what happens around either."""

import asyncio
import base64
import http.client
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import parts
from tests.clients import PATIENCE_SECONDS, participant, viewer
from tests.imports import ROOT, imports_of
from tests.live.test_grip import KEY, Proxy
from tests.people import browsing, cookies_of, submit
from tests.receiver import receiving
from tests.servers import Engawa, Postgres, engawa_environment, free_port, manage, redis_process

WEB = ["-m", "config.serve", "web"]
WEBSOCKET = ["-m", "config.serve", "websocket"]
PREPARE = """
from chat import actions
from chat.models import Membership, User
people = {name: User.objects.create_user(name, password='a long password') for name in ('olga', 'mod', 'sven')}
for name in ('lobby', 'veranda', 'garden', 'pond', 'gate'):
    room, _ = actions.create_room(people['olga'].identity, name)
    Membership.objects.create(room=room, user=people['mod'], role='moderator')
"""


class Split:
    """Both processes, as a proxy in front would hold them together: one address for people."""

    def __init__(self, web: Engawa, websocket: Engawa, database: str) -> None:
        self.web, self.websocket, self.database = web, websocket, database

    def participant(self, slug: str, cookie: str | None = None, **more: str):
        return participant(
            self.websocket.sockets, slug, cookie=cookie, origin=self.web.base if cookie else None, **more
        )


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis_url: str) -> Iterator[Split]:
    folder = tmp_path_factory.mktemp("split")
    port = str(free_port())
    settings = {
        "DATABASE_URL": postgres.fresh_database(),
        "REDIS_URL": redis_url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "POSTS_PER_MINUTE": "6",
        "LOG_LEVEL": "info",
    }
    environment = engawa_environment(folder, **settings, ROLE="websocket")
    manage(environment, "migrate", "-v0")
    manage(environment, "shell", "-v0", "-c", PREPARE)
    web = Engawa(folder, "web", WEB, wait=False, **{**settings, "PORT": port})
    websocket = Engawa(folder, "websocket", WEBSOCKET, wait=False, **settings)
    for server in (web, websocket):
        server.wait_until_ready()
    yield Split(web, websocket, settings["DATABASE_URL"])
    for server in (web, websocket):
        assert server.stop() == 0
        assert "Traceback" not in server.output()


def make_lobby(server: Engawa) -> None:
    server.shell("from chat import actions, identity; actions.create_room(identity.new_guest(), 'lobby')")


def ask(server: Engawa, path: str, method: str = "GET", host: str = "anybody.example") -> tuple[int, str]:
    """An answer's status and text, whatever its Host."""
    answer = httpx.request(method, server.base + path, headers={"Host": host}, timeout=PATIENCE_SECONDS)
    return answer.status_code, answer.text


# Together -------------------------------------------------------------------------------------------------


async def test_what_is_said_through_one_is_followed_through_the_other(split: Split) -> None:
    async with split.participant("veranda") as somebody, viewer(split.web.base, "veranda") as watching:
        mid = (await somebody.post("through the socket"))["mid"]
        assert (await watching.event())["message"] == "through the socket"
        with browsing(split.web, "sven") as http:
            submit(http, "/chat/veranda/messages", message="through the page")
        assert (await somebody.events_until("through the page"))[-1]["author"]["name"] == "sven"
        assert (await watching.event())["message"] == "through the page"
        await somebody.send(
            type="edit", mid=mid, message="edited on the socket", key="a0a0a0a0-0000-4000-8000-000000000001"
        )
        assert (await watching.event())["message"] == "edited on the socket"
        await somebody.send(type="delete", mid=mid, key="a0a0a0a0-0000-4000-8000-000000000002")
        assert (await watching.event())["type"] == "message.deleted"
    page = httpx.get(f"{split.web.base}/feeds/veranda/").text
    assert "through the page" in page
    assert "edited on the socket" not in page


async def test_people_of_both_are_counted_together(split: Split) -> None:
    async with (
        split.participant("garden") as here,
        participant(split.web.sockets, "garden"),
        viewer(split.web.base, "garden"),
    ):
        while (await here.until("presence")) != {"type": "presence", "participants": 2, "viewers": 1}:
            pass


async def test_posts_are_counted_over_both(split: Split) -> None:
    with httpx.Client(base_url=split.web.base) as http:
        http.get("/chat/pond/")
        async with split.participant("pond", cookies_of(http)) as somebody:
            for number in range(3):
                assert (await somebody.post(f"{number}"))["type"] == "posted"
                assert submit(http, "/chat/pond/messages", message=f"page {number}").status_code < 400
            assert (await somebody.post("one too many"))["code"] == "limit.posts"
            assert submit(http, "/chat/pond/messages", message="one too many").status_code == 429


async def test_signing_out_on_a_page_closes_the_sockets_of_the_other(split: Split) -> None:
    with browsing(split.web, "sven") as http:
        async with split.participant("lobby", cookies_of(http)) as somebody:
            assert somebody.welcome["you"]["name"] == "sven"
            submit(http, "/accounts/logout/")
            assert (await somebody.until("error"))["code"] == "session.ended"
            assert await somebody.closed() == 4002


async def test_a_command_on_a_socket_holds_at_every_door(split: Split) -> None:
    with browsing(split.web, "mod") as http, browsing(split.web, "sven") as banned:
        cookie = cookies_of(banned)
        async with (
            split.participant("gate", cookies_of(http)) as moderator,
            split.participant("gate", cookie) as somebody,
            viewer(split.web.base, path="/chat/gate/stream", headers={"Cookie": cookie}) as reading,
        ):
            mid = (await somebody.post("spam"))["mid"]
            await moderator.send(type="ban", mid=mid, reason="spam", key="a0a0a0a0-0000-4000-8000-000000000003")
            assert (await moderator.until("done"))["key"].endswith("3")
            assert (await somebody.until("error"))["code"] == "banned"
            assert await somebody.closed() == 4503
            while (block := await reading.block())["event"] != "stream-error":
                pass
            assert "banned" in block["data"]
        assert submit(banned, "/chat/gate/messages", message="again").status_code == 403


# The one without pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/chat/", "/feeds/veranda/stream", "/admin/", "/static/css/base.css", "/ws/chat/veranda/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_anything_else_over_http_is_told_to_upgrade(split: Split, path: str, method: str) -> None:
    answer = httpx.request(method, split.websocket.base + path)
    assert answer.status_code == 426
    assert (answer.headers["upgrade"], answer.headers["connection"]) == ("websocket", "Upgrade")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "Only WebSockets are served here, at /ws/chat/<room>/. Pages are elsewhere.\n"


def test_a_connection_is_kept_after_such_an_answer(split: Split) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", split.websocket.port, timeout=PATIENCE_SECONDS)
    said = []
    for path in ("/chat/", "/health/live"):
        connection.request("GET", path)
        answer = connection.getresponse()
        said.append((answer.status, answer.read()))
    connection.close()
    assert [status for status, _ in said] == [426, 200]


def test_each_says_that_it_listens_and_as_what(split: Split) -> None:
    for server, role in ((split.web, "web"), (split.websocket, "websocket")):
        line = f"INFO    config.serve: listening on 127.0.0.1:{server.port}, role {role}, 1 process\n"
        assert server.output().count(line) == 1


def test_what_people_do_on_sockets_brings_in_no_page(tmp_path: Path, redis_url: str) -> None:
    environment = engawa_environment(tmp_path, REDIS_URL=redis_url, ROLE="", PORT="8000", POSTS_PER_MINUTE="0")
    shutil.copy(Engawa.database(), tmp_path)
    imports = imports_of(environment, "config.asgi_websocket", "config.server", "tests.talking:talk")
    assert "chat.sessions" in imports
    for package in (
        "config.urls",
        "feeds",
        "django.contrib.admin",
        "chat.pages",
        "csp",
        "ninja",
        "servestatic",
        "httpx",
    ):
        assert not imports.within(package), imports.chain(imports.within(package)[0])


FOLLOWED = """
from chat import actions, programs
from chat.models import User
olga = User.objects.create_user("olga").identity
room, _ = actions.create_room(olga, "told")
programs.create_webhook(olga, room.pk, "{url}")
"""


def with_followers(folder: Path, webhook: str, proxy: Proxy, redis_url: str) -> Engawa:
    """A websocket process that knows a room with a webhook, and a GRIP proxy."""
    settings = {
        "REDIS_URL": redis_url,
        "WEBHOOK_PRIVATE_ADDRESSES": "true",
        "GRIP_URL": f"http://127.0.0.1:{proxy.server_port}/?iss=engawa&key=base64:{base64.b64encode(KEY).decode()}",
    }
    environment = engawa_environment(folder, **settings)
    shutil.copy(Engawa.database(), folder)
    manage(environment, "shell", "-v0", "-c", FOLLOWED.format(url=webhook))
    return Engawa(folder, "websocket", WEBSOCKET, **settings)


async def test_webhooks_and_the_grip_proxy_hear_of_it(tmp_path: Path, redis_url: str) -> None:
    proxy = Proxy()
    async with receiving() as receiver:
        server = await asyncio.to_thread(with_followers, tmp_path, receiver.url, proxy, redis_url)
        try:
            async with participant(server.sockets, "told") as somebody:
                for number in range(3):
                    await somebody.post(f"{number}")
            await receiver.until(lambda: len(receiver.events()) == 3)
            assert [event["message"] for event in receiver.events()] == ["0", "1", "2"]
            items = await asyncio.to_thread(proxy.items_of, "events-told", 3)
            assert [(item["id"], item["prev-id"]) for item in items] == [("1", "0"), ("2", "1"), ("3", "2")]
        finally:
            server.stop()
            proxy.shutdown()
            proxy.server_close()


async def test_several_workers_have_their_parents_role(tmp_path: Path, redis_url: str) -> None:
    server = Engawa(tmp_path, "workers", WEBSOCKET, REDIS_URL=redis_url, WORKERS="2", LOG_LEVEL="info")
    try:
        await asyncio.to_thread(server.wait_until, lambda: "role websocket, 2 processes" in server.output())
        make_lobby(server)
        statuses = [ask(server, "/chat/")[0] for _ in range(20)]  # each connection lands on one of them
        assert set(statuses) == {426}
        async with participant(server.sockets) as somebody:
            assert (await somebody.post("hello"))["type"] == "posted"
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_other_servers_serve_it_too(tmp_path: Path, redis_url: str, kind: str) -> None:
    command = {
        "daphne": ["-m", "daphne", "-p", "{port}", "config.asgi_websocket:application"],
        "uvicorn": ["-m", "uvicorn", "config.asgi_websocket:application", "--port", "{port}", "--log-level", "warning"],
    }[kind]
    server = Engawa(tmp_path, kind, command, REDIS_URL=redis_url)
    try:
        make_lobby(server)
        assert ask(server, "/chat/")[0] == 426
        assert ask(server, "/health/ready") == (200, "ready\n")
        async with participant(server.sockets) as somebody, participant(server.sockets) as another:
            await somebody.post("hello")
            assert (await another.event())["message"] == "hello"
    finally:
        server.stop()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_named(tmp_path: Path, redis_url: str, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, *WEBSOCKET],
            cwd=ROOT,
            env=engawa_environment(tmp_path, REDIS_URL=redis_url, PORT=str(port), WORKERS=workers, PYTHONWARNINGS=""),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert (
        done.stderr == f"engawa: cannot listen on 127.0.0.1:{port} (Address already in use). PORT names another port.\n"
    )


# Health ---------------------------------------------------------------------------------------------------


async def until_ready_says(server: Engawa, status: int, text: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await asyncio.to_thread(ask, server, "/health/ready") != (status, text):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("role", ["web", "websocket"])
def test_health_is_told_to_whoever_asks(split: Split, role: str) -> None:
    server = getattr(split, role)
    assert ask(server, "/health/live") == (200, "alive\n")
    assert ask(server, "/health/ready") == (200, "ready\n")
    assert ask(server, "/health/ready", "HEAD") == (200, "")
    assert ask(server, "/health/ready", "POST") == (405, "Ask by GET.\n")
    headers = httpx.get(f"{server.base}/health/live").headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"].startswith("text/plain")


async def test_a_database_that_is_away_or_empty_is_told_apart_from_the_end(split: Split, postgres: Postgres) -> None:
    name = split.database.rsplit("/", 1)[1]
    both = (split.web, split.websocket)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            for server in both:
                await until_ready_says(server, 503, "database\n")
                assert ask(server, "/health/live") == (200, "alive\n")
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    for server in both:
        await until_ready_says(server, 200, "ready\n")


async def test_one_that_is_started_before_the_tables_are_there_waits_for_them(tmp_path: Path, redis_url: str) -> None:
    settings = {"REDIS_URL": redis_url, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    server = Engawa(tmp_path, "early", WEBSOCKET, wait=False, **settings)
    try:
        await asyncio.to_thread(server.wait_until, lambda: "listening" in server.output())
        assert ask(server, "/health/live") == (200, "alive\n")
        assert ask(server, "/health/ready") == (503, "migrations\n")
        await asyncio.to_thread(server.manage, "migrate", "-v0")
        await until_ready_says(server, 200, "ready\n")
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("how", ["stopped", "held"])
async def test_without_redis_it_is_degraded_and_goes_on(tmp_path: Path, how: str) -> None:
    (tmp_path / "redis").mkdir()
    with redis_process(tmp_path / "redis") as redis:
        server = Engawa(tmp_path, "websocket", WEBSOCKET, REDIS_URL=redis.url)
        try:
            make_lobby(server)
            async with participant(server.sockets) as somebody:
                redis.stop() if how == "stopped" else redis.pause()
                await until_ready_says(server, 200, "degraded\nlayer\n")
                assert ask(server, "/health/live") == (200, "alive\n")
                assert (await somebody.post("without it"))["type"] == "posted"
                redis.start() if how == "stopped" else redis.resume()
                await until_ready_says(server, 200, "ready\n")
                assert (await somebody.post("with it again"))["type"] == "posted"
        finally:
            server.stop()


# A fresh environment --------------------------------------------------------------------------------------


def lean_python(folder: Path) -> str:
    """The path of a Python in an environment of its own, with what ``requirements-websocket.txt`` brings."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    python = os.fspath(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", "-r", os.fspath(ROOT / "requirements-websocket.txt")]
    subprocess.run(install, check=True, timeout=600)
    return python


@pytest.mark.skipif(not parts.LONG, reason="installs all that it needs: bin/test --long")
async def test_nothing_but_its_requirements_is_needed(tmp_path: Path, redis_url: str, postgres: Postgres) -> None:
    """With workers, on PostgreSQL, told to publish."""
    python = await asyncio.to_thread(lean_python, tmp_path / "lean")
    settings = {
        "REDIS_URL": redis_url,
        "DATABASE_URL": postgres.fresh_database(),
        "WORKERS": "2",
        "GRIP_URL": "http://127.0.0.1:1/?iss=engawa&key=base64:a2V5",
    }
    manage(engawa_environment(tmp_path, **settings), "migrate", "-v0")
    arguments = [python, *WEBSOCKET]
    server = Engawa(tmp_path, "lean", ["-c", f"import os; os.execv({python!r}, {arguments!r})"], **settings)
    try:
        make_lobby(server)
        async with participant(server.sockets) as somebody:
            assert (await somebody.post("hello"))["type"] == "posted"
        assert ask(server, "/health/ready") == (200, "ready\n")
    finally:
        assert server.stop() == 0
