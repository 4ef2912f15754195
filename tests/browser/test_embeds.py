"""Rooms in other sites' pages, on another origin: the web component, the iframe, oEmbed, and where one chooses."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Frame, Locator, Page, Route, expect

from tests.browser.conftest import Person
from tests.browser.proxy import line_to
from tests.browser.test_rooms import HOSTILE
from tests.parts import LONG, node_command
from tests.people import browsing
from tests.servers import ROOT, Engawa

DOCS = (ROOT / "docs" / "embedding.md").read_text()
HOST = "https://chat.example.org"  # which is ours in the docs
# Counts the streams that are open, and remembers each address that one was opened at.
COUNTED = """
window.streams = new Set(); window.opened = [];
window.EventSource = class extends EventSource {
  constructor(url) {
    super(url);
    streams.add(this);
    opened.push(String(url));
    window.beats = 0; // of the newest
    this.addEventListener("heartbeat", () => { beats++; });
  }
  close() { super.close(); streams.delete(this); }
};
"""


def from_docs(heading: str, language: str, server: Engawa, slug: str, nth: int = 0) -> str:
    """What the documentation gives to copy, for this server and room."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL)[1]
    code = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[nth]
    return code.replace(HOST, server.base).replace("lobby", slug)


def policy(server: Engawa) -> str:
    return " ".join(from_docs("Your page's Content-Security-Policy", "", server, "lobby").split())


def page_with(server: Engawa, body: str, script: str = "engawa-room") -> str:
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>News</title>
        <script type="module" src="{server.base}/embed/{script}.js"></script>{body}"""


def room_element(server: Engawa, slug: str, more: str = "") -> str:
    return f'<engawa-room src="{server.base}/feeds/{slug}/" {more}><a href="/">A link</a></engawa-room>'


class Host:
    """Somebody who owns rooms, says things in them over HTTP, and does the rest in a process of their own."""

    def __init__(self, server: Engawa) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RESIDENT],
            cwd=ROOT, env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.run("User.objects.create_user('olga', password='a long password')")
        self._browsing = browsing(server, "olga")
        self.http = self._browsing.__enter__()

    def close(self) -> None:
        self._browsing.__exit__(None, None, None)
        self.process.communicate(timeout=10)

    def run(self, *lines: str) -> str:
        self.process.stdin.write(repr("\n".join(lines)) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["printed"]

    def room(self, title: str) -> str:
        """A new room of theirs: its slug."""
        return self.run(f"print(actions.create_room(User.objects.get().identity, {title!r})[0].slug)").strip()

    def do(self, slug: str, *lines: str) -> str:
        """Run what ``lines`` say with ``room``, ``olga`` (its owner), ``say`` and all actions at hand."""
        prepare = (
            f"olga, room = User.objects.get().identity, Room.objects.get(slug={slug!r})\n"
            "say = lambda text, **more: posting.post(olga, room.pk, text, **more).mid\n"
        )
        return self.run(prepare + "\n".join(lines)).strip()

    def say(self, slug: str, text: str, **more: str) -> str:
        """Post a message: its mid."""
        return self._send(f"/chat/{slug}/messages", message=text, **more)["mid"]

    def ask(self, slug: str, **command: str) -> None:
        """Have a command done."""
        self._send(f"/chat/{slug}/commands", **command)

    def _send(self, path: str, **fields: str) -> dict[str, str]:
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"], "Referer": str(self.http.base_url)}
        answer = self.http.post(path, json=fields, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


@pytest.fixture(scope="module")
def host(server: Engawa) -> Iterator[Host]:
    somebody = Host(server)
    yield somebody
    somebody.close()


def texts(page: Page | Frame, which: str = "engawa-room") -> Locator:
    return page.locator(f"{which} [part=text]")


async def be(room: Locator, state: str) -> None:
    await expect(room).to_have_attribute("state", state)


async def told(page: Page) -> list[str]:
    """The types of the events that the page has heard, in order."""
    return await page.evaluate("window.told")


# Runs what it reads, line by line, and says what came of it.
RESIDENT = """
import ast, contextlib, io, json, os, sys, traceback
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from chat import actions, governing, moderation, posting, viewing
from chat.models import Room, User
for line in sys.stdin:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(ast.literal_eval(line), globals())
        answer = {"printed": printed.getvalue()}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""
HEARS = """
window.told = [];
for (const type of ["load", "message", "change", "state", "error", "resize", "ticket"]) {
  addEventListener(`engawa:${type}`, ({ detail }) => {
    if (type !== "resize") told.push(detail.state ?? detail.type ?? detail.code ?? type);
  });
}
"""


async def test_a_page_elsewhere_under_the_strictest_policy(server: Engawa, host: Host, person, site) -> None:
    """Two components, an iframe and what oEmbed gives: live, themed, without a complaint, a cookie or a request but to
    the room's host."""
    one, two = host.room("news of the day"), host.room("天気")
    for slug in (one, two):
        host.say(slug, "first")
    space: dict[str, Any] = {}
    exec(from_docs("oEmbed", "python", server, one), space)
    body = (
        room_element(server, one, 'id="one" theme="dark" lang="ja"')
        + room_element(server, two, 'id="two" theme="light" order="newest"')
        + from_docs("iframe", "html", server, one).replace("<iframe", '<iframe id="frame"')
        + space["embed"](f"{server.base}/feeds/{two}/")
    )
    page_of = site(page_with(server, body), policy(server))
    somebody = await person()
    await somebody.context.add_init_script(COUNTED)
    page = await somebody.context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await page.set_viewport_size({"width": 900, "height": 2200})
    await page.goto(page_of.url)
    for which in ("#one", "#two"):
        await be(page.locator(which), "live")
    frames = [page.frame_locator("iframe").nth(number).locator("engawa-room") for number in (0, 1)]
    for frame in frames:
        await be(frame, "live")
    host.say(one, "news <b>of</b> one")
    host.say(two, "news of two")
    await expect(texts(page, "#one")).to_have_text(["first", "news <b>of</b> one"])
    await expect(texts(page, "#two")).to_have_text(["news of two", "first"])
    await expect(frames[0].locator("[part=text]")).to_have_text(["first", "news <b>of</b> one"])
    await expect(frames[1].locator("[part=text]")).to_have_text(["first", "news of two"])
    await expect(page.locator("#one [part=status]")).to_have_text("ライブ")
    background = "room => getComputedStyle(room).backgroundColor"
    colours = [await page.locator(which).evaluate(background) for which in ("#one", "#two")]
    assert colours == ["rgb(25, 23, 20)", "rgb(253, 251, 247)"]
    opened = await page.evaluate("opened")
    shared = [address for address in opened if urlsplit(address).path == "/feeds/stream"]
    assert shared, "both rooms on one stream"
    assert await page.evaluate("streams.size") == 1
    ours = urlsplit(server.base).netloc
    elsewhere = {url for url in requests if urlsplit(url).netloc != ours} - {page_of.url, f"{page_of.url}favicon.ico"}
    assert elsewhere == set()
    assert await somebody.context.cookies() == []
    stored = [await frame.evaluate("localStorage.length + sessionStorage.length") for frame in page.frames]
    assert stored == [0, 0, 0]


async def test_what_the_docs_give_for_plain_html_falls_back_to_a_link(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("plain snippet")
    page_of = site(from_docs("Plain HTML", "html", server, slug))
    page = await (await person()).open(page_of.url, live=False)
    await be(page.locator("engawa-room"), "live")
    await expect(page.get_by_role("link", name="Watch the lobby".replace("lobby", slug))).to_be_hidden()
    page = await (await person(java_script_enabled=False)).open(page_of.url, live=False)
    await expect(page.get_by_role("link", name="Watch the lobby".replace("lobby", slug))).to_be_visible()


@pytest.mark.parametrize(("heading", "language"), [("React", "jsx"), ("Vue", "vue")])
async def test_what_the_docs_give_for_frameworks(
    server: Engawa, host: Host, person, site, heading: str, language: str
) -> None:
    slug = host.room(f"with {heading}")
    code = from_docs(heading, language, server, slug)
    command = node_command("bundle.js", language)
    made = await asyncio.to_thread(subprocess.run, command, input=code, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    page_of = site(page_with(server, '<div id="app"></div>'))
    somebody = await person()
    await somebody.context.add_init_script(COUNTED)
    page = await somebody.open(page_of.url, live=False)
    await page.evaluate(f"document.body.dataset.src = '{server.base}/feeds/{slug}/'")
    await page.add_script_tag(content=made.stdout)
    room = page.locator("engawa-room")
    await be(room, "live")
    await expect(room).to_have_attribute("limit", "20")
    host.say(slug, "heard by a framework")
    await expect(page).to_have_title("heard by a framework")
    await expect(texts(page)).to_have_text(["heard by a framework"])
    await page.evaluate("leave()")
    await page.wait_for_function("streams.size === 0")


async def test_what_is_taken_back_leaves_the_page(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("taken back")
    somebody = await person()
    await somebody.context.add_init_script(HEARS)
    page = await somebody.open(site(page_with(server, room_element(server, slug))).url, live=False)
    room = page.locator("engawa-room")
    await be(room, "live")
    first, second = host.say(slug, "the word xyzzy"), host.say(slug, "stays")
    host.say(slug, "an answer", reply_to=first)
    host.ask(slug, type="pin", mid=first)
    host.ask(slug, type="react", mid=second, reaction="👍")
    await expect(texts(page)).to_have_text(["the word xyzzy", "stays", "an answer"])
    await expect(room.locator("[part=pinned]")).to_contain_text("olga: the word xyzzy")
    await expect(room.locator("[part=reply]")).to_contain_text("olga the word xyzzy")
    await expect(room.locator("[part=reaction]")).to_have_text("👍 1")
    await expect(room.locator("[role=status].aside")).to_contain_text("the word xyzzy")  # read out
    host.ask(slug, type="edit", mid=first, message="the word plugh")
    await expect(texts(page).first).to_have_text("the word plugh")
    await expect(room.locator("[part=edited]")).to_have_count(1)
    await expect(room.locator("[part=pinned]")).to_contain_text("plugh")
    whole = "document.querySelector('engawa-room').shadowRoot.firstChild.outerHTML"
    assert "xyzzy" not in await page.evaluate(whole)
    host.ask(slug, type="delete", mid=first)
    host.ask(slug, type="hide", mid=second)
    host.do(slug, "governing.change_room(olga, room.pk, {'title': 'Another title'})")
    await expect(texts(page)).to_have_text(["an answer"])
    await expect(room.locator("[part=reply]")).to_contain_text("a deleted message")
    await expect(room.locator("[part=title]")).to_have_text("Another title")
    await expect(room.locator("[part=pinned]")).to_be_hidden()
    assert not re.search("xyzzy|plugh|stays", await page.evaluate(whole))
    host.ask(slug, type="unhide", mid=second)
    await expect(texts(page)).to_have_text(["stays", "an answer"])
    host.do(slug, "governing.archive(olga, room.pk)")
    await be(room, "archived")
    await expect(room.locator("[part=join]")).to_be_hidden()
    heard = await told(page)
    assert heard[:4] == ["connecting", "load", "live", "message"]
    assert heard.count("message.deleted") == 2
    assert heard[-2:] == ["archived", "room.archived"]


# Remembers what the bar of what is pinned said.
PINNED = """() => {
  const bar = document.querySelector("engawa-room").shadowRoot.querySelector("[part=pinned]");
  window.pinned = [];
  new MutationObserver(() => pinned.push(bar.textContent)).observe(bar, { childList: true });
}"""


@pytest.mark.parametrize("fate", ["deleted", "edited"])
async def test_what_becomes_of_a_pin_while_it_is_looked_up_is_heeded(
    server: Engawa, host: Host, person, site, fate: str
) -> None:
    slug = host.room(f"pinned and {fate}")
    mid = host.do(slug, "print([say(text) for text in ('the word xyzzy', *'abcdef')][0])")
    page = await (await person()).open(site(page_with(server, room_element(server, slug, 'limit="5"'))).url, live=False)
    room = page.locator("engawa-room")
    await be(room, "live")
    asked, answers = asyncio.Event(), asyncio.Event()

    async def answer_late(route: Route) -> None:
        answer = await route.fetch()
        asked.set()
        await answers.wait()
        await route.fulfill(response=answer)

    await page.route("**/messages?limit=1", answer_late)
    await page.evaluate(PINNED)
    host.ask(slug, type="pin", mid=mid)
    await asyncio.wait_for(asked.wait(), 10)
    if fate == "deleted":
        host.ask(slug, type="delete", mid=mid)
    else:
        host.ask(slug, type="edit", mid=mid, message="the word plugh")
    host.say(slug, "after that")
    await expect(texts(page).last).to_have_text("after that")
    answers.set()
    # What is looked up after that is shown, and what was looked up before never was.
    host.ask(slug, type="pin", mid=host.do(slug, "print(room.messages.get(text='a').mid)"))
    await expect(room.locator("[part=pinned]")).to_have_text("Pinned · olga: a")
    seen = ["Pinned · olga: the word plugh", ""] if fate == "edited" else []
    assert await page.evaluate("pinned") == [*seen, "Pinned · olga: a"]


async def test_one_message_stays_that_one_or_is_gone(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("quoted")
    first = host.say(slug, "what is quoted")
    somebody = await person()
    quote = room_element(server, slug, f'from="{first}" limit="1"')
    page = await somebody.open(site(page_with(server, quote)).url, live=False)
    await be(page.locator("engawa-room"), "live")
    host.say(slug, "what came after it")
    host.ask(slug, type="react", mid=first, reaction="👍")
    await expect(page.locator("[part=reaction]")).to_have_text("👍 1")
    await expect(texts(page)).to_have_text(["what is quoted"])
    host.ask(slug, type="delete", mid=first)
    host.say(slug, "what would take its place")
    host.do(slug, "governing.archive(olga, room.pk)")
    await be(page.locator("engawa-room"), "archived")
    await expect(texts(page)).to_have_count(0)
    await expect(page.locator("[part=empty]")).to_have_text("a deleted message")
    await expect(page.locator("[part=later]")).to_be_hidden()


async def test_a_room_that_closes_is_gone_and_a_ticket_opens_it(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("closing")
    host.say(slug, "the word xyzzy")
    somebody = await person()
    await somebody.context.add_init_script(HEARS + COUNTED)
    page = await somebody.context.new_page()
    await page.goto(site(page_with(server, room_element(server, slug) + room_element(server, "lobby"))).url)
    room, other = page.locator("engawa-room").first, page.locator("engawa-room").last
    await be(room, "live")
    await be(other, "live")
    host.do(slug, "governing.change_visibility(olga, room.pk, 'private')")
    await be(room, "gone")
    await expect(room.locator("[part=gone]")).to_be_visible()
    await expect(room.locator("[part=header]")).to_be_hidden()
    assert "xyzzy" not in await page.evaluate("document.querySelector('engawa-room').shadowRoot.firstChild.outerHTML")
    assert "room.not_found" in await told(page)
    await be(other, "live")
    token = host.do(
        slug,
        "from datetime import timedelta; from django.utils import timezone",
        "print(viewing.create_view_token(olga, room.pk, 'news', timezone.now() + timedelta(days=1))[1])",
    )
    space: dict[str, Any] = {}
    exec(from_docs("Private rooms", "python", server, slug), space)
    asked: list[str] = []

    def ticket(room: str) -> str:
        asked.append(room)
        try:
            return space["ticket"](room, token)
        except HTTPError:
            return ""

    await page.route("**/ticket?room=*", lambda route: route.fulfill(body=ticket(slug)))
    await page.add_script_tag(content=from_docs("Private rooms", "js", server, slug, 0))
    await be(room, "live")
    await expect(texts(page).first).to_have_text("the word xyzzy")
    host.say(slug, "among us")
    await expect(room.locator("[part=text]")).to_have_text(["the word xyzzy", "among us"])
    assert token not in str(await page.evaluate("opened"))
    await room.evaluate("room => { room.ticketProvider = null; }")
    await be(room, "gone")
    await page.add_script_tag(content=from_docs("Private rooms", "js", server, slug, 1))
    before = len(asked)
    await room.evaluate("room => { room.src = room.src.replace('feeds', 'chat'); }")
    await be(room, "live")
    assert len(asked) == before + 1
    host.do(slug, "viewing.revoke_view_token(olga, room.pk, room.view_tokens.get().pk)")
    await be(room, "gone")
    somebody.complaints[:] = [said for said in somebody.complaints if "Failed to load resource" not in said]


async def test_hostile_messages_are_words(server: Engawa, host: Host, person, site) -> None:
    slug, other = host.room("hostile words"), host.room("elsewhere here")
    host.do(
        slug, f"for text in {HOSTILE!r}: say(text)", f"say('go to {server.base}/chat/{other}/ or https://example.org/')"
    )
    page = await (await person()).open(
        site(page_with(server, room_element(server, slug)), policy(server)).url, live=False
    )
    await be(page.locator("engawa-room"), "live")
    await expect(texts(page)).to_have_count(len(HOSTILE) + 1)
    await expect(texts(page).first).to_have_text(HOSTILE[0])
    assert await page.evaluate("window.pwned") is None
    for harm in ("script", "img", "svg", "iframe", "[onerror]", "[style]", "a[href^='javascript']"):
        assert await page.locator(f"engawa-room {harm}").count() == 0
    # Whatever a server might send in "html": what is not on the list is text, and links are only of three kinds.
    forged = (
        '<p onclick="x()">a</p><img src="x" onerror="window.pwned=1"><a href="javascript:alert(1)">b</a>'
        '<a href="&#x6a;avascript:alert(1)">c</a><em>d</em></p></em><strong>e<a href="https://example.org/?a=1&amp;b=2">f</a>'
        '<span class="mention" style="x">g</span><template><p>h</p></template><P>i</P>&lt;b&gt;&unknown;<'
    )
    author = {"name": forged, "kind": "user", "role": "none", "id": "u1"}
    message = {"mid": "01M7YVVZ40TKBZ80JTWZYM85QX", "at": forged, "message": forged, "html": forged, "author": author}
    history = {
        "room": slug, "head": 10**9, "about": {"title": forged, "archived": True}, "earlier": None, "later": None,
        "pinned": message, "messages": [message | {"reactions": {forged: forged}}],
    }  # fmt: skip
    anybody = {"Access-Control-Allow-Origin": "*"}
    await page.route("**/messages?*", lambda route: route.fulfill(json=history, headers=anybody))
    await page.locator("engawa-room").evaluate("room => { room.limit = 9; }")
    await be(page.locator("engawa-room"), "archived")
    shown = texts(page)
    made = await shown.locator("*").evaluate_all("all => all.map((one) => one.localName)")
    assert made == ["p", "span", "span", "em", "strong", "a", "span", "p"]
    attributes = await shown.locator("*:not(a)").evaluate_all("all => all.flatMap((one) => one.getAttributeNames())")
    assert attributes == []
    links = await shown.locator("a").evaluate_all("all => all.map((one) => one.href)")
    assert links == ["https://example.org/?a=1&b=2"]
    assert await shown.locator("a").get_attribute("rel") == "nofollow ugc noopener"
    await expect(shown).to_contain_text('<img src="x" onerror="window.pwned=1">')
    assert await page.evaluate("window.pwned") is None


async def test_nothing_in_an_embed_leads_to_another_room(server: Engawa, host: Host, person, site) -> None:
    slug, other = host.room("one of two"), host.room("two of two")
    for address in (f"{server.base}/chat/{other}/", f"{server.base}/feeds/{other}/", f"{server.base}/", server.base):
        host.say(slug, f"see {address} there")
    host.ask(slug, type="pin", mid=host.say(slug, f"and {server.base}/feeds/{slug}/ or https://example.org/"))
    body = room_element(server, slug) + f'<iframe src="{server.base}/embed/{slug}/" width="500" height="500"></iframe>'
    page = await (await person()).open(site(page_with(server, body)).url, live=False)
    frame = page.frame_locator("iframe").locator("engawa-room")
    own = re.compile(rf"{re.escape(server.base)}/(feeds|chat|embed)/{slug}/.*")
    for room in (page.locator("engawa-room"), frame):
        await be(room, "live")
        await expect(room.locator("[part=text]")).to_have_count(5)
        links = room.locator("[part] a, a[part]")
        found = await links.evaluate_all("all => all.map((one) => [one.href, one.target, one.rel])")
        assert [href for href, _, _ in found if not own.fullmatch(href)] == ["https://example.org/"]
        assert all(target == "_blank" and "noopener" in rel for _, target, rel in found)
    async with page.context.expect_page() as opening:
        await frame.locator("[part=join]").click()
    joined = await opening.value
    assert joined.url == f"{server.base}/chat/{slug}/"


async def test_attributes_may_change_at_any_time(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("attributes")
    mids = host.do(slug, "print(*[say(f'message {n}') for n in range(30)])").split()
    page = await (await person()).open(
        site(page_with(server, room_element(server, slug, 'limit="5" tz="Asia/Tokyo"'))).url, live=False
    )
    room = page.locator("engawa-room")
    shown = [f"message {number}" for number in range(30)]

    async def set_to(**attributes: object) -> None:
        await room.evaluate("(room, set) => Object.assign(room, set)", attributes)

    await expect(texts(page)).to_have_text(shown[25:])
    await be(room, "live")
    host.say(slug, "message 30")
    await expect(texts(page)).to_have_text([*shown[26:], "message 30"])  # no more than were asked for
    await room.locator("[part=earlier]").click()
    await expect(texts(page)).to_have_text([*shown[21:], "message 30"])
    await set_to(order="newest", lang="zh-Hant")
    await expect(texts(page)).to_have_text(["message 30", *reversed(shown[21:])])
    await expect(room.locator("[part=status]")).to_have_text("即時")
    await set_to(order=None, limit=3)
    await expect(texts(page)).to_have_text([*shown[28:], "message 30"])
    await set_to(**{"from": mids[3]})
    await expect(texts(page)).to_have_text(shown[3:6])
    host.say(slug, "beyond")
    await room.locator("[part=later]").click()
    await expect(texts(page)).to_have_text(shown[3:9])
    await set_to(**{"from": "nonsense"})
    await expect(texts(page)).to_have_text([shown[29], "message 30", "beyond"])
    await set_to(header="hide")
    await expect(room.locator("[part=header]")).to_be_hidden()
    for nowhere in ("/nowhere", f"{server.base}/feeds/%ff/"):
        await set_to(src=nowhere)
        await be(room, "gone")
        await set_to(src=f"{server.base}/feeds/{slug}/")
        await be(room, "live")
    await set_to(src=f"{server.base}/chat/{slug.upper()}/", limit=1)
    await be(room, "live")
    host.say(slug, "under its proper name")
    await expect(texts(page)).to_have_text(["under its proper name"])


async def test_what_is_being_read_stays_where_it_is(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("reading")
    oldest = host.do(slug, "print([say(f'message {n}') for n in range(60)][11])")  # of those shown, when one more is
    body = f'<div id="box" hidden>{room_element(server, slug, "")}</div>'
    page = await (await person()).open(site(page_with(server, body)).url, live=False)
    room = page.locator("engawa-room")
    await be(room, "live")
    log = room.locator("[part=log]")
    from_end = "log => log.scrollHeight - log.clientHeight - log.scrollTop"
    # Made in a place that is not laid out, it is at its end when it is; and so after it had no width.
    await page.evaluate("box.hidden = false")
    await expect(texts(page).last).to_be_in_viewport()
    assert await log.evaluate(from_end) < 2
    await page.evaluate("box.style.width = '0px'")
    host.say(slug, "while it had no width")
    await expect(texts(page).last).to_have_text("while it had no width")
    await page.evaluate("box.style.width = ''")
    await expect(texts(page).last).to_be_in_viewport()
    assert await log.evaluate(from_end) < 2
    await log.evaluate("log => { log.scrollTop = 300; }")
    await expect(room.locator("[part=newest]")).to_be_hidden()
    item = texts(page).nth(8)
    before = await item.bounding_box()
    host.say(slug, "something new")
    host.ask(slug, type="delete", mid=oldest)
    await expect(room.locator("[part=newest]")).to_be_visible()
    await expect(texts(page).first).to_have_text("message 12")
    after = await texts(page).nth(7).bounding_box()
    assert abs(before["y"] - after["y"]) < 2
    await room.locator("[part=newest]").click()
    await expect(texts(page).last).to_be_in_viewport()
    await expect(room.locator("[part=newest]")).to_be_hidden()
    assert await log.evaluate(from_end) < 2
    assert await log.get_attribute("aria-label") == "Messages in reading"
    assert await log.get_attribute("tabindex") == "0"


async def test_put_in_and_taken_out_many_times_it_leaves_nothing_behind(
    server: Engawa, host: Host, person, site
) -> None:
    slugs = [host.room(f"leak {number}") for number in range(2)]
    for slug in slugs:
        host.say(slug, "hello")
    somebody = await person()
    await somebody.context.add_init_script(COUNTED)
    page = await somebody.open(site(page_with(server, "")).url, live=False)
    session = await somebody.context.new_cdp_session(page)
    cycle = """async ([addresses, rounds]) => {
        window.kept ??= [];
        for (let round = 0; round < rounds; round++) {
            const rooms = addresses.map((src) => Object.assign(document.createElement("engawa-room"), { src }));
            document.body.append(...rooms);
            if (round % 5 === 0) {
                // Every fifth comes to life; the others are taken out at some moment before.
                while (!rooms.every(({ state }) => state === "live")) await new Promise((done) => setTimeout(done, 10));
                document.body.prepend(rooms[0]); // moved: the same as before
                await null;
                if (rooms[0].state !== "live") throw new Error("a room that was moved began anew");
            } else await new Promise((done) => setTimeout(done, round * 3));
            for (const room of rooms) {
                room.remove();
                kept.push(new WeakRef(room));
            }
        }
        while (streams.size) await new Promise((done) => setTimeout(done, 10));
    }"""
    addresses = [f"{server.base}/feeds/{slug}/" for slug in slugs]

    async def counters() -> dict[str, int]:
        for _ in range(3):
            await session.send("HeapProfiler.collectGarbage")
            await page.evaluate("new Promise((done) => setTimeout(done, 0))")
        return await session.send("Memory.getDOMCounters")

    await page.evaluate(cycle, [addresses, 6])
    before = await counters()
    await page.evaluate(cycle, [addresses, 25])
    after = await counters()
    assert await page.evaluate("streams.size") == 0
    assert after["nodes"] <= before["nodes"] + 10
    assert after["jsEventListeners"] <= before["jsEventListeners"]
    assert await page.evaluate("kept.filter((room) => room.deref()).length") <= 2  # what the engine still holds


async def test_it_comes_back_after_a_restart_a_cut_and_silence(tmp_path, person, site) -> None:
    server = Engawa(tmp_path, STREAM_COMMENT_SECONDS="1")
    host = Host(server)
    slug = host.room("coming back")
    somebody: Person = await person()
    await somebody.context.add_init_script(COUNTED)
    try:
        async with line_to(server.port) as line:
            element = f'<engawa-room src="{line.base}/feeds/{slug}/"></engawa-room>'
            html = page_with(server, element).replace(server.base, line.base)
            page = await somebody.open(site(html).url, live=False)
            room = page.locator("engawa-room")
            await be(room, "live")
            server.stop()
            await be(room, "reconnecting")
            host.do(slug, "say('while it was away')")
            server.start()
            server.wait_until_ready()
            await be(room, "live")
            await expect(texts(page)).to_have_text(["while it was away"])
            line.cut()
            host.say(slug, "after a cut")
            await expect(texts(page)).to_have_text(["while it was away", "after a cut"])
            await be(room, "live")
            await page.wait_for_function("beats >= 3")
            line.mute_server()
            await be(room, "reconnecting")
            line.cut()
            host.say(slug, "after silence")
            await expect(texts(page)).to_have_text(["while it was away", "after a cut", "after silence"])
            assert await page.evaluate("streams.size") == 1
            await page.close()  # or it complains of the server's end, whenever it hears of that
    finally:
        host.close()
        server.stop()
    somebody.complaints.clear()


SANDBOXES = {
    "as documented": 'sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"',
    "an origin of its own": 'sandbox="allow-scripts"',
    "no scripts": 'sandbox=""',
}


async def test_a_frame_tells_its_height_and_only_it_is_heeded(server: Engawa, host: Host, person, site) -> None:
    slug = host.room("height")
    frames = "".join(
        f'<iframe id="f{number}" src="{server.base}/embed/{slug}/" title="Room" width="400" height="300" '
        f'data-min-height="150" data-max-height="400" {sandbox}></iframe>'
        for number, sandbox in enumerate(SANDBOXES.values())
    )
    somebody = await person()
    page = await somebody.context.new_page()
    await page.goto(site(page_with(server, f'<div id="box">{frames}</div>', "engawa-frame")).url)
    for number in (0, 1):
        await be(page.frame_locator(f"#f{number}").locator("engawa-room"), "live")
        await expect(page.locator(f"#f{number}")).to_have_css("block-size", "150px")
    still = page.frame_locator("#f2")
    await expect(still.get_by_role("heading")).to_have_text("height")
    for number in range(3):
        host.say(slug, f"message {number}")

    async def heights() -> list[float]:
        return [await page.locator(f"#f{number}").evaluate("frame => frame.clientHeight") for number in (0, 1)]

    for number in (0, 1):
        frame = page.frame_locator(f"#f{number}").locator("engawa-room")
        await expect(frame.locator("[part=text]")).to_have_count(3)
        await expect(page.locator(f"#f{number}")).not_to_have_css("block-size", "150px")
    grown = await heights()
    assert grown[0] == grown[1] < 400
    host.do(slug, "for n in range(20): say(f'message {n}')")
    for number in (0, 1):
        await expect(page.locator(f"#f{number}")).to_have_css("block-size", "400px")
    # From elsewhere, of another kind, beyond reason: nothing comes of it.
    await page.evaluate("""
        const engawa = 1, type = "height";
        const odd = [{engawa, type, height: 1}, {engawa: 2, type, height: 200}, {engawa, type, height: "200"}, null];
        for (const data of odd) postMessage(data, "*");
    """)
    forged = await page.evaluate("""async () => {
        const frame = document.createElement("iframe");
        frame.dataset.maxHeight = "400";
        frame.src = "about:blank#" + location.origin;
        document.body.append(frame);
        frame.contentWindow.parent.postMessage({engawa: 1, type: "height", height: 200}, "*");
        await new Promise((done) => setTimeout(done));
        return frame.style.blockSize;
    }""")
    assert forged == ""
    await page.evaluate("box.hidden = true")
    host.say(slug, "unseen")
    await page.evaluate("box.hidden = false")
    await expect(page.frame_locator("#f0").locator("engawa-room [part=text]").last).to_have_text("unseen")
    assert await heights() == [400, 400]
    somebody.complaints[:] = [
        said for said in somebody.complaints if "'allow-scripts' permission is not set" not in said
    ]


@pytest.mark.parametrize("path", ["/chat/{}/", "/feeds/{}/"] if LONG else ["/chat/{}/"])
async def test_the_dialog_shows_what_it_copies(server: Engawa, host: Host, person, site, path: str) -> None:
    slug = host.room(f"dialog {path[1:5]}")
    host.say(slug, "hello")
    somebody = await person(permissions=["clipboard-read", "clipboard-write"])
    page = await somebody.open(server.base + path.format(slug))
    await page.locator("#room-menu > summary").click()
    await page.get_by_role("link", name="Embed", exact=True).click()
    dialog = page.get_by_role("dialog", name="Put this room on your own page")
    preview = dialog.frame_locator("iframe").locator("engawa-room")
    await be(preview, "live")
    await expect(preview.locator("[part=text]")).to_have_text("hello")
    await dialog.get_by_label("Colours").select_option("dark")
    await expect(preview).to_have_attribute("theme", "dark")
    copied = dialog.get_by_label("Copy this into the page")
    await expect(copied).to_have_value(re.compile('<engawa-room .*theme="dark"'))
    await dialog.get_by_role("button", name="Copy", exact=True).click()
    await expect(dialog.get_by_role("status")).to_have_text("Copied.")
    html = await page.evaluate("navigator.clipboard.readText()")
    assert html == await copied.input_value()
    async with page.context.expect_page() as opening:
        await dialog.get_by_role("link", name="Open in a window").click()
    popped = await opening.value
    assert popped.url.startswith(f"{server.base}/embed/{slug}/?theme=dark")
    await popped.close()
    await dialog.get_by_label("an iframe").check()
    await expect(copied).to_have_value(re.compile("^<iframe "))
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#room-menu > summary")).to_be_focused()
    # What was copied, with its version and integrity, on another site.
    other = await (await person()).open(site(f"<!doctype html><title>News</title>{html}").url, live=False)
    await be(other.locator("engawa-room"), "live")
    await expect(texts(other)).to_have_text(["hello"])
