"""Reading in a room while it lives: the line that is read moves by nothing, and what a page holds has bounds."""

import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_rooms import new_room, texts
from tests.clients import Participant, participant
from tests.parts import LONG
from tests.servers import Engawa

PHONE = {"viewport": {"width": 360, "height": 740}}
MOST_ITEMS = 650
# Remembers the line at the top of what is read, and how far from there each frame paints it: an observer of
# intersections is told of places after everything else that a frame does.
WATCH = """(place) => {
    const scroller = document.getElementById("scroller");
    if (place !== null) scroller.scrollTop = place;
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
        const edge = () => scroller.getBoundingClientRect().top;
        const line = [...document.querySelectorAll("#log > li")].find((li) => li.getBoundingClientRect().top >= edge());
        const { id } = line;
        const top = () => document.getElementById(id).getBoundingClientRect().top - edge();
        const watched = (window.line = { id, top, was: top(), most: 0, frames: 0 });
        let first = null;
        const look = () => {
            const item = document.getElementById(id);
            if (window.line !== watched || !item) return;
            new IntersectionObserver(([{ boundingClientRect, rootBounds }], observer) => {
                observer.disconnect();
                const painted = boundingClientRect.top - rootBounds.top;
                first ??= painted;
                watched.frames += 1;
                watched.most = Math.max(watched.most, Math.abs(painted - first));
                requestAnimationFrame(look);
            }, { root: scroller }).observe(item);
        };
        look();
        done(id);
    })));
}"""
MOVED = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
    const { top, was, most, frames } = window.line;
    done({ now: Math.abs(top() - was), most, frames });
})))"""
TO_END = "document.getElementById('scroller').scrollTop = 1e9"
FROM_END = """() => { const { scrollHeight, scrollTop, clientHeight } = document.getElementById("scroller");
    return scrollHeight - scrollTop - clientHeight; }"""
MIDDLE = "() => { const s = document.getElementById('scroller'); return Math.round(s.scrollHeight / 2) + 7; }"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    engawa = Engawa(tmp_path_factory.mktemp("scroll"), POSTS_PER_MINUTE="0", FRAMES_PER_SECOND="0")
    yield engawa
    engawa.stop()


async def pour(author: Participant, count: int, start: int = 0) -> list[str]:
    """Post so many, of different lengths, without waiting for each. Returns their mids."""
    keys = [str(uuid.uuid4()) for _ in range(count)]
    mids: dict[str, str] = {}
    for place in range(0, count, 200):
        for number, key in enumerate(keys[place : place + 200], start + place):
            await author.send(type="post", key=key, message=f"number {number} " + "and so on " * (number * 7 % 30))
        while len(mids) < min(place + 200, count):
            frame = await author.receive()
            if frame["type"] == "posted":
                mids[frame["key"]] = frame["mid"]
    return [mids[key] for key in keys]


@asynccontextmanager
async def reading(server: Engawa, somebody: object, slug: str, *, before: int = 60) -> AsyncIterator[tuple]:
    """Somebody on the room's page, and who else writes there; so many were said before."""
    async with participant(server.sockets, slug) as author:
        mids = await pour(author, before)
        page = await somebody.open(f"{server.base}/chat/{slug}/")
        await expect(page.locator(f"#m-{mids[-1]}")).to_be_attached()
        yield page, author, mids


async def unmoved(page: Page) -> None:
    moved = await page.evaluate(MOVED)
    assert moved["frames"] > 0
    assert (moved["now"], moved["most"]) == pytest.approx((0, 0), abs=0.05), moved


async def shown(page: Page, mid: str) -> None:
    await expect(page.locator(f"#m-{mid}")).to_be_attached()


async def test_two_hundred_messages_move_nothing(server: Engawa, person) -> None:
    slug = new_room(server, "two hundred")
    async with reading(server, await person(**PHONE), slug) as (page, author, _):
        await page.evaluate(WATCH, await page.evaluate(MIDDLE))
        mids = await pour(author, 200, 60)
        await shown(page, mids[-1])
        await unmoved(page)
        newest = page.locator("#newest")
        await expect(newest).to_have_text("Jump to latest · 200 new")
        await newest.click()
        await expect(newest).to_be_hidden()
        assert await page.evaluate(FROM_END) < 1


async def test_history_that_is_prepended_moves_nothing(server: Engawa, person) -> None:
    slug = new_room(server, "prepended")
    async with reading(server, await person(**PHONE), slug, before=120) as (page, _, mids):
        assert await page.locator("#log > li").count() == 50
        await page.evaluate(WATCH, 30)
        await shown(page, mids[20])
        await unmoved(page)
        await page.evaluate(WATCH, 5)
        await shown(page, mids[0])
        await unmoved(page)
        await expect(page.locator("#earlier a")).to_have_count(0)


GROW = """async (which) => {
    const line = document.getElementById(window.line.id);
    const { previousElementSibling, parentElement: list } = line;
    const item = { above: previousElementSibling, "far above": list.firstElementChild, inside: line }[which];
    const image = document.createElement("img");
    image.alt = "";
    image.width = 211;
    item.querySelector(".message__body").append(image);
    image.src = "/static/favicon.svg?" + which;
    await image.decode();
    item.querySelector(".message__body").prepend("one more line of text ".repeat(20));
    await new Promise((done) => requestAnimationFrame(done));
    image.width = 97;
}"""


@pytest.mark.parametrize("where", ["far above", "above", "inside"])
async def test_an_image_that_loads_moves_nothing(server: Engawa, person, where: str) -> None:
    slug = new_room(server, f"image {where}")
    async with reading(server, await person(**PHONE), slug) as (page, _, _mids):
        await page.evaluate(WATCH, await page.evaluate(MIDDLE))
        height = await page.evaluate("document.getElementById('scroller').scrollHeight")
        await page.evaluate(GROW, where)
        assert await page.evaluate("document.getElementById('scroller').scrollHeight") > height + 90
        await unmoved(page)


async def test_windows_keyboards_and_rotation_move_nothing(server: Engawa, person) -> None:
    slug = new_room(server, "rotation")
    async with reading(server, await person(**PHONE), slug) as (page, author, _mids):
        await page.evaluate(WATCH, await page.evaluate(MIDDLE))
        for width, height in ((360, 440), (360, 740), (740, 360), (360, 740), (1280, 800), (500, 500)):
            await page.set_viewport_size({"width": width, "height": height})
            assert (await page.evaluate(MOVED))["now"] == pytest.approx(0, abs=0.05), (width, height)
        # A keyboard that lies over the page, as on iOS.
        room = await page.evaluate("document.querySelector('.room').clientHeight")
        await page.evaluate(
            """() => {
                Object.defineProperty(visualViewport, "height", { get: () => innerHeight - 200, configurable: true });
                visualViewport.dispatchEvent(new Event("resize"));
            }"""
        )
        assert await page.evaluate("document.querySelector('.room').clientHeight") == room - 200
        await unmoved(page)
        mids = await pour(author, 20)
        await shown(page, mids[-1])
        await unmoved(page)


async def test_who_is_at_the_end_stays_there(server: Engawa, person) -> None:
    slug = new_room(server, "at the end")
    async with reading(server, await person(**PHONE), slug) as (page, author, _mids):
        await page.evaluate("window.line = { id: document.querySelector('#log > li:last-child').id }")
        settled = f"() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(({FROM_END})()))))"
        for width, height in ((360, 440), (360, 740), (740, 360), (360, 740)):
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate(settled) < 1, (width, height)
        for which in ("inside", "above"):
            await page.evaluate(GROW, which)
            assert await page.evaluate(settled) < 1, which
        mids = await pour(author, 30)
        await shown(page, mids[-1])
        assert await page.evaluate(settled) < 1
        await expect(page.locator("#newest")).to_be_hidden()


async def test_what_is_deleted_and_edited_above_moves_nothing(server: Engawa, person) -> None:
    slug = new_room(server, "deleted above")
    async with reading(server, await person(**PHONE), slug) as (page, author, mids):
        line = (await page.evaluate(WATCH, await page.evaluate(MIDDLE))).removeprefix("m-")
        place = mids.index(line)
        for mid in (mids[place - 1], mids[place - 2], mids[place + 1]):
            await author.send(type="delete", mid=mid)
            await expect(page.locator(f"#m-{mid}")).to_have_count(0)
        await author.send(type="edit", mid=mids[place - 3], message="as long as a " + "very " * 80 + "long story")
        await expect(page.locator(f"#m-{mids[place - 3]}")).to_contain_text("long story")
        await unmoved(page)
        # Where the line itself goes, the next one stays.
        after = f"m-{mids[place + 2]}"
        top = "id => document.getElementById(id).getBoundingClientRect().top"
        was = await page.evaluate(top, after)
        await author.send(type="delete", mid=line)
        await expect(page.locator(f"#m-{line}")).to_have_count(0)
        assert await page.evaluate(top, after) == pytest.approx(was, abs=0.05)


async def test_in_the_middle_of_very_many_the_end_waits(server: Engawa, person) -> None:
    slug = new_room(server, "very many")
    async with reading(server, await person(**PHONE), slug) as (page, author, _mids):
        await page.evaluate(WATCH, await page.evaluate(MIDDLE))
        mids = await pour(author, 900, 60)
        newest = page.locator("#newest")
        await expect(newest).to_have_text("Jump to latest · 900 new")
        await unmoved(page)
        assert await page.locator("#log > li").count() <= MOST_ITEMS
        await expect(page.locator(f"#m-{mids[-1]}")).to_have_count(0)
        later = page.locator("#later a")
        await expect(later).to_have_attribute("href", re.compile(r"\?after=\w{26}$"))
        # Going down loads what comes next, up to the end, and the order has no gaps.
        numbers = (
            """() => [...document.querySelectorAll("#log .message__body")].map((b) => +b.textContent.split(" ")[1])"""
        )
        while await later.count():
            last = await page.locator("#log > li").last.get_attribute("id")
            await page.evaluate(TO_END)
            await expect(page.locator("#log > li").last).not_to_have_id(last)
            assert await page.locator("#log > li").count() <= MOST_ITEMS
            found = await page.evaluate(numbers)
            assert found == list(range(found[0], found[-1] + 1))
        await shown(page, mids[-1])
        await page.evaluate(TO_END)
        await expect(newest).to_be_hidden()
        more = await pour(author, 1, 960)
        await shown(page, more[0])
        assert await page.evaluate(FROM_END) < 1


async def test_the_newest_are_loaded_anew_for_who_jumps_there(server: Engawa, person) -> None:
    slug = new_room(server, "jump")
    async with reading(server, await person(**PHONE), slug) as (page, author, _mids):
        await page.evaluate(WATCH, await page.evaluate(MIDDLE))
        mids = await pour(author, 700, 60)
        newest = page.locator("#newest")
        await expect(newest).to_have_text("Jump to latest · 700 new")
        await newest.click()
        await shown(page, mids[-1])
        await expect(newest).to_be_hidden()
        assert await page.evaluate(FROM_END) < 1
        more = await pour(author, 3, 760)
        await shown(page, more[-1])
        assert await page.evaluate(FROM_END) < 1


async def test_a_sitting_of_thousands_keeps_few(server: Engawa, person) -> None:
    slug = new_room(server, "a sitting")
    total, step = (20_000, 1000) if LONG else (2000, 500)
    async with reading(server, await person(**PHONE), slug) as (page, author, _mids):
        nodes = "document.querySelectorAll('*').length"
        for start in range(0, total, step):
            mids = await pour(author, step, start)
            await shown(page, mids[-1])
            assert await page.locator("#log > li").count() <= 300
            assert await page.evaluate(nodes) < 8000
            assert await page.evaluate(FROM_END) < 1
        first = await page.locator("#log > li").first.get_attribute("data-mid")
        await expect(page.locator("#earlier a")).to_have_attribute("href", f"/chat/{slug}/?before={first}")
        await page.evaluate(WATCH, 40)
        await expect(page.locator("#log > li").first).not_to_have_attribute("data-mid", first)
        await unmoved(page)


async def test_what_one_works_with_is_never_let_go_of(server: Engawa, person) -> None:
    slug = new_room(server, "in use")
    async with reading(server, await person(), slug, before=5) as (page, author, mids):
        await page.locator("#composer-text").focus()
        await page.keyboard.press("ArrowUp")
        focused = page.locator("#log > li:focus")
        await expect(focused).to_have_id(f"m-{mids[-1]}")
        await pour(author, 700, 5)
        await expect(page.locator("#newest")).to_have_text("Jump to latest · 700 new")
        await expect(focused).to_have_id(f"m-{mids[-1]}")
        assert await page.locator("#log > li").count() <= MOST_ITEMS
        # And where it is deleted, its neighbour has the focus.
        await author.send(type="delete", mid=mids[-1])
        await expect(page.locator(f"#m-{mids[-1]}")).to_have_count(0)
        await expect(focused).to_have_count(1)


# From a page of the past ----------------------------------------------------------------------------------


async def test_a_permanent_address_leads_both_ways(server: Engawa, person) -> None:
    slug = new_room(server, "both ways")
    async with reading(server, await person(**PHONE), slug, before=160) as (page, _, mids):
        for way in ("chat", "feeds"):
            await page.goto(f"{server.base}/{way}/{slug}/m/{mids[80]}/")
            await expect(page.locator("#log [aria-current=true]")).to_be_in_viewport()
            await page.evaluate(WATCH, 20)
            await shown(page, mids[10])
            await unmoved(page)
            await page.evaluate(TO_END)
            await shown(page, mids[120])
            await page.evaluate(TO_END)
            await shown(page, mids[159])
            await expect(page.locator("#later a")).to_have_count(0)
            await expect(page.get_by_role("link", name="To the newest messages")).to_be_visible()


async def test_what_is_answered_is_shown_in_place_however_old(server: Engawa, person) -> None:
    slug = new_room(server, "answered long ago")
    somebody, plain = await person(**PHONE), await person(java_script_enabled=False)
    async with participant(server.sockets, slug) as author:
        mids = await pour(author, 400)
        await author.post("about the first", reply_to=mids[3])
        page = await somebody.open(f"{server.base}/chat/{slug}/")
        reply = page.locator("#log .message__reply:visible")
        await expect(reply).to_have_attribute("href", f"/chat/{slug}/m/{mids[3]}/")
        await reply.click()
        await expect(page.locator(f"#m-{mids[3]}")).to_be_in_viewport()
        assert page.url == f"{server.base}/chat/{slug}/"
        await author.post("meanwhile")
        await expect(page.locator("#newest")).to_have_text("Jump to latest · 1 new")
        await page.locator("#newest").click()
        await expect(texts(page).last).to_have_text("meanwhile")
        # What is gone is said to be by its own page.
        await author.send(type="delete", mid=mids[3])
        await page.locator("#log .message__reply:visible").click()
        await expect(page).to_have_url(re.compile(rf"/m/{mids[3]}/$"))
    somebody.complaints[:] = [said for said in somebody.complaints if "404" not in said]
    still = await plain.open(f"{server.base}/chat/{slug}/", live=False)
    await expect(still.locator("#log .message__reply:visible")).to_have_attribute("href", f"/chat/{slug}/m/{mids[3]}/")


# Days, groups, what is new --------------------------------------------------------------------------------

SPREAD = """
from datetime import timedelta
from django.utils.dateparse import parse_datetime
from chat.models import Message, Room
start = parse_datetime("2026-03-03T14:50:00Z")
for mid, minutes in {moments!r}:
    Message.objects.filter(mid=mid).update(created_at=start + timedelta(minutes=minutes))
"""


async def test_days_and_groups_follow_the_readers_clock(server: Engawa, person) -> None:
    slug = new_room(server, "days")
    async with participant(server.sockets, slug) as author:
        mids = [(await author.post(f"number {number}"))["mid"] for number in range(6)]
        # In Tokyo midnight is between the third and the fourth.
        server.shell(SPREAD.format(moments=list(zip(mids, (0, 2, 8, 11, 12, 24 * 60), strict=True))))
        tokyo = await person(timezone_id="Asia/Tokyo", locale="en")
        plain = await person(java_script_enabled=False, locale="en")
        page = await tokyo.open(f"{server.base}/chat/{slug}/")
        days = page.locator("#log .message__day")
        await expect(days).to_have_text(["Tuesday, March 3", "Wednesday, March 4"])
        goes_on = "() => [...document.querySelectorAll('#log > li')].map((li) => li.matches('.message--goes-on'))"
        assert await page.evaluate(goes_on) == [False, True, False, False, True, False]
        await expect(page.locator(f"#m-{mids[1]} .message__avatar")).to_be_hidden()
        # The author can be heard, and the exact time be seen, where nothing is shown of them.
        assert "guest-" in await page.locator(f"#m-{mids[1]}").aria_snapshot()
        await page.locator("#composer-text").focus()
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowUp")
        shown_time = "li => getComputedStyle(li, '::after').content"
        assert "Wednesday, March 4, 2026 at 12:02:00" in await page.locator("#log > li:focus").evaluate(shown_time)
        await page.keyboard.press("Escape")
        # The first of a day goes, and the next one is the first of it.
        await author.send(type="delete", mid=mids[3])
        await expect(page.locator(f"#m-{mids[4]} .message__day")).to_have_text("Wednesday, March 4")
        await author.send(type="delete", mid=mids[4])
        await expect(page.locator(f"#m-{mids[5]} .message__day")).to_have_text("Wednesday, March 4")
        await author.post("just now")
        await expect(days.last).to_have_text("Today")
        await expect(days).to_have_count(3)
        still = await plain.open(f"{server.base}/chat/{slug}/", live=False)
        await expect(still.locator("#log .message__day").first).to_have_text("March 3, 2026")


async def test_midnight_passes_while_one_reads(server: Engawa, person) -> None:
    slug = new_room(server, "midnight")
    somebody = await person(locale="ja")
    async with participant(server.sockets, slug) as author:
        await author.post("today")
        page = await somebody.context.new_page()
        await page.clock.install()
        await page.goto(f"{server.base}/chat/{slug}/")
        day = page.locator("#log .message__day")
        await expect(day).to_have_text("今日")
        await page.clock.fast_forward("24:00:01")
        await expect(day).to_have_text("昨日")


@pytest.mark.skipif(not LONG, reason="takes a thousand messages")
async def test_a_room_beside_others_holds_no_more_for_who_reads_further_up(server: Engawa, person) -> None:
    slug = new_room(server, "one of several")
    async with participant(server.sockets, slug) as author:
        await pour(author, 60)
        page = await (await person()).open(f"{server.base}/feeds/?room={slug}&room=lobby")
        pane = page.locator(".pane__scroller").first
        await pane.evaluate("element => element.scrollTo(0, 0)")
        mids = await pour(author, 1100, 60)
        await shown(page, mids[-1])
        assert await pane.locator(".log__messages > li").count() <= 1000
        assert await pane.evaluate("({ scrollTop, scrollHeight }) => scrollTop < scrollHeight / 2")


async def test_a_line_stands_above_what_is_new(server: Engawa, person) -> None:
    slug = new_room(server, "new line")
    somebody = await person()
    async with participant(server.sockets, slug) as author:
        await author.post("zero")
        page = await somebody.context.new_page()
        await page.clock.install()
        await page.goto(f"{server.base}/chat/{slug}/")
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        line = page.locator("#log .message__new")
        await page.clock.run_for(2500)
        await expect(line).to_have_count(0)
        kept = f"localStorage.getItem('engawa:seen:{slug}')"
        seen = await page.evaluate(kept)
        await page.goto("about:blank")
        new = [(await author.post(text))["mid"] for text in ("one", "two")]
        await page.goto(f"{server.base}/chat/{slug}/")
        await expect(page.locator(f"#m-{new[0]} .message__new")).to_have_text("New")
        await expect(line).to_have_count(1)
        await page.clock.run_for(2500)
        assert await page.evaluate(kept) == new[1] > seen
        await page.clock.run_for(6500)
        await expect(line).to_have_count(0)
        # Nobody looks at the page: what comes is new.
        await page.evaluate(
            """() => {
                Object.defineProperty(document, "hidden", { get: () => window.away ?? true, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        last = (await author.post("three"))["mid"]
        await page.clock.run_for(1000)
        await expect(page.locator(f"#m-{last} .message__new")).to_have_text("New")
        await page.clock.run_for(9000)
        await expect(line).to_have_count(1)
        await page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        await page.clock.run_for(9000)
        await expect(line).to_have_count(0)


async def test_what_is_deleted_as_one_looks_away_goes_without_a_frame(server: Engawa, person) -> None:
    slug = new_room(server, "between frames")
    async with participant(server.sockets, slug) as author:
        mid = (await author.post("taken back"))["mid"]
        page = await (await person()).open(f"{server.base}/feeds/{slug}/")
        # As in a tab behind another: a frame that was asked for does not come.
        await page.evaluate("window.requestAnimationFrame = () => 0")
        told = page.locator("script[type='application/ld+json']")
        assert "taken back" in await told.text_content()
        await author.send(type="delete", key="delete", mid=mid)
        await expect(told).to_have_count(0)  # which goes at once
        await page.evaluate(
            """() => {
                Object.defineProperty(document, "hidden", { get: () => true });
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        assert "taken back" not in await page.content()


CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const light = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const avatar = document.querySelector(".message__avatar");
    return Array.from({ length: 12 }, (_, hue) => {
        avatar.dataset.hue = hue;
        const { color, backgroundColor } = getComputedStyle(avatar);
        const [one, other] = [light(color), light(backgroundColor)].sort((a, b) => b - a);
        return [backgroundColor, (one + 0.05) / (other + 0.05)];
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_letters_can_be_read_on_all_twelve_colours(server: Engawa, person, scheme: str) -> None:
    slug = new_room(server, f"colours {scheme}")
    somebody = await person(color_scheme=scheme)
    async with reading(server, somebody, slug, before=1) as (page, _, _mids):
        found = await page.evaluate(CONTRAST)
        assert len({colour for colour, _ in found}) == 12
        assert min(contrast for _, contrast in found) >= 4.5, found
