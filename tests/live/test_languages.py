"""What stands beside Django speaks the language of whoever asks: live pages, texts, transcripts, what goes wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.servers import Engawa

TAGS = {"en": "en", "ja": "ja", "zh-CN": "zh-Hans", "zh-TW, en;q=0.5": "zh-Hant", "fr": "en"}
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


@contextmanager
def begun(url: str, **headers: str) -> Iterator[tuple[httpx.Response, str]]:
    """An answer, and what it begins with."""
    with httpx.stream("GET", url, headers=headers) as answer:
        text = ""
        for chunk in answer.iter_text():
            text += chunk
            if len(text) > 2000 or answer.headers["content-type"].startswith("text/plain"):
                break
        yield answer, text


@pytest.mark.parametrize("accepted", TAGS)
def test_a_live_page_says_its_language(server: Engawa, accepted: str) -> None:
    for path in ("/feeds/lobby/stream.html", "/feeds/stream.html?room=lobby"):
        with begun(server.base + path, **{"Accept-Language": accepted}) as (answer, text):
            assert f'<html lang="{TAGS[accepted]}">' in text
            assert answer.headers["content-language"] == TAGS[accepted]
            assert "Accept-Language" in answer.headers["vary"]


def test_an_address_names_a_language_and_a_cookie_only_where_there_are_cookies(server: Engawa) -> None:
    asked = {"Accept-Language": "zh-TW", "Cookie": "language=ja"}
    with begun(f"{server.base}/feeds/lobby/stream.html?lang=en", **asked) as (_, text):
        assert '<html lang="en">' in text
        assert "?lang=ja" in text
    with begun(f"{server.base}/feeds/lobby/stream.html", **asked) as (_, text):
        assert '<html lang="zh-Hant">' in text
    for path, tag in (("/chat/lobby/export.html", "ja"), ("/feeds/lobby/export.html", "zh-Hant")):
        assert f'<html lang="{tag}">' in httpx.get(server.base + path, headers=asked).text


@pytest.mark.parametrize(
    "path",
    [
        *("/feeds/lobby/stream.txt?history=x", "/feeds/lobby/stream.html?history=x", "/feeds/nowhere/stream"),
        *("/feeds/stream.sse?room=lobby&history=x", "/feeds/lobby/export.txt?from=x"),
        "/feeds/lobby/replay/stream?speed=x",
    ],
)
def test_what_goes_wrong_is_said_in_it(server: Engawa, path: str) -> None:
    """By those who were told in English before, and after."""
    for accepted in ("en", "ja", "en"):
        answer = httpx.get(server.base + path, headers={"Accept-Language": accepted})
        assert answer.status_code in (400, 404)
        said = answer.text.partition("<main")[2] or answer.text
        said = said.encode().decode("unicode_escape") if "json" in answer.headers["content-type"] else said
        assert bool(JAPANESE.search(said)) is (accepted == "ja")


def test_a_file_says_that_it_is_complete_in_a_word_that_programs_know(server: Engawa) -> None:
    for accepted in ("en", "ja"):
        asked = {"Accept-Language": accepted}
        text, page = (
            httpx.get(f"{server.base}/feeds/lobby/export.{form}", headers=asked).text for form in ("txt", "html")
        )
        assert text.splitlines()[-1].startswith("-- Complete: ")
        assert 'data-end="complete"' in page.splitlines()[-3]
        assert bool(JAPANESE.search(text)) is bool(JAPANESE.search(page)) is (accepted == "ja")
