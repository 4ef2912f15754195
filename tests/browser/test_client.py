"""What the pages do when something goes wrong: nothing is lost, nothing is there twice, and the words are honest."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Error, Page, Request, Route, WebSocketRoute, expect

from tests.browser.conftest import Person
from tests.browser.proxy import Line, line_to
from tests.browser.test_rooms import NO_WEBSOCKET, new_room, say, texts
from tests.clients import participant
from tests.servers import Engawa

NETWORK = re.compile(r"net::ERR_|WebSocket connection to|Failed to load resource|could not be read again yet")
STREAM = re.compile(r"/stream\?")
PATIENCE_SECONDS = 30
BY_OLGA = """
from chat import actions, governing, log, moderation, posting
from chat.models import User
olga = User.objects.get_or_create(username="olga")[0].identity
room = actions.create_room(olga, {slug!r})[0]
say = lambda text, **more: posting.post(olga, room.pk, text, **more).mid
"""


@pytest_asyncio.fixture(loop_scope="session")
async def line(server: Engawa) -> AsyncIterator[Line]:
    async with line_to(server.port) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(person) -> AsyncIterator[Person]:
    """Whose browser may complain of the network, and of nothing else."""
    somebody = await person()
    yield somebody
    forgive(somebody)


def forgive(*people: Person) -> None:
    for somebody in people:
        somebody.complaints[:] = [said for said in somebody.complaints if not NETWORK.search(said)]


def truth(server: Engawa, slug: str) -> list[str]:
    """What the room's history has."""
    answer = httpx.get(f"{server.base}/chat/{slug}/messages?limit=200", headers={"Accept": "application/json"})
    return [message["message"] for message in answer.json()["messages"]]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


def by_olga(server: Engawa, slug: str, code: str) -> str:
    """Run Python with Olga, her ``room`` of that name, made where there is none yet, and ``say`` at hand."""
    return server.shell(BY_OLGA.format(slug=slug) + code).strip()


def outgoing(page: Page) -> object:
    return page.locator("#outgoing .message__body")


def fate(page: Page) -> object:
    return page.locator("#outgoing .message__fate")


async def agree(server: Engawa, slug: str, said: list[str], *pages: Page) -> None:
    """The pages show what was said, each once, and so does the room's history."""
    for page in pages:
        await expect(texts(page)).to_have_text(said, timeout=PATIENCE_SECONDS * 1000)
        await expect(page.locator("#outgoing li")).to_have_count(0)
    assert truth(server, slug) == said


async def be(page: Page, state: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", state, timeout=PATIENCE_SECONDS * 1000)


async def go_offline(page: Page, line: Line) -> None:
    """Without a network: nothing new can be opened, and what was open is gone."""
    await page.context.set_offline(True)
    line.cut()
    await be(page, "offline")


async def crash(page: Page) -> None:
    """End what runs the page, without a last word."""
    crashed = asyncio.get_running_loop().create_future()
    page.once("crash", lambda _: crashed.set_result(None))
    with suppress(Error):
        await page.goto("chrome://crash", timeout=5_000)
    await asyncio.wait_for(crashed, PATIENCE_SECONDS)
    await page.close()  # the "aw, snap" that is left


# What is written ------------------------------------------------------------------------------------------


async def test_what_is_written_without_a_network_is_sent_when_it_is_back(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "tunnel")
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    field = page.locator("#composer-text")
    await say(page, "before the tunnel")
    await field.press_sequentially("in the ")
    await go_offline(page, line)
    await expect(page.get_by_role("status")).to_have_text("Offline")
    await field.press_sequentially("tunnel")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("")
    await say(page, "and *still*")
    await field.press_sequentially("not fini")
    await expect(outgoing(page)).to_have_text(["in the tunnel", "and *still*"])
    await expect(fate(page)).to_have_text(["Waiting for a connection…"] * 2)
    await page.context.set_offline(False)
    await be(page, "connected")
    await expect(texts(page)).to_have_text(["before the tunnel", "in the tunnel", "and still"])
    await expect(page.locator("#outgoing li")).to_have_count(0)
    assert truth(server, slug) == ["before the tunnel", "in the tunnel", "and *still*"]
    await expect(field).to_have_value("not fini")


async def test_a_draft_outlives_a_reload(server: Engawa, somebody) -> None:
    slug = new_room(server, "draft")
    page = await somebody.open(f"{server.base}/chat/{slug}/")
    field = page.locator("#composer-text")
    await field.press_sequentially("half a thou")
    await page.reload()
    await expect(field).to_have_value("half a thou")
    await field.press_sequentially("ght")
    await field.press("Enter")
    await agree(server, slug, ["half a thought"], page)
    await page.reload()
    await be(page, "connected")
    await expect(field).to_have_value("")


@pytest.mark.parametrize("end", ["closed", "crashed"])
async def test_what_a_tab_had_not_sent_when_it_ended_is_sent_by_the_next(
    server: Engawa, line: Line, somebody, end: str
) -> None:
    slug = new_room(server, f"the tab {end}")
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    await say(page, "zero")
    await expect(texts(page)).to_have_text(["zero"])
    await go_offline(page, line)
    said = ["one", "two", "three"]
    for text in said:
        await say(page, text)
    await expect(outgoing(page)).to_have_text(said)
    await (page.close() if end == "closed" else crash(page))
    await somebody.context.set_offline(False)
    assert truth(server, slug) == ["zero"]
    again = await somebody.open(f"{line.base}/chat/{slug}/")
    await agree(server, slug, ["zero", *said], again)
    await again.reload()
    await agree(server, slug, ["zero", *said], again)


async def test_what_waits_while_the_server_restarts_is_sent_once(tmp_path, somebody) -> None:
    server = Engawa(tmp_path)
    try:
        page = await somebody.open(f"{server.base}/chat/lobby/")
        await say(page, "before")
        await expect(texts(page)).to_have_text(["before"])
        server.stop()
        await be(page, "reconnecting")
        for number in range(5):
            await say(page, f"meanwhile {number}")
        await expect(fate(page)).to_have_text(["Waiting for a connection…"] * 5)
        server.start()
        server.wait_until_ready()
        await agree(server, "lobby", ["before", *(f"meanwhile {number}" for number in range(5))], page)
    finally:
        server.stop()


@pytest.mark.parametrize("end", ["the line", "the tab"])
async def test_a_message_whose_answer_was_lost_after_the_commit_is_there_once(
    server: Engawa, line: Line, somebody, end: str
) -> None:
    slug = new_room(server, f"no answer, {end}")
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    line.mute_server()
    await say(page, "did you hear me?")
    await until(lambda: truth(server, slug) == ["did you hear me?"])
    await expect(fate(page)).to_have_text("Sending…")
    await expect(texts(page)).to_have_count(0)
    if end == "the tab":
        await crash(page)
    line.cut()
    if end == "the tab":
        page = await somebody.open(f"{line.base}/chat/{slug}/")
    await agree(server, slug, ["did you hear me?"], page)


async def test_two_tabs_of_one_person_neither_lose_nor_double(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "two tabs")
    one = await somebody.open(f"{line.base}/chat/{slug}/")
    two = await somebody.open(f"{line.base}/chat/{slug}/")
    await say(one, "from one")
    await agree(server, slug, ["from one"], one, two)
    await say(two, "from two")
    await agree(server, slug, ["from one", "from two"], one, two)
    await go_offline(one, line)
    await be(two, "offline")
    await say(one, "one, offline")
    await say(two, "two, offline")
    for tab in (one, two):
        await expect(outgoing(tab)).to_have_text(["one, offline", "two, offline"])
    await somebody.context.set_offline(False)
    await until(lambda: len(truth(server, slug)) == 4)
    said = truth(server, slug)
    assert sorted(said[2:]) == ["one, offline", "two, offline"]
    await agree(server, slug, said, one, two)
    # The one that wrote it is gone before it could send it.
    await go_offline(one, line)
    await say(one, "last words")
    await expect(outgoing(two)).to_have_text(["last words"])
    await one.close()
    await somebody.context.set_offline(False)
    await agree(server, slug, [*said, "last words"], two)


async def test_what_is_never_answered_is_sent_again(server: Engawa, somebody) -> None:
    slug = new_room(server, "no answer at all")
    page = await somebody.context.new_page()
    swallowed: list[dict] = []

    def swallow(post: dict) -> dict | None:
        if swallowed:
            return None
        swallowed.append(post)
        return {"type": "pong"}

    await answer_posts(page, swallow)
    await page.clock.install()
    await page.goto(f"{server.base}/chat/{slug}/")
    await be(page, "connected")
    await say(page, "anybody?")
    await expect(fate(page)).to_have_text("Sending…")
    await until(lambda: swallowed)
    await page.clock.run_for("00:31")
    await agree(server, slug, ["anybody?"], page)


async def test_what_is_long_past_is_sent_when_its_author_says_so(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "long past")
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    await go_offline(page, line)
    await say(page, "good morning")
    await expect(outgoing(page)).to_have_text(["good morning"])
    await page.close()
    await somebody.context.set_offline(False)
    await somebody.context.clock.install(time=time.time() + 13 * 3600)
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    await expect(fate(page)).to_have_text("Not sent. This could not be sent for a long time.")
    assert truth(server, slug) == []
    await page.get_by_role("button", name="Retry").click()
    await agree(server, slug, ["good morning"], page)


async def test_what_waits_outlives_a_log_that_begins_anew(tmp_path, somebody) -> None:
    server = Engawa(tmp_path)
    try:
        page = await somebody.open(f"{server.base}/chat/lobby/")
        await say(page, "before")
        await expect(texts(page)).to_have_text(["before"])
        server.stop()
        await be(page, "reconnecting")
        await say(page, "meanwhile")
        server.manage("restart_logs")
        server.start()
        server.wait_until_ready()
        await agree(server, "lobby", ["before", "meanwhile"], page)
        await say(page, "after")
        await agree(server, "lobby", ["before", "meanwhile", "after"], page)
    finally:
        server.stop()


# What the server says to it --------------------------------------------------------------------------------


async def test_what_the_server_refuses_can_be_tried_again_or_discarded(server: Engawa, somebody) -> None:
    slug = new_room(server, "refusals")
    page = await somebody.context.new_page()
    refuse = ["no"]
    await answer_posts(page, lambda post: refused(post) if post["message"] in refuse else None)
    await page.goto(f"{server.base}/chat/{slug}/")
    await say(page, "\u200b")  # the server itself refuses that
    await say(page, "no")
    await say(page, "yes")
    await expect(texts(page)).to_have_text(["yes"])
    await expect(page.locator("#outgoing > li[data-fate=failed]")).to_have_count(2)
    await expect(fate(page)).to_have_text(["Not sent. There is nothing to see in that text.", "Not sent. Not today."])
    await page.reload()
    await expect(fate(page)).to_have_text(["Not sent. There is nothing to see in that text.", "Not sent. Not today."])
    await expect(page.get_by_role("button", name="Retry").last).to_be_in_viewport()
    await page.get_by_role("button", name="Discard").first.click()
    await expect(outgoing(page)).to_have_text(["no"])
    await page.get_by_role("button", name="Retry").click()
    await expect(fate(page)).to_have_text("Not sent. Not today.")
    refuse.clear()
    await page.get_by_role("button", name="Retry").click()
    await agree(server, slug, ["yes", "no"], page)
    await page.reload()
    await agree(server, slug, ["yes", "no"], page)


async def test_what_may_pass_is_tried_again_when_the_server_says_and_in_its_order(server: Engawa, somebody) -> None:
    slug = new_room(server, "too fast")
    page = await somebody.context.new_page()
    errors = [
        {"code": "limit.posts", "detail": "You are too fast.", "retry_after": 1.5},
        {"code": "server.busy", "detail": "The database is not answering.", "retryable": True},
        {"code": "server.error", "detail": "Something went wrong.", "retryable": True},
    ]
    times: list[float] = []

    def answer(post: dict) -> dict | None:
        times.append(time.monotonic())
        return {"type": "error", **errors.pop(0), "key": post["key"]} if errors else None

    await answer_posts(page, answer)
    await page.goto(f"{server.base}/chat/{slug}/")
    await say(page, "one")
    await say(page, "two")
    await expect(fate(page).first).to_have_text("Waiting… You are too fast.")
    await agree(server, slug, ["one", "two"], page)
    assert len(times) == 5
    assert times[1] - times[0] >= 1.45


async def answer_posts(page: Page, answer: Callable[[dict], dict | None]) -> None:
    """Answer posts in the server's stead, but for those to which ``answer`` returns None."""

    def meet(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str) -> None:
            frame = json.loads(text)
            own = answer(frame) if frame["type"] == "post" else None
            socket.send(json.dumps(own)) if own else server.send(text)

        socket.on_message(pass_on)

    await page.route_web_socket("**/ws/**", meet)


def refused(post: dict) -> dict:
    return {"type": "error", "code": "not_allowed", "detail": "Not today.", "key": post["key"]}


# Coming back ----------------------------------------------------------------------------------------------


NETWORK_IS_BACK = "async () => { while (!(await fetch('/health/live').catch(() => null))); }"


@pytest.mark.parametrize("who", ["the network", "the reader"])
async def test_who_comes_back_is_not_kept_waiting(server: Engawa, line: Line, somebody, who: str) -> None:
    slug = new_room(server, f"back is {who}")
    page = await somebody.context.new_page()
    if who == "the reader":
        await page.add_init_script("addEventListener('online', (event) => event.stopImmediatePropagation())")
    await page.clock.install()
    await page.goto(f"{line.base}/chat/{slug}/")
    await be(page, "connected")
    await go_offline(page, line)
    # No timer fires any more: what happens now does not happen because time has passed.
    await page.clock.pause_at(time.time() + 3600)
    await somebody.context.set_offline(False)
    if who == "the reader":
        await page.evaluate(NETWORK_IS_BACK)  # or the one attempt that is made fails
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await be(page, "connected")


async def test_the_status_says_how_many_messages_were_missed(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "missed")
    room = await somebody.open(f"{line.base}/chat/{slug}/")
    watch = await somebody.open(f"{line.base}/feeds/{slug}/")
    await say(room, "mine")
    await expect(texts(watch)).to_have_text(["mine"])
    await go_offline(room, line)
    await be(watch, "offline")
    await say(room, "mine, too")
    async with participant(server.sockets, slug) as other:
        for number in range(3):
            await other.post(f"missed {number}")
    await somebody.context.set_offline(False)
    for page in (room, watch):
        await expect(page.get_by_role("status")).to_have_text(re.compile(r"Caught up, \d missed"))
    await expect(room.get_by_role("status")).to_have_text("Caught up, 3 missed")
    for page in (room, watch):
        await expect(page.get_by_role("status")).to_have_text("Live")
    await agree(server, slug, ["mine", *(f"missed {number}" for number in range(3)), "mine, too"], room)


async def test_a_server_that_leaves_is_met_again_when_it_says(server: Engawa, somebody) -> None:
    slug = new_room(server, "leaving")
    page = await somebody.context.new_page()
    times: list[float] = []

    async def meet(socket: WebSocketRoute) -> None:
        times.append(time.monotonic())
        if len(times) > 1:
            socket.connect_to_server()
            return
        socket.send(json.dumps(WELCOME))
        socket.send(json.dumps({**GOING_AWAY, "type": "error", "code": "server.going_away", "detail": "Back soon."}))
        await socket.close(code=4001)

    await page.route_web_socket("**/ws/**", meet)
    await page.goto(f"{server.base}/chat/{slug}/")
    await be(page, "reconnecting")
    await be(page, "connected")
    assert 1.95 <= times[1] - times[0] < 4
    await say(page, "there you are")
    await agree(server, slug, ["there you are"], page)


async def test_who_acts_meets_a_leaving_server_earlier(server: Engawa, somebody) -> None:
    slug = new_room(server, "leaving for long")
    page = await somebody.context.new_page()
    sockets: list[WebSocketRoute] = []

    async def meet(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) > 1:
            socket.connect_to_server()
            return
        socket.send(json.dumps(WELCOME))
        socket.send(json.dumps({**GOING_AWAY, "type": "error", "retry_after": 500}))
        await socket.close(code=4001)

    await page.route_web_socket("**/ws/**", meet)
    await page.goto(f"{server.base}/chat/{slug}/")
    await be(page, "reconnecting")
    await say(page, "now")
    await agree(server, slug, ["now"], page)


@pytest.mark.parametrize(("code", "state"), [(4001, "connected"), (4499, "connected"), (4500, "closed")])
async def test_a_close_code_says_whether_to_come_back(server: Engawa, somebody, code: int, state: str) -> None:
    page = await somebody.context.new_page()
    sockets: list[WebSocketRoute] = []

    async def meet(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) > 1:
            socket.connect_to_server()
        else:
            await socket.close(code=code)

    await page.route_web_socket("**/ws/**", meet)
    await page.goto(f"{server.base}/chat/lobby/")
    await be(page, state)
    assert len(sockets) == (2 if state == "connected" else 1)


async def test_a_page_that_stays_away_says_why_and_gives_the_text_back(server: Engawa, somebody) -> None:
    slug = new_room(server, "turned away")
    page = await somebody.context.new_page()

    async def meet(socket: WebSocketRoute) -> None:
        socket.send(json.dumps({"type": "error", "code": "limit.connections", "detail": "There are too many."}))
        await socket.close(code=4504)

    await page.route_web_socket("**/ws/**", meet)
    await page.goto(f"{server.base}/chat/{slug}/")
    await be(page, "closed")
    await expect(page.get_by_role("status")).to_have_text("Closed. There are too many.")
    await page.unroute_all()
    await say(page, "kept")
    await expect(fate(page)).to_have_text("Not sent. There are too many.")
    await page.reload()
    await expect(outgoing(page)).to_have_text(["kept"])


WELCOME = {"type": "welcome", "head": 0, "heartbeat": 25, "you": {"id": "somebody"}, "may": {"post": True}}
GOING_AWAY = {"type": "going-away", "retry_after": 2.0}


# Streams --------------------------------------------------------------------------------------------------


class Trouble:
    """Fails the next requests for a page's stream, and remembers all of them."""

    def __init__(self, **answer: object) -> None:
        self.answer = answer
        self.left = 0
        self.cursors: list[str] = []
        self.times: list[float] = []

    async def meet(self, route: Route, request: Request) -> None:
        self.cursors.append(httpx.URL(request.url).params["lastEventId"])
        self.times.append(time.monotonic())
        if not self.left:
            await route.continue_()
            return
        self.left -= 1
        await route.fulfill(**self.answer)


@pytest.mark.parametrize(
    "answer",
    [None, {"status": 502}, {"status": 429, "headers": {"Retry-After": "2"}}, {"status": 503, "body": "{}"}],
    ids=["dropped", "502", "429", "503"],
)
async def test_a_stream_comes_back_from_where_it_was(server: Engawa, line: Line, somebody, answer: dict | None) -> None:
    slug = new_room(server, f"stream {answer}")
    page = await somebody.context.new_page()
    trouble = Trouble(**answer or {})
    await page.route(STREAM, trouble.meet)
    await page.goto(f"{line.base}/feeds/{slug}/")
    await be(page, "connected")
    async with participant(server.sockets, slug) as other:
        first = await other.post("before")
        await expect(texts(page)).to_have_text(["before"])
        trouble.left = 4 if answer else 0
        line.cut()
        await be(page, "reconnecting")
        await other.post("meanwhile")
        await be(page, "connected")
        await other.post("after")
    await expect(texts(page)).to_have_text(["before", "meanwhile", "after"])
    assert trouble.left == 0
    assert trouble.cursors[0].endswith(":0")
    assert all(cursor.endswith(f":{first['id']}") for cursor in trouble.cursors[1:]), trouble.cursors
    if answer and "headers" in answer:
        assert trouble.times[3] - trouble.times[2] >= 1.95


async def test_a_stream_whose_server_leaves_comes_back_when_it_says(server: Engawa, somebody) -> None:
    slug = new_room(server, "leaving stream")
    page = await somebody.context.new_page()
    leaving = f"event: stream-open\ndata:\n\nevent: going-away\ndata: {json.dumps(GOING_AWAY)}\n\n"
    trouble = Trouble(status=200, content_type="text/event-stream", body=leaving)
    trouble.left = 1
    await page.route(STREAM, trouble.meet)
    await page.goto(f"{server.base}/feeds/{slug}/", wait_until="commit")  # "load" may come when it is back already
    await be(page, "reconnecting")
    await be(page, "connected")
    assert 1.95 <= trouble.times[1] - trouble.times[0] < 4


# Without a WebSocket ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["no constructor", "refuse", "hang"])
async def test_without_a_websocket_one_reads_and_writes(server: Engawa, line: Line, somebody, way: str) -> None:
    slug = new_room(server, f"without {way}")
    if way == "no constructor":
        await somebody.context.add_init_script(NO_WEBSOCKET)
    else:
        line.sockets = way
    page = await somebody.context.new_page()
    await page.goto(f"{line.base}/chat/{slug}/")
    await say(page, "early")  # while it is still being found out
    await be(page, "connected")
    await expect(page.get_by_role("status")).to_have_text("Live (without WebSocket)")
    said = ["early"]
    async with participant(server.sockets, slug) as other:
        for number in range(3):
            await say(page, f"mine {number}")
            await expect(texts(page)).to_have_text([*said, f"mine {number}"])
            await other.post(f"theirs {number}")
            said += [f"mine {number}", f"theirs {number}"]
            await expect(texts(page)).to_have_text(said)
        await agree(server, slug, said, page)
        # An answer is lost after the commit, here as well.
        line.mute_server()
        await say(page, "are you there?")
        said.append("are you there?")
        await until(lambda: truth(server, slug) == said)
        await expect(outgoing(page)).to_have_text(["are you there?"])
        line.cut()
        await agree(server, slug, said, page)
        await say(page, "\u200b")
        await expect(fate(page)).to_have_text("Not sent. There is nothing to see in that text.")
        await page.get_by_role("button", name="Discard").click()
        await agree(server, slug, said, page)


async def test_a_websocket_takes_over_again_when_one_can_be_opened(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "way back")
    line.sockets = "refuse"
    page = await somebody.context.new_page()
    await page.clock.install()
    await page.goto(f"{line.base}/chat/{slug}/")
    await expect(page.get_by_role("status")).to_have_text("Live (without WebSocket)")
    await say(page, "by post")
    await agree(server, slug, ["by post"], page)
    line.sockets = "pass"
    await page.clock.fast_forward("03:00")
    await expect(page.get_by_role("status")).to_have_text("Live")
    await say(page, "by socket")
    await agree(server, slug, ["by post", "by socket"], page)


async def test_a_token_older_than_the_session_is_renewed(server: Engawa, somebody) -> None:
    slug = new_room(server, "old token")
    await somebody.context.add_init_script(NO_WEBSOCKET)
    page = await somebody.open(f"{server.base}/chat/{slug}/")
    await somebody.context.clear_cookies(name="csrftoken")
    await say(page, "still me")
    await agree(server, slug, ["still me"], page)


async def test_who_became_somebody_else_does_not_say_it_twice(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "changed")
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    line.mute_server()
    await say(page, "once")
    await until(lambda: truth(server, slug) == ["once"])
    await somebody.context.clear_cookies(name="guest")
    line.cut()
    await agree(server, slug, ["once"], page)


async def test_who_took_another_name_elsewhere_reads_as_whom_they_write(server: Engawa, line: Line, somebody) -> None:
    slug = new_room(server, "another name")
    page = await somebody.open(f"{line.base}/chat/{slug}/")
    other = await somebody.open(f"{line.base}/chat/lobby/")
    await other.locator(".guest summary").click()
    await other.locator("#guest-name").fill("Nori")
    await other.get_by_role("button", name="Change name").click()
    await expect(other.locator(".guest summary bdi")).to_have_text("Nori")
    await other.close()
    line.cut()
    await expect(page.locator(".guest summary bdi")).to_have_text("Nori")
    line.mute_server()
    await say(page, "who am I?")
    await expect(page.locator("#outgoing .message__author")).to_have_text("Nori")
    line.cut()
    await expect(page.locator("#log .message__author")).to_have_text("Nori")


# What is shown ---------------------------------------------------------------------------------------------


async def test_a_pin_that_could_not_be_looked_up_is_looked_up_again(server: Engawa, somebody) -> None:
    first = by_olga(server, "far-pin", "print([say(str(number)) for number in range(60)][0])")
    page = await somebody.open(f"{server.base}/feeds/far-pin/")
    answers = iter([None, 503])

    async def fail_twice(route: Route) -> None:
        status = next(answers, 200)
        if status is None:
            await route.abort()
        elif status == 503:
            await route.fulfill(status=503)
        else:
            await route.continue_()

    await page.route("**/feeds/far-pin/", fail_twice)
    by_olga(server, "far-pin", f"moderation.pin(olga, room.pk, {first!r})")
    await expect(page.locator("#pinned")).to_be_visible()
    await expect(page.locator("#pinned .pinned__excerpt")).to_have_text("0")
    assert len(somebody.complaints) == 4
    somebody.complaints[:] = [said for said in somebody.complaints if "pinned message could not be read" not in said]


async def test_what_went_unheard_before_a_log_was_pruned_is_not_counted_as_new(
    server: Engawa, line: Line, somebody
) -> None:
    by_olga(server, "unheard", "for number in range(60): say(str(number))")
    page = await somebody.open(f"{line.base}/feeds/unheard/")
    await page.locator("#scroller").evaluate("scroller => scroller.scrollTo(0, scroller.scrollHeight / 2)")
    await expect(page.locator("#newest")).to_have_text("Jump to latest")
    mids = by_olga(server, "unheard", "print(*[say(f'new {number}') for number in range(3)])").split()
    await expect(page.locator("#newest")).to_have_text("Jump to latest · 3 new")
    await go_offline(page, line)
    by_olga(server, "unheard", f"for mid in {mids[:2]!r}: actions.delete(olga, room.pk, mid)\nlog.prune(room.pk, 0)")
    await somebody.context.set_offline(False)
    await expect(page.locator("#newest")).to_have_text("Jump to latest · 1 new")


async def test_a_room_among_several_is_all_anew_where_its_log_was_pruned(server: Engawa, line: Line, somebody) -> None:
    first = by_olga(server, "anew", "print([say(text) for text in 'abc'][0])")
    page = await somebody.open(f"{line.base}/feeds/?room=anew&room=lobby")
    pane = page.locator(".pane[data-slug=anew]")
    await expect(pane.locator(".log__earlier")).to_have_count(0)
    await page.context.set_offline(True)
    line.cut()
    await be(page, "reconnecting")
    by_olga(
        server,
        "anew",
        "for number in range(60): say(str(number))\n"
        "governing.change_room(olga, room.pk, {'title': 'Renamed'}); log.prune(room.pk, 0)",
    )
    await page.context.set_offline(False)
    await expect(pane.locator(".message__body").last).to_have_text("59")
    await expect(pane.locator(".pane__title")).to_have_text("Renamed")
    await expect(pane.locator(".log__earlier")).to_have_count(1)
    by_olga(server, "anew", f"say('an answer', reply_to={first!r})")
    await expect(pane.locator(".message__reply:visible .message__excerpt")).to_have_text("an earlier message")
    await page.close()  # or it complains of the end of its line, whenever it hears of that


# Who is here ----------------------------------------------------------------------------------------------


async def test_who_is_here_is_said_as_soon_as_it_is_known(server: Engawa, somebody) -> None:
    slug = new_room(server, "presence")
    page = await somebody.context.new_page()
    sockets: list[WebSocketRoute] = []

    def meet(socket: WebSocketRoute) -> None:
        sockets.append(socket)

        def pass_on(text: str) -> None:
            if json.loads(text)["type"] != "presence":
                socket.send(text)

        socket.connect_to_server().on_message(pass_on)

    await page.route_web_socket("**/ws/**", meet)
    await page.goto(f"{server.base}/chat/{slug}/")
    await be(page, "connected")
    presence = page.locator("#presence")
    await expect(presence).to_be_hidden()
    sockets[0].send(json.dumps({"type": "presence", "participants": 3, "viewers": 12, "names": ["Aki", "<b>Mio</b>"]}))
    await presence.get_by_text("3 here · 12 watching").click()
    await expect(presence.get_by_role("listitem").locator("bdi")).to_have_text(["Aki", "<b>Mio</b>"])
    sockets[0].send(json.dumps({"type": "presence", "participants": 1, "viewers": 0}))
    await expect(presence.get_by_text("1 here", exact=True)).to_be_visible()
    await sockets[0].close(code=4001)
    await expect(presence).to_be_hidden()


async def test_a_watch_page_says_who_is_there(server: Engawa, somebody) -> None:
    slug = new_room(server, "watched presence")
    page = await somebody.context.new_page()
    body = 'event: stream-open\ndata:\n\nevent: presence\ndata: {"type":"presence","participants":3,"viewers":12}\n\n'
    trouble = Trouble(status=200, content_type="text/event-stream", body=body)
    trouble.left = 1
    await page.route(STREAM, trouble.meet)
    await page.goto(f"{server.base}/feeds/{slug}/")
    # That stream has ended by now; what it said is no longer shown, but still there to be seen.
    await expect(page.locator("#presence")).to_have_text("3 here · 12 watching")
