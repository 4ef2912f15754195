"""``manage.py`` beside running servers: what an operator does is so at once, in every process."""

import asyncio
import json
import subprocess
import sys
import time

import pytest

from tests.clients import participant
from tests.people import PASSWORD, browsing, cookies_of
from tests.servers import ROOT, Engawa

PREPARE = f"""
from chat.models import Membership, Room, User
for name in ('olga', 'sven', 'sam'):
    User.objects.create_user(name, password={PASSWORD!r})
"""
SAY_LONG_AGO = """
import time
from unittest import mock
from chat import posting
from chat.identity import new_guest
from chat.models import Room
room = Room.objects.get(slug={slug!r})
with mock.patch('chat.mids.time', lambda: time.time() - 40 * 86400):
    for number in range(3):
        posting.post(new_guest(), room.pk, f'said long ago {{number}}')
"""


@pytest.fixture(scope="module")
def administered(servers: tuple[Engawa, Engawa]) -> tuple[Engawa, Engawa]:
    servers[0].shell(PREPARE)
    return servers


def run(server: Engawa, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=server.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_who_is_banned_everywhere_is_let_go_in_every_process_and_comes_back_after(administered) -> None:
    one, two = administered
    with browsing(one, "sven") as http:
        cookie = cookies_of(http)
    async with participant(one.sockets, cookie=cookie) as here, participant(two.sockets, cookie=cookie) as there:
        assert here.welcome["you"]["name"] == there.welcome["you"]["name"] == "sven"
        said = await asyncio.to_thread(one.manage, "ban", "--everywhere", "--user", "sven", "--for", "2h")
        assert said.startswith("sven is banned everywhere until ")
        for client in (here, there):
            assert (await client.until("error"))["code"] == "banned"
            assert await client.closed() >= 4500
    async with participant(two.sockets, cookie=cookie) as again:
        assert again.refusal["code"] == "banned"
    one.manage("unban", "--everywhere", "--user", "sven")
    async with participant(two.sockets, cookie=cookie) as again:
        assert (await again.post("back"))["type"] == "posted"


async def test_a_suspended_account_is_signed_out_in_every_process(administered) -> None:
    one, two = administered
    with browsing(one, "sam") as http:
        cookie = cookies_of(http)
        async with participant(two.sockets, cookie=cookie) as there:
            suspend = "from chat import administration; from chat.models import User\n"
            suspend += "print(administration.suspend(User.objects.get(username='sam').pk))"
            assert await asyncio.to_thread(one.shell, suspend) == "True"
            assert await there.closed() == 4002
        assert "sam" not in http.get("/chat/").text
        async with participant(two.sockets, cookie=cookie) as again:
            assert again.welcome["you"]["kind"] == "guest"


async def test_what_was_kept_long_enough_is_gone_from_the_memory_of_running_servers(administered) -> None:
    one, two = administered
    slug = one.manage("create_room", "Short memory", "--owner", "olga").strip()
    one.shell(SAY_LONG_AGO.format(slug=slug))
    one.shell(
        "from chat import governing; from chat.models import Room\n"
        f"governing.change_room(None, Room.objects.get(slug={slug!r}).pk, {{'retention_days': 30}})"
    )
    async with participant(one.sockets, slug) as here, participant(two.sockets, slug) as there:
        for client in (here, there):
            assert client.welcome["head"] == 3
        posted = await here.post("said today")
        assert posted["id"] == 4
        async with participant(two.sockets, slug, "?after=1") as resumed:
            texts = [event.get("message") for event in await resumed.events_until("said today")]
            assert texts == ["said long ago 1", "said long ago 2", "said today"]  # both hold it in memory
        assert "3 messages deleted" in await asyncio.to_thread(one.manage, "prune")
        for server in (one, two):
            deadline = time.monotonic() + 10
            while "said long ago" in (seen := await _resumed(server, slug)):
                assert time.monotonic() < deadline, seen
            assert json.loads(seen) == ["reset"]
            async with participant(server.sockets, slug, "?after=3") as resumed:
                texts = [event.get("message") for event in await resumed.events_until("said today")]
                assert texts == ["said today"]
            with browsing(server) as http:
                page = http.get(f"/chat/{slug}/").text
                assert "said today" in page
                assert "said long ago" not in page
        # Who was there meanwhile lost nothing.
        await here.post("and on")
        assert [event["message"] for event in await there.events_until("and on")][-1] == "and on"


async def _resumed(server: Engawa, slug: str) -> str:
    """What is told first to somebody who comes back with number 1."""
    async with participant(server.sockets, slug, "?after=1") as client:
        while True:
            frame = await client.receive()
            if frame["type"] == "reset":
                return json.dumps(["reset"])
            if "id" in frame or frame["type"] == "batch":
                return json.dumps(frame)


def test_a_script_can_tell_what_went_wrong(administered) -> None:
    one, _ = administered
    failed = run(one, "ban", "nowhere", "--user", "olga")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == "CommandError: there is no room nowhere\n"
    assert run(one, "ban", "lobby", "--user", "olga", "--for", "ages").returncode == 2
    unsure = run(one, "delete_room", "lobby")
    assert unsure.returncode == 1
    assert "with --yes it is not asked" in unsure.stderr
    written = run(one, "export_room", "lobby")
    assert written.returncode == 0
    assert json.loads(written.stdout.splitlines()[0])["type"] == "room"
