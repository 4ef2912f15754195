"""A message's permanent address, with and without JavaScript."""

import re

from playwright.async_api import Page, expect

from tests.browser.test_rooms import new_room, texts
from tests.clients import participant
from tests.servers import Engawa


async def in_view(page: Page, mid: str) -> bool:
    script = """mid => {
        const place = (id) => document.getElementById(id).getBoundingClientRect();
        const [item, around] = [place(`m-${mid}`), place("scroller")];
        return item.top >= around.top - 1 && item.bottom <= around.bottom + 1;
    }"""
    return await page.evaluate(script, mid)


async def a_long_talk(server: Engawa, slug: str, count: int = 70) -> list[str]:
    async with participant(server.sockets, slug) as author:
        return [(await author.post(f"number {number}"))["mid"] for number in range(count)]


async def test_it_opens_where_the_message_stands(server: Engawa, person) -> None:
    slug = new_room(server, "a long talk")
    mids = await a_long_talk(server, slug)
    reader = await person(viewport={"width": 360, "height": 640})
    plain = await person(viewport={"width": 360, "height": 640}, java_script_enabled=False)
    for way in ("feeds", "chat"):
        for live, somebody in ((True, reader), (False, plain)):
            page = await somebody.open(f"{server.base}/{way}/{slug}/m/{mids[60]}/", live=live)
            current = page.locator("#log [aria-current=true]")
            await expect(current.locator(".message__body")).to_have_text("number 60")
            if live:
                assert await in_view(page, mids[60])
                await expect(page.locator("#status")).not_to_be_empty()
            else:
                await expect(current).to_be_focused()
                await expect(current).to_be_in_viewport(ratio=0.9)
            old = await somebody.open(f"{server.base}/{way}/{slug}/m/{mids[5]}/", live=False)
            await old.get_by_role("link", name="Later messages").click()
            # In place where a script runs, on a page of their own otherwise.
            await expect(texts(old).nth(30 if live else 0)).to_have_text("number 30")


async def test_the_time_leads_there_and_the_menu_copies_it(server: Engawa, person) -> None:
    slug = new_room(server, "a short talk")
    mids = await a_long_talk(server, slug, 2)
    reader = await person(permissions=["clipboard-read", "clipboard-write"])
    room = await reader.open(f"{server.base}/chat/{slug}/")
    async with participant(server.sockets, slug) as author:
        mids.append((await author.post("just now"))["mid"])
    newest = room.locator(".message").last
    await expect(newest.locator(".message__body")).to_have_text("just now")
    address = f"/chat/{slug}/m/{mids[2]}/"
    await expect(newest.locator(".message__permalink")).to_have_attribute("href", address)
    await newest.hover()
    await newest.get_by_role("button", name="What to do").click()
    await room.get_by_role("menuitem", name="Copy link").click()
    await expect(room.locator("#feedback")).to_contain_text("clipboard")
    assert await room.evaluate("navigator.clipboard.readText()") == server.base + address
    await newest.locator(".message__permalink").click()
    await expect(room).to_have_url(re.compile(re.escape(address)))
    embed = await reader.open(f"{server.base}/embed/{slug}/", live=False)
    async with reader.context.expect_page() as opened:
        await embed.locator(f"a[href$='/m/{mids[2]}/']").click()
    await expect(await opened.value).to_have_url(re.compile(rf"/feeds/{slug}/m/{mids[2]}/"))


async def test_what_a_page_told_other_programs_goes_with_what_is_deleted(server: Engawa, person) -> None:
    slug = new_room(server, "told")
    async with participant(server.sockets, slug) as author:
        mids = [(await author.post(text))["mid"] for text in ("a persimmon", "a plum")]
        reader = await person()
        page = await reader.open(f"{server.base}/feeds/{slug}/m/{mids[0]}/")
        # A data block runs nothing, so the browser has nothing to say against it: nobody's page complains, see person.
        data = "JSON.parse(document.querySelector('script[type=\"application/ld+json\"]').textContent).text"
        assert await page.evaluate(data) == "a persimmon"
        await author.send(type="delete", mid=mids[0], key="0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11")
        await expect(page.locator(f"#m-{mids[0]}")).to_have_count(0)
        assert "persimmon" not in await page.content()
        await expect(texts(page)).to_have_text(["a plum"])
