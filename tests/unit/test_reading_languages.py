"""What is read-only, in the reader's language: by their browser, or by the address."""

import re

import pytest
from django.test import Client

from chat import governing, posting
from tests.unit.test_doors import OF_A_ROOM, address

pytestmark = pytest.mark.django_db
PAGES = [
    name
    for name in OF_A_ROOM
    if name.startswith("feeds:")
    and not name.startswith("feeds:member_")
    and name not in ("feeds:export", "feeds:stream", "feeds:ticket", "feeds:qr")
]


@pytest.fixture
def mid(cast) -> str:
    governing.change_room(cast.olga, cast.room.pk, {"embed_origins": "*"})
    return posting.post(cast.gil, cast.room.pk, "hello").mid


@pytest.mark.parametrize("name", PAGES)
def test_every_page_for_anybody_differs_by_language_and_says_so(client: Client, cast, mid: str, name: str) -> None:
    path = address(name, "veranda", mid) + (f"?mid={mid}" if name == "feeds:report" else "")
    etags = set()
    for accepted, tag in (("ja", "ja"), ("zh-TW", "zh-Hant"), ("en", "en")):
        page = client.get(path, headers={"Accept-Language": accepted})
        assert page.status_code == 200
        assert page["Content-Language"] == tag
        assert "Accept-Language" in page["Vary"]
        if "text/html" in page["Content-Type"]:
            assert f'<html lang="{tag}"' in page.text
        etags.add(page.get("ETag"))
        if (etag := page.get("ETag")) is not None:
            other = client.get(path, headers={"Accept-Language": "zh-CN", "If-None-Match": etag})
            assert other.status_code == 200, "what is in another language is another page"
    if name not in ("feeds:search", "feeds:report"):
        assert len(etags) == 3
    sep = "&" if "?" in path else "?"
    assert client.get(f"{path}{sep}lang=ja", headers={"Accept-Language": "en"})["Content-Language"] == "ja"


@pytest.mark.parametrize(
    ("lang", "year", "month", "day"),
    [
        ("en", "2024", "February 2024", "29 February 2024"),
        ("ja", "2024年", "2024年2月", "2024年2月29日"),
        ("zh-hans", "2024年", "2024年2月", "2024年2月29日"),
        ("zh-hant", "2024年", "2024年2月", "2024年2月29日"),
    ],
)
def test_the_archive_writes_dates_as_its_reader_does(
    client: Client, cast, lang: str, year: str, month: str, day: str
) -> None:
    for name, wanted in (("2024", year), ("2024/02", month), ("2024/02/29", day)):
        type(cast.room).objects.filter(pk=cast.room.pk).update(created_at="2024-01-01T00:00:00Z")
        page = client.get(f"/feeds/veranda/{name}/?lang={lang}")
        assert f'<time datetime="{name.replace("/", "-")}">{wanted}</time>' in page.text


def test_the_page_to_embed_speaks_the_readers_language_unless_it_is_asked_for_another(
    client: Client, cast, mid: str
) -> None:
    japanese = {"Accept-Language": "ja"}
    asked = {"/embed/veranda/": "ja", "/embed/veranda/?lang=zh-TW": "zh-Hant", "/embed/veranda/?lang=xx": "ja"}
    for path, tag in asked.items():
        page = client.get(path, headers=japanese)
        assert f'<html lang="{tag}"' in page.text
        assert ("参加する" in page.text) is (tag == "ja")
    (component,) = re.findall("<engawa-room[^>]*>", client.get("/embed/veranda/", headers=japanese).text)
    assert "lang=" not in component, "it finds the language by itself"
