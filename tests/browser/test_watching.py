"""Watching, with a pause; and a room on the screen of an event."""

import httpx
import pytest
import zxingcpp
from playwright.async_api import Page, Route, expect

from tests.browser.proxy import line_to
from tests.browser.test_client import forgive
from tests.browser.test_rooms import new_room, texts
from tests.clients import Participant, participant
from tests.servers import Engawa

SCREEN = {"viewport": {"width": 1280, "height": 720}}
SEVERAL = 80  # more than any screen holds


async def delete(other: Participant, text: str, server: Engawa, slug: str) -> None:
    said = httpx.get(f"{server.base}/feeds/{slug}/messages").json()["messages"]
    (mid,) = [message["mid"] for message in said if message["message"] == text]
    await other.send(type="delete", key=f"delete {text}", mid=mid)
    await other.until("done")


def pause(page: Page) -> object:
    return page.get_by_role("button", name="Pause")


async def is_pressed(page: Page, state: str) -> None:
    await expect(pause(page)).to_have_attribute("aria-pressed", state)


async def test_what_is_said_waits_while_one_pauses(server: Engawa, person) -> None:
    slug = new_room(server, "Pause")
    async with participant(server.sockets, slug) as other:
        await other.post("before")
        page = await (await person()).open(f"{server.base}/feeds/{slug}/")
        await pause(page).click()
        await is_pressed(page, "true")
        for text in ("one", "two", "three"):
            await other.post(text)
        await expect(pause(page)).to_contain_text("3 waiting")
        await expect(texts(page)).to_have_text(["before"])
        # What is gone is gone, shown or not.
        await delete(other, "two", server, slug)
        await expect(pause(page)).to_contain_text("2 waiting")
        await delete(other, "before", server, slug)
        await expect(texts(page)).to_have_count(0)
        await pause(page).click()
        await expect(texts(page)).to_have_text(["one", "three"])
        await is_pressed(page, "false")
        await expect(page.locator("#waiting")).to_be_empty()
        await other.post("four")
        await expect(texts(page)).to_have_text(["one", "three", "four"])


async def test_keys_pause_and_nothing_is_lost_where_very_much_waits(server: Engawa, person) -> None:
    slug = new_room(server, "Much")
    async with participant(server.sockets, slug) as other:
        await other.post("before")
        page = await (await person()).open(f"{server.base}/feeds/{slug}/")
        await page.keyboard.press("Space")
        await is_pressed(page, "true")
        await page.keyboard.press("Space")
        await is_pressed(page, "false")
        await page.keyboard.press("p")
        await is_pressed(page, "false")  # a letter does nothing where it may have been meant for something else
        await page.locator("#scroller").focus()
        await page.keyboard.press("p")
        await is_pressed(page, "true")
        server.shell(
            "from chat import posting; from chat.identity import new_guest; from chat.models import Room\n"
            f"guest, room = new_guest('Aki'), Room.objects.get(slug={slug!r})\n"
            "[posting.post(guest, room.pk, f'{number} of many') for number in range(520)]"
        )
        await expect(pause(page)).to_contain_text("more than 500 waiting")
        await expect(texts(page)).to_have_text(["before"])
        await page.keyboard.press("p")
        await other.post("after")
        await expect(texts(page).last).to_have_text("after")
        await expect(page.get_by_text("519 of many", exact=True)).to_be_visible()


async def fits(page: Page) -> list[str]:
    """The messages that are to be seen, each whole."""
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    box = await page.locator("#scroller").bounding_box()
    shown = page.locator("#log > .message:visible")
    for each in (shown.first, shown.last):
        place = await each.bounding_box()
        assert place["y"] >= box["y"] - 1
        assert place["y"] + place["height"] <= box["y"] + box["height"] + 1
    return await shown.locator(".message__body").all_inner_texts()


@pytest.mark.parametrize("size", [(1920, 1080), (360, 640)])
async def test_a_wall_shows_the_newest_that_fit_and_no_more(server: Engawa, person, size: tuple[int, int]) -> None:
    slug = new_room(server, f"Wall {size[0]}")
    page = await (await person(viewport={"width": size[0], "height": size[1]})).open(f"{server.base}/feeds/{slug}/wall")
    async with participant(server.sockets, slug) as other:
        for number in range(SEVERAL):
            await other.post(f"number {number}" + " and so on" * (number % 7 * 3))
        await other.post("the newest")
        await expect(page.get_by_text("the newest", exact=True)).to_be_visible()
        shown = await fits(page)
        assert shown[-1] == "the newest"
        assert 2 < len(shown) < 30
        assert await page.locator("#log > .message").count() <= 30
        await delete(other, "the newest", server, slug)
        await expect(page.get_by_text("the newest", exact=True)).to_have_count(0)
        await other.post("very long " * 300)
        await expect(page.locator("#log > .message").last).to_have_attribute("data-is-cut", "")
        assert (await fits(page))[-1].startswith("very long")


async def test_the_code_on_a_wall_can_be_read_from_the_screen(server: Engawa, person) -> None:
    slug = new_room(server, "Code")
    page = await (await person(**SCREEN, color_scheme="dark")).open(f"{server.base}/feeds/{slug}/wall")
    code = page.get_by_role("img", name="QR code that leads to")
    side = 4 * int((await code.bounding_box())["width"]) // 4
    pixels = await page.evaluate(
        """async ([source, side]) => {
          const image = Object.assign(new Image(side, side), { src: source });
          await image.decode();
          const canvas = new OffscreenCanvas(side, side).getContext("2d");
          canvas.drawImage(image, 0, 0, side, side);
          const { data } = canvas.getImageData(0, 0, side, side);
          return Array.from({ length: side * side }, (_, place) => data[4 * place]);
        }""",
        [await code.get_attribute("src"), side],
    )
    (found,) = zxingcpp.read_barcodes(memoryview(bytes(pixels)).cast("B", (side, side)), try_invert=False)
    assert found.text == f"{server.base}/chat/{slug}/"
    await expect(page.locator(".wall__address")).to_have_text(f"{server.base.partition('://')[2]}/chat/{slug}/")


async def test_a_wall_comes_back_by_itself_with_what_was_said_meanwhile(server: Engawa, person) -> None:
    slug = new_room(server, "Back")
    somebody = await person(**SCREEN)
    async with line_to(server.port) as line, participant(server.sockets, slug) as other:
        page = await somebody.open(f"{line.base}/feeds/{slug}/wall")
        await other.post("before")
        await expect(texts(page)).to_have_text(["before"])
        line.mute_server()
        await other.post("meanwhile")
        line.cut()
        await expect(page.get_by_role("status")).to_have_text("Reconnecting…")
        await expect(texts(page)).to_have_text(["before", "meanwhile"])
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        # Nobody stands before it: what there is to press is out of the way, and comes with whoever comes.
        await expect(page.locator("#room")).to_have_attribute("data-is-alone", "")
        await page.mouse.move(50, 50)
        await expect(page.locator("#room")).not_to_have_attribute("data-is-alone", "")
        await page.get_by_role("button", name="Full screen").click()
        await expect(page.get_by_role("button", name="Leave full screen")).to_be_visible()
        await page.get_by_role("link", name="Leave the wall").click()
        await expect(page).to_have_url(f"{line.base}/feeds/{slug}/")
        await page.close()  # or it complains of the end of its line, whenever it hears of that
    forgive(somebody)


async def test_a_wall_asks_again_for_a_page_that_does_not_come(server: Engawa, person) -> None:
    slug = new_room(server, "Never comes")
    somebody = await person(**SCREEN)
    # A page is not waited for as long as it is.
    await somebody.context.add_init_script(
        "const timeout = AbortSignal.timeout; AbortSignal.timeout = () => timeout.call(AbortSignal, 500)"
    )
    async with line_to(server.port) as line:
        page = await somebody.open(f"{line.base}/feeds/{slug}/wall")
        asked = []

        async def leave_unanswered(route: Route) -> None:
            asked.append(route)
            if len(asked) > 1:
                await route.continue_()

        await page.route(f"**/feeds/{slug}/wall", leave_unanswered)
        line.mute_server()
        server.shell(
            "from chat import log, posting; from chat.identity import new_guest; from chat.models import Room\n"
            f"room = Room.objects.get(slug={slug!r}).pk\n"
            "posting.post(new_guest(), room, 'meanwhile'); log.prune(room, 0)"
        )
        line.cut()
        await expect(texts(page)).to_have_text(["meanwhile"])
        assert len(asked) == 2
        await page.close()  # or it complains of the end of its line, whenever it hears of that
    forgive(somebody)


async def test_a_wall_needs_no_script(server: Engawa, person) -> None:
    slug = new_room(server, "Plain wall")
    async with participant(server.sockets, slug) as other:
        await other.post("hello")
    page = await (await person(java_script_enabled=False)).open(f"{server.base}/feeds/{slug}/wall", live=False)
    await expect(page.get_by_text("hello")).to_be_visible()
    await expect(page.get_by_role("link", name="Leave the wall")).to_be_visible()
    assert "30" in await page.locator("meta[http-equiv=refresh]").get_attribute("content")


async def test_what_is_fetched_later_is_in_the_language_that_the_address_asks_for(server: Engawa, person) -> None:
    slug = new_room(server, "Later")
    async with participant(server.sockets, slug) as other:
        mid = (await other.post("first"))["mid"]
        await other.send(type="edit", key="edit", mid=mid, message="edited")
        await other.until("done")
        for number in range(60):
            await other.post(f"number {number}")
        page = await (await person(locale="en-GB")).open(f"{server.base}/feeds/{slug}/?lang=ja")
        first = page.locator(f"#m-{mid}")
        await expect(first).to_have_count(0)
        await page.locator("#scroller").evaluate("element => element.scrollTo(0, 0)")
        await page.locator("#earlier a").dispatch_event("click")
        await expect(first).to_contain_text("（編集済み）")
