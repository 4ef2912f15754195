"""Every page, as those see it who see most of it, and as nobody in particular does, held against HTML's rules."""

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from chat import actions, governing, moderation, posting, review, viewing
from chat.events import message_fields, room_fields
from chat.models import Message, Room
from feeds.forms import live_page
from feeds.forms.live_page import LivePage
from tests.parts import html_checker
from tests.unit.test_doors import OF_A_ROOM, address, addresses

pytestmark = pytest.mark.django_db
TEXTS = [
    *("hello", "*one* **two** `three`", "> quoted\n> twice\n\nhttps://example.org/?a=1&b=2 @olga", "```\n<b>&\n```"),
    *("縁側 👋🏽", "<script>'\"&amp;</script>", "a\n\n\nb"),
]
SOUGHT = ["q=a", "q=%3Cscript%3E+amp&from=gil&since=2026-01-01&until=2099-01-01", "author=u1&q=%22nothing%22", "q=!"]
# The list of models beside each page of Django's admin lacks a cell: that is Django's.
DJANGOS = re.compile(r"/admin/.* A table row was 2 columns wide, which is less than the column count")


@pytest.fixture
def lively(cast) -> Room:
    """A room where there is something of everything."""
    room = cast.room
    governing.change_room(cast.olga, room.pk, {"title": 'Tea & "<cake>"', "topic": "Both", "language": "ja"})
    mids = [posting.post(actor, room.pk, text).mid for text in TEXTS for actor in (cast.olga, cast.gil)]
    answer = posting.post(cast.mio, room.pk, "an answer", reply_to=mids[1]).mid
    posting.post(cast.mio, room.pk, "another", reply_to=answer)
    actions.edit(cast.gil, room.pk, mids[1], "edited")
    actions.react(cast.mio, room.pk, mids[1], "👍")
    moderation.pin(cast.olga, room.pk, mids[1])
    moderation.hide(cast.olga, room.pk, mids[3])
    review.report(cast.mio, "", room.pk, mids[5], "spam", "look & see")
    moderation.mute(cast.olga, room.pk, mids[5], 3600)
    governing.change_room(cast.olga, room.pk, {"approval": "newcomers"})
    posting.post(cast.sven, room.pk, "waits")
    ends_at = timezone.now() + timedelta(days=1)
    tokens = [viewing.create_view_token(cast.olga, room.pk, name, ends_at)[0] for name in ("<b>&", "gone")]
    viewing.revoke_view_token(cast.olga, room.pk, tokens[1].pk)
    return room


def paths_of(room: Room, mid: str) -> list[str]:
    paths = [address(name, room.slug, mid) for name in OF_A_ROOM]
    paths += [f"/feeds/?room={room.slug}&room=quiet&room=over"]
    paths += [f"{address(name, room.slug)}?before={mid}" for name in ("chat:room", "feeds:watch", "feeds:embed")]
    paths += [f"{address(name, room.slug)}?{asked}" for name in ("chat:search", "feeds:search") for asked in SOUGHT]
    return [*paths, f"{address('feeds:report', room.slug)}?mid={mid}", f"/chat/{room.slug}/moderation?show=hidden"]


def other_paths() -> list[str]:
    arguments = {"join": ["x"], "password_reset_confirm": ["x", "x"], "words": ["ja", "x"]}
    arguments |= {"feeds:component_version": ["x"], "feeds:frame_helper_version": ["x"]}
    names = [name for name in addresses(get_resolver().url_patterns) if name not in OF_A_ROOM and name[0] != "^"]
    paths = [
        f"/{name}" if "/" in name or "." in name else reverse(name, args=arguments.get(name, [])) for name in names
    ]
    return [*paths, "/nothing"]


def admin_paths(room: Room) -> list[str]:
    models = [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]
    return [*(f"/admin/{model}/" for model in models), f"/admin/chat/room/{room.pk}/change/"]


def pages(browser: Client, paths: list[str]) -> dict[str, bytes]:
    """By address: the page there, be it one that says why there is none."""
    answers = {path: browser.get(path, HTTP_ACCEPT="text/html") for path in paths}
    return {
        path: answer.content
        for path, answer in answers.items()
        if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming and answer.content
    }


def complaints(folder: Path, found: dict[str, bytes]) -> list[str]:
    names = {}
    for number, (name, page) in enumerate(found.items()):
        file = folder / f"{number}.html"
        file.write_bytes(page)
        names[file.name] = name
    command = [*html_checker(), "--stdout", "--format", "json", "--exit-zero-always", "--skip-non-html", str(folder)]
    done = subprocess.run(command, capture_output=True, timeout=100, check=True)
    said = [
        f"{names[Path(said['url']).name]}, line {said.get('lastLine')}: {said['message']} {said.get('extract', '')!r}"
        for said in json.loads(done.stdout)["messages"]
    ]
    return [each for each in said if not DJANGOS.match(each)]


def test_every_page_is_as_html_is_meant(cast, lively, tmp_path: Path) -> None:
    mid = Message.objects.visible().first().mid
    quiet, _ = actions.create_room(cast.olga, "Quiet", "private")
    over, _ = actions.create_room(cast.olga, "Over")
    moderation.ban(cast.olga, over.pk, posting.post(cast.sven, over.pk, "the last word").mid)
    governing.archive(cast.olga, over.pk)
    browsers = {"the owner": Client(), "a member": Client(), "nobody": Client()}
    cast.users.olga.is_staff = cast.users.olga.is_superuser = True
    cast.users.olga.save()
    browsers["the owner"].force_login(cast.users.olga)
    browsers["a member"].force_login(cast.users.mio)
    browsers["somebody banned"] = Client()
    browsers["somebody banned"].force_login(cast.users.sven)
    found = {}
    for who, browser in browsers.items():
        paths = [
            *paths_of(lively, mid),
            *other_paths(),
            f"/chat/{quiet.slug}/",
            f"/chat/{over.slug}/",
            f"/feeds/{over.slug}/",
        ]
        found |= {f"{path} to {who}": page for path, page in pages(browser, paths).items()}
    found |= pages(browsers["the owner"], admin_paths(lively))
    wrong_form = browsers["the owner"].post("/chat/veranda/settings", {"title": "", "language": "!"})
    found["/chat/veranda/settings, filled in wrongly"] = wrong_form.content
    form = {"action": "create", "name": "Page", "term": "1d"}
    found["a new view token"] = browsers["the owner"].post("/chat/veranda/view-tokens", form).content
    assert len(found) > 80
    assert complaints(tmp_path, found) == []


def live_pages(room: Room) -> dict[str, bytes]:
    """The pages that go on, each with the end that it may come to."""
    abouts = {room.slug: room_fields(room)}
    history = [message_fields(message, room.slug) for message in room.messages.visible()]
    said = b"".join(part.content for part in LivePage(room.slug).said_before(history))
    begun = live_page.page_start(abouts, is_over=False, is_anew=True).encode() + said
    both = live_page.page_start({**abouts, "other": {"title": "<b>&"}}, is_over=True, is_anew=False).encode()
    both += live_page.room_heading("<b>&") + said
    return {
        "a live page that goes on elsewhere": begun
        + live_page.page_end("It ended.", "?room=a&lastEventId=a:1").encode(),
        "a live page of two rooms that is over": both + live_page.page_end("That was all.").encode(),
        "a live page that comes anew at once": begun + live_page.page_end("Changed.", "?", at_once=True).encode(),
    }


def test_pages_that_go_on_are_as_html_is_meant_but_for_what_sends_them_on(lively, tmp_path: Path) -> None:
    """By then a page is long past its head, where alone HTML has a ``refresh``. Browsers follow it all the same."""
    said = complaints(tmp_path, live_pages(lively))
    assert {each.partition(",")[0] for each in said} == {"a live page that comes anew at once"}
    assert all('<meta http-equiv="refresh"' in each for each in said)


def test_the_checker_would_say(tmp_path: Path) -> None:
    page = b'<!doctype html><html lang="en"><title>x</title><p><ul></ul></p><img src="x">'
    said = complaints(tmp_path, {"a bad page": page})
    assert len(said) == 2
    assert all(each.startswith("a bad page, line 1: ") for each in said)
