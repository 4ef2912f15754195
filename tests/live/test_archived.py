"""An archived room, as its streams have it."""

import httpx
import pytest

from tests.clients import participant, viewer
from tests.servers import Engawa

ARCHIVE = "from chat import governing; from chat.models import Room; governing.{}(None, Room.objects.get(slug={!r}).pk)"


@pytest.mark.parametrize("side", ["feeds", "chat"])
async def test_who_has_all_of_an_archived_room_is_told_not_to_come_back(server: Engawa, side: str) -> None:
    slug = f"archived-{side}"
    server.shell(
        f"from chat import actions; from chat.identity import new_guest; actions.create_room(new_guest(), {slug!r})"
    )
    async with participant(server.sockets, slug) as somebody:
        posted = await somebody.post("the last word")
    async with viewer(server.base, path=f"/{side}/{slug}/stream", last_id=f"{slug}:{posted['id']}") as watching:
        server.shell(ARCHIVE.format("archive", slug))
        assert (await watching.event())["type"] == "room.archived"
        last_id = watching.last_id
    async with httpx.AsyncClient(base_url=server.base) as http:
        for method in ("GET", "HEAD"):
            answer = await http.request(method, f"/{side}/{slug}/stream", headers={"Last-Event-ID": last_id})
            assert (answer.status_code, answer.content) == (204, b"")
    # Who lacks something gets it.
    async with viewer(server.base, path=f"/{side}/{slug}/stream", last_id=f"{slug}:{posted['id']}") as watching:
        assert (await watching.event())["type"] == "room.archived"
    # Reopened, it has something new. Who came without a number was there to hear of it.
    async with viewer(server.base, path=f"/{side}/{slug}/stream") as watching:
        server.shell(ARCHIVE.format("reopen", slug))
        assert (await watching.event())["type"] == "room.reopened"
        async with viewer(server.base, path=f"/{side}/{slug}/stream", last_id=last_id) as back:
            assert (await back.event())["type"] == "room.reopened"
