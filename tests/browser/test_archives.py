"""Dated pages without scripts, a transcript taken with a bar, and a room that is played again."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from bench.long_history import fill_sqlite, mid_of
from tests.servers import Engawa

SMALL = {"viewport": {"width": 320, "height": 640}}
MESSAGES = 250
ROOMS = ("old", "again", "late")
MAKE = f"from chat import actions; [actions.make_room(None, slug, slug.title(), 'public') for slug in {ROOMS}]"
# What a replay tells is held back until it is asked for, and what the room's own stream tells is noted.
LATE = """
const note = (what, type) => { document.documentElement.dataset[what] += ` ${type}`; };
window.held = [];
window.EventSource = class extends EventSource {
  constructor(url) { super(url); this.isReplay = String(url).includes("/replay/"); }
  addEventListener(type, listener, how) {
    super.addEventListener(type, (event) => {
      if (this.isReplay) held.push(() => listener(event));
      else listener(event);
      note(this.isReplay ? "held" : "told", type);
    }, how);
  }
  set onerror(listener) { super.onerror = (event) => held.push(() => listener(event)); }
};
"""


@pytest.fixture(scope="module")
def old(server: Engawa) -> Engawa:
    server.shell(MAKE)
    path = Path(server.log).parent / "db.sqlite3"
    fill_sqlite(path, "old", MESSAGES)
    fill_sqlite(path, "again", 12, since=1000)
    fill_sqlite(path, "late", 3, since=2000)
    return server


def text_of(path: Path) -> str:
    return path.read_text()


async def test_the_past_is_found_without_scripts(old: Engawa, person) -> None:
    page = await (await person(java_script_enabled=False, **SMALL)).open(f"{old.base}/feeds/old/", live=False)
    await page.get_by_text("Room", exact=True).click()
    await page.get_by_role("link", name="Archive").click()
    await page.get_by_role("link", name="January").click()
    await expect(page.get_by_text("250 messages")).to_be_visible()
    await page.get_by_role("link", name="Thursday 1").click()
    await expect(page.get_by_role("heading", name="Old, 1 January 2026")).to_be_visible()
    assert await page.locator(".message").count() == 200
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("link", name="Later that day").click()
    await expect(page.get_by_text("This is message 249,")).to_be_visible()
    await page.get_by_role("link", name="To the beginning of this day").click()
    await expect(page.get_by_text("This is message 0,")).to_be_visible()
    await page.get_by_role("link", name="Take a transcript with you").click()
    await page.get_by_label("Up to this day").fill("2025-12-31")
    await page.get_by_role("button", name="Count").click()
    await expect(page.locator("#count")).to_have_text("0 messages.")
    await page.get_by_label("Up to this day").fill("2026-01-01")
    async with page.expect_download() as taken:
        await page.get_by_role("button", name="JSON Lines").click()
    download = await taken.value
    assert download.suggested_filename == "old-2026-01-01.jsonl"
    lines = text_of(await download.path()).splitlines()
    assert json.loads(lines[-1]) == {"type": "complete", "messages": MESSAGES}


@pytest.mark.parametrize("form", ["A page (HTML)", "A table (CSV)"])
async def test_a_transcript_is_counted_while_it_comes(old: Engawa, person, form: str) -> None:
    page = await (await person(**SMALL)).open(f"{old.base}/feeds/old/export", live=False)
    async with page.expect_download() as taken:
        await page.get_by_role("button", name=form).click()
    download = await taken.value
    assert download.suggested_filename.startswith("old.")
    await expect(page.get_by_role("status")).to_have_text("Complete: 250 messages.")
    assert "250" in text_of(await download.path())[-200:]
    assert await page.locator("progress").evaluate("bar => bar.value") == MESSAGES


async def test_a_room_is_played_again_and_loses_what_is_deleted(old: Engawa, person) -> None:
    page = await (await person(**SMALL)).open(f"{old.base}/feeds/again/replay?speed=5", live=False)
    messages = page.locator("#log > .message")
    await expect(messages).to_have_count(0)
    await page.get_by_role("button", name="Play").click()
    await expect(messages.get_by_text("This is message 1001,")).to_be_visible()
    await page.get_by_role("button", name="Pause").click()
    count = await messages.count()
    assert 2 <= count < 12
    # Paused, and yet nothing that is gone stays on the screen.
    old.shell(f"from chat import actions; from chat.models import Room\n"
              f"actions.remove(Room.objects.get(slug='again').pk, {mid_of(1000)!r})")  # fmt: skip
    await expect(messages.get_by_text("This is message 1000,")).to_have_count(0)
    await expect(messages).to_have_count(count - 1)
    await page.get_by_label("Speed").select_option("max")
    await page.get_by_role("button", name="Play").click()
    await expect(page.get_by_role("status")).to_have_text("That was all.")
    await expect(messages).to_have_count(11)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Play again").click()
    await expect(page.get_by_role("status")).to_have_text("That was all.")
    await expect(messages).to_have_count(11)


async def test_what_is_deleted_while_it_is_on_its_way_is_not_shown(old: Engawa, person) -> None:
    somebody = await person(**SMALL)
    await somebody.context.add_init_script(LATE)
    page = await somebody.open(f"{old.base}/feeds/late/replay?speed=max", live=False)
    await page.get_by_role("button", name="Play").click()
    await expect(page.locator("html")).to_have_attribute("data-held", re.compile("replay-end"))
    old.shell(f"from chat import actions; from chat.models import Room\n"
              f"actions.remove(Room.objects.get(slug='late').pk, {mid_of(2000)!r})")  # fmt: skip
    await expect(page.locator("html")).to_have_attribute("data-told", re.compile("message.deleted"))
    await page.evaluate("held.forEach((tell) => tell())")
    await expect(page.get_by_role("status")).to_have_text("That was all.")
    await expect(page.locator("#log .message__body")).to_have_text(
        [re.compile("message 2001,"), re.compile("message 2002,")]
    )
