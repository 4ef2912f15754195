"""Where one writes: what is offered there, what is kept, what is told of it, and how it is laid out."""

import json
import re
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_client import forgive
from tests.browser.test_rooms import say, texts
from tests.clients import participant
from tests.servers import Engawa

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
WITH_KEYBOARD = {"width": 360, "height": 340}  # what is left of the window where the keyboard takes its part of it
LEAST_TARGET_PX = 24
ROOMS = {
    "names": {"shows_names": True},
    "emoji": {},
    "drafts": {},
    "count": {},
    "typing": {"shows_typing": True},
    "keys": {},
    "phone": {"topic": "What the garden says in autumn, and who hears it"},
    "away": {},
}
PREPARE = f"""
import json
from chat import actions, governing, posting
from chat.identity import new_guest
slugs = {{}}
for name, settings in {ROOMS!r}.items():
    room, _ = actions.create_room(new_guest(), f"composer {{name}}")
    governing.change_room(None, room.pk, settings)
    slugs[name] = room.slug
    if name == "names":
        for somebody in ("Ben", "Akira", "Aki", "Mio Mori"):
            posting.post(new_guest(somebody), room.pk, "hello")
print(json.dumps(slugs))
"""


@pytest.fixture(scope="module")
def rooms(server: Engawa) -> dict[str, str]:
    slugs = json.loads(server.shell(PREPARE))
    return {name: f"{server.base}/chat/{slug}/" for name, slug in slugs.items()}


async def write(page: Page, text: str) -> None:
    """As somebody types it, in place of what is there."""
    await page.locator("#composer-text").fill("")
    await page.locator("#composer-text").press_sequentially(text)


# What is offered ------------------------------------------------------------------------------------------


async def test_names_are_offered_and_become_mentions(rooms: dict[str, str], person) -> None:
    page = await (await person()).open(rooms["names"])
    field, options = page.locator("#composer-text"), page.get_by_role("option")
    selected = page.locator("[role=option][aria-selected=true]")
    await expect(page.locator("#presence summary")).to_have_text(re.compile("1 here"))
    await write(page, "hello @")
    await expect(options).to_have_text(["MMio Mori@Mio", "AAki", "AAkira", "BBen"])
    listed = page.get_by_role("listbox", name="People to name")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await expect(field).to_have_attribute("aria-controls", await listed.get_attribute("id"))
    await expect(field).to_have_attribute("aria-activedescendant", await options.first.get_attribute("id"))
    await page.keyboard.type("ak")
    await expect(options).to_have_text(["AAki", "AAkira"])
    await page.keyboard.press("ArrowDown")
    await expect(selected).to_have_text("AAkira")
    await expect(field).to_have_attribute("aria-activedescendant", await selected.get_attribute("id"))
    await page.keyboard.press("ArrowDown")
    await expect(selected).to_have_text("AAki")  # round and round
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Tab")
    await expect(field).to_have_value("hello @Akira ")
    await expect(field).to_be_focused()
    await expect(listed).to_have_count(0)
    for name in ("aria-controls", "aria-activedescendant"):
        assert await field.get_attribute(name) is None
    # What nobody wanted is not offered again before another one is begun.
    await page.keyboard.type("and @m")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.keyboard.type("i")
    await page.keyboard.press("Backspace")
    await expect(options).to_have_count(0)
    await page.keyboard.type(", @mo")
    await options.first.click()
    await expect(field).to_have_value("hello @Akira and @m, @Mio ")
    await page.keyboard.type("or 縁側で@be")
    await page.keyboard.press("Enter")  # where words have no spaces between them, one is put there
    await page.keyboard.type("not mail@ak nor `@ak` @Aki")
    await page.keyboard.press("Enter")  # which is there already: it is sent
    await expect(texts(page).last).to_have_text(
        "hello @Akira and @m, @Mio or 縁側で @Ben not mail@ak nor @ak @Aki", use_inner_text=True
    )
    mentions = page.locator("#log > li").last.locator(".mention")
    await expect(mentions).to_have_text(["@Akira", "@m", "@Mio", "@Ben", "@Aki"])


async def test_who_is_here_can_be_named(rooms: dict[str, str], server: Engawa, person) -> None:
    page = await (await person()).open(rooms["names"])
    async with participant(server.sockets, rooms["names"].rstrip("/").rsplit("/", 1)[1]) as other:
        name = other.welcome["you"]["name"]
        await page.locator("#presence summary").click()
        people = page.get_by_role("list", name="Who is here").get_by_role("button")
        await expect(people.filter(has_text=name)).to_have_count(1)
        await write(page, f"@{name[:-1]}")
        await expect(page.get_by_role("option")).to_have_text([f"G{name}"])
        await write(page, "so,")
        await page.locator("#presence summary").focus()
        await page.keyboard.press("Enter")
        while name not in await page.locator(":focus").inner_text():
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#composer-text")).to_have_value(f"so, @{name} ")
        await expect(page.locator("#composer-text")).to_be_focused()
        await page.locator("#presence summary").click()
        await page.keyboard.press("Escape")
        await expect(people.first).to_be_hidden()
        await expect(page.locator("#presence summary")).to_be_focused()


async def test_emoji_are_offered_picked_and_sent(rooms: dict[str, str], person) -> None:
    somebody = await person()
    fetched: list[str] = []
    somebody.context.on("request", lambda request: fetched.append(request.url))
    page = await somebody.open(rooms["emoji"])
    field, options = page.locator("#composer-text"), page.get_by_role("option")
    assert not [url for url in fetched if "emoji_names" in url or "emoji_picker" in url]  # nobody needs them yet
    await write(page, "so :smi")
    await expect(options.first).to_have_text(re.compile(":smile"))
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("so 😃")
    assert [url for url in fetched if "emoji_names" in url]
    # Typed in full, and in code; sent at once.
    await write(page, ":tea: `:tea:` at 12:30:45 \\:tea: :no_such_thing:")
    await page.keyboard.press("Enter")
    await expect(texts(page)).to_have_text(["🍵 :tea: at 12:30:45 :tea: :no_such_thing:"])
    await expect(page.locator("#log code")).to_have_text(":tea:")
    await page.locator("#log > li").last.focus()
    await page.keyboard.press("e")
    await page.locator("#log textarea").fill("now :tada:")
    await page.locator("#log textarea").press("Enter")
    await expect(texts(page)).to_have_text(["now 🎉"])
    # The picker, by keyboard alone.
    await field.fill("ab")
    await field.press("ArrowLeft")
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Emoji", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    picker = page.get_by_role("dialog", name="Emoji")
    await expect(picker.get_by_role("searchbox")).to_be_focused()
    cells = picker.get_by_role("gridcell")
    await expect(picker.get_by_role("grid", name="Faces")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(cells.nth(0)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    await expect(cells.nth(9)).to_be_focused()
    await page.keyboard.press("End")
    await expect(cells.last).to_be_focused()
    await page.keyboard.type("pretzel")
    await expect(picker.get_by_role("searchbox")).to_have_value("pretzel")
    await expect(cells).to_have_text(["🥨"])
    await page.keyboard.press("Enter")
    await expect(picker).to_be_hidden()
    await expect(field).to_be_focused()
    await expect(field).to_have_value("a🥨b")
    # By pointer, several in a row, and what one took comes first the next time.
    await page.locator("#emoji").click()
    await expect(picker.get_by_role("grid", name="Latest").get_by_role("gridcell")).to_have_text(["🥨"])
    await picker.get_by_role("button", name="Food and drink").click()
    await picker.get_by_role("gridcell", name="sushi").click(modifiers=["Shift"])
    await picker.get_by_role("gridcell", name="tea", exact=True).click()
    await expect(field).to_have_value("a🥨🍣🍵b")
    await page.locator("#emoji").click()
    await expect(picker).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(picker).to_be_hidden()
    await expect(field).to_be_focused()


async def test_emoji_have_names_in_ones_own_language(rooms: dict[str, str], person) -> None:
    page = await (await person(locale="ja")).open(rooms["emoji"])
    await write(page, "：すし")
    await expect(page.get_by_role("option").first).to_contain_text("🍣")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-text")).to_have_value("🍣")


# What is kept, and what is told -----------------------------------------------------------------------------


async def connected(page: Page) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")


async def test_what_is_not_sent_is_kept(rooms: dict[str, str], person) -> None:
    somebody = await person()
    page = await somebody.open(rooms["drafts"])
    field = page.locator("#composer-text")
    await write(page, "half a thou")
    other = await somebody.open(rooms["drafts"])
    await expect(other.locator("#composer-text")).to_have_value("")  # another train of thought
    await write(other, "another one")
    await page.reload()
    await expect(field).to_have_value("half a thou")
    await connected(page)  # or the browser complains of a socket that is left before it is open
    await page.locator(".site-header__preferences").click()
    await page.get_by_role("button", name="日本語").click()
    await expect(page.locator("html")).to_have_attribute("lang", "ja")
    await expect(field).to_have_value("half a thou")
    await connected(page)
    # A tab that is closed leaves its own to the next.
    await page.close(run_before_unload=True)
    again = await somebody.open(rooms["drafts"])
    await expect(again.locator("#composer-text")).to_have_value("half a thou")
    third = await somebody.open(rooms["drafts"])
    await expect(third.locator("#composer-text")).to_have_value("")
    await say(again, "half a thought")
    await expect(texts(again)).to_have_text(["half a thought"])
    await again.reload()
    await expect(again.locator("#composer-text")).to_have_value("")
    await connected(again)
    await expect(other.locator("#composer-text")).to_have_value("another one")


async def test_what_is_left_is_counted_near_the_limit(rooms: dict[str, str], person) -> None:
    page = await (await person()).open(rooms["count"])
    field, count = page.locator("#composer-text"), page.locator("#composer-count [data-count]")
    said = page.locator("#composer-count [data-said]")
    most = int(await page.locator("#composer").get_attribute("data-max-chars"))
    await field.fill("x" * (most * 9 // 10 - 1))
    await expect(count).to_have_text("")
    await field.press("End")
    await page.keyboard.type("y")
    await expect(count).to_have_text(f"{most // 10} characters left")
    await expect(said).to_have_text(f"{most // 10} characters left")
    await page.evaluate("""() => {
        globalThis.told = 0;
        const said = document.querySelector("[data-said]");
        new MutationObserver(() => globalThis.told++).observe(said, { childList: true });
    }""")
    await field.fill("🙂" * (most - 1))
    await page.keyboard.type("abcdef")
    await expect(count).to_have_text("5 characters too many")
    await expect(said).to_have_text("5 characters too many")
    assert await page.evaluate("globalThis.told") == 1  # once, and not for every letter
    await expect(field).to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-error")).to_have_text(
        f"That is {most + 5:,} characters; a message has at most {most:,}."
    )
    for _ in range(5):
        await page.keyboard.press("Backspace")
    await expect(count).to_have_text("No character left")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("")
    await expect(count).to_have_text("")
    await expect(texts(page)).to_have_count(1)


async def test_who_is_typing_is_shown_where_the_room_wants_it(rooms: dict[str, str], server: Engawa, person) -> None:
    slug = rooms["typing"].rstrip("/").rsplit("/", 1)[1]
    page = await (await person()).open(rooms["typing"])
    other = await (await person()).open(rooms["typing"])
    line = page.locator("#typing")
    await say(page, "hello")
    await expect(texts(page)).to_have_text(["hello"])
    before = await page.locator("#scroller, #composer").evaluate_all(
        "(them) => them.map((it) => JSON.stringify(it.getBoundingClientRect()))"
    )
    await write(other, "h")
    await expect(line).to_have_text(re.compile(r"^guest-\w+ is typing…$"))
    await expect(line).to_have_attribute("aria-live", "off")
    await expect(other.locator("#typing")).to_be_hidden()  # one knows that of oneself
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(participant(server.sockets, slug)) for _ in range(2)]
        await others[0].send(type="typing")
        await expect(line).to_have_text(re.compile(r"^guest-\w+ and guest-\w+ are typing…$"))
        await others[1].send(type="typing")
        await expect(line).to_have_text("Several people are typing…")
        assert before == await page.locator("#scroller, #composer").evaluate_all(
            "(them) => them.map((it) => JSON.stringify(it.getBoundingClientRect()))"
        )
        for somebody in others:
            await somebody.post("done")
        await expect(line).to_have_text(re.compile(r"^guest-\w+ is typing…$"))
    await expect(line).to_be_hidden()  # who says nothing for some seconds has stopped


async def test_nobody_is_told_of_typing_unless_the_owner_wants_it(rooms: dict[str, str], person) -> None:
    somebody = await person()
    sent: list[str] = []
    page = await somebody.context.new_page()
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    for room, is_told in (("count", False), ("typing", True)):
        sent.clear()
        await page.goto(rooms[room])
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        await write(page, "some words")
        await page.keyboard.press("Enter")
        await expect(page.locator("#composer-text")).to_have_value("")
        await expect(texts(page).last).to_have_text("some words")
        assert sum('"typing"' in str(frame) for frame in sent) == int(is_told)  # once, and not for every letter


# By keys, and on a phone --------------------------------------------------------------------------------------


async def test_the_list_of_keys_is_found_and_true(rooms: dict[str, str], person) -> None:
    page = await (await person()).open(rooms["keys"])
    dialog = page.get_by_role("dialog", name="Keys")
    await page.keyboard.press("?")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Keys").click()
    await expect(dialog).to_contain_text("name somebody")
    await expect(dialog).not_to_contain_text("ban its author; Enter confirms", use_inner_text=True)
    await dialog.get_by_role("checkbox").uncheck()
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("button", name="Keys")).to_be_focused()
    await page.keyboard.press("?")
    await page.keyboard.press("Shift+Tab")
    await expect(dialog).to_be_hidden()
    await write(page, "what?")
    await expect(page.locator("#composer-text")).to_have_value("what?")
    await page.keyboard.press("Enter")
    await expect(texts(page)).to_have_text(["what?"])
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#log > li")).to_be_focused()
    await page.keyboard.press("?")  # on a message, letters and signs mean what the list says
    await expect(dialog).to_be_visible()


async def test_one_skips_to_where_one_writes_and_to_the_newest(rooms: dict[str, str], person) -> None:
    page = await (await person()).open(rooms["names"])
    await page.evaluate("document.activeElement.blur()")
    for link, there in (
        ("Skip to where one writes", page.locator("#composer-text")),
        ("Skip to the newest message", page.locator("#log > li").last),
    ):
        await page.get_by_role("link", name=link).focus()
        await expect(page.get_by_role("link", name=link)).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(there).to_be_focused()


async def test_one_hand_writes_on_a_phone(rooms: dict[str, str], person) -> None:
    page = await (await person(**PHONE)).open(rooms["phone"])
    head = page.locator(".room__head")
    assert (await head.bounding_box())["height"] <= 80  # two lines
    await expect(page.locator("#room-menu > summary")).to_be_visible()
    await expect(page.locator("#topic")).to_be_hidden()
    await page.locator("#room-menu > summary").tap()
    await expect(page.locator("#about [data-topic]")).to_be_visible()
    await expect(page.get_by_role("link", name="Search")).to_be_visible()
    await page.locator("#scroller").tap()
    await expect(page.locator("#about")).to_be_hidden()
    field, send = page.locator("#composer-text"), page.get_by_role("button", name="Send")
    await field.tap()
    await page.set_viewport_size(WITH_KEYBOARD)
    for control in (field, send, page.locator("#emoji")):
        box = await control.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        assert box["y"] + box["height"] <= WITH_KEYBOARD["height"]
    assert (await page.locator("#scroller").bounding_box())["height"] > WITH_KEYBOARD["height"] / 2
    # There is no Shift beside Enter: it breaks the line, as its label says, and the button sends.
    await expect(field).to_have_attribute("enterkeyhint", "enter")
    await page.keyboard.type("one")
    await page.keyboard.press("Enter")
    await page.keyboard.type("two")
    await expect(field).to_have_value("one\ntwo")
    await send.tap()
    await expect(texts(page)).to_have_text(["one two"])
    small = await page.locator("button:visible, summary:visible, .room__head a:visible").evaluate_all(
        f"""(them) => them.filter((it) => {{
            const {{ width, height }} = it.getBoundingClientRect();
            return width > 1 && (width < {LEAST_TARGET_PX} || height < {LEAST_TARGET_PX});
        }}).map((it) => it.outerHTML)"""
    )
    assert small == []


async def test_how_long_one_has_been_away_is_said(rooms: dict[str, str], person) -> None:
    somebody = await person()
    page = await somebody.context.new_page()
    await page.clock.install()
    await page.goto(rooms["away"])
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")
    await page.route_web_socket("**/ws/**", lambda socket: socket.close())
    await page.route("**/stream*", lambda route: route.abort())
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await page.clock.run_for(4_000)
    await expect(page.locator("#status-since")).to_have_text("")
    await page.clock.run_for(10_000)
    await expect(page.locator("#status-since")).to_have_text(re.compile(r"^1\d sec$"))
    await expect(page.get_by_role("status")).to_have_text("Reconnecting…")
    forgive(somebody)
