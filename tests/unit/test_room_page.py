"""What a room's pages are rendered with, before any script runs: the scripts read it back from there."""

import json
import re
import subprocess
from html import unescape

import pytest
from django.test import Client

from chat import actions, governing, moderation, posting, review
from chat.models import Room
from chat.templatetags.excerpts import MOST_CHARS, excerpt
from tests.parts import node
from tests.servers import ROOT as ROOT_FOLDER

ROOM, WATCH, EMBED = "/chat/veranda/", "/feeds/veranda/", "/embed/veranda/"
PAGES = [ROOM, WATCH, EMBED]


@pytest.fixture
def olga(cast) -> Client:
    browser = Client()
    browser.force_login(cast.users.olga)
    return browser


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def part(page: str, name: str) -> str:
    """The first shown element of that class, as the text in it; empty where it is hidden or not there."""
    for found in re.finditer(rf'<(\w+) class="{name}"([^>]*)>(.*?)</\1>', page, re.DOTALL):
        if not re.search(r"\bhidden\b", found[2]):
            return text_of(found[3])
    return ""


def data(page: str, name: str) -> dict:
    return json.loads(unescape(re.search(rf'data-{name}="([^"]*)"', page)[1]))


@pytest.mark.parametrize("path", PAGES)
def test_a_reply_shows_what_it_answers_or_that_it_is_gone(cast, client, path: str, settings) -> None:
    settings.PAGE_MESSAGES = 3
    first = posting.post(cast.gil, cast.room.pk, "the <first>\n\nof all")
    posting.post(cast.gil, cast.room.pk, "yes", reply_to=first.mid)
    assert part(client.get(path).text, "message__reply") == "In reply to Gil the <first> of all"
    for text in ("one", "two"):
        posting.post(cast.gil, cast.room.pk, text)
    assert part(client.get(path).text, "message__reply") == "In reply to an earlier message"
    gone = posting.post(cast.gil, cast.room.pk, "three")
    posting.post(cast.gil, cast.room.pk, "no", reply_to=gone.mid)
    actions.delete(cast.gil, cast.room.pk, gone.mid)
    assert part(client.get(path).text, "message__reply") == "In reply to a deleted message"


@pytest.mark.parametrize("path", PAGES)
def test_reactions_and_what_is_pinned_are_rendered(cast, client, path: str) -> None:
    posted = posting.post(cast.gil, cast.room.pk, "about persimmons " * 20)
    assert part(client.get(path).text, "message__reactions") == ""
    assert part(client.get(path).text, "pinned") == ""
    for actor, reaction in [(cast.gil, "👍"), (cast.mio, "👍"), (cast.mio, "🙏")]:
        actions.react(actor, cast.room.pk, posted.mid, reaction)
    moderation.pin(cast.olga, cast.room.pk, posted.mid)
    page = client.get(path).text
    assert part(page, "message__reactions") == "👍 2 🙏 1"
    assert path == EMBED or 'data-reaction="👍" data-count="2"' in page
    assert part(page, "pinned").startswith("Pinned Gil about persimmons about")
    moderation.hide(cast.olga, cast.room.pk, posted.mid)
    assert "persimmons" not in client.get(path).text
    assert part(client.get(path).text, "pinned") == ""


def test_what_was_pinned_among_members_is_not_shown_to_others(cast, client) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    posted = posting.post(cast.olga, cast.room.pk, "among us")
    governing.change_visibility(cast.olga, cast.room.pk, "public")
    Room.objects.update(pinned_mid=posted.mid)  # as by hand: opening a room takes the pin away
    for path in PAGES:
        assert "among us" not in client.get(path).text


def test_a_page_says_what_one_may_do(cast, client, olga) -> None:
    posting.post(cast.gil, cast.room.pk, "hm")
    guest, owner = client.get(ROOM).text, olga.get(ROOM).text
    assert data(guest, "rights")["may"] == {"post": True, "react": True, "moderate": False, "govern": False}
    assert data(owner, "rights")["may"] == {"post": True, "react": True, "moderate": True, "govern": True}
    assert data(owner, "about") == data(client.get(WATCH).text, "about")
    for name in ("moderate", "members", "govern"):
        assert re.search(rf'data-for="{name}" hidden', guest)
        assert not re.search(rf'data-for="{name}" hidden', owner)
    governing.change_room(cast.olga, cast.room.pk, {"posting": "members"})
    page = client.get(ROOM).text
    assert "Only members write here." in page
    assert re.search(r"<textarea [^>]*readonly", page)
    assert re.search(r'<button class="composer__send button" disabled', page)


def test_moderators_see_what_waits(cast, client, olga) -> None:
    posted = posting.post(cast.gil, cast.room.pk, "hm")
    review.report(cast.mio, "", cast.room.pk, posted.mid, "spam")
    assert 'data-held="0" data-reports="1"' in olga.get(ROOM).text
    assert 'data-held="0" data-reports="0"' in client.get(ROOM).text


def test_a_watch_page_says_where_to_report(cast, client) -> None:
    posted = posting.post(cast.gil, cast.room.pk, "hm")
    for path in (WATCH, EMBED):
        assert f'href="/feeds/veranda/report?mid={posted.mid}"' in client.get(path).text
    assert "/report?mid=" not in client.get(ROOM).text


EXCERPTS = [
    ("", ""),
    (" two\n\nlines\t here ", "two lines here"),
    ("x" * MOST_CHARS, "x" * MOST_CHARS),
    ("縁側" * MOST_CHARS, "縁側" * (MOST_CHARS // 2) + "…"),
    ("a " * MOST_CHARS, ("a " * (MOST_CHARS // 2)).strip() + "…"),
    (
        "> Is there tea?\n> Is there?\n\n**Plenty**, and `oolong`. *Do* come",
        "Is there tea? Is there? Plenty, and oolong. Do come",
    ),
    ("**お茶**です", "お茶です"),
    ("2 * 3 * 4 > 20, ** and `", "2 * 3 * 4 > 20, ** and `"),
    ("> ", ">"),
    ("```\ncode\n```", "``` code ```"),
]


@pytest.mark.parametrize(("text", "line"), EXCERPTS)
def test_the_start_of_a_text_is_one_line(text: str, line: str) -> None:
    assert excerpt(text) == line


def test_scripts_begin_a_text_alike() -> None:
    module = (ROOT_FOLDER / "static/js/lib/excerpt.js").as_uri()
    program = (
        f"import {{ excerpt }} from {json.dumps(module)};\n"
        f"console.log(JSON.stringify({json.dumps([text for text, _ in EXCERPTS])}.map((text) => excerpt(text))));"
    )
    command = [node(), "--input-type=module", "--eval", program]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [line for _, line in EXCERPTS]
