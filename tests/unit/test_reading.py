"""What is read-only: whether it is new, whom it is for, and how it may be kept."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from chat import actions, governing, log, moderation, posting, retention, viewing
from chat.identity import Identity
from chat.mids import first_mid_at
from chat.models import Message, Room
from feeds import build as building
from tests.unit.browsers import JSON

pytestmark = pytest.mark.django_db
WATCH = "/feeds/veranda/"


@pytest.fixture
def mid(cast) -> str:
    return posting.post(cast.gil, cast.room.pk, "the word xyzzy").mid


def etag(client: Client, **headers: str) -> str:
    return client.get(WATCH, headers=headers)["ETag"]


def expire(cast: SimpleNamespace, mid: str) -> None:
    """What was said long ago goes, though nothing of it is in the log any more."""
    log.prune(cast.room.pk, 0)
    old = timezone.now() - timedelta(days=9)
    Message.objects.filter(pk=mid).update(mid=first_mid_at(old), created_at=old)
    Room.objects.filter(pk=cast.room.pk).update(retention_days=3)


CHANGES: dict[str, Callable[[SimpleNamespace, str], object]] = {
    "a post": lambda cast, mid: posting.post(cast.gil, cast.room.pk, "more"),
    "an edit": lambda cast, mid: actions.edit(cast.gil, cast.room.pk, mid, "other words"),
    "a deletion": lambda cast, mid: actions.delete(cast.gil, cast.room.pk, mid),
    "a message hidden": lambda cast, mid: moderation.hide(cast.olga, cast.room.pk, mid),
    "a pin": lambda cast, mid: moderation.pin(cast.olga, cast.room.pk, mid),
    "a title": lambda cast, mid: governing.change_room(cast.olga, cast.room.pk, {"title": "Elsewhere"}),
    "who may frame it": lambda cast, mid: governing.change_room(cast.olga, cast.room.pk, {"embed_origins": ""}),
    "search engines": lambda cast, mid: governing.change_room(cast.olga, cast.room.pk, {"is_indexed": True}),
    "the archive": lambda cast, mid: governing.archive(cast.olga, cast.room.pk),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_page_changes_its_validator(client: Client, cast, mid: str, change: str) -> None:
    before = etag(client)
    assert client.get(WATCH, headers={"If-None-Match": before}).status_code == 304
    CHANGES[change](cast, mid)
    assert client.get(WATCH, headers={"If-None-Match": before}).status_code == 200


def test_what_expires_changes_it_too(client: Client, cast, mid: str) -> None:
    expire(cast, mid)
    before = etag(client)
    room = Room.objects.get()
    assert retention.prune_room(room.pk) == 1
    after = Room.objects.get()
    assert (after.head, after.floor) == (room.head, room.floor), "the log says nothing of it"
    assert client.get(WATCH, headers={"If-None-Match": before}).status_code == 200


def test_another_build_is_another_page(client: Client, mid: str, monkeypatch) -> None:
    before = etag(client)
    monkeypatch.setattr("feeds.reading.build", lambda: "another")
    assert etag(client) != before


def test_the_build_follows_from_what_pages_are_made_of(tmp_path, settings) -> None:
    for folder in ("templates", "static", "chat", "feeds"):
        (tmp_path / folder).mkdir()
    settings.BASE_DIR = tmp_path
    seen = {building.build.__wrapped__()}
    for name, content in (("templates/a.html", "a"), ("templates/a.html", "b"), ("chat/a.py", "b")):
        (tmp_path / name).write_text(content)
        seen.add(building.build.__wrapped__())
    assert len(seen) == 4


def test_what_is_still_good_is_not_made_again(client: Client, mid: str, django_assert_num_queries) -> None:
    before = etag(client)
    with django_assert_num_queries(1):  # the room; a viewer from here has no network to be banned by
        assert client.get(WATCH, headers={"If-None-Match": before}).content == b""


def test_nothing_is_said_of_a_room_to_who_may_not_know_of_it(client: Client, cast, mid: str) -> None:
    before = etag(client)
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    secret, missing = (client.get(path, headers={"If-None-Match": before}) for path in (WATCH, "/feeds/nowhere/"))
    assert secret.status_code == missing.status_code == 404
    assert secret.content == missing.content
    assert dict(secret.headers) == dict(missing.headers)
    assert secret["Cache-Control"] == "no-store", "it may be there tomorrow, or for somebody with a token"
    assert secret["Access-Control-Allow-Origin"] == "*"


def test_a_view_token_opens_a_private_room_for_its_reader_alone(client: Client, cast, mid: str) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    token, secret = _token(cast.olga, cast.room)
    with_it = {"Authorization": f"Bearer {secret}"}
    page = client.get(WATCH, headers=with_it)
    assert "xyzzy" in page.text
    assert page["Cache-Control"] == "private, no-store"
    assert page["Referrer-Policy"] == "no-referrer"
    assert "Authorization" in page["Vary"]
    assert client.get(WATCH).status_code == 404
    viewing.revoke_view_token(cast.olga, cast.room.pk, token.pk)
    refused = client.get(WATCH, headers=with_it | JSON)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token.invalid")
    assert refused["WWW-Authenticate"].startswith("Bearer")


def test_a_view_token_is_for_one_room(client: Client, cast, mid: str) -> None:
    other, _ = actions.create_room(cast.olga, "Cellar", "private")
    _, secret = _token(cast.olga, cast.room)
    assert client.get(f"/feeds/{other.slug}/", headers={"Authorization": f"Bearer {secret}"}).status_code == 404


@pytest.mark.parametrize("said", ["", "Bearer", "Basic b2xnYTp4", "Bearer \x00", "Bearer engawa_view_nothing"])
def test_a_token_that_is_none_is_said_to_be_none(client: Client, mid: str, said: str) -> None:
    assert client.get(WATCH, headers={"Authorization": said}).status_code == 401


def test_every_origin_may_read_and_ask_first(client: Client, mid: str) -> None:
    asked = client.options(WATCH, headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"})
    assert asked.status_code == 204
    assert "authorization" in asked["Access-Control-Allow-Headers"]
    for answer in (asked, client.get(WATCH), client.get("/feeds/nowhere/", headers=JSON)):
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer
        assert not answer.cookies


def test_another_spelling_leads_to_the_room_with_what_was_asked(client: Client, mid: str) -> None:
    answer = client.get(f"/feeds/VERANDA/?before={mid}")
    assert (answer.status_code, answer["Location"]) == (302, f"/feeds/veranda/?before={mid}")


def _token(owner: Identity, room: Room):
    return viewing.create_view_token(owner, room.pk, "The Gazette", timezone.now() + timedelta(days=1))
