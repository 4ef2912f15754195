"""What owners and moderators do on their pages, as everybody in the room meets it."""

import csv
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.clients import participant, viewer
from tests.servers import Engawa

PREPARE = """
from chat import actions
from chat.models import User
olga = User.objects.filter(username='olga').first() or User.objects.create_user('olga', password='a long password')
print(actions.create_room(olga.identity, {!r})[0].slug)
"""


class Owner:
    """Olga, signed in, and her room."""

    def __init__(self, server: Engawa, name: str) -> None:
        self.slug = server.shell(PREPARE.format(name)).strip()
        self.http = httpx.Client(base_url=server.base, headers={"Referer": f"{server.base}/"})
        self.http.get("/accounts/login/")
        self.post("/accounts/login/", username="olga", password="a long password")

    def post(self, path: str, **form: object) -> httpx.Response:
        answer = self.http.post(
            path.format(self.slug), data={**form, "csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        )
        assert answer.status_code == 302
        return answer

    def ask(self, **frame: object) -> dict:
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"]}
        answer = self.http.post(f"/chat/{self.slug}/commands", json=frame, headers=headers)
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture
def owner(server: Engawa, request: pytest.FixtureRequest) -> Iterator[Owner]:
    owner = Owner(server, request.node.name.replace("_", " "))
    yield owner
    owner.http.close()


async def test_settings(server: Engawa, owner: Owner) -> None:
    async with participant(server.sockets, owner.slug) as somebody, viewer(server.base, owner.slug) as watching:
        owner.post("/chat/{}/settings", title="Porch", topic="What the garden says", slow_seconds="60")
        for reader in (somebody, watching):
            event = await reader.event()
            assert (event["type"], event["title"], event["slow_seconds"]) == ("room.changed", "Porch", 60)
        owner.post("/chat/{}/settings", do="archive")
        for reader in (somebody, watching):
            assert (await reader.event())["type"] == "room.archived"
        assert (await somebody.post("too late"))["code"] == "room.archived"
        owner.post("/chat/{}/settings", do="delete", name="Porch")
        assert await somebody.closed() == 4501
    assert owner.http.get(f"/feeds/{owner.slug}/").status_code == 404


async def test_order(server: Engawa, owner: Owner) -> None:
    async with participant(server.sockets, owner.slug) as somebody:
        mid = (await somebody.post("rude"))["mid"]
        assert owner.ask(type="hide", mid=mid) == {"done": True}
        await somebody.until("message.deleted")  # after the message itself, which may come after the answer
        sanction = owner.ask(type="ban", mid=mid, seconds=3600, reason="=rude")["sanction"]
        assert await somebody.closed() == 4503
        owner.post("/chat/{}/commands", type="lift", sanction=sanction)
    rows = list(csv.DictReader(owner.http.get(f"/chat/{owner.slug}/audit.csv").text.splitlines()))
    assert [row["action"] for row in rows] == ["unban", "ban", "hide"]
    assert rows[1]["reason"] == "'=rude"
    with owner.http.stream("GET", f"/chat/{owner.slug}/audit.jsonl?action=ban") as answer:
        assert "content-length" not in answer.headers
        (entry,) = [json.loads(line) for line in answer.iter_lines()]
    assert (entry["action"], entry["mid"], entry["details"]["seconds"]) == ("ban", mid, 3600)
