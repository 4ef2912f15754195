"""The start page: which rooms, in which order, and what of them; as much as whoever looks may know, and no more."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import actions, addresses, governing, headcounts, listing, moderation, personal, posting, read_marks
from chat.listing import cards, found_by, latest_first, ordered, yours
from chat.models import Membership, Room, User
from chat.posting import Post, post_together
from chat.templatetags.ago import ago, in_time

pytestmark = pytest.mark.django_db


def make(slug: str, **fields: object) -> Room:
    return Room.objects.create(slug=slug, title=fields.pop("title", slug.title()), **fields)


def browsing(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def last(actor, slug: str = "veranda") -> str | None:
    room = ordered(Room.objects.filter(slug=slug)).get()
    (card,) = cards([room], actor)
    return card.last.text if card.last else None


def test_where_somebody_is_comes_first_and_then_what_was_said_last(cast) -> None:
    quiet, busy, old = make("quiet"), make("busy"), make("old")
    for room in (old, busy, cast.room):
        posting.post(cast.gil, room.pk, "x")
    headcounts.write("one", {quiet.pk: (0, 1), old.pk: (2, 0)})
    assert [room.slug for room in ordered(Room.objects.all())] == ["old", "quiet", "veranda", "busy"]
    page = browsing().get("/").text
    assert re.findall(r'<h3 class="room-card__title"><a href="/chat/(\w+)/"', page) == [
        "old",
        "quiet",
        "veranda",
        "busy",
    ]
    assert "2 here" in page
    assert "1 watching" in page


def test_the_last_message_is_the_newest_that_one_may_read(cast) -> None:
    assert last(cast.gil) is None
    first, second, third = (posting.post(cast.gil, cast.room.pk, text).mid for text in ("one", "two", "three"))
    assert last(cast.gil) == "three"
    moderation.hide(cast.olga, cast.room.pk, third)
    assert last(cast.gil) == last(cast.olga) == "two"
    actions.delete(cast.gil, cast.room.pk, second)
    assert last(cast.gil) == "one"
    actions.edit(cast.gil, cast.room.pk, first, "another one")
    assert last(cast.gil) == "another one"
    Room.objects.update(sealed_mid=first)
    assert last(cast.gil) is None
    assert last(cast.mio) == "another one"


def test_who_was_banned_is_told_nothing_of_what_is_said(cast) -> None:
    network = addresses.network_of({"client": ("203.0.113.7", 1), "headers": []})
    nora = replace(cast.sven, network=network)
    mid = posting.post(nora, cast.room.pk, "hello").mid
    posting.post(cast.gil, cast.room.pk, "to the others")
    assert last(nora) == "to the others"
    moderation.ban(cast.olga, cast.room.pk, mid, "network")
    assert last(nora) is None
    assert last(replace(cast.gil, network=network)) is None
    assert last(cast.mio) == "to the others"


def test_a_room_that_one_is_banned_from_is_a_name_and_no_more(cast) -> None:
    mid = posting.post(cast.mio, cast.room.pk, "hello").mid
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    moderation.ban(cast.olga, cast.room.pk, mid)
    Room.objects.filter(pk=cast.room.pk).update(topic="Where we meet now")
    headcounts.write("one", {cast.room.pk: (3, 0)})
    card = browsing(cast.users.olga).get("/").text
    assert "Where we meet now" in card
    assert "3 here" in card
    page = browsing(cast.users.mio).get("/").text
    assert 'href="/chat/veranda/"' in page
    assert not [told for told in ("Where we meet now", "3 here", "hello") if told in page]


def test_what_is_not_listed_is_on_nobodys_page_but_those_who_have_been_there(cast) -> None:
    for slug, visibility in (("backyard", "unlisted"), ("closed", "private"), ("gone", "public")):
        room = make(slug, visibility=visibility)
        Membership.objects.create(room=room, user=cast.users.olga, role="owner")
        posting.post(cast.olga, room.pk, f"said in {slug}")
    governing.delete_room(cast.olga, Room.objects.get(slug="gone").pk)
    for page in (browsing().get("/").text, browsing(cast.users.sven).get("/").text, browsing().get("/?q=said").text):
        assert not [slug for slug in ("backyard", "closed", "gone") if slug in page]
    page = browsing(cast.users.olga).get("/").text
    assert "said in backyard" in page
    assert "said in closed" in page
    assert "gone" not in page
    # Who has read there and may no longer: not a word.
    backyard = Room.objects.get(slug="backyard")
    read_marks.all_read(cast.sven, [backyard])
    assert "said in backyard" in browsing(cast.users.sven).get("/").text
    governing.change_visibility(cast.olga, backyard.pk, "private")
    assert "backyard" not in browsing(cast.users.sven).get("/").text


def test_your_rooms_say_how_much_is_new_and_what_you_said_is_not(cast) -> None:
    mio = browsing(cast.users.mio)
    posting.post(cast.mio, cast.room.pk, "mine")
    assert " new</span>" not in mio.get("/").text
    mid = posting.post(cast.gil, cast.room.pk, "theirs").mid
    assert "1 new</span>" in mio.get("/").text
    read_marks.see(cast.mio, cast.room.pk, mid)
    assert " new</span>" not in mio.get("/").text
    post_together(cast.room.pk, [Post(cast.gil, f"{number}") for number in range(99)])
    assert "99 new</span>" in mio.get("/").text
    posting.post(cast.gil, cast.room.pk, "one more")
    assert "99+ new</span>" in mio.get("/").text
    assert " new</span>" not in browsing().get("/").text
    assert " new</span>" not in browsing(cast.users.sven).get("/").text  # who has never been there
    assert "Mark all as read" in mio.get("/").text
    mio.post("/chat/", {"action": "read"})
    assert " new</span>" not in mio.get("/").text


def test_many_rooms_of_ones_own_have_a_page(cast) -> None:
    rooms = [make(f"mine-{number:02}") for number in range(40)]
    for room in rooms:
        Membership.objects.create(room=room, user=cast.users.sven)
    sven = browsing(cast.users.sven)
    page = sven.get("/").text
    assert page.count("/chat/mine-") == 6
    assert "All your rooms" in page
    first, second = sven.get("/?yours").text, sven.get("/?yours=&page=2").text
    assert first.count('href="/chat/mine-') + second.count('href="/chat/mine-') == 40
    assert "veranda" not in first + second
    assert "veranda" in page
    assert browsing().get("/?yours").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tea", ["tea-house", "pavilion"]),
        ("TEA house", ["tea-house"]),
        ("green garden", ["pavilion"]),
        ("縁側", ["縁側"]),
        ("ＴＥＡ", ["tea-house"]),
        ("%", []),
        ("_", []),
        ("nowhere", []),
    ],
)
def test_rooms_are_found_by_title_topic_and_address(cast, query: str, found: list[str]) -> None:
    make("tea-house", title="Tea House")
    make("pavilion", topic="Green tea in the garden")
    make("縁側", title="Veranda in the garden of the green")
    rooms = found_by(Room.objects.exclude(pk=cast.room.pk), query)
    if query == "green garden":
        found = ["pavilion", "縁側"]
    assert {room.slug for room in rooms} == set(found)
    page = browsing().get("/", {"q": query}).text
    assert page.count('class="room-card"') == len(found)


def test_odd_questions_are_answered(cast) -> None:
    for query in ("q=%00", "q=" + "x" * 5000, "q=" + "+".join("abcdefghijklmnop"), "page=9999", "page=x", "q=&page=-1"):
        assert browsing().get(f"/?{query}").status_code == 200
    assert "<script>" not in browsing().get("/", {"q": "<script>alert(1)</script>"}).text.replace("<script src", "")


@pytest.mark.parametrize("path", ["/", "/?q=room", "/?yours"])
def test_the_rooms_cost_the_same_queries_however_many(cast, path: str) -> None:
    """One room and thirty of each kind, with people, unread messages and authors who chose a colour."""
    User.objects.filter(pk=cast.users.olga.pk).update(hue=4)
    olga = User.objects.get(pk=cast.users.olga.pk).identity
    Membership.objects.all().delete()
    Room.objects.all().update(visibility="unlisted")

    def fill(numbers: range) -> None:
        for number in numbers:
            for mine in (True, False):
                room = make(f"room-{number}-{mine}")
                post_together(room.pk, [Post(olga, "x"), Post(cast.gil, "y"), Post(olga, "z")])
                headcounts.write("one", {room.pk: (1, 2)})
                if mine:
                    Membership.objects.create(room=room, user=cast.users.mio)

    def queries(client: Client) -> int:
        client.get(path)  # the guest's cookie
        with CaptureQueriesContext(connection) as found:
            page = client.get(path)
        assert "room-0" in page.text or "room-29" in page.text or path == "/?yours"
        return len(found)

    browsers = [browsing(), browsing(cast.users.mio)]
    fill(range(1))
    few = [queries(browser) for browser in browsers]
    fill(range(1, 30))
    many = [queries(browser) for browser in browsers]
    assert many == few
    assert few[0] <= 6
    assert few[1] <= 13


def test_what_an_erased_account_said_last_is_nobodys(cast) -> None:
    User.objects.filter(pk=cast.users.mio.pk).update(hue=5)
    posting.post(User.objects.get(username="mio").identity, cast.room.pk, "the word xyzzy")
    assert 'data-hue="5"' in browsing().get("/").text
    personal.erase(User.objects.get(username="mio"), "anonymise")
    page = browsing().get("/").text
    assert "xyzzy" in page
    assert "mio" not in page
    posting.post(cast.sven, cast.room.pk, "the word plugh")
    personal.erase(User.objects.get(username="sven"), "delete")
    assert "plugh" not in browsing().get("/").text


def test_search_engines_may_list_the_page_and_quote_no_room(cast) -> None:
    page = browsing().get("/")
    assert page["X-Robots-Tag"] == "noarchive"
    assert '<meta name="description"' in page.text
    inside = page.text.split("<div data-nosnippet>")
    assert "Veranda" not in inside[0]
    for path in ("/?q=veranda", "/?page=1", "/?yours"):
        assert browsing().get(path)["X-Robots-Tag"] == "noindex"


def test_a_room_that_cannot_be_made_says_why(cast, settings) -> None:
    client = browsing(cast.users.sven)
    wrong = client.post("/chat/", {"name": "Den", "visibility": "secret"})
    assert wrong.status_code == 400
    assert 'data-code="query.invalid"' in wrong.text
    assert not Room.objects.filter(slug="den").exists()
    reserved = client.post("/chat/", {"name": "admin", "visibility": "unlisted"})
    assert 'data-code="room.name_reserved"' in reserved.text
    assert re.search(r'value="unlisted" checked', reserved.text)
    as_json = client.post("/chat/", {"name": "***"}, headers={"accept": "application/json"})
    assert (as_json.status_code, as_json.json()["error"]["code"]) == (400, "room.name_invalid")
    made = client.post("/chat/", {"name": "Den", "visibility": "unlisted"}, headers={"accept": "application/json"})
    assert (made.status_code, made.json()["room"]) == (201, "den")
    settings.ROOM_CREATION = "signed-in"
    assert browsing().post("/chat/", {"name": "Another"})["Location"] == "/accounts/login/?next=/chat/"
    assert "log in or sign up" in browsing().get("/").text
    settings.ROOM_CREATION = "staff"
    assert browsing().post("/chat/", {"name": "Another"}).status_code == 403


def test_how_long_ago_it_was_is_said_as_people_say_it() -> None:
    now = timezone.now()
    said = [ago(now - timedelta(seconds=seconds)) for seconds in (-5, 5, 61, 3599, 3600, 86399, 86400, 6.9 * 86400)]
    assert said == [
        "just now", "just now", "1 minute ago", "59 minutes ago",
        "1 hour ago", "23 hours ago", "1 day ago", "6 days ago",
    ]  # fmt: skip
    assert ago(timezone.datetime(2019, 3, 5, tzinfo=now.tzinfo)) == "March 5, 2019"
    waits = [in_time(seconds) for seconds in (None, 0.2, 1.5, 120, 121, 7200, 7201, 172801)]
    assert waits == [
        "1 second",
        "1 second",
        "2 seconds",
        "120 seconds",
        "3 minutes",
        "120 minutes",
        "3 hours",
        "3 days",
    ]


def test_a_page_of_nothing_invites() -> None:
    page = browsing().get("/").text
    assert "no room is open yet" in page
    assert "Name one above" in page
    assert latest_first(yours(listing.Identity(key="g", name="x", kind="guest"))).count() == 0
