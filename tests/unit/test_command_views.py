"""The commands over HTTP."""

import json

import pytest
from django.test import AsyncClient, Client

from chat import command_views, consumers, errors, governing, posting, views
from chat.commands import COMMANDS, Command
from chat.models import HeldMessage, Message, Sanction
from tests.unit.browsers import COMMANDS_URL as URL
from tests.unit.browsers import DESK_URL as DESK
from tests.unit.browsers import JSON, as_guest, ask, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(cast) -> Client:
    return signed_in(cast.users.olga)


@pytest.fixture
def mid(cast) -> str:
    return posting.post(cast.gil, cast.room.pk, "the word xyzzy").mid


def test_both_doors_have_one_table() -> None:
    assert command_views.COMMANDS is COMMANDS
    assert consumers.COMMANDS is COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("as_json", [True, False])
def test_each_command_is_run_as_it_was_asked(cast, olga, monkeypatch, name: str, as_json: bool) -> None:
    ran, counted = [], []
    command = Command(lambda *asked: ran.append(asked), counts=COMMANDS[name].counts)
    monkeypatch.setitem(COMMANDS, name, command)

    monkeypatch.setattr(views, "count_post", counted.append)
    frame = {"type": name, "mid": "x", "held": "7", "reason": "because"}
    answer = ask(olga, **frame) if as_json else olga.post(URL, frame, headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {"done": True})
    assert ran == [(cast.olga, cast.room.pk, frame)]
    assert counted == ([cast.olga] if command.counts else [])


@pytest.mark.parametrize("frame", ["[]", '{"type": "post"}', '{"type": 5}', '{"type": ["ban"]}', "{}"])
def test_what_is_no_command_is_refused(olga, frame: str) -> None:
    answer = olga.post(URL, frame, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == ("frame.invalid" if frame == "[]" else "frame.unknown_type")


def test_what_was_done_is_told(cast, olga, mid) -> None:
    assert ask(olga, type="hide", mid=mid).json() == {"done": True}
    assert ask(olga, type="hide", mid=mid).json()["error"]["code"] == "message.not_found"
    sanction = ask(olga, type="ban", mid=mid, seconds=3600).json()["sanction"]
    assert sanction == Sanction.objects.get().pk
    assert ask(olga, type="lift", sanction=sanction).json() == {"done": True}
    assert ask(olga, type="delete_recent", mid=mid).json() == {"done": True, "count": 1}
    own = posting.post(cast.olga, cast.room.pk, "hello").mid
    answer = ask(olga, type="edit", mid=own, message="hello all").json()
    assert answer["mid"] == own
    assert answer["id"] > 1


def test_who_may_not_is_told_so(cast, mid) -> None:
    assert ask(signed_in(cast.users.sven), type="hide", mid=mid).json()["error"]["code"] == "not_allowed"
    assert ask(as_guest(cast.gil), type="delete", mid=mid).json() == {"done": True}
    answer = Client().post("/chat/nowhere/commands", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "room.not_found")
    assert Client().post("/chat/nowhere/commands", {}).status_code == 404


def test_a_form_goes_on_with_a_notice(olga, mid) -> None:
    answer = olga.post(URL, {"type": "hide", "mid": mid, "next": f"{DESK}?show=hidden"}, follow=True)
    assert answer.redirect_chain == [(f"{DESK}?show=hidden", 302)]
    assert "The message is hidden." in answer.text
    answer = olga.post(URL, {"type": "hide", "mid": mid, "next": DESK}, follow=True)
    assert str(errors.MessageNotFound.detail) in answer.text
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        assert olga.post(URL, {"type": "unhide", "mid": mid, "next": elsewhere})["Location"] == "/chat/veranda/"


@pytest.mark.parametrize("as_json", [True, False])
def test_the_token_is_needed(cast, mid, as_json: bool) -> None:
    client = signed_in(cast.users.olga, enforce_csrf_checks=True)
    page = client.get(DESK)
    assert page.status_code == 200
    frame = {"type": "hide", "mid": mid}

    def send(token: str):
        if as_json:
            return client.post(
                URL, json.dumps(frame), content_type="application/json", headers={"X-CSRFToken": token} if token else {}
            )
        return client.post(URL, {**frame, "csrfmiddlewaretoken": token})

    assert send("").status_code == 403
    assert Message.objects.get().hidden_at is None
    assert send(client.cookies["csrftoken"].value).status_code == (200 if as_json else 302)
    assert Message.objects.get().hidden_at is not None


@pytest.mark.django_db(transaction=True)
async def test_what_counts_is_limited_like_posts(cast, settings) -> None:
    settings.POSTS_PER_MINUTE = 2
    client = AsyncClient()
    await client.aforce_login(cast.users.sven)
    frame = json.dumps({"type": "react", "mid": "x", "reaction": "👍"})
    codes = []
    for _ in range(3):
        answer = await client.post(URL, frame, content_type="application/json")
        codes.append(answer.json()["error"]["code"])
    assert codes == ["message.not_found", "message.not_found", "limit.posts"]
    assert answer.status_code == 429


def test_who_wrote_what_is_held_is_muted_and_banned_by_it(cast, olga) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"approval": "guests"})
    posting.post(cast.gil, cast.room.pk, "hello")
    held = HeldMessage.objects.get()
    assert ask(olga, type="mute", held=held.pk, seconds=60).json()["done"] is True
    olga.post(URL, {"type": "ban", "held": held.pk, "target": "", "seconds": "", "reason": "rude"})
    ban, mute = Sanction.objects.order_by("kind")
    assert (ban.subject, ban.ends_at, ban.reason) == (cast.gil.key, None, "rude")
    assert (mute.subject, mute.kind) == (cast.gil.key, "mute")
    for wrong in (0, "x", held.pk + 1, None):
        code = ask(olga, type="ban", held=wrong, target="guest").json()["error"]["code"]
        assert code == "message.not_found"
    mine = ask(signed_in(cast.users.mio), type="ban", held=held.pk).json()
    assert mine["error"]["code"] == "not_allowed"
