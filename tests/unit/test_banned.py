"""What somebody is told who is banned."""

import pytest
from django.test import Client

from chat import actions, moderation, posting
from chat.models import Membership, Message
from tests.unit.browsers import COMMANDS_URL as URL
from tests.unit.browsers import DESK_URL as DESK
from tests.unit.browsers import JSON, as_guest, ask, signed_in

pytestmark = pytest.mark.django_db

NETWORK = "203.0.113.5"


@pytest.fixture
def olga(cast) -> Client:
    return signed_in(cast.users.olga)


@pytest.fixture
def mid(cast) -> str:
    return posting.post(cast.gil, cast.room.pk, "the word xyzzy").mid


def ban(cast, mid: str, target: str | None = None, seconds: int | None = None) -> None:
    moderation.ban(cast.olga, cast.room.pk, mid, target, seconds)


PATHS = ["/chat/veranda/", "/chat/veranda/messages", "/chat/veranda/settings", DESK]


@pytest.mark.parametrize("path", PATHS)
def test_a_banned_account_is_told_so_on_every_page(cast, path: str) -> None:
    ban(cast, posting.post(cast.sven, cast.room.pk, "hello").mid, seconds=3600)
    client = signed_in(cast.users.sven)
    page = client.get(path)
    assert page.status_code == 403
    assert "Your account was banned here until " in page.text
    assert 'href="/feeds/veranda/"' in page.text
    assert page["Cache-Control"] == "no-store"
    assert "Location" not in page
    answer = client.get(path, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "banned")
    assert 3500 < answer.json()["error"]["retry_after"] <= 3600
    assert client.get("/chat/").status_code == 200
    assert Client().get("/feeds/veranda/").status_code == 200


def test_a_banned_guest_is_told_so_for_good(cast, mid) -> None:
    ban(cast, mid)
    page = as_guest(cast.gil).get("/chat/veranda/")
    assert "You were banned here. There is no end set" in page.text
    assert "whatever you call yourself" in page.text
    answer = ask(as_guest(cast.gil), type="react", mid=mid, reaction="👍")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "banned")
    assert as_guest(cast.gil).post(URL, {"type": "react", "next": "/chat/veranda/"}).status_code == 403


def from_network(**options: object) -> Client:
    return Client(REMOTE_ADDR=NETWORK, **options)


@pytest.fixture
def banned_network(cast) -> None:
    client = from_network()
    client.get("/chat/veranda/")
    client.post("/chat/veranda/messages", {"message": "hello"})
    ban(cast, Message.objects.get().mid, "network")


@pytest.mark.parametrize(
    "path", ["/chat/veranda/", "/feeds/veranda/", "/embed/veranda/", "/feeds/veranda/report?mid=x"]
)
def test_a_banned_network_is_told_so_by_pages_and_may_not_watch(cast, banned_network, path: str) -> None:
    page = from_network().get(path)
    assert page.status_code == 403
    assert "The network that you come from was banned here." in page.text
    assert "watch this room" not in page.text
    assert "no-store" in page["Cache-Control"]
    answer = from_network().get(path, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "banned")
    assert Client(REMOTE_ADDR="203.0.113.6").get(path.replace("report?mid=x", "")).status_code == 200
    if path.startswith(("/feeds/", "/embed/")):
        assert not page.cookies
        assert "Cookie" not in page.headers.get("Vary", "")


def test_a_banned_network_is_told_so_in_a_frame(cast, banned_network) -> None:
    page = from_network().get("/embed/veranda/")
    assert "X-Frame-Options" not in page
    assert "frame-ancestors *" in page["Content-Security-Policy"]


def test_members_come_from_a_banned_network_all_the_same(cast, banned_network) -> None:
    assert signed_in(cast.users.mio, REMOTE_ADDR=NETWORK).get("/chat/veranda/").status_code == 200
    assert signed_in(cast.users.sven, REMOTE_ADDR=NETWORK).get("/chat/veranda/").status_code == 403


def test_a_private_room_is_not_offered_to_be_watched(cast) -> None:
    room, _ = actions.create_room(cast.olga, "Hideaway", "private")
    Membership.objects.create(room=room, user=cast.users.mio)
    moderation.ban(cast.olga, room.pk, posting.post(cast.mio, room.pk, "hello").mid)
    page = signed_in(cast.users.mio).get(f"/chat/{room.slug}/")
    assert page.status_code == 403
    assert "watch this room" not in page.text
