"""What a screen reader is told of a room, from the accessibility tree, and from what its live regions become."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.test_rooms import new_room, say, texts
from tests.browser.test_scroll import pour
from tests.clients import participant
from tests.servers import Engawa

# All that any live region of the page says, line by line, with when.
LISTEN = """() => {
    window.said = [];
    const live = "[aria-live=polite], [role=status], [role=alert], [role=log]:not([aria-live=off])";
    new MutationObserver((records) => {
        for (const { target, addedNodes } of records) {
            const region = (target.nodeType === 1 ? target : target.parentElement).closest(live);
            if (!region) continue;
            for (const node of addedNodes) {
                if (node.textContent) window.said.push([region.id, node.textContent, performance.now()]);
            }
        }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    engawa = Engawa(tmp_path_factory.mktemp("announcer"), POSTS_PER_MINUTE="0", FRAMES_PER_SECOND="0")
    yield engawa
    engawa.stop()


async def announced(page: Page) -> list[str]:
    return [line for region, line, _ in await page.evaluate("window.said") if region == "announcer"]


async def heard(page: Page, *lines: str) -> None:
    """Wait until that was announced, and nothing else."""
    await page.wait_for_function(
        "count => window.said.filter(([id]) => id === 'announcer').length >= count", arg=len(lines)
    )
    assert await announced(page) == list(lines)


async def live_regions(page: Page) -> dict[str, tuple[str, str, str]]:
    """Each region by its place in the page: role, name, and how it is live, as the accessibility tree has it."""
    session = await page.context.new_cdp_session(page)
    found = {}
    for node in (await session.send("Accessibility.getFullAXTree"))["nodes"]:
        properties = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
        if node["ignored"] or not ("live" in properties or node["role"]["value"] == "log"):
            continue
        described = await session.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})
        attributes = described["node"].get("attributes", [])
        names = dict(zip(attributes[::2], attributes[1::2], strict=True))
        name = node.get("name", {}).get("value", "")
        found[names.get("id", "")] = (node["role"]["value"], name, properties.get("live", "off"))
    return found


async def test_the_log_is_silent_and_another_region_tells_what_is_said(server: Engawa, person) -> None:
    slug = new_room(server, "told aloud")
    somebody = await person()
    async with participant(server.sockets, slug) as author:
        await author.post("said before")
        name = author.welcome["you"]["name"]
        page = await somebody.context.new_page()
        await page.clock.install()
        await page.add_init_script(f"addEventListener('DOMContentLoaded', {LISTEN})")
        await page.goto(f"{server.base}/chat/{slug}/")
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        regions = await live_regions(page)
        assert regions["scroller"] == ("log", "Messages in told aloud", "off")
        assert regions["announcer"][2] == "polite"
        assert regions["status"][::2] == ("status", "polite")
        assert set(regions) & {"newest", "presence", "log", "outgoing"} == set()
        # History is not read, and one's own is not echoed.
        await say(page, "my own")
        await expect(texts(page)).to_have_text(["said before", "my own"])
        await author.post("good *evening*")
        await expect(texts(page)).to_have_count(3)
        await page.clock.run_for(4000)
        await heard(page, f"{name}: good evening")
        # What comes at once is told at once: the newest, and how many more there were.
        await pour(author, 20)
        await expect(texts(page)).to_have_count(23)
        await page.clock.run_for(4000)
        told = await announced(page)
        assert told[1] == "17 more messages"
        assert [line.split(" and so on")[0].strip() for line in told[2:]] == [
            f"{name}: number {n}" for n in (17, 18, 19)
        ]
        for text in ("one", "two"):
            await author.post(text)
        await expect(texts(page)).to_have_count(25)
        await page.clock.run_for(4000)
        assert (await announced(page))[5:] == [f"{name}: one", f"{name}: two"]
        times = sorted({at for region, _, at in await page.evaluate("window.said") if region == "announcer"})
        assert len(times) == 3
        assert all(later - earlier >= 3000 for earlier, later in pairwise(times))


async def test_what_is_taken_back_is_not_told(server: Engawa, person) -> None:
    slug = new_room(server, "taken back")
    somebody = await person()
    async with participant(server.sockets, slug) as author:
        page = await somebody.context.new_page()
        await page.clock.install()
        await page.goto(f"{server.base}/chat/{slug}/")
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        await page.evaluate(LISTEN)
        gone = (await author.post("xyzzy"))["mid"]
        await expect(texts(page)).to_have_count(1)
        await author.send(type="delete", mid=gone)
        await expect(texts(page)).to_have_count(0)
        edited = (await author.post("plugh"))["mid"]
        await expect(texts(page)).to_have_count(1)
        await page.clock.run_for(4000)
        region = page.locator("#announcer")
        await expect(region).to_contain_text("plugh")
        await author.send(type="edit", mid=edited, message="another word")
        await expect(texts(page)).to_have_text(["another word"])
        await expect(region).to_have_text("")
        assert "xyzzy" not in str(await page.evaluate("window.said"))
        assert "plugh" not in await page.content()


async def test_it_is_turned_off_by_keyboard_and_stays_off(server: Engawa, person) -> None:
    slug = new_room(server, "not aloud")
    somebody = await person()
    async with participant(server.sockets, slug) as author:
        for path in (f"/chat/{slug}/", f"/feeds/{slug}/"):
            page = await somebody.context.new_page()
            await page.clock.install()
            await page.goto(server.base + path)
            await expect(page.locator("body")).to_have_attribute("data-state", "connected")
            toggle = page.get_by_role("button", name="Announce new messages")
            if "chat" in path:
                await expect(toggle).to_have_attribute("aria-pressed", "true")
                await toggle.focus()
                box = await toggle.bounding_box()
                assert min(box["width"], box["height"]) >= 24  # whoever comes upon it by keys sees it
                await page.keyboard.press("Enter")
            await expect(toggle).to_have_attribute("aria-pressed", "false")
            await page.evaluate(LISTEN)
            count = await texts(page).count()
            await author.post("unheard")
            await expect(texts(page)).to_have_count(count + 1)
            await page.clock.run_for(4000)
            await heard(page)
        await toggle.focus()
        await page.keyboard.press("Space")
        await author.post("heard")
        await expect(texts(page)).to_have_count(3)
        await page.clock.run_for(4000)
        await heard(page, f"{author.welcome['you']['name']}: heard")


async def test_what_nobody_told_of_is_said_nowhere_as_it_was(server: Engawa, person) -> None:
    """Where the log has forgotten what happened the room is read anew, and no event says what was taken back."""
    slug = new_room(server, "told anew")
    sockets = []
    is_deaf = False

    def listen(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server().on_message(lambda frame: None if is_deaf else socket.send(frame))

    async with participant(server.sockets, slug) as author:
        pinned, answered = [(await author.post(f"{text} before"))["mid"] for text in ("pinned", "answered")]
        server.shell(
            "from chat import governing, moderation; from chat.models import Room, User\n"
            f"room, olga = Room.objects.get(slug={slug!r}), User.objects.create_user('olga')\n"
            "governing.set_role(None, room.pk, 'olga', 'owner')\n"
            f"moderation.pin(olga.identity, room.pk, {pinned!r})"
        )
        page = await (await person()).context.new_page()
        await page.route_web_socket("**/ws/**", listen)
        await page.goto(f"{server.base}/chat/{slug}/")
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        await page.evaluate(LISTEN)
        await page.locator(f"#m-{answered}").focus()
        await page.keyboard.press("r")
        await expect(page.locator("#composer-reply")).to_contain_text("answered before")
        await expect(page.locator("#pinned")).to_contain_text("pinned before")
        # It waits until somebody looks; then we hear of nothing for long.
        await page.evaluate("Object.defineProperty(document, 'hidden', { get: () => !window.looks })")
        heard_of = (await author.post("heard before"))["mid"]
        await expect(page.locator(f"#m-{heard_of}")).to_be_attached()
        is_deaf = True
        await author.send(type="edit", key="edit", mid=pinned, message="pinned now")
        await author.until("done")
        for mid in (answered, heard_of):
            await author.send(type="delete", key=f"delete {mid}", mid=mid)
            await author.until("done")
        is_deaf = False
        sockets[-1].send(json.dumps({"type": "reset"}))
        await expect(texts(page)).to_have_text(["pinned now"])
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        await expect(page.locator("#pinned")).to_contain_text("pinned now")
        await page.evaluate("window.looks = true; document.dispatchEvent(new Event('visibilitychange'))")
        await author.post("after")
        await page.wait_for_function("() => window.said.some(([, line]) => line.endsWith('after'))")
        assert not [line for line in await announced(page) if "before" in line]
        assert "before" not in await page.locator("body").inner_text()
