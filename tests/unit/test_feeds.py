"""Atom and JSON Feed: what stands in them, in how many documents, and what does not."""

import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.conf import settings

from chat import actions, governing, moderation, posting
from chat.models import Message, Room
from feeds.entries import id_of_room
from feeds.xml import legal

ATOM, JSON = "/feeds/veranda/atom", "/feeds/veranda/json"
NS = {"a": "http://www.w3.org/2005/Atom"}
BOTH = pytest.mark.parametrize("path", [ATOM, JSON])


def relative(url: str) -> str:
    assert url.startswith(f"{settings.PUBLIC_URL}/")
    return url.removeprefix(settings.PUBLIC_URL)


class Document:
    """Either feed, as far as they say the same."""

    def __init__(self, client, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content
        self.answer, self.path = answer, path
        self.size = len(answer.content)
        if urlsplit(path).path.endswith("atom"):
            root = self.root = ElementTree.fromstring(answer.content)
            links = {link.get("rel"): link.get("href") for link in root.findall("a:link", NS)}
            self.here, self.older, self.newer = links["self"], links.get("next"), links.get("previous")
            entries = root.findall("a:entry", NS)
            self.ids = [entry.findtext("a:id", None, NS) for entry in entries]
            self.texts = [entry.findtext("a:content", None, NS) for entry in entries]
        else:
            fields = self.fields = json.loads(answer.content)
            self.here, self.older, self.newer = fields["feed_url"], fields.get("next_url"), None
            self.ids = [item["id"] for item in fields["items"]]
            self.texts = [item.get("content_html", item["content_text"]) for item in fields["items"]]


def documents(client, path: str, way: str = "older") -> list[Document]:
    found = [Document(client, path)]
    while following := getattr(found[-1], way):
        found.append(Document(client, relative(following)))
        assert len(found) < 50
    return found


def say(cast, count: int) -> list[str]:
    return [posting.post(cast.gil, cast.room.pk, f"the {number}th").mid for number in range(count)]


def test_an_atom_feed_to_the_letter(cast, client) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"title": "Tea & <cake>", "topic": "Both", "language": "ja"})
    mid = posting.post(cast.gil, cast.room.pk, "*hello* <b>").mid
    actions.edit(cast.gil, cast.room.pk, mid, "*hello* <i>")
    document = Document(client, ATOM)
    assert document.answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    root, message = document.root, Message.objects.get()
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "ja"
    assert [element.tag.partition("}")[2] for element in root] == [
        *("id", "title", "subtitle", "updated", "generator", "icon", "link", "link", "link", "entry")
    ]
    assert root.findtext("a:title", None, NS) == "Tea & <cake>"
    assert root.findtext("a:subtitle", None, NS) == "Both"
    entry = root.find("a:entry", NS)
    assert entry.findtext("a:title", None, NS) == f"Gil, {message.created_at:%Y-%m-%d %H:%M} UTC"
    assert entry.findtext("a:author/a:name", None, NS) == "Gil"
    content = entry.find("a:content", NS)
    assert (content.get("type"), content.text) == ("html", "<p><em>hello</em> &lt;i&gt;</p>")
    published, updated = (entry.findtext(f"a:{name}", None, NS) for name in ("published", "updated"))
    assert datetime.fromisoformat(published) < datetime.fromisoformat(updated)
    assert root.findtext("a:updated", None, NS) == updated
    assert entry.find("a:link", NS).attrib == {
        "rel": "alternate",
        "type": "text/html",
        "href": f"{settings.PUBLIC_URL}/feeds/veranda/m/{mid}/",
    }


def test_a_json_feed_to_the_letter(cast, client) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"title": "Tea & <cake>", "topic": "Both", "language": "ja"})
    mid = posting.post(cast.gil, cast.room.pk, "*hello*\n縁側").mid
    actions.edit(cast.gil, cast.room.pk, mid, "*hello* <i>\n縁側")
    document, message = Document(client, JSON), Message.objects.get()
    assert document.answer["Content-Type"] == "application/feed+json"
    item = document.fields.pop("items")[0]
    assert document.fields == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Tea & <cake>",
        "description": "Both",
        "language": "ja",
        "home_page_url": f"{settings.PUBLIC_URL}/feeds/veranda/",
        "feed_url": f"{settings.PUBLIC_URL}{JSON}",
        "icon": f"{settings.PUBLIC_URL}/static/images/icon.png",
        "favicon": f"{settings.PUBLIC_URL}/static/images/icon-64.png",
    }
    assert item.pop("id").startswith("urn:uuid:")
    assert datetime.fromisoformat(item.pop("date_published")) < datetime.fromisoformat(item.pop("date_modified"))
    assert item == {
        "url": f"{settings.PUBLIC_URL}/feeds/veranda/m/{mid}/",
        "title": f"Gil, {message.created_at:%Y-%m-%d %H:%M} UTC",
        "content_html": "<p><em>hello</em> &lt;i&gt;<br>\n縁側</p>",
        "content_text": "*hello* <i>\n縁側",
        "authors": [{"name": "Gil"}],
    }


@BOTH
def test_each_message_stands_once_on_the_way_back(cast, client, settings, path: str) -> None:
    settings.PAGE_MESSAGES = 4
    say(cast, 9)
    found = documents(client, path)
    expected = [f"<p>the {number}th</p>" for number in reversed(range(9))]
    assert [text for document in found for text in document.texts] == expected
    assert [len(document.ids) for document in found] == [4, 4, 1]
    assert len({each for document in found for each in document.ids}) == 9
    assert [document.here for document in found] == [settings.PUBLIC_URL + document.path for document in found]


def test_and_on_the_way_forth(cast, client, settings) -> None:
    settings.PAGE_MESSAGES = 4
    mids = say(cast, 9)
    found = documents(client, f"{ATOM}?before={mids[2]}", "newer")
    assert [document.texts for document in found] == [
        [f"<p>the {number}th</p>" for number in numbers] for numbers in ([1, 0], [5, 4, 3, 2], [8, 7, 6])
    ]


@BOTH
def test_ids_stay_and_both_feeds_have_the_same(cast, client, path: str) -> None:
    mids = say(cast, 2)
    before = Document(client, ATOM).ids
    actions.edit(cast.gil, cast.room.pk, mids[0], "otherwise")
    governing.change_room(cast.olga, cast.room.pk, {"title": "Porch"})
    assert Document(client, path).ids == before
    other, _ = actions.create_room(cast.olga, "Other")
    assert id_of_room(other) != id_of_room(cast.room)


@BOTH
def test_what_is_gone_is_gone_at_once(cast, client, path: str) -> None:
    mids = say(cast, 4)
    validator = client.get(path)["ETag"]
    assert client.get(path, headers={"If-None-Match": validator}).status_code == 304
    actions.delete(cast.gil, cast.room.pk, mids[0])
    moderation.hide(cast.olga, cast.room.pk, mids[1])
    answer = client.get(path, headers={"If-None-Match": validator})
    assert (answer.status_code, "0th" in answer.text, "1th" in answer.text) == (200, False, False)
    Room.objects.filter(pk=cast.room.pk).update(sealed_mid=mids[2])
    assert Document(client, path).texts == ["<p>the 3th</p>"]


@BOTH
def test_a_room_in_which_nothing_was_said(cast, client, path: str) -> None:
    document = Document(client, path)
    assert (document.ids, document.older, document.newer) == ([], None, None)
    for nonsense in ("?before=x", "?after=x"):
        assert client.get(path + nonsense).status_code == 400


def test_an_archived_room_says_that_no_more_will_come(cast, client) -> None:
    say(cast, 1)
    before = Document(client, ATOM).root.findtext("a:updated", None, NS)
    assert "expired" not in Document(client, JSON).fields
    governing.archive(cast.olga, cast.room.pk)
    assert Document(client, JSON).fields["expired"] is True
    assert Document(client, ATOM).root.findtext("a:updated", None, NS) > before


LENGTHY: dict[str, Callable[[int], str]] = {
    "wide": lambda size: "縁" * size,
    "escaped": lambda size: '"<&' * (size // 3),
    "mentions": lambda size: "@a " * (size // 3),
    "paragraphs": lambda size: "a\n\n" * (size // 3),
    "links": lambda size: "http://a.bc " * (size // 12),
    "controls": lambda size: "\u0085\u2028" * (size // 2),
}


@BOTH
@pytest.mark.parametrize("kind", LENGTHY)
@pytest.mark.parametrize(("chars", "count"), [(4000, 24), (20_000, 4)])
def test_no_document_is_too_large(cast, client, settings, path: str, kind: str, chars: int, count: int) -> None:
    settings.MAX_TEXT_CHARS = chars
    for _ in range(count):
        posting.post(cast.gil, cast.room.pk, f"x{LENGTHY[kind](chars - 10)}x")
    found = documents(client, path)
    assert max(document.size for document in found) < 250_000
    assert [len(set(document.ids)) for document in found] == [len(document.ids) for document in found]
    ids = [each for document in found for each in document.ids]
    assert len(ids) == len(set(ids)) == count


def test_only_what_xml_may_hold() -> None:
    odd = "a\x00\x08\x0b\x0c\x1f\x7f\x9f\ud800\udfff\ufffe\uffff\ufdd0\U0001fffe\U0010ffffz"
    assert legal(odd) == "a" + "\ufffd" * (len(odd) - 2) + "z"
    fine = "\t\n\r\x85 縁側 \ue000\ufffd\U00010000 👋🏽"
    assert legal(fine) == fine


def test_a_feed_survives_whatever_is_in_the_tables(cast, client) -> None:
    mid = say(cast, 1)[0]
    Message.objects.filter(mid=mid).update(
        html="<p>\x01\x0b\ufffe</p>", text="\x01\x0b\ufffe", author_name="\x1fGil\uffff"
    )
    Room.objects.filter(pk=cast.room.pk).update(title="\x0cVeranda", topic="\x01")
    assert Document(client, ATOM).texts == ["<p>\ufffd\ufffd\ufffd</p>"]
    assert Document(client, JSON).texts == ["<p>\x01\x0b\ufffe</p>"]


@BOTH
def test_a_feed_takes_few_queries_however_long_it_is(
    cast, client, settings, path, django_assert_max_num_queries
) -> None:
    say(cast, 30)
    for size in (1, 50):
        settings.PAGE_MESSAGES = size
        with django_assert_max_num_queries(4):
            client.get(path)
