"""Keeping order in a room while it is busy, and what those see of it whom it concerns."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
import websockets
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Person
from tests.browser.test_rooms import NO_WEBSOCKET, choose, say, texts
from tests.clients import Participant, participant
from tests.servers import Engawa

PER_SECOND = 50
ENOUGH = 60  # messages of a wave, before anything is done about it
ROOMS = {
    "mouse": {},
    "touch": {},
    "keys": {},
    "slow": {"slow_seconds": 2},
    "approval": {"approval": "guests"},
    "talk": {"shows_names": True},
    "ends": {},
    "roles": {},
    "http": {},
}
PREPARE = f"""
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from chat import actions, governing
from chat.models import User
def session(user):
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return store.session_key
olga, mio = (User.objects.create_user(name) for name in ("olga", "mio"))
for name, settings in {ROOMS!r}.items():
    room, _ = actions.create_room(olga.identity, name)
    governing.change_room(olga.identity, room.pk, settings)
print(json.dumps({{user.username: session(user) for user in (olga, mio)}}))
"""


class Engaged(Engawa):
    """A server with the rooms above, which are Olga's."""

    def prepare(self) -> None:
        self.sessions = json.loads(self.shell(PREPARE))

    def do(self, room: str, code: str) -> str:
        """Run Python with Olga and her ``room``."""
        return self.shell(
            "from chat import governing, moderation, posting, review; from chat.models import *\n"
            f"olga, room = User.objects.get(username='olga').identity, Room.objects.get(slug={room!r})\n{code}"
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engaged]:
    server = Engaged(tmp_path_factory.mktemp("house"), POSTS_PER_MINUTE="0")
    server.prepare()
    yield server
    server.stop()


@pytest.fixture
def signed_in(house: Engaged, person) -> Callable[..., Awaitable[Person]]:
    async def make(name: str, **options: object) -> Person:
        somebody = await person(**options)
        cookie = {"name": "sessionid", "value": house.sessions[name], "url": house.base}
        await somebody.context.add_cookies([cookie])
        return somebody

    return make


def of(page: Page, author: str) -> Locator:
    return page.locator(f'#log > li[data-author="{author}"]')


def said(page: Page, text: str) -> Locator:
    return page.locator("#log > li").filter(has=page.locator(".message__body", has_text=re.compile(f"^{text}$")))


async def cookies_of(somebody: Person) -> str:
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in await somebody.context.cookies())


@asynccontextmanager
async def wave(house: Engaged, room: str, cookie: str | None = None) -> AsyncIterator[Participant]:
    """Somebody who posts half of what a room gets, until they are stopped."""
    async with participant(house.sockets, room, cookie=cookie) as spammer:

        async def pour() -> None:
            number = 0
            with suppress(websockets.ConnectionClosed):
                while True:
                    await spammer.send(type="post", message=f"buy {number}")
                    await asyncio.sleep(2 / PER_SECOND)
                    number += 1

        async def hear() -> None:
            with suppress(websockets.ConnectionClosed):
                async for _ in spammer.socket:
                    pass

        tasks = [asyncio.create_task(pour()), asyncio.create_task(hear())]
        yield spammer
        for task in tasks:
            task.cancel()


# Each hand does the same to some message of an author that is in view.


class Mouse:
    options: dict = {"viewport": {"width": 1280, "height": 720}}

    def __init__(self, page: Page) -> None:
        self.page = page

    async def target(self, author: str) -> str:
        """The id of their last message, brought into view where the log stands still for who points at it."""
        box = await self.page.locator("#scroller").bounding_box()
        await self.page.mouse.move(box["x"] + 200, box["y"] + box["height"] / 2)
        await self.page.mouse.move(box["x"] + 210, box["y"] + box["height"] / 2)
        return await self.visible(author)

    async def visible(self, author: str) -> str:
        return await self.page.locator("#scroller").evaluate(
            """(scroller, author) => {
                const item = [...scroller.querySelectorAll(`[data-author="${author}"]`)].at(-1);
                item.scrollIntoView({block: "center"});
                return item.id;
            }""",
            author,
        )

    async def press(self, locator: Locator) -> None:
        await locator.click()

    async def do(self, author: str, name: str, confirm: str | None = None) -> str:
        """Returns the id of the message with which it was done."""
        message = await self.target(author)
        await self.press(self.page.locator(f"#{message} .message__more"))
        await self.press(self.page.get_by_role("menuitem", name=name))
        if confirm:
            await self.press(self.page.get_by_role("dialog").get_by_role("button", name=confirm, exact=True))
        return message

    async def delete(self, author: str) -> str:
        return await self.do(author, "Delete…", "Delete")

    async def delete_recent(self, author: str) -> None:
        await self.do(author, "Delete all recent", "Delete all")

    async def mute(self, author: str) -> None:
        await self.do(author, "10 min")

    async def ban(self, author: str) -> None:
        await self.do(author, "1 day", "Ban")


class Touch(Mouse):
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

    async def target(self, author: str) -> str:
        await self.page.touchscreen.tap(100, 400)
        return await self.visible(author)

    async def press(self, locator: Locator) -> None:
        await locator.tap()


class Keys(Mouse):
    letters = {"Delete…": "d", "Delete all recent": "a", "10 min": "m", "1 day": "b"}

    async def do(self, author: str, name: str, confirm: str | None = None) -> str:
        await self.page.locator("#composer-text").focus()
        focused = self.page.locator("#log > li:focus")
        await self.page.keyboard.press("ArrowUp")
        while await focused.get_attribute("data-author") != author:
            await self.page.keyboard.press("ArrowUp")
        message = await focused.get_attribute("id")
        await self.page.keyboard.press(self.letters[name])
        await expect(self.page.get_by_role("dialog")).to_be_visible()
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("dialog")).to_be_hidden()
        await expect(focused).to_have_count(1)  # also where that message is gone
        return message


@pytest.mark.parametrize(("room", "hand"), [("mouse", Mouse), ("touch", Touch), ("keys", Keys)])
async def test_an_owner_stops_a_wave(house: Engaged, person, signed_in, room: str, hand: type[Mouse]) -> None:
    spammer, neighbour = await person(), await person()
    theirs = await spammer.open(f"{house.base}/chat/{room}/")
    others = await neighbour.open(f"{house.base}/chat/{room}/")
    watch = await neighbour.open(f"{house.base}/feeds/{room}/")
    page = await (await signed_in("olga", **hand.options)).open(f"{house.base}/chat/{room}/")
    pages = (page, others, watch)
    await say(others, "hello")
    owner = hand(page)
    async with wave(house, room) as other, wave(house, room, await cookies_of(spammer)) as spam:
        author, rest = spam.welcome["you"]["id"], other.welcome["you"]["id"]
        await expect(page.locator("#log > li").nth(ENOUGH)).to_be_attached()
        gone = await owner.delete(author)
        for view in pages:
            await expect(view.locator(f"#{gone}")).to_have_count(0)
        await owner.mute(author)
        await expect(theirs.locator("#composer-state")).to_have_text(re.compile(r"^You are muted until .*\d"))
        await expect(theirs.locator("#composer-text")).to_have_attribute("readonly", "")
        await owner.ban(author)
        await expect(theirs.locator("body")).to_have_attribute("data-state", "closed")
        await expect(theirs.get_by_role("status").first).to_have_text(
            re.compile(r"^Closed\. You were banned here until")
        )
        assert await spam.closed() == 4503
        before = await of(page, rest).count()
        await owner.delete_recent(author)
        for view in pages:
            await expect(of(view, author)).to_have_count(0)
        await expect(of(page, rest).nth(before)).to_be_attached()  # the other one goes on
    # No page has all that was said; the room has.
    assert house.do(room, "print(room.messages.visible().filter(text='hello').count())") == "1"


# What is said to those who write ------------------------------------------------------------------------


async def test_slow_mode_counts_down_and_sends_what_waits(house: Engaged, person) -> None:
    page = await (await person()).open(f"{house.base}/chat/slow/")
    countdown = page.locator("#composer-state")
    await expect(countdown).to_have_text("")
    await say(page, "one")
    await expect(texts(page)).to_have_text(["one"])
    await expect(countdown).to_have_text(re.compile(r"Slow mode: one message at a time\. [12] sec left"))
    await say(page, "two")
    await expect(page.locator("#outgoing .message__fate")).to_have_text(re.compile("^Waiting… .*slow mode"))
    await expect(texts(page)).to_have_text(["one", "two"])
    await expect(page.locator("#outgoing li")).to_have_count(0)


async def test_a_held_message_waits_for_a_moderator(house: Engaged, person, signed_in) -> None:
    guest = await person()
    page = await guest.open(f"{house.base}/chat/approval/")
    watch = await guest.open(f"{house.base}/feeds/approval/")
    moderator = await (await signed_in("olga")).open(f"{house.base}/chat/approval/")
    await expect(moderator.locator("#waiting")).to_be_hidden()
    await say(page, "good")
    await say(page, "bad")
    fates = page.locator("#outgoing .message__fate")
    await expect(fates).to_have_text(["Your message waits until a moderator has seen it."] * 2)
    await expect(moderator.get_by_role("link", name="Moderation")).to_have_text("Moderation 2 waiting")
    await page.reload()
    await expect(fates).to_have_text(["Your message waits until a moderator has seen it."] * 2)
    house.do(
        "approval",
        "good, bad = HeldMessage.objects.filter(room=room)\n"
        "review.approve(olga, room.pk, good.pk); review.reject(olga, room.pk, bad.pk)",
    )
    for view in (page, watch, moderator):
        await expect(texts(view)).to_have_text(["good"])
    await expect(page.locator("#outgoing .message__body")).to_have_text(["bad"])
    await expect(moderator.locator("#waiting")).to_be_hidden()
    # What became of the other is found out by asking again.
    await page.reload()
    await expect(fates).to_have_text(["Not sent. A moderator did not approve that message."])
    await page.get_by_role("button", name="Discard").click()
    await expect(page.locator("#outgoing li")).to_have_count(0)


async def test_reactions_replies_and_pins_are_the_same_for_everybody(house: Engaged, person, signed_in) -> None:
    guest = await person()
    page = await guest.open(f"{house.base}/chat/talk/")
    watch = await guest.open(f"{house.base}/feeds/talk/")
    owner = await (await signed_in("olga")).open(f"{house.base}/chat/talk/")
    await expect(page.locator(".presence summary")).to_have_text(re.compile("2 here"))
    await page.locator(".presence summary").click()
    await expect(page.get_by_role("listitem").filter(has_text="olga")).to_be_visible()
    await page.locator(".presence summary").click()
    await say(page, "*what* grows here?")
    await expect(texts(owner)).to_have_text(["what grows here?"])
    # The reply, by keys.
    await owner.locator("#composer-text").focus()
    for key in ("ArrowUp", "r"):
        await owner.keyboard.press(key)
    await expect(owner.locator("#composer-reply")).to_contain_text("what grows here?")
    await say(owner, "persimmons")
    await expect(owner.locator("#composer-reply")).to_be_hidden()
    # Reactions: of both, and one of them taken back.
    await page.bring_to_front()
    question, answer = page.locator("#log > li").nth(0), page.locator("#log > li").nth(1)
    await answer.hover()
    await answer.locator(".message__more").click()
    await page.get_by_role("menuitemcheckbox", name="👍").click()
    await expect(answer.get_by_role("button", name="👍 1")).to_have_attribute("aria-pressed", "true")
    theirs = owner.locator("#log > li").nth(1).get_by_role("button", name="👍")
    await expect(theirs).to_have_attribute("aria-pressed", "false")
    await theirs.click()
    for view in (page, owner, watch):
        await expect(view.locator("#log .chip")).to_have_text(["👍 2"])
    await answer.get_by_role("button", name="👍").click()
    await choose(owner, owner.locator("#log > li").nth(0), "Pin")
    for view in (page, owner, watch):
        await expect(view.locator("#log .chip")).to_have_text(["👍 1"])
        await expect(view.locator("#log .message__reply:visible")).to_have_text(re.compile(r"what grows here\?$"))
        await expect(view.locator("#pinned a")).to_have_text(re.compile(r"what grows here\?$"))
    await expect(page.locator("#pinned button")).to_be_hidden()
    # The server renders what the script made.
    shown = "log => [...log.children].map(item => [item.dataset.mid, item.innerText.replace(/[0-9]+:[0-9]+.*/, '')])"
    live = [await view.locator("#log").evaluate(shown) for view in (page, watch)]
    for view in (page, watch):
        await view.reload()
        await expect(view.locator("#log .chip")).to_have_text(["👍 1"])
        await expect(view.locator("body")).to_have_attribute("data-state", "connected")
        await expect(view.locator("#pinned a")).to_have_text(re.compile(r"what grows here\?$"))
    assert [await view.locator("#log").evaluate(shown) for view in (page, watch)] == live
    await expect(watch.locator("#log > li").nth(0).get_by_role("link", name="Report")).to_have_attribute(
        "href", f"/feeds/talk/report?mid={await question.get_attribute('data-mid')}"
    )
    # What is answered and pinned goes, and nothing of it stays.
    await page.bring_to_front()
    await choose(page, question, "Delete", "Delete")
    for view in (page, owner, watch):
        await expect(view.locator("#log .message__reply:visible")).to_have_text(re.compile("a deleted message$"))
        await expect(view.locator("#pinned")).to_be_hidden()
        assert "grows here" not in await view.content()


async def test_an_archived_room_closes_the_field_and_keeps_the_draft(house: Engaged, person) -> None:
    guest = await person()
    page = await guest.open(f"{house.base}/chat/ends/")
    watch = await guest.open(f"{house.base}/feeds/ends/")
    field = page.locator("#composer-text")
    await field.press_sequentially("half a thou")
    house.do("ends", "governing.archive(olga, room.pk)")
    for view in (page, watch):
        await expect(view.get_by_text("This room is archived").first).to_be_visible()
    await expect(page.locator("#composer-state")).to_have_text(re.compile("^This room is archived"))
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await expect(field).to_have_attribute("readonly", "")
    await field.press("Enter")
    await expect(field).to_have_value("half a thou")
    # Who comes later is told that nothing happens here, and looks again once a minute.
    late = await guest.context.new_page()
    await late.clock.install()
    await late.goto(f"{house.base}/feeds/ends/")
    await expect(late.get_by_role("status")).to_have_text("Archived")
    house.do(
        "ends",
        "governing.reopen(olga, room.pk); governing.change_room(olga, room.pk, {'title': 'Another', 'topic': 'X'})",
    )
    for view in (page, watch):
        await expect(view).to_have_title("Another · Engawa")
        await expect(view.get_by_role("heading", name="Another")).to_be_visible()
        await expect(view.locator("#topic")).to_have_text("X")
        await expect(view.locator("#archived")).to_be_hidden()
    await late.clock.fast_forward("01:01")
    await expect(late.locator("#archived")).to_be_hidden()
    await expect(late).to_have_title("Another · Engawa")
    await page.bring_to_front()
    await field.press_sequentially("ght")
    await field.press("Enter")
    for view in (page, watch, late):
        await expect(texts(view)).to_have_text(["half a thought"])


async def test_without_a_websocket_all_of_it_goes_by_http(house: Engaged, person, signed_in) -> None:
    owner = await signed_in("olga")
    await owner.context.add_init_script(NO_WEBSOCKET)
    page = await owner.open(f"{house.base}/chat/http/")
    guest = await (await person()).open(f"{house.base}/chat/http/")
    await say(guest, "one")
    await say(guest, "two")
    await expect(texts(page)).to_have_text(["one", "two"])
    await page.locator("#composer-text").focus()
    for key in ("ArrowUp", "p", "+"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Enter")  # the first reaction
    for view in (page, guest):
        await expect(view.locator("#log .chip")).to_have_text(["👍 1"])
        await expect(view.locator("#pinned")).to_contain_text("two")
    await choose(page, page.locator("#log > li").last, "Delete…", "Delete")
    for view in (page, guest):
        await expect(texts(view)).to_have_text(["one"])
        await expect(view.locator("#pinned")).to_be_hidden()
    house.do("http", "governing.archive(olga, room.pk)")
    await expect(page.locator("#composer-state")).to_have_text(re.compile("^This room is archived"))


async def test_the_tools_of_a_moderator_come_and_go(house: Engaged, person, signed_in) -> None:
    page = await (await signed_in("mio")).open(f"{house.base}/chat/roles/")
    guest = await (await person()).open(f"{house.base}/chat/roles/")
    await say(guest, "hm")
    message = page.locator("#log > li").first
    menu = page.get_by_role("menu")
    nav = page.get_by_role("link", name="Moderation")

    async def opened() -> None:
        await message.focus()
        await page.keyboard.press("Enter")
        await expect(menu).to_be_visible()

    await opened()
    await expect(menu.get_by_role("menuitem")).to_have_text([re.compile(name) for name in ("Reply", "Copy", "Report")])
    await page.keyboard.press("Escape")
    await expect(message).to_be_focused()
    await expect(nav).to_be_hidden()
    house.do("roles", "governing.set_role(olga, room.pk, 'mio', 'moderator')")
    await expect(nav).to_be_visible()
    await opened()
    await expect(menu.get_by_role("menuitem", name="Hide")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("hide: moderators can show it again")
    await page.keyboard.press("Escape")
    # Whoever is quick is asked the next thing.
    for _ in range(5):
        await page.keyboard.press("m")
        await page.keyboard.press("Escape")
    await page.keyboard.press("b")
    await expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(re.compile("^Ban guest-"))
    await page.get_by_text("Their network").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Everybody from that network who is not a member")
    await page.keyboard.press("Escape")
    await expect(message).to_be_focused()
    # To readers, hidden is as good as deleted.
    await say(guest, "psst")
    await expect(texts(page)).to_have_text(["hm", "psst"])
    for key in ("End", "h"):
        await page.keyboard.press(key)
    for view in (page, guest):
        await expect(texts(view)).to_have_text(["hm"])
    await expect(page.locator("#feedback")).to_have_text("Hidden. It can be shown again under Moderation.")
    await expect(message).to_be_focused()
    house.do("roles", "governing.set_role(olga, room.pk, 'mio', None)")
    await expect(nav).to_be_hidden()
    await page.keyboard.press("h")
    await opened()
    await expect(menu.get_by_role("menuitem", name="Hide")).to_have_count(0)
    await expect(texts(page)).to_have_text(["hm"])
