"""The same answer at every door: what the domain says to a command, the socket and the HTTP door say as well."""

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest

from chat.commands import COMMANDS
from tests.access import ACTORS, BOTS, expected
from tests.clients import participant
from tests.parts import LONG
from tests.people import browsing, cookies_of
from tests.servers import Engawa

SETTINGS = ("public", "private", "archived") + (("posting_members", "posting_moderators", "sealed") if LONG else ())
ROLES = [role for role in ACTORS if role not in BOTS and role != "banned_network"]
SIGNED_IN = {
    **{"owner": "olga", "moderator": "mod", "member": "mio"},
    **{"account": "sven", "other_moderator": "otto", "banned_account": "bert"},
}
PREPARE = """
import json
from types import SimpleNamespace
from django.conf import settings
from chat.identity import guest_token
from chat.models import Room, User
from tests.unit import test_access as table
world = table.make_world({setting!r}, SimpleNamespace())
Room.objects.filter(pk=world.room.pk).update(slug={slug!r})
for user in User.objects.filter(password='') | User.objects.filter(password__startswith='!'):
    user.set_password('a long password')
    user.save()
guests = {{role: actor for role, actor in world.people.items() if actor is not None and actor.kind == 'guest'}}
tokens = {{role: guest_token(actor) for role, actor in guests.items()}}
print(json.dumps({{
    'tokens': tokens, 'mids': {{role: message.mid for role, message in world.own.items()}}, 'theirs': world.theirs,
    'hidden': world.hidden, 'pinned': world.pinned, 'report': world.report, 'held': world.held,
    'sanction': world.sanction,
}}))
"""
# For each command the actions of the table that it stands for, whose refusals are asked for: what is allowed changes
# the room, and is asked for by ``tests/unit/test_access.py``.
REFUSED = {
    "edit": ("edit_own", lambda world, role: {"mid": world["mids"][role], "message": "x"}),
    "delete": ("delete_others", lambda world, role: {"mid": world["theirs"]}),
    "react": ("react", lambda world, role: {"mid": world["theirs"], "reaction": "👍"}),
    "unreact": ("unreact", lambda world, role: {"mid": world["theirs"], "reaction": "👍"}),
    "report": ("report", lambda world, role: {"mid": world["theirs"], "reason": "spam"}),
    "seen": ("seen", lambda world, role: {"mid": world["theirs"]}),
    "pin": ("pin", lambda world, role: {"mid": world["theirs"]}),
    "unpin": ("unpin", lambda world, role: {"mid": world["pinned"]}),
    "hide": ("hide", lambda world, role: {"mid": world["theirs"]}),
    "unhide": ("unhide", lambda world, role: {"mid": world["hidden"]}),
    "delete_hidden": ("delete_hidden", lambda world, role: {"mid": world["hidden"]}),
    "delete_recent": ("delete_recent", lambda world, role: {"mid": world["theirs"]}),
    "mute": ("mute_owner", lambda world, role: {"mid": world["mids"]["owner"], "seconds": 60}),
    "ban": ("ban", lambda world, role: {"mid": world["theirs"]}),
    "lift": ("lift", lambda world, role: {"sanction": world["sanction"]}),
    "approve": ("approve", lambda world, role: {"held": world["held"]}),
    "reject": ("reject", lambda world, role: {"held": world["held"]}),
    "handle_report": ("handle_report", lambda world, role: {"report": world["report"], "state": "resolved"}),
}


def test_every_command_is_asked_for() -> None:
    assert set(REFUSED) == set(COMMANDS)


async def over_the_socket(server: Engawa, slug: str, cookie: str, frames: list[dict]) -> list[str]:
    async with participant(server.sockets, slug, cookie=cookie) as socket:
        if not socket.welcome:
            return [socket.refusal["code"]] * len(frames)
        answers = []
        for frame in frames:
            key = str(uuid.uuid4())
            await socket.send(key=key, **frame)
            while (answer := await socket.receive()).get("key") != key or answer["type"] not in (
                "done",
                "error",
                "posted",
            ):
                pass
            answers.append(answer.get("code", "ok"))
        return answers


def over_http(server: Engawa, slug: str, cookies: httpx.Cookies, frames: list[dict]) -> list[str]:
    with httpx.Client(base_url=server.base, cookies=cookies) as http:
        http.get("/accounts/login/")
        http.get("/chat/")
        headers = {"X-CSRFToken": http.cookies["csrftoken"], "Referer": server.base, "Accept": "application/json"}
        answers = []
        for frame in frames:
            door = "messages" if frame["type"] == "post" else "commands"
            answer = http.post(f"/chat/{slug}/{door}", json=frame, headers=headers)
            answers.append("ok" if answer.status_code < 300 else answer.json()["error"]["code"])
        return answers


@pytest.mark.parametrize("setting", SETTINGS)
async def test_every_door_gives_the_answer_of_the_table(tmp_path_factory: pytest.TempPathFactory, setting: str) -> None:
    server = Engawa(tmp_path_factory.mktemp(setting))
    slug = f"veranda-{setting.replace('_', '-')}"
    try:
        world: dict[str, Any] = json.loads(server.shell(PREPARE.format(setting=setting, slug=slug)).splitlines()[-1])
        wrong, asked = [], 0
        for role in ROLES:
            frames, wanted = [], []
            for name, (action, content) in REFUSED.items():
                answer = expected(setting, action, role)
                if answer != "ok":
                    frames.append({"type": name, **content(world, role)})
                    wanted.append(answer)
            if expected(setting, "post", role) != "ok":
                frames.append({"type": "post", "message": "hello"})
                wanted.append(expected(setting, "post", role))
            if not frames:
                continue
            with browsing(server, SIGNED_IN.get(role)) as http:
                if role in world["tokens"]:
                    http.cookies.set("guest", world["tokens"][role], domain="127.0.0.1")
                by_socket = await over_the_socket(server, slug, cookies_of(http), frames)
                by_http = await asyncio.to_thread(over_http, server, slug, http.cookies, frames)
            asked += len(frames)
            for frame, should, *got in zip(frames, wanted, by_socket, by_http, strict=True):
                if got != [should, should]:
                    wrong.append(f"{frame['type']} as {role}: {got}, not {should}")
        assert wrong == []
        assert asked > 80
    finally:
        server.stop()
