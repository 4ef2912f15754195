"""The pages with which a room is kept, without scripts, on a small screen, by keyboard."""

import pytest
from playwright.async_api import Page, expect

from tests.servers import Engawa

SMALL = {"java_script_enabled": False, "viewport": {"width": 360, "height": 740}}
PREPARE = """
from chat import actions, governing, moderation, posting, review
from chat.identity import new_guest
from chat.models import User
olga = User.objects.filter(username='olga').first() or User.objects.create_user('olga', password='a long password')
room, _ = actions.create_room(olga.identity, {name!r})
gil = new_guest('Gil')
mids = [posting.post(gil, room.pk, text).mid for text in ('One', 'https://example.org/' + 'x' * 200, 'Three')]
review.report(None, 'f' * 32, room.pk, mids[1], 'spam')
moderation.hide(olga.identity, room.pk, mids[2])
governing.change_room(olga.identity, room.pk, {{'approval': 'guests', 'topic': 'x' * 300}})
posting.post(gil, room.pk, 'held ' + 'y' * 200)
moderation.ban(olga.identity, room.pk, mids[0], None, 3600, 'z' * 300)
print(room.slug, mids[0])
"""


def prepared(server: Engawa, name: str) -> tuple[str, str]:
    slug, mid = server.shell(PREPARE.format(name=name)).split()
    return slug, mid


async def sign_in(server: Engawa, page: Page) -> None:
    await page.goto(f"{server.base}/accounts/login/")
    await page.get_by_label("Username").fill("olga")
    await page.get_by_label("Password").fill("a long password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Log out")).to_be_visible()


async def test_a_room_is_set_up_by_keyboard_and_says_what_was_saved(server: Engawa, person) -> None:
    slug, _ = prepared(server, "Keyboard")
    page = await (await person(**SMALL)).open(f"{server.base}/", live=False)
    await sign_in(server, page)
    await page.goto(f"{server.base}/chat/{slug}/settings")
    await page.get_by_label("Title").fill("The Keyboard")
    await page.get_by_label("Private: members only").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Save").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Saved: Title, Who may read.")
    await expect(page.get_by_label("Private: members only")).to_be_checked()
    # What has several lines is not taken for a change.
    await page.get_by_label("Blocked words").fill("weed\nthistle")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Saved: Blocked words.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Nothing was changed.")
    # Opened again, it asks; what is not chosen is no.
    await page.get_by_label("Unlisted: anyone who knows the address may watch").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("group")).to_contain_text("May others read what was said before?")
    await expect(page.get_by_label("No: what was said before")).to_be_checked()
    await page.get_by_role("button", name="Open the room").click()
    await expect(page.get_by_role("status")).to_have_text("Saved: Who may read.")
    await expect(page.get_by_label("Title")).to_have_value("The Keyboard")
    await page.goto(f"{server.base}/feeds/{slug}/")
    await expect(page.locator("#log .message")).to_have_count(0)


async def test_order_is_kept_in_two_keys(server: Engawa, person) -> None:
    slug, _ = prepared(server, "Order")
    page = await (await person(**SMALL)).open(f"{server.base}/", live=False)
    await sign_in(server, page)
    await page.goto(f"{server.base}/chat/{slug}/moderation")
    await page.locator("summary", has_text="Ban").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This guest (a signed cookie)")).to_be_visible()
    await page.get_by_role("button", name="Approve").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("The message is approved, and stands in the room.")
    await expect(page.get_by_text("No message waits.")).to_be_visible()
    await page.get_by_role("link", name="Reports").click()
    await page.get_by_role("link", name="See it in the room").click()
    await expect(page.locator(".message:target .message__body")).to_contain_text("https://example.org/")


PAGES = [
    "settings",
    "moderation?show=held",
    "moderation?show=reports",
    "moderation?show=hidden",
    "moderation?show=sanctions",
    "audit",
]


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_wider_than_a_small_screen(server: Engawa, person, path: str) -> None:
    slug, mid = prepared(server, f"Small {PAGES.index(path)}")
    page = await (await person(viewport={"width": 360, "height": 740})).open(f"{server.base}/", live=False)
    await sign_in(server, page)
    for url in (f"/chat/{slug}/{path}", f"/feeds/{slug}/report?mid={mid}"):
        await page.goto(server.base + url)
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
