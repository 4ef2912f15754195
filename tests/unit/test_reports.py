"""Reports by those who only watch."""

from ipaddress import ip_network

import pytest
from django.test import AsyncClient, Client

from chat import actions, governing, moderation, posting, review
from chat.identity import new_guest
from chat.models import Report
from tests.unit.browsers import JSON, as_guest

pytestmark = pytest.mark.django_db
NETWORK = "203.0.113.5"


@pytest.fixture
def mid(cast) -> str:
    return posting.post(cast.gil, cast.room.pk, "the word *xyzzy*").mid


@pytest.fixture
def url(mid) -> str:
    return f"/feeds/veranda/report?mid={mid}"


@pytest.fixture
def viewer() -> Client:
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=NETWORK)


def test_a_viewer_reports_without_a_cookie(cast, viewer, url, mid) -> None:
    page = viewer.get(url)
    assert "the word <em>xyzzy</em>" in page.text
    assert f'action="{url}"' in page.text
    answer = viewer.post(url, {"reason": "abuse", "note": "he  means me"})
    assert answer.status_code == 200
    assert "Thank you" in answer.text
    report = Report.objects.get()
    assert (report.mid, report.reason, report.note, report.reporter_name) == (mid, "abuse", "he means me", "")
    assert report.reporter_key.startswith("n")
    for each in (page, answer):
        assert not each.cookies
        assert "Cookie" not in each.headers.get("Vary", "")
        assert "no-store" in each["Cache-Control"]
    viewer.post(url, {"reason": "spam"})
    assert Report.objects.count() == 1
    Client(REMOTE_ADDR="203.0.113.6").post(url, {"reason": "spam"}, headers=JSON)
    assert Report.objects.count() == 2


def test_who_reports_there_is_a_viewer_whoever_their_cookies_say(cast, url) -> None:
    as_guest(cast.gil, REMOTE_ADDR=NETWORK).post(url, {"reason": "abuse"})
    assert Report.objects.get().reporter_key != cast.gil.key


def test_a_report_says_why_and_keeps_the_note(viewer, url) -> None:
    for reason in ({}, {"reason": "nothing"}):
        page = viewer.post(url, {**reason, "note": "he <means> me"})
        assert page.status_code == 400
        assert "he &lt;means&gt; me</textarea>" in page.text
        assert 'role="alert"' in page.text
    answer = viewer.post(url, {}, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "report.invalid")
    assert viewer.post(url, {"reason": "spam"}, headers=JSON).json() == {"done": True}
    assert Report.objects.count() == 1


def test_what_may_not_be_known_is_not_there(cast, viewer, mid) -> None:
    room, _ = actions.create_room(cast.olga, "Hideaway", "private")
    secret = posting.post(cast.olga, room.pk, "hello").mid
    other, _ = actions.create_room(cast.olga, "Other")
    deleted, hidden = (posting.post(cast.gil, cast.room.pk, "hello").mid for _ in range(2))
    actions.delete(cast.gil, cast.room.pk, deleted)
    moderation.hide(cast.olga, cast.room.pk, hidden)
    nowhere = viewer.get("/feeds/nowhere/report?mid=x")
    paths = [
        f"/feeds/{room.slug}/report?mid={secret}",
        f"/feeds/veranda/report?mid={secret}",
        f"/feeds/{other.slug}/report?mid={mid}",
        f"/feeds/veranda/report?mid={deleted}",
        f"/feeds/veranda/report?mid={hidden}",
        "/feeds/veranda/report?mid=x",
        "/feeds/veranda/report",
    ]
    governing.change_room(cast.olga, room.pk, {"visibility": "public"})
    for path in paths:
        for answer in (viewer.get(path), viewer.post(path, {"reason": "spam"})):
            assert (answer.status_code, answer.content) == (404, nowhere.content), path
        assert viewer.post(path, {"reason": "spam"}, headers=JSON).json()["error"]["code"].endswith(".not_found")
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_other_sites_do_not_have_it_sent(viewer, url, headers: dict[str, str], is_taken: bool) -> None:
    answer = viewer.post(url, {"reason": "spam"}, headers=headers)
    assert answer.status_code == (200 if is_taken else 403)
    assert Report.objects.exists() is is_taken


@pytest.mark.django_db(transaction=True)
async def test_a_network_reports_so_often_and_no_more(cast, settings, mid, url) -> None:
    settings.REPORTS_PER_HOUR = 2
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8")]
    client = AsyncClient()

    async def report(network: str, **accept: str):
        form = {"reason": "spam", "note": "kept"}
        return await client.post(url, form, headers={"X-Forwarded-For": network, **accept})

    statuses = [(await report(NETWORK)).status_code for _ in range(2)]
    page = await report(NETWORK)
    assert (*statuses, page.status_code) == (200, 200, 429)
    assert "try again later" in page.text
    assert "kept</textarea>" in page.text
    answer = await report(NETWORK, **JSON)
    assert answer.json()["error"]["code"] == "limit.reports"
    assert answer.json()["error"]["retryable"] is True
    assert (await report("203.0.113.6")).status_code == 200


def test_an_archived_room_says_so_to_who_watches_and_may_be_opened_again(cast, viewer, mid, url) -> None:
    assert '<p class="room__archived notice" id="archived" hidden>' in viewer.get("/feeds/veranda/").text
    governing.archive(cast.olga, cast.room.pk)
    page, embed = viewer.get("/feeds/veranda/").text, viewer.get("/embed/veranda/").text
    assert '<p class="room__archived notice" id="archived">This room is archived' in page
    assert "/feeds/veranda/stream" in page
    assert "<p>Archived</p>" in embed
    assert "xyzzy" in page
    assert "xyzzy" in embed
    assert viewer.post(url, {"reason": "spam"}).status_code == 200


def test_a_message_has_so_many_reports_whoever_comes(cast, mid, monkeypatch) -> None:
    monkeypatch.setattr(review, "MOST_REPORTS", 3)
    for _ in range(5):
        review.report(new_guest(), "", cast.room.pk, mid, "spam")
    review.report(None, NETWORK, cast.room.pk, mid, "spam")
    assert Report.objects.count() == 3
    review.report(cast.mio, "", cast.room.pk, mid, "abuse", "I live here")
    assert Report.objects.count() == 4
    review.handle_report(cast.olga, cast.room.pk, Report.objects.first().pk, "dismissed")
    review.report(new_guest(), "", cast.room.pk, mid, "spam")
    assert Report.objects.filter(state="open").count() == 1
