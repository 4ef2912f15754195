"""A room followed without JavaScript, and several on one page."""

import asyncio
import json
import re

import httpx
from playwright.async_api import Browser, Page, expect

from tests.browser.test_rooms import new_room
from tests.clients import participant
from tests.parts import LONG
from tests.parts import curl as curl_path
from tests.servers import Engawa

MESSAGES = 100


def bodies(page: Page) -> object:
    return page.locator("li.message .message__body")


async def follow(page: Page, url: str) -> None:
    """Open a page that goes on loading."""
    await page.goto(url, wait_until="commit")
    await expect(page.locator(".room__title")).to_be_visible()


async def from_curl(address: str, last: str) -> list[str]:
    """What a terminal's curl printed up to ``last``."""
    curl = await asyncio.create_subprocess_exec(curl_path(), "-sN", address, stdout=asyncio.subprocess.PIPE)
    try:
        said = await curl.stdout.readuntil(last.encode() + b"\n")
    finally:
        curl.kill()
        await curl.wait()
    return re.findall(r"number \d+\.", said.decode())


async def from_lines(address: str, last: str) -> list[str]:
    """What a program read."""
    said: list[str] = []
    async with httpx.AsyncClient(timeout=60) as http, http.stream("GET", address) as response:
        async for line in response.aiter_lines():
            event = json.loads(line)
            said += [event["message"]] if event["type"] == "message" else []
            if said and said[-1] == last:
                return said
    raise AssertionError("the stream ended")


async def test_a_terminal_and_a_browser_without_scripts_follow_the_same(server: Engawa, person) -> None:
    slug = new_room(server, "without scripts")
    stream = f"{server.base}/feeds/{slug}/stream"
    expected = [f"number {number}." for number in range(MESSAGES)]
    page = await (await person(java_script_enabled=False)).context.new_page()
    await follow(page, f"{stream}.html")
    programs = [
        asyncio.create_task(from_curl(f"{stream}.txt", expected[-1])),
        asyncio.create_task(from_lines(f"{stream}.ndjson", expected[-1])),
    ]
    async with asyncio.timeout(90), participant(server.sockets, slug) as somebody:
        # All three are there by now: viewers are counted once they follow.
        while (await somebody.until("presence"))["viewers"] < 3:
            pass
        for text in expected[: MESSAGES // 2]:
            await somebody.post(text)
        await expect(bodies(page).last).to_have_text(expected[MESSAGES // 2 - 1])
        for text in expected[MESSAGES // 2 :]:
            await somebody.post(text)
        for said in await asyncio.gather(*programs):
            assert said == expected
    await expect(bodies(page).last).to_have_text(expected[-1])
    assert await bodies(page).all_text_contents() == expected
    await expect(bodies(page).last).to_be_in_viewport()


async def test_what_is_taken_back_is_taken_off_a_page_without_scripts(server: Engawa, person) -> None:
    slug = new_room(server, "taken back")
    page = await (await person(java_script_enabled=False)).context.new_page()
    async with participant(server.sockets, slug) as somebody:
        await somebody.post("stays")
        await follow(page, f"{server.base}/feeds/{slug}/stream.html?history=9")
        wrong = await somebody.post("the word xyzzy")
        await expect(bodies(page)).to_have_text(["stays", "the word xyzzy"])
        await somebody.send(type="edit", mid=wrong["mid"], message="another word")
        await expect(bodies(page)).to_have_text(["stays", "another word"])
        await somebody.post("and on it goes")
        await expect(bodies(page)).to_have_text(["stays", "another word", "and on it goes"])
        await somebody.send(type="delete", mid=wrong["mid"])
        await expect(bodies(page)).to_have_text(["stays", "and on it goes"])
        assert "another word" not in await page.content()
        assert "xyzzy" not in await page.content()
        await somebody.post("still")
        await expect(bodies(page)).to_have_text(["stays", "and on it goes", "still"])


async def test_a_page_without_scripts_goes_on_after_a_restart(tmp_path, browser: Browser) -> None:
    server = Engawa(tmp_path)
    context = await browser.new_context(java_script_enabled=False)  # which may complain while there is no server
    page = await context.new_page()
    try:
        async with participant(server.sockets) as somebody:
            await somebody.post("before")
            await follow(page, f"{server.base}/feeds/lobby/stream.html")
            await expect(bodies(page)).to_have_text(["before"])
        server.stop()
        go_on = page.get_by_role("link", name="Go on")
        await expect(go_on).to_have_attribute("href", "?lastEventId=lobby:1")
        server.start()
        server.wait_until_ready()
        async with participant(server.sockets) as somebody:
            await somebody.post("meanwhile")
            if LONG:  # by itself, after a while: with what it began with
                await expect(bodies(page)).to_have_text(["before", "meanwhile"], timeout=20_000)
            else:
                await go_on.click(no_wait_after=True)
                await expect(bodies(page)).to_have_text(["meanwhile"])
            await somebody.post("live")
        await expect(bodies(page).last).to_have_text("live")
    finally:
        server.stop()


async def test_several_rooms_live_on_one_page(server: Engawa, person) -> None:
    slugs = [new_room(server, f"side {number}") for number in range(3)]
    query = "&".join(f"room={slug}" for slug in slugs)
    somebody = await person()
    streams: list[str] = []
    somebody.context.on("request", lambda request: streams.append(request.url) if "/stream?" in request.url else None)
    async with participant(server.sockets, slugs[0]) as here, participant(server.sockets, slugs[1]) as there:
        first = await here.post("rendered")
        page = await somebody.open(f"{server.base}/feeds/?{query}")
        panes = [page.locator(f'.pane[data-slug="{slug}"] .message__body') for slug in slugs]
        await expect(panes[0]).to_have_text(["rendered"])
        await here.post("live")
        await there.post("elsewhere")
        await there.post("in reply", reply_to=(await there.post("asked"))["mid"])
        await expect(panes[0]).to_have_text(["rendered", "live"])
        await expect(panes[1]).to_have_text(["elsewhere", "asked", "in reply"])
        await expect(page.locator(f'.pane[data-slug="{slugs[1]}"] .message__excerpt').last).to_have_text("asked")
        await here.send(type="delete", mid=first["mid"])
        await expect(panes[0]).to_have_text(["live"])
        await expect(panes[2]).to_have_count(0)
    server.shell(
        "from chat import governing; from chat.models import *\n"
        f"owner = Membership.objects.filter(room__slug={slugs[1]!r}).first()\n"
        f"room = Room.objects.get(slug={slugs[1]!r}); olga = User.objects.create_user('several')\n"
        "Membership.objects.create(room=room, user=olga, role='owner')\n"
        "governing.change_visibility(olga.identity, room.pk, 'private')"
    )
    await expect(page.locator(f'.pane[data-slug="{slugs[1]}"] .pane__gone')).to_be_visible()
    await expect(panes[1]).to_have_count(0)
    async with participant(server.sockets, slugs[2]) as third:
        await third.post("the others go on")
    await expect(panes[2]).to_have_text(["the others go on"])
    assert len(streams) == 1
    live = await (await person(java_script_enabled=False)).context.new_page()
    await follow(live, f"{server.base}/feeds/stream.html?{query}")
    await expect(live.get_by_text(f"{slugs[1]}: There is no such room.")).to_be_visible()
    async with participant(server.sockets, slugs[0]) as somebody_else:
        await somebody_else.post("without a script")
    await expect(bodies(live)).to_have_text(["live", "the others go on", "without a script"])
    plain = await (await person(java_script_enabled=False)).open(f"{server.base}/feeds/?{query}", live=False)
    await expect(plain.locator(".pane")).to_have_count(2)
    await expect(plain.get_by_text("One of these rooms is not here")).to_be_visible()
    await expect(plain.get_by_role("link", name="without JavaScript")).to_be_visible()


async def test_rooms_are_chosen_from_a_list(server: Engawa, person) -> None:
    slug = new_room(server, "listed")
    page = await (await person(java_script_enabled=False)).open(f"{server.base}/feeds/", live=False)
    await page.get_by_label("lobby").check()
    await page.get_by_label("listed").check()
    await page.get_by_role("button", name="Watch").click()
    assert page.url.endswith(f"/feeds/?room={slug}&room=lobby") or page.url.endswith(f"/feeds/?room=lobby&room={slug}")
    await expect(page.locator(".pane")).to_have_count(2)
