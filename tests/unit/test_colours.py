"""Somebody's colour: where they chose one, it is with all they say, and gone with them."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat import actions, moderation, personal, posting
from chat.events import message_fields
from chat.hues import hue_of
from chat.models import Event, Message, User
from chat.pages import message_page
from chat.posting import Post, post_together

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def mio(cast):
    cast.users.mio.hue = 7
    cast.users.mio.save()
    return cast.users.mio


def told(kind: str) -> list[dict]:
    return [json.loads(each) for each in Event.objects.filter(type=kind).order_by("seq").values_list("json", flat=True)]


def test_a_chosen_colour_is_in_events_and_nobody_elses(cast, mio) -> None:
    mid = posting.post(mio.identity, cast.room.pk, "mine").mid
    posting.post(cast.sven, cast.room.pk, "not mine")
    posting.post(cast.gil, cast.room.pk, "a guest's")
    assert [event["author"].get("hue") for event in told("message")] == [7, None, None]
    actions.edit(mio.identity, cast.room.pk, mid, "mine, still")
    moderation.hide(cast.olga, cast.room.pk, mid)
    moderation.unhide(cast.olga, cast.room.pk, mid)
    assert [event["author"].get("hue") for event in told("message.edited")] == [7]
    assert mio.identity.as_dict()["hue"] == 7
    assert "hue" not in cast.sven.as_dict()


def test_pages_ask_once_for_all_colours(cast, mio) -> None:
    authors = [mio.identity, cast.sven, cast.olga, cast.gil]
    for number in range(2):
        post_together(cast.room.pk, [Post(each, f"{each.name} {number}") for each in authors * 4])
    browser = Client()
    with CaptureQueriesContext(connection) as queries:
        page = browser.get("/feeds/veranda/messages").json()
    assert {message["author"]["name"]: message["author"].get("hue") for message in page["messages"]} == {
        "mio": 7, "sven": None, "olga": None, "Gil": None,
    }  # fmt: skip
    assert len([query for query in queries if "hue" in query["sql"]]) == 1
    page = browser.get("/chat/veranda/messages", headers=JSON).json()
    assert {message["author"].get("hue") for message in page["messages"]} == {7, None}


def test_what_was_not_chosen_follows_from_the_key() -> None:
    assert hue_of("u7") == hue_of("u7", None) in range(12)
    assert hue_of("u7", 3) == 3
    assert len({hue_of(f"g{number}") for number in range(200)}) == 12


def test_a_colour_goes_with_its_account(cast, mio) -> None:
    posting.post(mio.identity, cast.room.pk, "mine")
    actions.delete(cast.olga, cast.room.pk, posting.post(mio.identity, cast.room.pk, "gone").mid)
    personal.erase(User.objects.get(pk=mio.pk), "anonymise")
    (message,) = message_page(cast.room).messages
    assert message.author_hue is None
    assert "hue" not in message_fields(message, "veranda")["author"]
    assert not [event for event in Event.objects.values_list("json", flat=True) if '"hue"' in event]
    assert Message.objects.get(deleted_at=None).text == "mine"
