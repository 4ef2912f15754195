"""Dated pages: what they show, what they cost, and when what was shown before is still good."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import actions, governing, log, moderation, posting, retention
from chat.mids import first_mid_at, moment_of
from chat.models import Message, Room
from feeds import calendar

pytestmark = pytest.mark.django_db

MORNING = datetime(2024, 2, 29, 8, 0, tzinfo=UTC)


def said(room: Room, moment: datetime, text: str, **more: object) -> Message:
    """A message as it would stand had it been said then."""
    count = room.messages.count()
    mid = first_mid_at(moment)[:-6] + f"{count:06}"
    message = Message.objects.create(
        mid=mid, room=room, author_key="g1", author_name="Gil", author_kind="guest", author_role="none",
        key=uuid.uuid4(), text=text, html=f"<p>{text}</p>", renderer=1, created_at=moment, **more,
    )  # fmt: skip
    Room.objects.filter(pk=room.pk).update(head=count + 1, floor=count + 1, last_mid=mid)
    room.refresh_from_db()
    return message


@pytest.fixture
def anybody() -> Client:
    return Client()


def test_a_moment_is_read_from_a_name() -> None:
    assert moment_of(first_mid_at(MORNING)) == MORNING


def test_the_archive_lists_years_and_months_in_which_something_was_said(room, anybody) -> None:
    for moment in (MORNING, MORNING + timedelta(days=20), MORNING + timedelta(days=360)):
        said(room, moment, "hello")
    page = anybody.get("/feeds/veranda/archive/")
    links = re.findall(r'href="(/feeds/veranda/2\d\d\d/[^"]*)"', page.text)
    assert links == [f"/feeds/veranda/{each}/" for each in ("2025", "2025/02", "2024", "2024/02", "2024/03")]
    page = anybody.get("/feeds/veranda/2024/")
    assert re.findall(r'href="/feeds/veranda/2024/(\d\d)/"', page.text) == ["02", "03"]
    assert page.text.count("1 message<") == 2
    assert '<a rel="next" href="/feeds/veranda/2025/">' in page.text
    page = anybody.get("/feeds/veranda/2024/02/")
    assert re.findall(r'href="/feeds/veranda/2024/02/(\d\d)/"', page.text) == ["29"]
    assert '<a rel="next" href="/feeds/veranda/2024/03/">' in page.text


def test_a_day_shows_what_was_said_from_midnight_to_midnight(room, anybody) -> None:
    midnight = MORNING.replace(hour=0)
    said(room, midnight - timedelta(milliseconds=1), "too early")
    said(room, midnight, "the first")
    said(room, midnight + timedelta(days=1, milliseconds=-1), "the last")
    said(room, midnight + timedelta(days=1), "too late")
    page = anybody.get("/feeds/veranda/2024/02/29/")
    assert re.findall(r"<p>(the \w+|too \w+)</p>", page.text) == ["the first", "the last"]
    assert "All dates and times are UTC" in page.text
    assert '<time datetime="2024-02-29">29 February 2024</time>' in page.text
    assert 'href="/feeds/veranda/2024/02/28/"' in page.text
    assert 'href="/feeds/veranda/2024/03/01/"' in page.text
    assert '<script type="module"' not in page.text
    assert page.text.count("<script") == 1
    assert f'href="/feeds/veranda/m/{Message.objects.get(text="the first").mid}/"' in page.text


def test_the_next_day_is_the_next_one_on_which_something_was_said(room, anybody) -> None:
    said(room, MORNING, "hello")
    said(room, MORNING + timedelta(days=300), "again")
    page = anybody.get("/feeds/veranda/2024/02/29/").text
    assert re.findall(r'<a rel="(next|prev)" href="([^"]*)">', page) == [("next", "/feeds/veranda/2024/12/25/")]
    between = anybody.get("/feeds/veranda/2024/05/01/")
    assert between.status_code == 200
    assert "Nothing that was said on this day stands." in between.text
    assert len(re.findall(r'<a rel="(next|prev)"', between.text)) == 2


@pytest.mark.parametrize(
    "date",
    [
        *("2024/13/", "2024/00/", "2023/02/29/", "2024/02/30/", "0000/", "1969/", "9999/", "9999/12/31/", "2024/2/"),
        *("2024/02/9/", "24/", "2024/02/29/x", "२०२४/", "20240/"),
    ],
)
def test_no_calendar_has_that(room, anybody, date: str) -> None:
    said(room, MORNING, "hello")
    assert anybody.get(f"/feeds/veranda/{date}").status_code == 404
    assert anybody.get(f"/chat/veranda/{date}").status_code == 404


def test_before_the_room_and_in_the_future_there_is_nothing(room, anybody) -> None:
    assert anybody.get("/feeds/veranda/2024/02/29/").status_code == 404
    assert anybody.get("/feeds/veranda/2024/02/").status_code == 404
    now = timezone.now()
    assert anybody.get(f"/feeds/veranda/{now:%Y/%m/%d}/").status_code == 200
    assert anybody.get(f"/feeds/veranda/{now + timedelta(days=1):%Y/%m/%d}/").status_code == 404
    assert anybody.get(f"/feeds/veranda/{now:%Y}/").status_code == 200
    assert anybody.get("/feeds/veranda/archive/").status_code == 200


def test_a_long_day_goes_on_over_pages(room, anybody, settings) -> None:
    settings.MAX_HISTORY = 3
    for number in range(8):
        said(room, MORNING + timedelta(minutes=number), f"number {number}")
    address, seen = "/feeds/veranda/2024/02/29/", []
    for _ in range(3):
        page = anybody.get(address).text
        seen += re.findall(r"number (\d)</p>", page)
        (later,) = re.findall(r'href="(\?after=\w+)"', page) or [""]
        address = "/feeds/veranda/2024/02/29/" + later
    assert (seen, later) == ([str(number) for number in range(8)], "")
    assert anybody.get("/feeds/veranda/2024/02/29/?after=x").status_code == 400


CHANGES = {
    "edit": (lambda cast, room, message: actions.edit(cast.gil, room.pk, message.mid, "other"), 200),
    "delete": (lambda cast, room, message: actions.delete(cast.olga, room.pk, message.mid), 200),
    "hide": (lambda cast, room, message: moderation.hide(cast.olga, room.pk, message.mid), 200),
    "react": (lambda cast, room, message: actions.react(cast.mio, room.pk, message.mid, "👍"), 200),
    "title": (lambda cast, room, message: governing.change_room(cast.olga, room.pk, {"title": "Other"}), 200),
    "another day": (lambda cast, room, message: posting.post(cast.gil, room.pk, "today"), 304),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_of_the_past_is_new_only_where_it_says_something_new(cast, anybody, settings, change: str) -> None:
    settings.EDIT_MINUTES = 0
    room = cast.room
    message = said(room, MORNING, "hello")
    Message.objects.filter(mid=message.mid).update(author_key=cast.gil.key)
    said(room, MORNING - timedelta(days=1), "earlier")
    said(room, MORNING + timedelta(days=400), "later")
    page = anybody.get("/feeds/veranda/2024/02/29/")
    make, status = CHANGES[change]
    make(cast, room, message)
    again = anybody.get("/feeds/veranda/2024/02/29/", headers={"If-None-Match": page["ETag"]})
    assert again.status_code == status
    assert page["Cache-Control"] == "no-cache"


def test_what_expired_is_gone(cast, anybody) -> None:
    said(cast.room, MORNING, "the word xyzzy")
    page = anybody.get("/feeds/veranda/2024/02/29/")
    Room.objects.update(retention_days=30)
    retention.prune_room(cast.room.pk)
    again = anybody.get("/feeds/veranda/2024/02/29/", headers={"If-None-Match": page["ETag"]})
    assert again.status_code == 404
    assert "xyzzy" not in again.text


def test_what_was_said_in_private_is_for_members(cast, anybody) -> None:
    mine = Client()
    mine.force_login(cast.users.mio)
    said(cast.room, MORNING, "the word xyzzy")
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    for path in ("2024/02/29/", "2024/02/", "2024/", "archive/"):
        assert anybody.get(f"/feeds/veranda/{path}").status_code == 404
        assert anybody.get(f"/chat/veranda/{path}").status_code == 404
        assert mine.get(f"/chat/veranda/{path}").status_code == 200
    governing.change_visibility(cast.olga, cast.room.pk, "public")
    Room.objects.update(sealed_mid=log.lock(cast.room.pk).last_mid)
    assert "xyzzy" in mine.get("/chat/veranda/2024/02/29/").text
    for client, door in ((anybody, "feeds"), (anybody, "chat")):
        assert client.get(f"/{door}/veranda/2024/02/29/").status_code == 404
        assert "/2024/" not in client.get(f"/{door}/veranda/archive/").text


PAGES = {"archive/": 4, "2024/": 4, "2024/02/": 4, "2024/02/29/": 4}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_the_same_queries_however_much_was_said(room, anybody, path: str) -> None:
    asked = []
    for size in (3, 300):
        for number in range(size):
            said(room, MORNING + timedelta(hours=number), f"{number}")
        with CaptureQueriesContext(connection) as queries:
            assert anybody.get(f"/feeds/veranda/{path}").status_code == 200
        asked.append(len(queries))
        Message.objects.all().delete()
    assert asked == [PAGES[path]] * 2


def test_what_is_many_is_not_counted_to_the_end(room, anybody, monkeypatch) -> None:
    monkeypatch.setattr(calendar, "MOST_COUNTED", 5)
    for number in range(7):
        said(room, MORNING + timedelta(minutes=number), f"{number}")
    assert "more than 5 messages" in anybody.get("/feeds/veranda/2024/").text
    assert "more than 5 messages" in anybody.get("/feeds/veranda/2024/02/").text
