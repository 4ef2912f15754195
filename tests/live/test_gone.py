"""What a moderator takes away is gone: from every page, history, replay and row, on every process."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from feeds.transcripts import FORMS
from tests.clients import Participant, participant, viewer
from tests.people import browsing, cookies_of, submit
from tests.servers import Engawa

SECRET = "xyzzy"
JSON = {"Accept": "application/json"}
PREPARE = """
from chat import actions, governing
from chat.models import Membership, User
olga = User.objects.create_user('olga', password='a long password')
User.objects.create_user('mod', password='a long password')
for way in ('delete', 'delete_recent', 'hide', 'edit', 'account'):
    room, _ = actions.create_room(olga.identity, way)
    Membership.objects.create(room=room, user=User.objects.get(username='mod'), role='moderator')
    governing.change_room(olga.identity, room.pk, {'approval': 'nobody'})
"""
# All that any table holds, but for the text of a hidden message, which its moderators may show again.
SCAN = """
from django.apps import apps
found = [
    (model.__name__, {name: value for name, value in row.items() if 'xyzzy' in str(value)})
    for model in apps.get_models() for row in model.objects.values() if 'xyzzy' in str(row)
]
print(found)
"""
# The same of every table that there is in the database, be it of no model: the search index, and what it is made of.
SCAN_TABLES = """
from django.db import connection
with connection.cursor() as cursor:
    for table in sorted(connection.introspection.table_names(cursor)):
        cursor.execute(f'SELECT * FROM "{table}"')
        if any('xyzzy' in repr(row) for row in cursor.fetchall()):
            print(table, end=' ')
"""


@pytest.fixture(scope="module")
def prepared(servers: tuple[Engawa, Engawa]) -> tuple[Engawa, Engawa]:
    servers[0].shell(PREPARE)
    return servers


async def ask(somebody: Participant, **command: str) -> None:
    """Have a command done."""
    await somebody.send(key="0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11", **command)
    while (answer := await somebody.receive())["type"] not in ("done", "error"):
        pass
    assert answer["type"] == "done", answer


async def everything_told(server: Engawa, slug: str, head: int, cookie: str) -> dict[str, str]:
    """What each door says of the room, by its name: pages, histories, and the log from every number."""
    said: dict[str, str] = {}
    with httpx.Client(base_url=server.base) as anybody, httpx.Client(base_url=server.base) as people:
        people.headers["Cookie"] = cookie
        latest = anybody.get(f"/chat/{slug}/messages?limit=1", headers=JSON).json()["messages"][0]["mid"]
        feeds = (f"/feeds/{slug}/atom", f"/feeds/{slug}/json", f"/feeds/{slug}/atom?after={'0' * 26}")
        permalinks = (f"/feeds/{slug}/m/{latest}/", f"/chat/{slug}/m/{latest}/")
        for path in (f"/feeds/{slug}/", f"/embed/{slug}/", f"/chat/{slug}/", f"/?q={slug}", *feeds, *permalinks):
            said[path] = anybody.get(path).text
        for path in ("/", "/?yours", f"/chat/{slug}/", f"/chat/{slug}/?before=7ZZZZZZZZZZZZZZZZZZZZZZZZZ"):
            said[f"{path} as a moderator"] = people.get(path).text
        said["messages"] = anybody.get(f"/chat/{slug}/messages", headers=JSON).text
        said["messages for anybody"] = anybody.get(f"/feeds/{slug}/messages").text
        today = f"{datetime.now(UTC):%Y/%m/%d}/"
        for path in (today, *(f"export.{form}" for form in FORMS), "replay/stream?speed=max"):
            said[f"/feeds/{path}"] = anybody.get(f"/feeds/{slug}/{path}").text
            said[f"/chat/{path} as a moderator"] = people.get(f"/chat/{slug}/{path}").text
        for path in (f"/feeds/{slug}/search", f"/chat/{slug}/search"):  # as JSON: a page repeats what was looked for
            said[path] = people.get(f"{path}?since=2026-01-01", headers=JSON).text
            assert people.get(f"{path}?q={SECRET}", headers=JSON).json()["messages"] == []
    for cursor in range(head):
        async with viewer(server.base, slug, last_id=f"{slug}:{cursor}") as watching:
            said[f"stream from {cursor}"] = json.dumps(await watching.events_until("sentinel"))
        async with participant(server.sockets, slug, f"?after={cursor}", cookie) as socket:
            said[f"socket from {cursor}"] = json.dumps(await socket.events_until("sentinel"))
    async with viewer(server.base, path=f"/feeds/{slug}/stream?history=50") as watching:
        block: dict[str, str] = {"data": ""}
        while "sentinel" not in block["data"]:
            block = await watching.block()
            said["stream's history"] = said.get("stream's history", "") + block["data"]
    async with httpx.AsyncClient(base_url=server.base, timeout=20) as http:
        for place in ("history=50", "lastEventId=0"):
            for path in (f"/feeds/{slug}/stream.ndjson?", f"/feeds/{slug}/stream.txt?", f"/feeds/{slug}/stream.html?"):
                said[path + place] = await told_until_sentinel(http, path + place)
            place = place.replace("=0", f"={slug}:0")
            said[f"several {place}"] = await told_until_sentinel(http, f"/feeds/stream?room={slug}&room=lobby&{place}")
        said["several rooms"] = (await http.get(f"/feeds/?room={slug}&room=lobby")).text
    async with participant(server.sockets, slug, "?history=50") as socket:
        said["socket's history"] = json.dumps(await socket.until("history"))
    return said


def start_page(server: Engawa, slug: str) -> str:
    """What it says to a moderator, and to anybody."""
    with browsing(server, "mod") as http:
        return http.get("/").text + httpx.get(f"{server.base}/?q={slug}").text


async def told_until_sentinel(http: httpx.AsyncClient, path: str) -> str:
    """What a stream says up to the sentinel."""
    said = ""
    async with http.stream("GET", path) as response:
        async for text in response.aiter_text():
            said += text
            if "sentinel" in said:
                return said
    return said


@pytest.mark.parametrize("way", ["delete", "delete_recent", "edit", "hide"])
async def test_it_is_gone_from_every_door(prepared: tuple[Engawa, Engawa], way: str) -> None:
    one, two = prepared
    with browsing(one, "mod") as http:
        cookie = cookies_of(http)
    async with (
        participant(one.sockets, way) as author,
        participant(one.sockets, way, cookie=cookie) as moderator,
        participant(two.sockets, way) as reader,
        viewer(two.base, way) as watching,
    ):
        post = await author.post(f"the word {SECRET}")
        mid = post["mid"]
        await ask(moderator, type="react", mid=mid, reaction="👍")
        await ask(moderator, type="pin", mid=mid)
        await ask(author, type="edit", mid=mid, message=f"the same word {SECRET}")
        assert SECRET in start_page(two, way)
        if way == "edit":
            await ask(author, type="edit", mid=mid, message="another word")
        else:
            await ask(moderator, type=way, mid=mid, reason="because")
        for server in prepared:  # nothing was said since, so this would be its last message
            assert SECRET not in start_page(server, way)
        await author.send(type="post", message="sentinel")
        last = await author.until("posted")
        for events in (await reader.events_until("sentinel"), await watching.events_until("sentinel")):
            spoken_of = [event["type"] for event in events if event.get("mid") == mid]
            assert spoken_of[-1] == ("message.edited" if way == "edit" else "message.deleted")
    rows, tables = one.shell(SCAN), one.shell(SCAN_TABLES)
    for server in prepared:
        for door, said in (await everything_told(server, way, last["id"], cookie)).items():
            assert "sentinel" in said, door
            assert SECRET not in said, door
    if way != "hide":
        assert (rows, tables) == ("[]", "")
        return
    assert tables == "chat_message"
    assert rows.startswith("[('Message', {'text'")
    assert rows.count("'Message'") == 1, "and only for its moderators"
    with browsing(two, "mod") as http:
        desk = http.get(f"/chat/{way}/moderation?show=hidden")
        assert SECRET in desk.text
        http.get(f"/chat/{way}/")
        submit(http, f"/chat/{way}/commands", type="unhide", mid=mid)
        assert SECRET in http.get(f"/feeds/{way}/").text
