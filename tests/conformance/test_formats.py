"""Feeds, oEmbed, JSON-LD and the stream, as clients that others wrote read them from a server."""

import asyncio
import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pyoembed
import pytest
import rnc2rng
from lxml import etree
from lxml import html as lxml_html

from tests.clients import participant
from tests.conformance.test_html import complaints
from tests.parts import NODE_FOLDER, node_command
from tests.servers import Engawa

TEXTS = ["*hello* <b>&amp;", "縁側 👋🏽", "two\nlines\n\nhttps://example.org/?a=1&b=2", "> quoted", "`code` ]]> & \"'"]
# Rooms of every kind that these formats know, and who wrote in them.
PREPARE = f"""
from chat import actions, governing, posting
from chat.identity import new_guest
from chat.models import User
olga, gil = User.objects.create_user('olga').identity, new_guest('Gil & <co>')
for name in ('Talk', 'Blog', 'Over', 'Empty', 'Hidden', 'Bare'):
    room, _ = actions.create_room(olga, name, 'unlisted' if name == 'Hidden' else 'public')
    governing.change_room(olga, room.pk, {{'title': f'{{name}} & "<tea>" 縁側', 'topic': 'Both', 'language': 'ja'}})
    if name != 'Empty':
        for text in {TEXTS!r} * 3:
            mid = posting.post(olga if name == 'Blog' else gil, room.pk, text).mid
        actions.edit(olga if name == 'Blog' else gil, room.pk, mid, 'edited')
    if name == 'Blog':
        governing.change_room(olga, room.pk, {{'posting': 'moderators'}})
    if name == 'Over':
        governing.archive(olga, room.pk)
    if name == 'Bare':
        governing.change_room(olga, room.pk, {{'topic': '', 'language': '', 'embed_origins': ''}})
"""
ROOMS = ("talk", "blog", "over", "empty", "hidden", "bare")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    engawa = Engawa(tmp_path_factory.mktemp("conformance"), STREAM_RETRY_MS="100", PAGE_MESSAGES="4")
    engawa.shell(PREPARE)
    yield engawa
    engawa.stop()


def documents(site: Engawa, room: str, form: str) -> list[httpx.Response]:
    """Each document of a feed, as a client meets them on its way back."""
    found = []
    url = f"{site.base}/feeds/{room}/{form}"
    while url:
        answer = httpx.get(url).raise_for_status()
        found.append(answer)
        if form == "json":
            url = answer.json().get("next_url")
        else:
            links = feedparser.parse(answer.content).feed.links
            url = next((link.href for link in links if link.rel == "next"), None)
    return found


def texts(html: str) -> str:
    """What a reader of HTML is left with."""
    return lxml_html.fromstring(html).text_content().strip()


@pytest.fixture(scope="module")
def history(site: Engawa) -> dict[str, list[dict]]:
    """What our own API says was said, newest first."""
    path = "{}/chat/{}/messages?limit=100"
    answers = {room: httpx.get(path.format(site.base, room), headers={"Accept": "application/json"}) for room in ROOMS}
    return {room: answer.json()["messages"][::-1] for room, answer in answers.items()}


@pytest.mark.parametrize("room", ROOMS)
def test_atom_is_in_its_grammar(site: Engawa, room: str) -> None:
    grammar = rnc2rng.dumps(rnc2rng.load(str(NODE_FOLDER / "atom.rnc")))
    schema = etree.RelaxNG(etree.fromstring(grammar.encode()))
    for answer in documents(site, room, "atom"):
        schema.assertValid(etree.fromstring(answer.content))


@pytest.mark.parametrize("room", ROOMS)
def test_feedparser_reads_atom(site: Engawa, history: dict, room: str) -> None:
    entries = []
    for answer in documents(site, room, "atom"):
        feed = feedparser.parse(
            answer.content, response_headers={**answer.headers, "content-location": str(answer.url)}
        )
        assert not feed.bozo, feed.bozo_exception
        assert feed.version == "atom10"
        assert feed.feed.title == f'{room.title()} & "<tea>" 縁側'
        (own,) = [link.href for link in feed.feed.links if link.rel == "self"]
        assert own == str(answer.url)
        assert feed.feed.link == f"{site.base}/feeds/{room}/"
        entries += feed.entries
    said = history[room]
    assert [entry.link for entry in entries] == [f"{site.base}/feeds/{room}/m/{message['mid']}/" for message in said]
    assert [entry.author for entry in entries] == [message["author"]["name"] for message in said]
    assert [texts(entry.content[0].value) for entry in entries] == [texts(message["html"]) for message in said]
    assert [tuple(entry.published_parsed)[:6] for entry in entries] == [moment(message["at"]) for message in said]
    changes = [message.get("edited_at", message["at"]) for message in said]
    assert [tuple(entry.updated_parsed)[:6] for entry in entries] == [moment(change) for change in changes]
    assert len({entry.id for entry in entries}) == len(said)


def moment(timestamp: str) -> tuple[int, ...]:
    return tuple(int(part) for part in (*timestamp[:10].split("-"), *timestamp[11:19].split(":")))


def test_feedparser_asks_only_for_what_is_new(site: Engawa) -> None:
    url = f"{site.base}/feeds/talk/atom"
    first = feedparser.parse(url)
    assert (first.status, len(first.entries)) == (200, 4)
    again = feedparser.parse(url, etag=first.etag)
    assert (again.status, again.entries) == (304, [])


def test_feedsmith_and_the_schema_read_both(site: Engawa, history: dict, node: Callable[..., Any]) -> None:
    given = {
        form: [(room, each) for room in ROOMS for each in documents(site, room, form)] for form in ("atom", "json")
    }
    said = node("feeds.js", given=json.dumps({form: [each.text for _, each in found] for form, found in given.items()}))
    assert [wrong for wrong in said["wrong"] if wrong] == []
    items: dict[str, list] = {room: [] for room in ROOMS}
    for (room, _), feed in zip(given["json"], said["json"], strict=True):
        items[room] += feed.get("items", [])
        assert feed["title"] == f'{room.title()} & "<tea>" 縁側'
        assert feed.get("expired", False) == (room == "over")
    entries: dict[str, list] = {room: [] for room in ROOMS}
    for (room, _), feed in zip(given["atom"], said["atom"], strict=True):
        entries[room] += feed.get("entries", [])
    for room in ROOMS:
        assert [item["content_text"] for item in items[room]] == [message["message"] for message in history[room]]
        assert [item["content_html"] for item in items[room]] == [message["html"] for message in history[room]]
        assert [item["id"] for item in items[room]] == [entry["id"] for entry in entries[room]]
        assert [item["title"] for item in items[room]] == [entry["title"]["value"] for entry in entries[room]]


# oEmbed ---------------------------------------------------------------------------------------------------


class Frame(HTMLParser):
    """The only element of some HTML, an iframe."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        assert (tag, self.attributes) == ("iframe", {})
        self.attributes = dict(attributes)


@pytest.mark.parametrize("page", ["feeds/talk/", "chat/talk/", "feeds/talk/m/{mid}/", "chat/talk/m/{mid}/"])
@pytest.mark.parametrize("limits", [{}, {"maxwidth": 200, "maxheight": 100}])
def test_a_consumer_of_oembed_gets_from_a_page_to_its_frame(
    site: Engawa, history: dict, page: str, limits: dict
) -> None:
    url = f"{site.base}/{page.format(mid=history['talk'][1]['mid'])}"
    data = pyoembed.oEmbed(url, **limits)
    assert (data["type"], data["version"]) == ("rich", "1.0")
    assert 0 < data["width"] <= limits.get("maxwidth", 10_000)
    assert 0 < data["height"] <= limits.get("maxheight", 10_000)
    frame = Frame(data["html"]).attributes
    assert frame["title"] == data["title"]
    assert 'Talk & "<tea>" 縁側' in data["title"]
    assert (int(frame["width"]), int(frame["height"])) == (data["width"], data["height"])
    framed = httpx.get(frame["src"]).raise_for_status()
    assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers


def said_by(preview: dict[str, Any]) -> dict[str, str]:
    """oEmbed as it was read; from XML, with an attribute that is empty in the form that needs no quotes."""
    return {name: str(value).replace('allow=""', "allow") for name, value in preview.get("oEmbed", {}).items()}


def test_who_shows_links_finds_all_for_a_preview(site: Engawa, history: dict, node: Callable[..., Any]) -> None:
    message = history["talk"][1]
    pages = [f"{site.base}/feeds/{path}/" for path in ("talk", f"talk/m/{message['mid']}", "blog", "bare")]
    by_json, by_xml = (node("previews.js", form, *pages) for form in ("json", "xml"))
    for url, preview, other in zip(pages, by_json, by_xml, strict=True):
        assert preview["canonical_url"] == preview["open_graph"]["url"] == url
        assert preview["twitter_card"] == {"card": "summary_large_image"}
        (image,) = preview["open_graph"]["images"]
        assert httpx.get(image["url"]).headers["Content-Type"] == image["type"] == "image/png"
        embed = said_by(preview)
        # What ends with an escaped character, as this name does, it does not read from XML.
        read = {**embed, **{name: value for name, value in said_by(other).items() if value}}
        assert read == embed
        assert bool(other.get("oEmbed")) == bool(embed)
        assert (embed == {}) == url.endswith("/bare/")
    room, one = by_json[0], by_json[1]
    assert (room["open_graph"]["title"], room["description"]) == ('Talk & "<tea>" 縁側', "Both")
    assert (room["open_graph"]["type"], one["open_graph"]["type"]) == ("website", "article")
    assert room["open_graph"]["locale"] == "ja_JP"
    assert one["description"] == " ".join(message["message"].split())
    assert one["oEmbed"]["author_name"] == "Gil & <co>"


def test_a_room_that_no_site_may_frame_is_not_found(site: Engawa) -> None:
    with pytest.raises(pyoembed.PyOembedException):
        pyoembed.oEmbed(f"{site.base}/feeds/bare/")


# JSON-LD --------------------------------------------------------------------------------------------------

SCHEMA = "http://schema.org/"
_TEXT = ("name", "headline", "text", "articleBody", "inLanguage")
_MOMENTS = ("datePublished", "dateModified", "coverageStartTime", "coverageEndTime")
_THINGS = ("author", "comment", "liveBlogUpdate", "isPartOf")
_TYPES = (
    *("Comment", "BlogPosting", "DiscussionForumPosting", "LiveBlogPosting", "Organization", "Person"),
    *(),
)
# schema.org's own words for what we say, as in its context.
VOCABULARY = {
    **{term: f"{SCHEMA}{term}" for term in (*_TEXT, *_THINGS, *_TYPES)},
    **{term: {"@id": f"{SCHEMA}{term}", "@type": f"{SCHEMA}Date"} for term in _MOMENTS},
    **{term: {"@id": f"{SCHEMA}{term}", "@type": "@id"} for term in ("url", "image")},
}


def test_a_processor_of_json_ld_understands_each_page(site: Engawa, history: dict, node: Callable[..., Any]) -> None:
    paths = [f"/feeds/{room}/" for room in ROOMS]
    paths += [f"/feeds/{room}/m/{history[room][5]['mid']}/" for room in ("talk", "blog")]
    found = {}
    for path in paths:
        page = lxml_html.fromstring(httpx.get(f"{site.base}{path}").text)
        (data,) = page.xpath("//script[@type='application/ld+json']/text()")
        found[path] = json.loads(data)
    given = json.dumps({"vocabulary": VOCABULARY, "documents": list(found.values())})
    quads = dict(zip(paths, node("linked_data.js", given=given), strict=True))

    def types(path: str) -> dict[str, int]:
        lines = [line for line in quads[path].splitlines() if "22-rdf-syntax-ns#type" in line]
        names = [line.split(SCHEMA)[1].split(">")[0] for line in lines]
        return {name: names.count(name) for name in names if name not in ("Person", "Organization")}

    assert types("/feeds/talk/") == {"DiscussionForumPosting": 1, "Comment": 4}
    assert types("/feeds/empty/") == {"DiscussionForumPosting": 1}
    assert types("/feeds/blog/") == {"LiveBlogPosting": 1, "BlogPosting": 4}
    assert types(paths[-2]) == {"DiscussionForumPosting": 2, "Comment": 1}
    assert types(paths[-1]) == {"BlogPosting": 1, "LiveBlogPosting": 1}
    assert f"<{site.base}/feeds/over/> <{SCHEMA}datePublished>" in quads["/feeds/over/"]
    newest = f"{site.base}/feeds/talk/m/{history['talk'][0]['mid']}/"
    assert f'<{newest}> <{SCHEMA}text> "edited"' in quads["/feeds/talk/"]


# Pages beside Django ---------------------------------------------------------------------------------------


def test_pages_that_go_on_are_as_html_is_meant(site: Engawa, tmp_path: Path) -> None:
    """A live page of an archived room ends; what it was made of until then is what every live page is."""
    paths = ("/feeds/over/stream.html", "/feeds/over/stream.html?history=50", "/feeds/?room=talk&room=blog&room=over")
    found = {path: httpx.get(site.base + path).raise_for_status().content for path in paths}
    assert all(b"</html>" in page for page in found.values())
    assert complaints(tmp_path, found) == []


# The stream -----------------------------------------------------------------------------------------------


async def test_an_eventsource_that_is_no_browsers_follows_and_resumes(site: Engawa) -> None:
    room = site.shell("from chat import actions; from chat.identity import new_guest\n"
                      "print(actions.create_room(new_guest(), 'followed')[0].slug)")  # fmt: skip
    command = node_command("eventsource.js", f"{site.base}/feeds/{room}/stream", "3")
    follower = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    heard: list[dict] = []

    async def until(name: str) -> dict:
        while True:
            line = await follower.stdout.readline()
            assert line, heard
            heard.append(json.loads(line))
            if name in heard[-1]:
                return heard[-1]

    try:
        async with asyncio.timeout(20), participant(site.sockets, room) as author:
            assert (await until("asked"))["asked"] is None
            await until("open")
            posted = [await author.post(text) for text in ("one", "two", "three")]
            # Cut off here, it comes back by itself; what is said meanwhile is not lost on it.
            assert (await until("error"))["closed"] is False
            posted += [await author.post(text) for text in ("four", "five")]
            assert (await until("asked"))["asked"] == f"{room}:{posted[2]['id']}"
            await author.send(type="delete", mid=posted[4]["mid"], key="0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11")
            assert (await until("deleted"))["deleted"] == posted[4]["mid"]
            posted.append(await author.post("the end"))
            while heard[-1].get("message") != "the end":
                await until("message")
            assert await follower.wait() == 0
    finally:
        if follower.returncode is None:
            follower.kill()
            await follower.wait()
    told = [each for each in heard if "message" in each]
    assert [each["id"] for each in told if each["message"] != "five"] == [
        f"{room}:{post['id']}" for post in posted if post is not posted[4]
    ]
    assert [each["message"] for each in told if each["message"] != "five"] == ["one", "two", "three", "four", "the end"]
    assert {each["origin"] for each in told} == {site.base}
