"""Which of our languages somebody reads: what they chose, or else what their browser asks for.

A choice is kept in a cookie, which an account's own fills at every sign-in. Where no cookie is read an address may name
one: ``?lang=ja``. A language is named as Django names it, ``zh-hant``; a BCP 47 tag, ``zh-Hant-TW``, may mean one.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

PARAMETER = "lang"
MOST_CHARS = 35  # of a tag that is looked at
MOST_PARAMETERS = 100


@lru_cache(maxsize=256)
def supported(tag: str) -> str | None:
    """The one of ``settings.LANGUAGES`` that ``tag`` means; None where there is none."""
    try:
        return get_supported_language_variant(tag.replace("_", "-").lower()) if 0 < len(tag) <= MOST_CHARS else None
    except LookupError:
        return None


@lru_cache(maxsize=1024)
def accepted(header: str) -> str:
    """The first of ours that an ``Accept-Language`` header accepts; settings.LANGUAGE_CODE where it accepts none."""
    for tag, _ in parse_accept_lang_header(header):
        if tag == "*":
            break
        if language := supported(tag):
            return language
    return settings.LANGUAGE_CODE


def chosen(query_string: str, cookie: str | None) -> str | None:
    """What an address or a cookie says, if either says anything that we know."""
    if f"{PARAMETER}=" in query_string:
        try:
            named = parse_qs(query_string, max_num_fields=MOST_PARAMETERS).get(PARAMETER, [])
        except ValueError:
            named = []
        if named and (language := supported(named[-1])):
            return language
    return supported(cookie) if cookie else None


def language_of_request(request: HttpRequest) -> str:
    """The language to answer in: the one that was chosen, otherwise the browser's."""
    choice = chosen(request.META.get("QUERY_STRING", ""), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME))
    return choice or accepted(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


def language_of_scope(scope: dict[str, Any], *, reads_cookies: bool) -> str:
    """The same for what stands beside Django, and may know of no cookies."""
    headers: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        if name in (b"accept-language", b"cookie"):
            headers.setdefault(name, []).append(value.decode("latin1"))
    cookies = parse_cookie("; ".join(headers.get(b"cookie", []))) if reads_cookies else {}
    choice = chosen(scope["query_string"].decode("latin1"), cookies.get(settings.LANGUAGE_COOKIE_NAME))
    return choice or accepted(",".join(headers.get(b"accept-language", [])))


def bcp47(language: str) -> str:
    """As a ``lang`` attribute has it: ``zh-hant`` is written ``zh-Hant``."""
    primary, _, rest = language.partition("-")
    return f"{primary}-{rest.title()}" if rest else primary
