"""In which language pages are, and how somebody chooses another."""

import pytest
from django.test import Client

from chat.languages import accepted, chosen, supported
from tests.unit.browsers import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *(
            ("en-GB", "en"),
            ("ja", "ja"),
            ("JA_jp", "ja"),
            ("zh", "zh-hans"),
            ("zh-CN", "zh-hans"),
            ("zh-SG", "zh-hans"),
        ),
        *(("zh-TW", "zh-hant"), ("zh-HK", "zh-hant"), ("zh-Hant-HK", "zh-hant"), ("zh-Hans-CN", "zh-hans")),
        *(("de", None), ("", None), ("x" * 500, None), ("../../etc", None), ("ja\0", None)),
    ],
)
def test_what_a_tag_means(tag: str, language: str | None) -> None:
    assert supported(tag) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        *(("ja,en;q=0.8", "ja"), ("de-DE,de;q=0.9,zh-TW;q=0.8,en;q=0.7", "zh-hant"), ("de", "en"), ("", "en")),
        *(("en;q=0.1,ja;q=0.9", "ja"), ("*", "en"), (";;;,,,", "en"), ("ja;q=nonsense", "en")),
    ],
)
def test_what_a_browser_asks_for(header: str, language: str) -> None:
    assert accepted(header) == language


def test_an_address_counts_more_than_a_choice() -> None:
    assert chosen("room=a&lang=ja", "zh-hant") == "ja"
    assert chosen("lang=xx", "zh-hant") == "zh-hant"
    assert chosen("lang=" + "&a=" * 200, None) is None
    assert chosen("", None) is None


def test_a_page_says_in_which_language_it_is(cast) -> None:
    for headers, tag in (({}, "en"), ({"Accept-Language": "ja"}, "ja"), ({"Accept-Language": "zh-TW"}, "zh-Hant")):
        for path in ("/", "/feeds/veranda/", "/nothing"):
            page = Client().get(path, headers=headers)
            assert f'<html lang="{tag}">' in page.text
            assert page["Content-Language"] == tag
            assert "Accept-Language" in page["Vary"]


def test_a_choice_is_kept_and_leads_back(cast) -> None:
    browser = Client()
    answer = browser.post("/accounts/language/", {"language": "zh-hant", "next": "/feeds/veranda/?before=x&lang=ja"})
    assert answer["Location"] == "/feeds/veranda/?before=x"
    assert '<html lang="zh-Hant">' in browser.get("/", headers={"Accept-Language": "ja"}).text
    cookie = answer.cookies["language"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    # Where no cookie is read it does not count.
    assert '<html lang="ja">' in browser.get("/feeds/veranda/", headers={"Accept-Language": "ja"}).text


def test_an_address_that_is_a_language_alone_leads_to_the_start(cast) -> None:
    assert Client().post("/accounts/language/", {"language": "ja", "next": "?lang=zh"})["Location"] == "/chat/"


def test_nonsense_changes_nothing_and_leads_nowhere_else(cast) -> None:
    browser = Client()
    answer = browser.post("/accounts/language/", {"language": "klingon", "next": "https://evil.example/"})
    assert answer["Location"] == "/chat/"
    assert "language" not in answer.cookies
    assert browser.get("/accounts/language/").status_code == 405


def test_the_language_of_an_account_comes_along(cast) -> None:
    user = cast.users.mio
    signed_in(user).post("/accounts/language/", {"language": "ja"})
    user.refresh_from_db()
    assert user.language == "ja"
    user.set_password("correct horse battery")
    user.save()
    elsewhere = Client()
    assert '<html lang="en">' in elsewhere.get("/").text
    elsewhere.post("/accounts/login/", {"username": "mio", "password": "correct horse battery"})
    assert '<html lang="ja">' in elsewhere.get("/").text


def test_the_words_of_scripts(client: Client) -> None:
    from chat.words import digest_of

    now = client.get(f"/words/ja.{digest_of('ja')}.js")
    assert "immutable" in now["Cache-Control"]
    assert "gettext" in now.text
    assert client.get("/words/ja.before.js")["Cache-Control"] == "no-cache"
    for path in ("/words/en.x.js", "/words/xx.x.js", "/words/..%2Fja.x.js"):
        assert client.get(path).status_code == 404
