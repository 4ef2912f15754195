import json
import uuid
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat import actions, posting
from chat.models import Message
from chat.posting import Post, post_together

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def browser(cast) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.get("/chat/veranda/")
    return client


def token(client: Client) -> str:
    return client.cookies["csrftoken"].value


def test_a_guest_is_remembered_from_the_first_visit(browser) -> None:
    cookie = browser.cookies["guest"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    for text in ("one", "two"):
        browser.post("/chat/veranda/messages", {"message": text, "csrfmiddlewaretoken": token(browser)})
    assert len(set(Message.objects.values_list("author_key", flat=True))) == 1


def test_a_guest_takes_a_name_and_stays_who_they_are(browser) -> None:
    form = {"csrfmiddlewaretoken": token(browser), "next": "/chat/veranda/"}
    browser.post("/chat/veranda/messages", {**form, "message": "before"})
    answer = browser.post("/accounts/guest/", {**form, "name": "  Ａki  "})
    assert answer["Location"] == "/chat/veranda/"
    browser.post("/chat/veranda/messages", {**form, "message": "after"})
    before, after = Message.objects.all()
    assert after.author_name == "Aki"
    assert before.author_key == after.author_key
    assert browser.post("/accounts/guest/", {**form, "name": "x", "next": "//evil.example"})["Location"] == "/chat/"


def test_who_posts_by_a_form_is_led_to_what_they_said(client: Client, cast) -> None:
    answer = client.post("/chat/veranda/messages", {"message": "hello"})
    assert answer["Location"] == f"/chat/veranda/#m-{Message.objects.get().mid}"


def test_a_forged_guest_is_nobody(cast) -> None:
    client = Client()
    client.cookies["guest"] = f'["{cast.gil.key}","Gil"]:signature'
    client.post("/chat/veranda/messages", {"message": "hello"})
    assert Message.objects.get().author_key != cast.gil.key


@pytest.mark.parametrize("as_json", [True, False])
def test_posting_over_http(browser, as_json: bool) -> None:
    key = str(uuid.uuid4())
    body = {"message": "hello", "key": key}
    for _ in range(2):
        if as_json:
            answer = browser.post(
                "/chat/veranda/messages",
                json.dumps(body),
                content_type="application/json",
                headers={"X-CSRFToken": token(browser)},
            )
        else:
            answer = browser.post(
                "/chat/veranda/messages", {**body, "csrfmiddlewaretoken": token(browser)}, headers=JSON
            )
        assert answer.status_code == 201
        assert answer.json() == {"mid": Message.objects.get().mid, "key": key, "id": 1}


def test_posting_needs_the_token(browser) -> None:
    answer = browser.post("/chat/veranda/messages", {"message": "forged"}, headers=JSON)
    assert answer.status_code == 403
    assert not Message.objects.exists()


def test_a_refused_post_says_why_and_keeps_what_was_typed(browser) -> None:
    form = {"message": "x" * 4001, "csrfmiddlewaretoken": token(browser)}
    page = browser.post("/chat/veranda/messages", form)
    assert page.status_code == 400
    assert "x" * 4001 in page.text
    assert "at most 4000 characters; that one has 4001" in page.text
    answer = browser.post("/chat/veranda/messages", form, headers=JSON)
    assert answer.json()["error"]["code"] == "text.too_long"
    answer = browser.post(
        "/chat/veranda/messages", "[", content_type="application/json", headers={"X-CSRFToken": token(browser)}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "frame.invalid")


def test_far_too_much_is_turned_away(browser) -> None:
    form = {"message": "x" * 10_000_000, "csrfmiddlewaretoken": token(browser)}
    answer = browser.post("/chat/veranda/messages", form, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload.too_large")
    assert "more than we take" in browser.post("/chat/veranda/messages", form).text


def test_a_database_that_is_away_is_said_to_be(browser, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(posting, "post", away)
    form = {"message": "hello", "csrfmiddlewaretoken": token(browser)}
    answer = browser.post("/chat/veranda/messages", form, headers=JSON)
    assert answer.status_code == 503
    assert answer.json()["error"]["retryable"] is True
    assert browser.post("/chat/veranda/messages", form).status_code == 503


def test_history_as_json(cast, browser) -> None:
    mids = [posting.post(cast.gil, cast.room.pk, f"{number}").mid for number in range(5)]
    page = browser.get("/chat/veranda/messages?limit=2", headers=JSON).json()
    assert [message["mid"] for message in page["messages"]] == mids[3:]
    assert (page["head"], page["earlier"], page["room"]) == (5, mids[3], "veranda")
    page = browser.get(f"/chat/veranda/messages?limit=9&before={mids[3]}", headers=JSON).json()
    assert [message["mid"] for message in page["messages"]] == mids[:3]
    assert page["earlier"] is None
    for bad in ("before=x", "limit=0", "limit=-1", "limit=x", "limit=²"):
        answer = browser.get(f"/chat/veranda/messages?{bad}", headers=JSON)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "query.invalid")
    assert browser.get("/chat/veranda/messages", headers={"accept": "text/html"}).status_code == 302


def test_getting_makes_no_room(browser) -> None:
    for path in ("/chat/nowhere/", "/chat/nowhere/messages", "/feeds/nowhere/", "/embed/nowhere/"):
        assert browser.get(path).status_code == 404
        assert browser.get(path).content == browser.get(path.replace("nowhere", "elsewhere")).content


def test_the_anonymous_side_knows_no_cookies(browser) -> None:
    for path in ("/feeds/veranda/", "/embed/veranda/"):
        page = browser.get(path)
        assert not page.cookies
        assert "Cookie" not in page.headers.get("Vary", "")
        assert page["Cache-Control"] == "no-cache"
        again = browser.get(path, headers={"If-None-Match": page["ETag"]})
        assert again.status_code == 304


def test_a_deletion_changes_the_etag(cast, browser) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "the word xyzzy").mid
    page = browser.get("/feeds/veranda/")
    actions.delete(cast.gil, cast.room.pk, mid)
    again = browser.get("/feeds/veranda/", headers={"If-None-Match": page["ETag"]})
    assert again.status_code == 200
    assert "xyzzy" not in again.text


PAGES = ["/chat/veranda/", "/chat/veranda/messages", "/feeds/veranda/", "/embed/veranda/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("page", ["newest", "middle"])
def test_a_page_costs_the_same_queries_however_many_messages(cast, browser, page: str, path: str) -> None:
    posted = post_together(cast.room.pk, [Post(cast.gil, f"{number}") for number in range(120)])
    if page == "middle":
        path += f"?before={posted[80].mid}"
    accept = JSON if "messages" in path else {}
    somebody = Client()
    somebody.force_login(cast.users.mio)
    for client, most in [
        # The room and its messages; for a guest, whether they were banned.
        (browser, 2 if path.startswith(("/feeds/", "/embed/")) else 3),
        # The session, the account, the membership beside.
        (somebody, 2 if path.startswith(("/feeds/", "/embed/")) else 6),
    ]:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path, headers=accept)
        assert response.status_code == 200
        assert posted[40 if page == "middle" else 80].mid in response.content.decode()
        assert len(queries) == most


def test_a_message_says_when_it_was_written(cast, browser) -> None:
    posting.post(cast.gil, cast.room.pk, "hello")
    Message.objects.update(created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    page = browser.get("/chat/veranda/").content.decode()
    assert '<time class="message__time" datetime="2026-01-02T03:04:05Z">2026-01-02 03:04 UTC</time>' in page
    # The blank one, which the browser fills.
    assert '<time class="message__time" datetime=""> UTC</time>' in page
