"""Several rooms on one page: who sees which, and when it has to be read again."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chat import actions, governing, posting, viewing
from chat.models import Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def rooms(cast) -> list[Room]:
    made = [cast.room, *(actions.create_room(cast.olga, name)[0] for name in ("縁側", "Study"))]
    for room in made:
        posting.post(cast.olga, room.pk, f"said in {room.slug}")
    governing.change_visibility(cast.olga, made[2].pk, "private")
    return made


PAGE = "/feeds/?room=veranda&room=縁側"


def test_rooms_stand_side_by_side_with_their_place_on_one_stream(client: Client, rooms) -> None:
    page = client.get(PAGE)
    assert page.status_code == 200
    assert page["Access-Control-Allow-Origin"] == "*"
    assert page["X-Robots-Tag"] == "noindex"
    assert page["Cache-Control"] == "no-cache"
    assert not page.cookies
    text = page.text
    assert "said in veranda" in text
    assert "said in 縁側" in text
    rooms = "room=veranda&amp;room=%E7%B8%81%E5%81%B4"
    place = "veranda%3A1%2C%25E7%25B8%2581%25E5%2581%25B4%3A1"
    assert f'data-stream-url="/feeds/stream?{rooms}&amp;lastEventId={place}"' in text
    assert f'href="/feeds/stream.html?{rooms}"' in text


def test_it_is_read_again_when_one_of_them_has_news(client: Client, cast, rooms) -> None:
    etag = client.get(PAGE)["ETag"]
    assert client.get(PAGE, headers={"If-None-Match": etag}).status_code == 304
    mid = posting.post(cast.olga, rooms[1].pk, "the word xyzzy").mid
    news = client.get(PAGE, headers={"If-None-Match": etag})
    assert news.status_code == 200
    assert "xyzzy" in news.text
    actions.delete(cast.olga, rooms[1].pk, mid)
    gone = client.get(PAGE, headers={"If-None-Match": news["ETag"]})
    assert gone.status_code == 200
    assert "xyzzy" not in gone.text


def test_what_is_secret_and_what_is_not_there_are_left_out_alike(client: Client, rooms) -> None:
    secret, missing = (client.get(f"/feeds/?room=veranda&room={slug}").text for slug in ("study", "nowhere"))
    assert secret.replace("study", "nowhere") == missing  # the address that was asked for is in links to languages
    assert "One of these rooms is not here" in secret
    for path in ("/feeds/?room=study", "/feeds/?room=nowhere", "/feeds/?room="):
        assert client.get(path).status_code == 404
    assert client.get("/feeds/?room=Veranda&room=veranda").text.count('class="pane"') == 1


def test_a_view_token_shows_its_room_to_one_reader(client: Client, cast, rooms) -> None:
    until = timezone.now() + timedelta(days=1)
    _, secret = viewing.create_view_token(cast.olga, rooms[2].pk, "news", until)
    page = client.get("/feeds/?room=veranda&room=study", headers={"Authorization": f"Bearer {secret}"})
    assert "said in study" in page.text
    assert page["Cache-Control"] == "private, no-store"
    assert "data-stream-url" not in page.text
    refused = client.get(PAGE, headers={"Authorization": "Bearer nonsense"})
    assert refused.status_code == 401


def test_each_room_costs_the_same(client: Client, rooms, django_assert_max_num_queries) -> None:
    for slugs, queries in ((["veranda"], 4), (["veranda", "縁側"], 8)):
        with django_assert_max_num_queries(queries):
            assert client.get("/feeds/", {"room": slugs}).status_code == 200


def test_no_more_rooms_than_a_stream_follows(client: Client, settings) -> None:
    settings.MAX_STREAM_ROOMS = 2
    answer = client.get("/feeds/?room=a&room=b&room=c", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "query.invalid")


def test_without_rooms_public_ones_are_there_to_choose_from(client: Client, cast, rooms) -> None:
    governing.change_visibility(cast.olga, rooms[1].pk, "unlisted")
    text = client.get("/feeds/").text
    assert 'value="veranda"' in text
    assert "縁側" not in text
    assert "study" not in text.lower()


@pytest.mark.parametrize("path", ["/feeds/", PAGE])
def test_other_methods(client: Client, rooms, path: str) -> None:
    assert client.head(path).status_code == 200
    assert client.options(path).status_code == 204
    assert client.post(path).status_code == 405
