"""What pages say of themselves, and what search engines are told."""

import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.test import Client

from chat import actions, governing, posting
from chat.models import Message, Room
from feeds import sitemaps
from feeds.metadata import locale_of
from tests.unit.test_doors import BESIDE, OF_A_ROOM, address, addresses

OURS = settings.PUBLIC_URL
WATCH, ROOM = "/feeds/veranda/", "/chat/veranda/"
HOSTILE = '</script><!-- <script>alert(1)</script> & "\n 縁側'


class Head(HTMLParser):
    """The metas and links of a page, and its JSON-LD."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.metas: dict[str, str] = {}
        self.links: list[dict[str, str]] = []
        self.data: list[str] = []
        self.is_data = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        if tag == "meta" and ("property" in found or "name" in found) and "media" not in found:
            name = found.get("property") or found["name"]
            assert name not in self.metas
            self.metas[name] = found["content"]
        if tag == "link":
            self.links.append(found)
        self.is_data = tag == "script" and found.get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self.is_data:
            self.data.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.is_data = False

    def link(self, **wanted: str) -> list[str]:
        return [link["href"] for link in self.links if wanted.items() <= link.items()]

    @property
    def linked_data(self) -> dict:
        (data,) = self.data
        return json.loads(data)


@pytest.fixture
def mid(cast) -> str:
    governing.change_room(cast.olga, cast.room.pk, {"title": 'Tea & "cake"', "topic": "Both <b>", "language": "ja"})
    return posting.post(cast.gil, cast.room.pk, HOSTILE).mid


@pytest.mark.parametrize("path", [WATCH, ROOM])
def test_a_room_for_those_who_show_links(cast, client, mid, path: str) -> None:
    head = Head(client.get(path).text)
    metas = {name: value for name, value in head.metas.items() if name not in ("viewport", "color-scheme")}
    assert metas == {
        "description": "Both <b>",
        "og:site_name": "Engawa",
        "og:type": "website",
        "og:title": 'Tea & "cake"',
        "og:description": "Both <b>",
        "og:url": OURS + WATCH,
        "og:locale": "ja_JP",
        "og:image": f"{OURS}/static/images/card.png",
        "og:image:type": "image/png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Engawa",
        "twitter:card": "summary_large_image",
    }
    assert head.link(rel="canonical") == [OURS + WATCH]
    assert head.link(rel="alternate", type="application/atom+xml") == [f"{OURS}/feeds/veranda/atom"]
    assert head.link(rel="alternate", type="application/feed+json") == [f"{OURS}/feeds/veranda/json"]


@pytest.mark.parametrize("way", ["feeds", "chat"])
def test_a_message_for_those_who_show_links(cast, client, mid, way: str) -> None:
    actions.edit(cast.gil, cast.room.pk, mid, HOSTILE + " " + "long " * 100)
    message = Message.objects.get()
    head = Head(client.get(f"/{way}/veranda/m/{mid}/").text)
    assert head.metas["og:type"] == "article"
    assert head.metas["og:title"] == 'Gil in Tea & "cake"'
    assert head.metas["og:url"] == f"{OURS}/feeds/veranda/m/{mid}/"
    assert head.link(rel="canonical") == [head.metas["og:url"]]
    description = head.metas["og:description"]
    assert description.startswith('</script><!-- <script>alert(1)</script> & " 縁側 long')
    assert len(description) <= 200
    assert description.endswith("long lo…")
    assert head.metas["article:published_time"][:19] == message.created_at.isoformat()[:19]
    assert head.metas["article:modified_time"] > head.metas["article:published_time"]


def test_an_older_page_is_a_page_of_its_own(cast, client, mid) -> None:
    assert Head(client.get(f"{WATCH}?before={mid}").text).link(rel="canonical") == [f"{OURS}{WATCH}?before={mid}"]
    assert Head(client.get(f"{WATCH}?utm_source=x").text).link(rel="canonical") == [OURS + WATCH]


def test_the_picture_is_there_and_as_large_as_is_said() -> None:
    for name, size in (("card.png", (1200, 630)), ("icon.png", (512, 512)), ("icon-64.png", (64, 64))):
        with open(find(f"images/{name}"), "rb") as file:
            header = file.read(24)
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert (int.from_bytes(header[16:20]), int.from_bytes(header[20:24])) == size


@pytest.mark.parametrize("path", [WATCH, "/feeds/veranda/m/{mid}/"])
def test_a_consumer_of_oembed_finds_us(cast, client, mid, path: str) -> None:
    path = path.format(mid=mid)
    head = Head(client.get(path).text)
    for kind, form in (("application/json+oembed", "json"), ("text/xml+oembed", "xml")):
        (href,) = head.link(rel="alternate", type=kind)
        assert re.fullmatch(rf"{OURS}/oembed\?url=[^&]*&format={form}", href)
        answer = client.get(href.removeprefix(OURS))
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith(kind.removesuffix("+oembed"))
    governing.change_room(cast.olga, cast.room.pk, {"embed_origins": ""})
    assert "+oembed" not in client.get(path).text


def test_nothing_is_told_of_a_private_room(cast, mid) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    browser = Client()
    browser.force_login(cast.users.mio)
    for path in (ROOM, f"/chat/veranda/m/{mid}/"):
        head = Head(browser.get(path).text)
        assert set(head.metas) == {"viewport", "color-scheme"}
        assert {link["rel"] for link in head.links} == {
            *("icon", "apple-touch-icon", "manifest", "stylesheet", "modulepreload"),
        }
        assert head.data == []


def test_a_discussion_as_linked_data(cast, client, mid) -> None:
    later = posting.post(cast.mio, cast.room.pk, "yes").mid
    data = Head(client.get(WATCH).text).linked_data
    assert data["@context"] == "https://schema.org"
    assert data["@type"] == "DiscussionForumPosting"
    assert (data["url"], data["headline"], data["text"]) == (OURS + WATCH, 'Tea & "cake"', "Both <b>")
    assert [comment["text"] for comment in data["comment"]] == [HOSTILE, "yes"]
    comment = data["comment"][0]
    assert comment == {
        "@type": "Comment",
        "@id": f"{OURS}/feeds/veranda/m/{mid}/",
        "url": f"{OURS}/feeds/veranda/m/{mid}/",
        "text": HOSTILE,
        "author": {"@type": "Person", "name": "Gil"},
        "datePublished": comment["datePublished"],
    }
    # An older page is still about the room.
    assert Head(client.get(f"{WATCH}?before={later}").text).linked_data["url"] == OURS + WATCH
    one = Head(client.get(f"/feeds/veranda/m/{mid}/").text).linked_data
    assert (one["@type"], one["text"], one["isPartOf"]["url"]) == ("DiscussionForumPosting", HOSTILE, OURS + WATCH)
    assert [comment["text"] for comment in one["comment"]] == ["yes"]


def test_no_text_ends_the_script_that_it_stands_in(cast, client, mid) -> None:
    page = client.get(WATCH).text
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1]
    assert not re.search(r"[<>&\u2028\u2029]", data)


def test_a_live_blog_as_linked_data(cast, client) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"posting": "moderators"})
    mids = [posting.post(cast.olga, cast.room.pk, text).mid for text in ("first", "second")]
    actions.edit(cast.olga, cast.room.pk, mids[0], "first, indeed")
    data = Head(client.get(WATCH).text).linked_data
    assert data["@type"] == "LiveBlogPosting"
    assert "coverageStartTime" in data
    assert not {"coverageEndTime", "comment"} & data.keys()
    newest, oldest = data["liveBlogUpdate"]
    assert (newest["@type"], newest["articleBody"], oldest["articleBody"]) == ("BlogPosting", "second", "first, indeed")
    assert oldest["dateModified"] > oldest["datePublished"]
    assert newest["headline"].startswith("olga, 20")
    one = Head(client.get(f"/feeds/veranda/m/{mids[0]}/").text).linked_data
    assert (one["@type"], one["isPartOf"]["@type"]) == ("BlogPosting", "LiveBlogPosting")
    governing.archive(cast.olga, cast.room.pk)
    data = Head(client.get(WATCH).text).linked_data
    assert data["coverageEndTime"] > data["coverageStartTime"]


@pytest.mark.parametrize(
    ("language", "locale"),
    [("ja", "ja_JP"), ("en-GB", "en_GB"), ("zh-Hant", "zh_TW"), ("zh-Hant-HK", "zh_HK"), ("eo", ""), ("", "")],
)
def test_a_language_as_open_graph_writes_it(language: str, locale: str) -> None:
    assert locale_of(language) == locale


# Search engines -------------------------------------------------------------------------------------------


PLACES = [OURS + WATCH, f"{OURS}{WATCH}archive/"]


def listed(client, page: int = 1) -> list[str]:
    root = ElementTree.fromstring(client.get(f"/sitemap.xml?page={page}").content)
    assert root.tag == "{http://www.sitemaps.org/schemas/sitemap/0.9}urlset"
    return [element.text for element in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]


def test_the_sitemap_has_the_rooms_that_may_be_listed(cast, client) -> None:
    assert listed(client) == []
    governing.change_room(cast.olga, cast.room.pk, {"is_indexed": True})
    assert listed(client) == PLACES
    for visibility in ("unlisted", "private"):
        governing.change_visibility(cast.olga, cast.room.pk, visibility)
        assert listed(client) == []
    governing.change_visibility(cast.olga, cast.room.pk, "public")
    governing.archive(cast.olga, cast.room.pk)
    assert listed(client) == PLACES
    governing.delete_room(cast.olga, cast.room.pk)
    assert listed(client) == []


def test_a_sitemap_says_when_something_was_last_said(cast, client) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"is_indexed": True})
    posting.post(cast.gil, cast.room.pk, "hello")
    one, other = ElementTree.fromstring(client.get("/sitemap.xml?page=1").content).iter(
        "{http://www.sitemaps.org/schemas/sitemap/0.9}lastmod"
    )
    assert one.text == other.text
    said = Message.objects.get().created_at
    assert abs(datetime.fromisoformat(one.text) - said) < timedelta(seconds=0.1), "a name is made a moment before"


def test_many_rooms_are_on_many_pages(cast, client, monkeypatch, django_assert_num_queries) -> None:
    monkeypatch.setattr(sitemaps, "ROOMS_ON_A_PAGE", 3)
    Room.objects.bulk_create(Room(slug=f"room-{number}", title="Room", is_indexed=True) for number in range(7))
    index = ElementTree.fromstring(client.get("/sitemap.xml").content)
    pages = [element.text for element in index.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert pages == [f"{OURS}/sitemap.xml?page={number}" for number in (1, 2, 3)]
    found = [listed(client, number) for number in (1, 2, 3)]
    assert [len(page) for page in found] == [6, 6, 2]
    assert len({each for page in found for each in page}) == 14
    with django_assert_num_queries(2):
        client.get("/sitemap.xml?page=2")
    for page in ("0", "4", "x", "-1", "1" * 9):
        assert client.get(f"/sitemap.xml?page={page}").status_code == 404


def test_robots_are_led_to_the_sitemap(cast, client) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert f"\nSitemap: {OURS}/sitemap.xml\n" in answer.text
    assert "Disallow: /feeds/*/stream\n" in answer.text
    assert not answer.cookies
    assert client.post("/robots.txt").status_code == 405


# What search engines may list of a room that allows it.
MAY_BE_LISTED = {
    *("chat:room", "chat:message", "feeds:watch", "feeds:message"),
    *("feeds:archive", "feeds:year", "feeds:month", "feeds:day"),
}
WITH_ARGUMENTS = {
    "join": ["x"],
    "feeds:component_version": ["x"],
    "feeds:frame_helper_version": ["x"],
    "password_reset_confirm": ["x", "x"],
    "words": ["ja", "x"],
}


def test_nothing_else_may_be_listed(cast, client) -> None:
    """Every address there is, for the owner of a room that search engines may list."""
    from django.urls import get_resolver, reverse

    mid = posting.post(cast.olga, cast.room.pk, "hello").mid
    governing.change_room(cast.olga, cast.room.pk, {"is_indexed": True})
    cast.users.olga.is_staff = cast.users.olga.is_superuser = True
    cast.users.olga.save()
    client.force_login(cast.users.olga)
    paths = {name: address(name, "veranda", mid) for name in OF_A_ROOM}
    for name in addresses(get_resolver().url_patterns):
        if name not in paths and not name.startswith("^"):
            is_path = "/" in name or "." in name
            paths[name] = f"/{name}" if is_path else reverse(name, args=WITH_ARGUMENTS.get(name, []))
    paths |= {"api": "/api/v1/", "nothing": "/nothing", "admin's": "/admin/chat/room/"}
    assert set(BESIDE) < set(paths)
    got = {name: client.get(path).headers.get("X-Robots-Tag", "") for name, path in paths.items()}
    assert {name for name, header in got.items() if "noindex" not in header} == {*MAY_BE_LISTED, "home"}
    governing.change_room(cast.olga, cast.room.pk, {"is_indexed": False})
    del paths["home"]  # what a site is about is no room's secret
    assert all("noindex" in client.get(path)["X-Robots-Tag"] for path in paths.values())
    assert client.get("/?page=2")["X-Robots-Tag"] == "noindex"
