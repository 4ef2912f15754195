"""Writing Japanese and Chinese with an input method: what chooses a word sends nothing, saves nothing, and takes
nothing of what is offered."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Locator, Page, expect

from tests.browser.conftest import Person
from tests.servers import Engawa

PREPARE = """
import json
from chat import actions, posting
from chat.identity import new_guest
rooms = {}
for name, people in {"ja": ["縁側", "縁日"], "zh-hans": ["檐廊", "檐下"]}.items():
    room, _ = actions.create_room(new_guest(), f"ime {name}")
    for person in people:
        posting.post(new_guest(person), room.pk, "hello")
    rooms[name] = room.slug
print(json.dumps(rooms))
"""
# By language: what is on its way to each word, and the word; how somebody's name begins, and who is meant; how an emoji
# is asked for, and which.
TALKS = {
    "ja": {
        "words": [(["ｎ", "に", "にほ", "にほん"], "日本"), (["ｇ", "ご"], "語")],
        "person": (["え", "えん"], "縁", "縁日"),
        "emoji": (["す", "すし"], "寿司", "🍣"),
    },
    "zh-hans": {
        "words": [(["z", "zh", "zhong", "zhong'wen"], "中文"), (["h", "hao"], "好")],
        "person": (["y", "yan"], "檐", "檐下"),
        "emoji": (["s", "shou'si"], "寿司", "🍣"),
    },
}
# As Safari does it: the composition ends before the key that ends it is told of, which then looks like any other, but
# for its keyCode, or not even that.
AS_SAFARI_DOES = """(field, [steps, word, keyCode]) => {
    const tell = (type, data) => field.dispatchEvent(new CompositionEvent(type, { bubbles: true, data }));
    const start = field.selectionStart ?? field.value.length;
    const before = field.value.slice(0, start);
    tell("compositionstart", "");
    for (const step of [...steps, word]) {
        tell("compositionupdate", step);
        field.value = before + step;
        field.dispatchEvent(new InputEvent("input", { bubbles: true, isComposing: true, data: step }));
    }
    tell("compositionend", word);
    const enter = { key: "Enter", code: "Enter", keyCode, bubbles: true, cancelable: true };
    field.dispatchEvent(new KeyboardEvent("keydown", enter));
    field.dispatchEvent(new KeyboardEvent("keyup", enter));
}"""


class Writer:
    """Somebody at a page with an input method."""

    def __init__(self, page: Page, protocol: CDPSession) -> None:
        self.page = page
        self.protocol = protocol

    async def press(self, key: str) -> None:
        """A key as the page hears of it while a word is composed."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.protocol.send(
                "Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": 229}
            )

    async def compose(self, steps: list[str], word: str) -> None:
        """Type towards a word, look among the candidates, and choose it by Enter."""
        for step in steps:
            at = {"selectionStart": len(step), "selectionEnd": len(step)}
            await self.protocol.send("Input.imeSetComposition", {"text": step, **at})
        for key in ("ArrowDown", "ArrowUp", "Enter"):
            await self.press(key)
        await self.protocol.send("Input.insertText", {"text": word})
        await self.pause()

    async def compose_as_in_safari(self, field: Locator, steps: list[str], word: str, key_code: int) -> None:
        await field.evaluate(AS_SAFARI_DOES, [steps, word, key_code])
        await self.pause()

    async def pause(self) -> None:
        """Nobody presses the next key within the same keystroke."""
        await self.page.evaluate("new Promise((resolve) => setTimeout(resolve, 60))")


@pytest.fixture(scope="module")
def rooms(server: Engawa) -> dict[str, str]:
    return json.loads(server.shell(PREPARE))


@pytest_asyncio.fixture(loop_scope="session", params=TALKS)
async def writer(request, server: Engawa, rooms: dict[str, str], person) -> AsyncIterator[Writer]:
    somebody: Person = await person(locale={"ja": "ja", "zh-hans": "zh-CN"}[request.param])
    page = await somebody.open(f"{server.base}/chat/{rooms[request.param]}/")
    writer = Writer(page, await somebody.context.new_cdp_session(page))
    writer.talk = TALKS[request.param]
    yield writer


@pytest.mark.parametrize("order", ["Chromium", "Safari", "Safari without its mark"])
async def test_what_chooses_a_word_sends_and_saves_nothing(writer: Writer, order: str) -> None:
    page, words = writer.page, writer.talk["words"]
    said = "".join(word for _, word in words)

    async def write(field: Locator) -> None:
        await field.focus()
        for steps, word in words:
            if order == "Chromium":
                await writer.compose(steps, word)
            else:
                await writer.compose_as_in_safari(field, steps, word, 229 if order == "Safari" else 13)

    mine = page.locator("#log > li.message--mine")
    field = page.locator("#composer-text")
    await write(field)
    await expect(field).to_have_value(said)
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("")
    await expect(mine.locator(".message__body")).to_have_text([said])  # and not one for each word
    await mine.focus()
    await page.keyboard.press("e")
    editor = page.locator("#log textarea")
    await editor.fill("")
    await write(editor)
    await expect(editor).to_have_value(said)
    await editor.press("End")
    await page.keyboard.type("!")
    await page.keyboard.press("Enter")
    await expect(editor).to_have_count(0)
    await expect(mine.locator(".message__body")).to_have_text([f"{said}!"])


async def test_what_is_offered_is_not_taken_by_what_chooses_a_word(writer: Writer) -> None:
    page = writer.page
    field, options = page.locator("#composer-text"), page.get_by_role("option")
    steps, word, meant = writer.talk["person"]
    for compose in (writer.compose, lambda *it: writer.compose_as_in_safari(field, *it, 229)):
        await field.fill("")
        await field.press_sequentially("@")
        await expect(options.first).to_be_visible()
        await compose(steps, word)
        await expect(field).to_have_value(f"@{word}")
        await expect(options).to_have_count(2)
        await expect(options.first).to_have_attribute("aria-selected", "true")
        await expect(options.first).to_contain_text(meant)
        await page.keyboard.press("Enter")
        await expect(field).to_have_value(f"@{meant} ")
        await expect(options).to_have_count(0)
    steps, word, emoji = writer.talk["emoji"]
    await field.fill("")
    await field.press_sequentially(":")
    await writer.compose(steps, word)
    await expect(field).to_have_value(f":{word}")
    await expect(options.filter(has_text=emoji)).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(field).to_have_value(emoji)


async def test_what_chooses_a_word_picks_no_emoji(writer: Writer) -> None:
    page = writer.page
    steps, word, emoji = writer.talk["emoji"]
    await page.locator("#emoji").click()
    search = page.get_by_role("searchbox")
    await expect(search).to_be_focused()
    for compose in (writer.compose, lambda *it: writer.compose_as_in_safari(search, *it, 229)):
        await search.fill("")
        await compose(steps, word)
        await expect(search).to_have_value(word)
        await expect(page.get_by_role("gridcell").first).to_have_text(emoji)
        await expect(page.locator("#composer-text")).to_have_value("")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-text")).to_have_value(emoji)
    await expect(page.locator("#composer-text")).to_be_focused()
