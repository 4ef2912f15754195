"""The ways between pages: signing in leads back, what went wrong leads on."""

import re
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template import loader
from django.test import Client, RequestFactory
from django.urls import get_resolver

from chat import error_views, errors, governing, invitations, moderation, posting
from chat.middleware import ErrorMiddleware
from chat.models import User
from tests.unit.test_accounts import PASSWORD

pytestmark = pytest.mark.django_db
LANGUAGES = [code for code, _ in settings.LANGUAGES]


def link(page: str, text: str) -> str:
    return re.search(rf'<a href="([^"]*)">{text}</a>', page)[1].replace("&amp;", "&")


@pytest.mark.parametrize("where", ["/chat/veranda/", "/chat/veranda/search?q=tea&from=x", "/?q=tea"])
def test_signing_in_or_up_leads_back(cast, where: str) -> None:
    User.objects.create_user("ann", password=PASSWORD)
    browser = Client()
    login = link(browser.get(where).text, "Log in")
    signup = link(browser.get(login).text, "Sign up")  # and from one to the other
    assert link(browser.get(signup).text, "Log in") == login
    failed = browser.post(login, {"username": "ann", "password": "wrong", "next": where})
    assert link(failed.text, "Sign up") == signup
    assert browser.post(login, {"username": "ann", "password": PASSWORD})["Location"] == where
    form = {"username": "bea", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post(signup, form)["Location"] == where


def test_from_the_start_page_nothing_is_added(cast) -> None:
    for where in ("/", "/chat/", "/accounts/login/", "/accounts/password_reset/"):
        assert link(Client().get(where).text, "Log in|Sign up") in ("/accounts/login/", "/accounts/signup/")


def test_nobody_is_led_away_from_the_site(cast) -> None:
    User.objects.create_user("ann", password=PASSWORD)
    for next_page in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        page = Client().get("/accounts/login/", {"next": next_page}).text
        assert link(page, "Sign up") == "/accounts/signup/"
        form = {"username": "ann", "password": PASSWORD, "next": next_page}
        assert Client().post("/accounts/login/", form)["Location"] == "/chat/"


def test_who_signs_out_stays_where_anybody_may_be(cast) -> None:
    browser = Client()

    def out(path: str) -> str:
        browser.force_login(cast.users.mio)
        next_page = re.search(r'name="next" value="([^"]*)">\s*<button[^>]*>Log out', browser.get(path).text)[1]
        return browser.post("/accounts/logout/", {"next": next_page})["Location"]

    assert out("/chat/veranda/") == "/chat/veranda/"
    assert out("/chat/veranda/members") == "/chat/"
    assert out("/accounts/profile/") == "/chat/"
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    assert out("/chat/veranda/") == "/chat/"


def test_an_invitation_leads_through_signing_up_and_back(cast) -> None:
    _, token = invitations.invite(cast.olga, cast.room.pk, "member", "7", "")
    browser = Client()
    page = browser.get(f"/join/{token}/").text
    signup = re.search(r'<a href="(/accounts/signup/[^"]*)">sign up</a>', page)[1]
    form = {"username": "bea", "password1": PASSWORD, "password2": PASSWORD}
    assert browser.post(signup, form)["Location"] == f"/join/{token}/"
    assert "Join as bea" in browser.get(f"/join/{token}/").text


def test_what_is_not_there_and_what_may_not_be_known_are_one_page_in_each_language(cast) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    pages = set()
    for language in LANGUAGES:
        browser = Client(headers={"accept-language": language})
        same = {browser.get(path).content for path in ("/chat/veranda/", "/chat/nowhere/", "/feeds/veranda/", "/no")}
        assert len(same) == 1
        (page,) = same
        assert b'href="/"' in page
        pages.add(page)
    assert len(pages) == len(LANGUAGES)


@pytest.mark.parametrize("as_json", [False, True])
def test_too_much_says_when_to_try_again(cast, monkeypatch, as_json: bool) -> None:
    def refuse(*_: object) -> None:
        raise errors.TooManyPosts(retry_after=89.2)

    monkeypatch.setattr("chat.views.listing.cards", refuse)
    answer = Client().get("/", headers={"accept": "application/json"} if as_json else {})
    assert (answer.status_code, answer["Retry-After"]) == (429, "90")
    if not as_json:
        assert "Try again in 90 seconds." in answer.text
        assert "One moment, please" in answer.text


def test_a_refusal_is_told_with_a_way_on(rf: RequestFactory) -> None:
    for error, says in [
        (errors.NotAllowed(), "That is not allowed"),
        (errors.ServerBusy(), "Try again in a moment."),
        (errors.PayloadTooLarge(), "That did not work"),
    ]:
        page = ErrorMiddleware.answer(rf.get("/chat/"), error)
        assert page.status_code == error.status
        assert says in page.text
        assert 'href="/"' in page.text


def test_a_ban_says_how_long(cast) -> None:
    mid = posting.post(cast.sven, cast.room.pk, "x").mid
    moderation.ban(cast.olga, cast.room.pk, mid, None, 3 * 24 * 3600)
    browser = Client()
    browser.force_login(cast.users.sven)
    page = browser.get("/chat/veranda/")
    assert page.status_code == 403
    assert "It ends in 3 days." in page.text


def test_the_page_for_our_faults_needs_nothing(rf: RequestFactory, monkeypatch, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        page = error_views.server_error(rf.get("/"))
    assert page.status_code == 500
    assert "Something went wrong" in page.text

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("templates are broken")

    monkeypatch.setattr(loader, "get_template", broken)
    page = error_views.server_error(SimpleNamespace())
    assert page.status_code == 500
    assert "Something went wrong" in page.text
    assert 'href="/"' in page.text


def test_a_fault_of_ours_comes_with_that_page(cast, monkeypatch) -> None:
    assert get_resolver().resolve_error_handler(500) is error_views.server_error

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("chat.views.listing.cards", broken)
    page = Client(raise_request_exception=False).get("/")
    assert page.status_code == 500
    assert "The fault is on our side." in page.text
