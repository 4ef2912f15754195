"""The start page, one's own rooms and one's account, as people come by them."""

import asyncio
from collections.abc import Callable

import httpx
from playwright.async_api import Page, expect

from tests.browser.test_rooms import say
from tests.servers import Engawa

PREPARE = """
from chat import actions
from chat.models import User
olga = User.objects.create_user('olga', password='a long password')
User.objects.create_user('sven', password='a long password')
actions.create_room(olga.identity, 'Tea house')
actions.create_room(olga.identity, 'Pond')
"""
PLAIN = {"java_script_enabled": False, "viewport": {"width": 360, "height": 740}}


async def start_page(page: Page, server: Engawa, is_as_wanted: Callable[[str], bool]) -> None:
    """Wait until the start page is, for who looks at ``page``: how far they have read is written a moment later."""
    cookies = {each["name"]: each["value"] for each in await page.context.cookies()}
    async with httpx.AsyncClient(base_url=server.base, cookies=cookies) as elsewhere, asyncio.timeout(20):
        while not is_as_wanted((await elsewhere.get("/")).text):
            await asyncio.sleep(0.2)


async def test_signing_in_leads_back_and_what_is_read_is_no_longer_new(server: Engawa, person) -> None:
    server.shell(PREPARE)
    gil = await (await person()).open(f"{server.base}/chat/tea-house/")
    sven = await (await person()).open(f"{server.base}/chat/tea-house/")
    await sven.get_by_role("link", name="Log in").click()
    await sven.get_by_label("Username").fill("sven")
    await sven.get_by_label("Password").fill("a long password")
    await sven.keyboard.press("Enter")
    await expect(sven.locator("body")).to_have_attribute("data-state", "connected")
    assert sven.url == f"{server.base}/chat/tea-house/"
    await say(sven, "here I am")
    await start_page(sven, server, lambda page: "Your rooms" in page)

    card = sven.get_by_role("region", name="Your rooms").get_by_role("listitem")
    await sven.goto(server.base)
    await expect(card).to_have_count(1)
    await expect(card).not_to_contain_text("new")
    await say(gil, "welcome")
    await sven.reload()
    await expect(card).to_contain_text("1 new")
    await expect(card).to_contain_text("welcome")

    await card.get_by_role("link", name="Tea house", exact=True).click()
    await expect(sven.locator("#log")).to_contain_text("welcome")
    await start_page(sven, server, lambda page: " new</span>" not in page)


async def test_lists_and_the_account_work_without_scripts(server: Engawa, person) -> None:
    server.shell(
        "from chat.models import User; rita = User.objects.create_user('rita', password='a long password')\n"
        "from chat import actions, posting; from chat.identity import new_guest\n"
        "room, _ = actions.create_room(rita.identity, 'Bamboo grove')\n"
        "posting.post(new_guest('Aki'), room.pk, 'the wind is nice here')"
    )
    page = await (await person(**PLAIN)).open(f"{server.base}/?q=bamboo", live=False)
    await expect(page.get_by_role("heading", level=1)).to_have_text("1 room with “bamboo”")
    await expect(page.get_by_role("listitem")).to_contain_text("the wind is nice here")
    await page.get_by_role("link", name="Log in").click()
    await page.get_by_label("Username").fill("rita")
    await page.get_by_label("Password").fill("a long password")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{server.base}/?q=bamboo")
    await expect(page.get_by_role("listitem")).to_contain_text("1 new")
    await page.get_by_role("link", name="To the start page").click()
    await page.get_by_role("button", name="Mark all as read").click()
    await expect(page.get_by_role("region", name="Your rooms").get_by_role("listitem")).not_to_contain_text("new")
    await page.get_by_role("link", name="rita").click()
    await page.get_by_role("radio", name="Jade").check()
    await page.get_by_role("button", name="Take this colour").click()
    await expect(page.get_by_role("radio", name="Jade")).to_be_checked()
    await page.get_by_label("Name", exact=True).fill("margarita")
    await page.get_by_role("button", name="Change your name").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("margarita")
    box = await page.locator("body").bounding_box()
    main = await page.locator("main").evaluate("main => main.scrollWidth - main.clientWidth")
    assert (box["width"], main) == (360, 0)
    await page.goto(f"{server.base}/chat/bamboo-grove/")
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert page.url == f"{server.base}/chat/bamboo-grove/"
