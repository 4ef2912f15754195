"""A newcomer's whole path by keyboard alone, and what the accessibility tree has screen readers tell of a room."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.test_rooms import new_room
from tests.clients import participant
from tests.servers import Engawa

MOST_STOPS = 60
# What has the focus, and whether that can be seen: a ring, or the text field's own.
FOCUS = """() => {
    let element = document.activeElement;
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const { width, height, bottom, top } = element.getBoundingClientRect();
    const hasRing = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    const isInView = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
    return { what: element.outerHTML.slice(0, 120), isNowhere: element === document.body, isSeen: hasRing && isInView };
}"""


class Keys:
    """Somebody without a mouse. After each key the focus is somewhere, and can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def write(self, text: str) -> None:
        await self.page.keyboard.type(text)

    async def is_at(self, where: Locator) -> None:
        await expect(where).to_be_focused()
        focus = await self.page.evaluate(FOCUS)
        assert focus["isSeen"], focus

    async def to(self, where: Locator, key: str = "Tab") -> None:
        """Go on by Tab, or back by Shift+Tab, until something has the focus."""
        for _ in range(MOST_STOPS):
            await self.page.keyboard.press(key)
            if await where.evaluate("element => element === document.activeElement"):
                return await self.is_at(where)
        raise AssertionError(f"{key} never comes to {where}; it is at {await self.page.evaluate(FOCUS)}")

    async def follow(self, where: Locator, address: str, key: str = "Tab") -> None:
        await self.to(where, key)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_url(re.compile(address))


def message(page: Page, text: str) -> Locator:
    return page.locator("#log > li.message").filter(has=page.locator(".message__body", has_text=text))


async def live(page: Page) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")


async def test_a_newcomer_needs_no_mouse(server: Engawa, person) -> None:
    page = await (await person()).open(f"{server.base}/", live=False)
    keys = Keys(page)
    field, log = page.locator("#composer-text"), page.locator("#log > li.message")

    # A name leads into a room; there, a name of one's own.
    await keys.to(page.locator("#room-name"), "Tab")
    await keys.write("By the keyboard")
    await keys.press("Enter")
    await page.wait_for_url(re.compile("/chat/by-the-keyboard/$"))
    await live(page)
    await keys.press("Tab")
    await keys.is_at(page.locator(".skip-link").first)
    await keys.to(page.locator(".guest summary"))
    await keys.press("Enter")
    await keys.to(page.locator("#guest-name"))
    await keys.press("ControlOrMeta+A")
    await keys.write("Yuki")
    await keys.press("Enter")
    await expect(page.locator(".guest summary bdi")).to_have_text("Yuki")
    await live(page)

    # Write, change it, react to it, answer it.
    await keys.to(field)
    for text in ("Hello, veranda", "A second thought"):
        await keys.write(text)
        await keys.press("Enter")
        await expect(message(page, text)).to_have_count(1)
        await expect(page.locator("#outgoing > li")).to_have_count(0)
        await keys.is_at(field)
    await keys.press("ArrowUp")
    await keys.is_at(log.last)
    await keys.press("e")
    await keys.is_at(log.last.locator("textarea"))
    await keys.press("ControlOrMeta+A")
    await keys.write("A third thought")
    await keys.press("Enter")
    await expect(log.last.locator(".message__body")).to_have_text("A third thought")
    await keys.is_at(log.last)
    await keys.press("Enter")
    await keys.is_at(page.locator("[role=menu] [role^=menuitem]").first)
    await keys.press("Escape")
    await keys.is_at(log.last)
    await keys.press("+")
    await expect(page.locator("[role=menu], dialog[open]").first).to_be_visible()
    await keys.press("Enter")
    await expect(log.last.locator(".reaction")).to_have_count(1)
    await keys.is_at(log.last)
    await keys.press("r")
    await expect(page.locator("#composer-reply")).to_be_visible()
    await keys.is_at(field)
    await keys.write("An answer")
    await keys.press("Enter")
    await expect(message(page, "An answer").locator(".message__reply")).to_be_visible()

    # Others come and go; where one is, one stays.
    async with participant(server.sockets, "by-the-keyboard") as other:
        await keys.is_at(field)
        await keys.press("ArrowUp")
        await keys.is_at(message(page, "An answer"))
        mids = [(await other.post(text))["mid"] for text in ("Buy tea", "Buy more tea")]
        await expect(message(page, "Buy more tea")).to_have_count(1)
        await keys.is_at(message(page, "An answer"))
        await keys.press("d")
        await expect(page.locator("dialog[open]")).to_be_visible()
        await keys.press("Enter")
        await expect(message(page, "An answer")).to_have_count(0)
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await keys.is_at(message(page, "Buy tea"))
        await other.send(type="delete", mid=mids[0])
        await expect(message(page, "Buy tea")).to_have_count(0)
        await keys.is_at(message(page, "Buy more tea"))

        # What should not stand is reported, and the keys are listed.
        await keys.press("!")
        await keys.is_at(page.locator("#report-reason"))
        await keys.to(page.locator("dialog[open] button:not([data-cancel])"))
        await keys.press("Enter")
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await expect(page.locator("#feedback")).to_be_visible()
        await keys.is_at(message(page, "Buy more tea"))
        await keys.press("?")
        await keys.is_at(page.locator("dialog[open] button[data-cancel]"))
        await keys.press("Escape")
        await keys.is_at(message(page, "Buy more tea"))
        await keys.press("Escape")
        await keys.is_at(field)

    # Searching leads to a place in the room, the archive to another.
    await keys.to(page.locator("#room-menu > summary"), "Shift+Tab")
    await keys.press("Enter")
    await keys.follow(page.locator(".room__ways a[href$='/search']"), "/search$")
    await keys.to(page.locator("input[name=q]")) if not await is_focused(page, "input[name=q]") else None
    await keys.write("third")
    await keys.press("Enter")
    await page.wait_for_url(re.compile(r"q=third"))
    await keys.follow(page.locator("main a[href*='/m/']").first, "/m/[0-9A-Z]{26}/")
    await expect(page.locator(".message[aria-current=true]")).to_contain_text("A third thought")
    await keys.is_at(page.locator(".message[aria-current=true]"))
    await keys.to(page.locator("#room-menu > summary"), "Shift+Tab")
    await keys.press("Enter")
    await keys.follow(page.locator(".room__ways a[href$='/archive/']"), "/archive/$")
    await keys.follow(page.locator("main a[href$='/']").last, "/[0-9]{4}/")

    # An account, its colour, and away.
    await keys.follow(page.locator(".brand"), "/chat/$", "Shift+Tab")
    await keys.follow(page.locator("a[href^='/accounts/signup/']").first, "/accounts/signup/")
    await keys.to(page.locator("[name=username]")) if not await is_focused(page, "[name=username]") else None
    await keys.write("yuki")
    for name in ("password1", "password2"):
        await keys.to(page.locator(f"[name={name}]"))
        await keys.write("a long password")
    await keys.press("Enter")
    await expect(page.locator(".site-nav__name")).to_contain_text("yuki")
    await keys.follow(page.locator(".site-nav__name"), "/accounts/profile/")
    await keys.to(page.locator("[name=hue]:checked"))
    await keys.press("ArrowRight", "ArrowRight")
    wanted = await page.locator("[name=hue]:checked").get_attribute("value")
    await keys.press("Enter")
    await expect(page.locator("[role=status]").first).to_be_visible()
    assert await page.locator("[name=hue]:checked").get_attribute("value") == wanted
    await keys.to(page.locator("form[action='/accounts/logout/'] button"), "Tab")
    await keys.press("Enter")
    await expect(page.locator("a[href^='/accounts/login/']").first).to_be_visible()


async def is_focused(page: Page, selector: str) -> bool:
    return await page.locator(selector).evaluate("element => element === document.activeElement")


async def tree(page: Page) -> list[tuple[str, str]]:
    """What the browser tells a screen reader: role and name of all that is not ignored."""
    client = await page.context.new_cdp_session(page)
    nodes = (await client.send("Accessibility.getFullAXTree"))["nodes"]
    await client.detach()
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored", True)
    ]


@pytest.mark.parametrize("door", ["chat", "feeds"])
async def test_a_room_is_told_in_words(server: Engawa, person, door: str) -> None:
    """Landmarks and what can be worked have names; each landmark of a kind has one of its own."""
    slug = new_room(server, f"In words {door}")
    page = await (await person()).open(f"{server.base}/{door}/{slug}/")
    async with participant(server.sockets, slug) as other:
        await other.post("hello")
    await expect(message(page, "hello")).to_have_count(1)
    told = await tree(page)
    assert ("DisclosureTriangle", "Room") in told
    await page.locator("#room-menu > summary").click()
    told = await tree(page)
    roles = [role for role, _ in told]
    assert roles.count("main") == 1
    assert roles.count("banner") == 1
    assert [name for role, name in told if role == "log"] == [f"Messages in In words {door}"]
    assert ("heading", f"In words {door}") in told
    assert [role for role, name in told if role in ("navigation", "region", "dialog") and not name] == []
    navigations = [name for role, name in told if role == "navigation"]
    assert len(navigations) == len(set(navigations)) >= 2
    worked = ("button", "link", "textbox", "checkbox", "radio", "combobox", "menuitem", "searchbox", "slider", "switch")
    assert [role for role, name in told if role in worked and not name.strip()] == []
    if door == "chat":
        assert ("textbox", "Message") in told
        assert ("button", "Send") in told
    else:
        assert "textbox" not in roles
