"""A room as people meet it."""

import asyncio
import re
from collections.abc import Callable

import httpx
import pytest
from playwright.async_api import FrameLocator, Locator, Page, expect

from tests.clients import participant
from tests.servers import Engawa

NO_WEBSOCKET = "delete window.WebSocket"


def new_room(server: Engawa, name: str) -> str:
    return server.shell(
        "from chat import actions; from chat.identity import new_guest\n"
        f"print(actions.create_room(new_guest(), {name!r})[0].slug)"
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def say(page: Page, text: str) -> None:
    await page.locator("#composer-text").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-text")).to_have_value("")


async def choose(page: Page, message: Locator, *names: str) -> None:
    """Open a message's menu and choose from it; what the dialog is then asked to do is by the names of its buttons."""
    await message.hover()
    await message.locator(".message__more").click()
    await page.get_by_role("menu").get_by_role("menuitem", name=names[0]).click()
    for name in names[1:]:
        await page.get_by_role("dialog").get_by_role("button", name=name).click()


def texts(page: Page | FrameLocator) -> object:
    return page.locator("#log .message__body")


def embedded(page: Page | FrameLocator) -> object:
    """The same in a web component."""
    return page.locator("engawa-room [part=text]")


async def test_the_field_of_the_tutorial_leads_into_a_room(server: Engawa, person) -> None:
    """Enter a name, chat, reload: the messages are still there."""
    page = await (await person()).open(f"{server.base}/", live=False)
    await page.get_by_label("Which room would you like to enter?").fill("縁側 Talk")
    await page.keyboard.press("Enter")
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")
    assert page.url.endswith("/chat/%E7%B8%81%E5%81%B4-talk/")
    await say(page, "こんにちは *world*")
    await expect(texts(page)).to_have_text(["こんにちは world"])
    await expect(page.locator("#log em")).to_have_text("world")
    await page.reload()
    await expect(texts(page)).to_have_text(["こんにちは world"])


@pytest.mark.parametrize("how_many", ["one process", "two processes"])
async def test_four_ways_of_seeing_one_room(request, person, site, how_many: str) -> None:
    if how_many == "one process":
        one = two = request.getfixturevalue("server")
    else:
        one, two = request.getfixturevalue("servers")
    slug = new_room(one, f"four ways {how_many}")
    aki, mio, watcher, reader = [await person() for _ in range(4)]
    await watcher.context.add_init_script(NO_WEBSOCKET)
    first = await aki.open(f"{one.base}/chat/{slug}/")
    second = await mio.open(f"{two.base}/chat/{slug}/")
    third = await watcher.open(f"{two.base}/feeds/{slug}/")
    host = site(f'<!doctype html><title>News</title><iframe src="{one.base}/embed/{slug}/" title="Room"></iframe>')
    newspaper = await reader.open(host.url, live=False)
    frame = newspaper.frame_locator("iframe")
    await expect(frame.locator("engawa-room")).to_have_attribute("state", "live")
    said = []
    for number in range(6):
        page = (first, second)[number % 2]
        await say(page, f"message {number}")
        said.append(f"message {number}")
        for view in (first, second, third):
            await expect(texts(view)).to_have_text(said)
        await expect(embedded(frame)).to_have_text(said)
    assert await watcher.context.cookies() == []
    assert await reader.context.cookies() == []
    await expect(third.locator("#composer")).to_have_count(0)
    await expect(first.get_by_text("Anyone may watch")).to_be_visible()


async def test_editing_and_deleting_reach_every_open_page(server: Engawa, person) -> None:
    slug = new_room(server, "second thoughts")
    mine, other = await person(), await person()
    page = await mine.open(f"{server.base}/chat/{slug}/")
    others = await other.open(f"{server.base}/chat/{slug}/")
    watch = await other.open(f"{server.base}/feeds/{slug}/")
    await say(page, "the word xyzzy")
    await say(page, "the word plugh")
    await expect(texts(watch)).to_have_text(["the word xyzzy", "the word plugh"])
    await others.locator("#log > li").first.hover()
    await others.locator(".message__more").first.click()
    await expect(others.get_by_role("menuitem", name="Reply")).to_be_visible()
    await expect(others.get_by_role("menuitem", name="Edit")).to_have_count(0)
    await expect(others.get_by_role("menuitem", name="Delete")).to_have_count(0)
    message = page.locator("#log > li").first
    await choose(page, message, "Edit")
    await message.get_by_role("textbox").fill("another word")
    await message.get_by_role("button", name="Save").click()
    for view in (page, others, watch):
        await expect(texts(view)).to_have_text(["another word", "the word plugh"])
    message = page.locator("#log > li").last
    await choose(page, message, "Delete", "Delete")
    for view in (page, others, watch):
        await expect(texts(view)).to_have_text(["another word"])
        assert "xyzzy" not in await view.content()
        assert "plugh" not in await view.content()


async def test_a_name_that_is_erased_leaves_what_answers_it(server: Engawa, person) -> None:
    server.shell(
        "from chat import actions, posting; from chat.identity import new_guest; from chat.models import User\n"
        "gil, room = User.objects.create_user('gil').identity, actions.create_room(new_guest(), 'erased')[0].pk\n"
        "posting.post(gil, room, 'answer', reply_to=posting.post(gil, room, 'question').mid)"
    )
    page = await (await person()).open(f"{server.base}/feeds/erased/")
    names = page.locator("#log .message__author, #log .message__reply:visible .message__answered")
    await expect(names).to_have_text(["gil"] * 3)
    server.shell(
        "from chat import personal; from chat.models import User\n"
        "personal.erase(User.objects.get(username='gil'), 'anonymise')"
    )
    await expect(names).to_have_text(["deleted account"] * 3)


async def test_what_is_said_after_a_room_took_another_language_is_in_that(server: Engawa, person) -> None:
    slug = new_room(server, "tongues")
    somebody = await person()
    places = (f"/chat/{slug}/", f"/feeds/{slug}/", f"/feeds/{slug}/wall", f"/feeds/?room={slug}&room=lobby")
    pages = [await somebody.open(server.base + place) for place in places]
    server.shell(
        "from chat import governing, posting; from chat.identity import new_guest; from chat.models import Room\n"
        f"room = Room.objects.get(slug={slug!r}).pk\n"
        "governing.change_room(None, room, {'language': 'fr'}); posting.post(new_guest(), room, 'bonjour')"
    )
    for page in pages:
        await expect(page.locator(".log__messages .message__body", has_text="bonjour")).to_have_attribute("lang", "fr")


async def test_enter_sends_shift_enter_breaks_and_an_input_method_keeps_both(server: Engawa, person) -> None:
    slug = new_room(server, "keys")
    page = await (await person()).open(f"{server.base}/chat/{slug}/")
    field = page.locator("#composer-text")
    await field.click()
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await expect(page.locator("#log br")).to_have_count(1)
    # Enter that chooses a candidate: Chromium and Firefox say so in the event, WebKit ends the composition first.
    for order in ("composing", "keyCode 229", "webkit"):
        await field.fill("にほん")
        await field.evaluate(
            """(field, order) => {
                const key = (options) => field.dispatchEvent(
                    new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...options})
                );
                field.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
                if (order === "composing") key({isComposing: true});
                if (order === "keyCode 229") key({keyCode: 229});
                field.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true, data: "日本"}));
                if (order === "webkit") key({});
            }""",
            order,
        )
        await expect(field).to_have_value("にほん")
        await expect(texts(page)).to_have_count(1)
    # An Enter of its own sends: one that comes at once after a composition is still that composition's.
    while await field.input_value():
        await page.keyboard.press("Enter")
        await page.evaluate("new Promise(requestAnimationFrame)")
    await expect(texts(page)).to_have_text(["one\ntwo", "にほん"])


async def test_earlier_messages_by_link_and_by_scrolling(server: Engawa, person) -> None:
    slug = new_room(server, "long past")
    server.shell(
        "from chat import posting; from chat.models import Room; from chat.identity import new_guest\n"
        f"gil, room = new_guest(), Room.objects.get(slug={slug!r})\n"
        "for n in range(130): posting.post(gil, room.pk, f'message {n}')"
    )
    everything = [f"message {number}" for number in range(130)]
    for path in (f"/chat/{slug}/", f"/feeds/{slug}/"):
        page = await (await person()).open(server.base + path)
        await expect(texts(page)).to_have_text(everything[80:])
        for start in (30, 0):
            await page.locator("#scroller").evaluate("log => { log.scrollTop = 0; }")
            await expect(texts(page)).to_have_text(everything[start:])
        await expect(page.locator("#earlier a")).to_have_count(0)
    without = await person(java_script_enabled=False)
    page = await without.open(f"{server.base}/feeds/{slug}/", live=False)
    await page.get_by_role("link", name="Earlier messages").click()
    await expect(texts(page)).to_have_text(everything[30:80])
    await page.get_by_role("link", name="Earlier messages").click()
    await expect(texts(page)).to_have_text(everything[:30])


async def test_without_javascript_one_can_post(server: Engawa, person) -> None:
    slug = new_room(server, "plain html")
    page = await (await person(java_script_enabled=False)).open(f"{server.base}/chat/{slug}/", live=False)
    await page.locator("#composer-text").fill("no script here")
    await page.get_by_role("button", name="Send").click()
    await expect(texts(page)).to_have_text(["no script here"])


async def test_the_tutorials_page_works_unchanged(server: Engawa, person) -> None:
    """A page of this site that opens the socket, sends {"message": …} and prints .message."""
    page = await (await person(bypass_csp=True)).open(f"{server.base}/health/live", live=False)
    await page.set_content('<textarea id="chat-log"></textarea>')
    await page.add_script_tag(
        content="""
        const chatSocket = new WebSocket('ws://' + window.location.host + '/ws/chat/' + 'lobby' + '/');
        chatSocket.onmessage = function(e) {
            const data = JSON.parse(e.data);
            document.querySelector('#chat-log').value += (data.message + '\\n');
        };
        chatSocket.onopen = function() { document.title = 'open'; };
        function send(message) { chatSocket.send(JSON.stringify({'message': message})); }
        """
    )
    await expect(page).to_have_title("open")
    await page.evaluate("send('hello'); send(''); send('<b>bold</b>')")
    await expect(page.locator("#chat-log")).to_have_value(re.compile("bold"))
    async with participant(server.sockets) as other:
        posted = await other.post("draft")
        await other.send(type="edit", mid=posted["mid"], message="final")
        await other.send(type="delete", mid=posted["mid"])
        await other.until("message.deleted")
        await other.post("the end")
    log = page.locator("#chat-log")
    await expect(log).to_have_value("hello\n⚠ There is nothing to see in that text.\n<b>bold</b>\ndraft\nthe end\n")


HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "[click](javascript:window.pwned=1) <javascript:window.pwned=1>",
    "</script><script>window.pwned = 1</script>",
    "</textarea></template><svg onload='window.pwned = 1'>",
    'data: x\n\nevent: message\nid: lobby:999999\ndata: {"id":999999}',
    "\u202eright to left override\u202c {{ 7|add:7 }} {% include 'x' %}",
    "nul\x00l and bell\x07 and half \ud83d",
    '"><iframe src=javascript:window.pwned=1>',
]


async def test_hostile_text_is_inert_wherever_it_appears(server: Engawa, person, site) -> None:
    slug = new_room(server, "<b>hostile</b> \" ' room")
    server.shell(
        "from chat.models import User; User.objects.create_superuser('root', 'root@example.org', 'tea at five')"
    )
    visitor = await person()
    page = await visitor.open(f"{server.base}/chat/{slug}/")
    await page.locator(".guest summary").click()
    await page.locator("#guest-name").fill("<img src=x onerror=window.pwned=1>"[:32])
    await page.get_by_role("button", name="Change name").click()
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")
    host = site(f'<!doctype html><iframe src="{server.base}/embed/{slug}/" width="500" height="500"></iframe>')
    newspaper = await (await person()).open(host.url, live=False)
    await expect(newspaper.frame_locator("iframe").locator("engawa-room")).to_have_attribute("state", "live")
    watch = await visitor.open(f"{server.base}/feeds/{slug}/")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in await visitor.context.cookies())
    async with participant(server.sockets, slug, cookie=cookies) as client:
        for text in HOSTILE:
            assert (await client.post(text))["type"] == "posted"
    shown = texts(page)
    await expect(shown).to_have_count(len(HOSTILE))
    administrator = await person()
    admin = await administrator.open(f"{server.base}/admin/", live=False)
    await admin.get_by_label("Username").fill("root")
    await admin.get_by_label("Password").fill("tea at five")
    await admin.get_by_role("button", name="Log in").click()
    room = server.shell(f"from chat.models import Room; print(Room.objects.get(slug={slug!r}).pk)")
    await admin.goto(f"{server.base}/admin/chat/message/?room__id__exact={room}")
    await expect(admin.locator("#result_list tbody tr")).to_have_count(len(HOSTILE))
    frame = newspaper.frames[1]
    for view, shown, log in ((page, texts, "#log"), (watch, texts, "#log"), (frame, embedded, "engawa-room")):
        await expect(shown(view)).to_have_count(len(HOSTILE))
        assert await view.evaluate("window.pwned") is None
        for harm in ("script", "img", "svg", "iframe", "[onerror]", "a[href^='javascript']"):
            assert await view.locator(f"{log} {harm}").count() == 0
        await expect(shown(view).first).to_have_text(HOSTILE[0])
    assert await admin.evaluate("window.pwned") is None
    for reload in (page, watch, admin):
        await reload.reload()
        assert await reload.evaluate("window.pwned") is None
    raw = httpx.get(f"{server.base}/feeds/{slug}/").text
    assert "<script>window" not in raw
    assert "\u202e" not in raw
    assert "\x00" not in raw


@pytest.mark.parametrize(
    "path", ["/", "/chat/lobby/", "/feeds/lobby/", "/accounts/login/", "/admin/login/", "/nothing"]
)
async def test_no_page_but_the_embed_is_framed(server: Engawa, person, site, path: str) -> None:
    headers = httpx.get(server.base + path).headers
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_a_room_chooses_who_frames_it(server: Engawa, person, site) -> None:
    slug = new_room(server, "framed")
    host = site(f'<!doctype html><iframe src="{server.base}/embed/{slug}/"></iframe>')
    for origins, shown in [("*", True), (host.url[:-1], True), ("https://example.org", False), ("", False)]:
        server.shell(
            f"from chat.models import Room; Room.objects.filter(slug={slug!r}).update(embed_origins={origins!r})"
        )
        somebody = await person()
        page = await somebody.open(host.url, live=False)
        if shown:
            await expect(page.frame_locator("iframe").locator("engawa-room")).to_have_attribute("state", "live")
        else:
            await expect(page.frame_locator("iframe").locator("engawa-room")).to_have_count(0)
            await until(lambda complaints=somebody.complaints: "frame-ancestors" in str(complaints))
            somebody.complaints.clear()


async def test_a_page_comes_back_by_itself_after_a_restart(tmp_path, person) -> None:
    server = Engawa(tmp_path, "before")
    somebody = await person()
    page = await somebody.open(f"{server.base}/chat/lobby/")
    watch = await somebody.open(f"{server.base}/feeds/lobby/")
    server.stop()
    for view in (page, watch):
        await expect(view.locator("body")).to_have_attribute("data-state", "reconnecting")
        await expect(view.get_by_role("status")).to_have_text("Reconnecting…")
    server = Engawa(tmp_path, "after", PORT=str(server.port))
    try:
        async with participant(server.sockets) as other:
            await other.post("while you were away")
        for view in (page, watch):
            await expect(view.locator("body")).to_have_attribute("data-state", "connected")
            await expect(texts(view)).to_have_text(["while you were away"])
    finally:
        somebody.complaints.clear()  # a browser complains of a server that is not there
        server.stop()


async def test_accounts(server: Engawa, person) -> None:
    page = await (await person()).open(f"{server.base}/accounts/signup/", live=False)
    await page.get_by_label("Username").fill("haruka")
    await page.get_by_label("Password", exact=True).fill("a long password")
    await page.get_by_label("Password confirmation").fill("a long password")
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.locator(".site-nav__name bdi")).to_have_text("haruka")
    await page.get_by_label("Which room would you like to enter?").fill("Haruka's room")
    await page.keyboard.press("Enter")
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")
    await say(page, "mine")
    await expect(page.locator("#log .message__author")).to_have_text(["haruka"])
    await page.locator("#room-menu > summary").click()
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_label("Private").check()
    await page.get_by_role("button").filter(has_text="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved")
    await page.get_by_role("link", name="The room", exact=True).click()
    await expect(page.get_by_text("Members only", exact=True)).to_be_visible()
    slug = page.url.rstrip("/").rsplit("/", 1)[1]
    assert httpx.get(f"{server.base}/feeds/{slug}/").status_code == 404
    await page.goto(f"{server.base}/accounts/password_change/")
    await page.get_by_label("Old password").fill("a long password")
    await page.get_by_label("New password", exact=True).fill("another long one")
    await page.get_by_label("New password confirmation").fill("another long one")
    await page.get_by_role("button", name="Change").click()
    await page.get_by_role("button", name="Log out").click()
    await page.get_by_role("link", name="Log in").click()
    await page.get_by_label("Username").fill("haruka")
    await page.get_by_label("Password").fill("another long one")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator(".site-nav__name bdi")).to_have_text("haruka")
