"""The page of several rooms, where some of them are closed to who asks."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chat import actions, governing, posting, viewing
from chat.models import Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(cast) -> str:
    """A private room's slug. Something was said in it, and in the veranda."""
    cellar, _ = actions.create_room(cast.olga, "Cellar", "private")
    posting.post(cast.olga, cellar.pk, "the word xyzzy")
    posting.post(cast.gil, cast.room.pk, "hello")
    return cellar.slug


def panes(page: str) -> list[str]:
    return re.findall(r'class="pane" data-slug="([^"]*)"', page)


def test_nothing_tells_a_secret_room_from_none(client: Client, cast, secret: str) -> None:
    nowhere = "a" * len(secret)
    for query in ("room=veranda&room={}", "room={}&room=veranda", "room={}"):
        known, unknown = (client.get("/feeds/?" + query.format(slug)) for slug in (secret, nowhere))
        assert known.status_code == unknown.status_code == (200 if "veranda" in query else 404)
        # Links to the page in other languages go to the address that was asked for.
        assert known.content.replace(secret.encode(), nowhere.encode()) == unknown.content
        assert dict(known.headers) == dict(unknown.headers)


def test_a_view_token_opens_its_room_beside_others_and_is_not_kept(client: Client, cast, secret: str) -> None:
    _, opens = viewing.create_view_token(cast.olga, _pk(secret), "news", timezone.now() + timedelta(days=1))
    page = client.get(f"/feeds/?room=veranda&room={secret}", headers={"Authorization": f"Bearer {opens}"})
    assert panes(page.text) == ["veranda", secret]
    assert page["Cache-Control"] == "private, no-store"
    assert opens not in page.text


def test_it_is_revalidated(client: Client, cast, secret: str) -> None:
    address = f"/feeds/?room=veranda&room={secret}"
    before = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": before}).status_code == 304
    governing.change_visibility(cast.olga, _pk(secret), "public")
    assert client.get(address, headers={"If-None-Match": before}).status_code == 200


def _pk(slug: str) -> int:
    return Room.objects.get(slug=slug).pk
