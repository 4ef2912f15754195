"""Who is on a stream of several rooms while something happens to one of these."""

import asyncio
import time
from typing import Any

import pytest

from chat import actions, doorway, governing, posting
from chat.database import in_database
from chat.identity import Identity
from chat.models import Room, User
from chat.relays import relays
from feeds.forms.kinds import KINDS, Kind
from feeds.streams import RoomStream
from tests.unit.test_relay import WAIT_SECONDS, fresh_relays

__all__ = ["fresh_relays"]
pytestmark = pytest.mark.django_db(transaction=True)


async def two_rooms() -> tuple[Identity, Room, Room]:
    def prepare() -> tuple[Identity, Room, Room]:
        olga = User.objects.create_user("olga").identity
        rooms = [actions.create_room(olga, name)[0] for name in ("veranda", "garden")]
        for room in rooms:
            posting.post(olga, room.pk, f"said in the {room.slug}")
        return olga, *rooms

    return await in_database(prepare)


async def answer(query: str, kind: Kind) -> tuple[int, bytes]:
    """The status and the first words of a stream of several rooms, whose reader leaves after these."""
    sent: list[dict[str, Any]] = []
    said = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            said.set()

    async def receive() -> dict[str, Any]:
        await said.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/feeds/stream",
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver")],
        "client": ("198.51.100.9", 1),
        "url_route": {"kwargs": {}},
    }
    async with asyncio.timeout(WAIT_SECONDS):
        await RoomStream(kind)(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.suffix)
async def test_nothing_is_told_of_a_room_that_was_closed_while_another_was_entered(monkeypatch, kind: Kind) -> None:
    olga, veranda, garden = await two_rooms()
    assert (await answer("room=veranda&room=garden&history=5", kind))[0] == 200
    enter, of_veranda = doorway.enter, await relays().of("veranda")

    def slow_enter(room_id: int, *rest: object) -> doorway.Entry:
        entry = enter(room_id, *rest)
        if room_id == garden.pk:
            governing.change_visibility(olga, veranda.pk, "private")
            deadline = time.monotonic() + WAIT_SECONDS
            while of_veranda.followers and time.monotonic() < deadline:
                time.sleep(0.01)
        return entry

    monkeypatch.setattr(doorway, "enter", slow_enter)
    status, said = await answer("room=veranda&room=garden&history=5", kind)
    assert b"said in the veranda" not in said
    assert status == 503
    monkeypatch.setattr(doorway, "enter", enter)
    status, said = await answer("room=veranda&room=garden&history=5", kind)
    assert status == 200
    assert b"said in the garden" in said
    assert b"said in the veranda" not in said
