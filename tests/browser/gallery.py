"""Every page in every state: its name, its address, who looks at it, and how that state comes about, with real parts.

``tests/browser/test_axe.py`` looks at all of them, ``bin/screenshots`` takes pictures of those that are ``pictured``.
A page that is not here is found missing by its address (``test_no_page_is_missing``).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.browser.proxy import Line, line_to
from tests.browser.stage import Stage

LANGUAGES = {"en": "en-GB", "ja": "ja-JP", "zh-Hans": "zh-CN", "zh-Hant": "zh-TW"}  # and what such a browser asks for
# What is no page of ours: it only takes forms, or sends on, or answers programs and feed readers, or is Django's.
NO_PAGES = {
    *("guest", "logout", "language", "words", "export", "favicon.ico", "admin/"),
    *("manifest", "service_worker", "feeds:qr"),
    *("^api(?:/(?P<path>[\\s\\S]*))?\\Z", "chat:messages", "chat:commands", "chat:audit_export"),
    *("feeds:stream", "feeds:ticket", "feeds:atom", "feeds:json", "feeds:oembed", "feeds:sitemap", "feeds:robots"),
    *("feeds:messages", "feeds:export", "feeds:member_export"),
    *("feeds:component", "feeds:component_version", "feeds:frame_helper", "feeds:frame_helper_version"),
}


@dataclass
class View:
    """A page as somebody has it before them, and the line over which it came, where that may be cut."""

    page: Page
    line: Line | None = None

    @property
    def last(self) -> Locator:
        return self.page.locator("#log > li.message").last


Act = Callable[[View], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """``address`` is the name in the table of addresses, ``path`` what is asked for, with ``Stage.facts`` in braces.

    ``act`` brings the state about on the page. ``state`` is that of its connection before that. ``scripts``: whether
    the browser runs any. ``has_line``: it comes over a line of its own. ``house``: on which of the stage's servers.
    ``is_anywhere``: one sees it as well in a room where less was said, which is looked through sooner.
    """

    name: str
    address: str
    path: str
    who: str = "nobody"
    act: Act | None = None
    status: int = 200
    state: str = ""
    scripts: bool = True
    has_line: bool = False
    house: str = "full"
    is_anywhere: bool = False
    ends: bool = True  # whether the page is ever loaded; one that goes on is not
    pictured: bool = False


# How states come about ---------------------------------------------------------------------------------------


def fill(selector: str, **fields: str) -> Act:
    """Send a form with ``fields`` filled in, past what the browser itself would refuse."""

    async def act(view: View) -> None:
        form = view.page.locator(selector).first
        for name, value in fields.items():
            await form.evaluate(
                "(form, [name, value]) => { form.elements.namedItem(name).value = value; }", [name, value]
            )
        async with view.page.expect_navigation():
            await form.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")

    return act


def press(key: str, until: str, mine: bool = False) -> Act:
    """Press a key on the newest message of somebody else, or of one's ``mine``; ``until`` something shows."""

    async def act(view: View) -> None:
        who = await view.page.locator("#room").get_attribute("data-me")
        which = f"[data-author='{who}']" if mine else f":not([data-author='{who}'])"
        await view.page.locator(f"#log > li.message{which}").last.focus()
        await view.page.keyboard.press(key)
        await expect(view.page.locator(until).first).to_be_visible()

    return act


def click(selector: str, until: str) -> Act:
    async def act(view: View) -> None:
        await view.page.locator(selector).first.click()
        await expect(view.page.locator(until).first).to_be_visible()

    return act


def shown(selector: str) -> Act:
    """Wait until it is there."""

    async def act(view: View) -> None:
        await expect(view.page.locator(selector).last).to_be_visible()

    return act


def in_turn(*acts: Act) -> Act:
    async def act(view: View) -> None:
        for each in acts:
            await each(view)

    return act


async def open_details(view: View) -> None:
    """All that can be unfolded, unfolded."""
    await view.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def write(text: str) -> Act:
    async def act(view: View) -> None:
        await view.page.locator("#composer-text").fill(text)

    return act


def write_on(text: str) -> Act:
    """Write what is completed: by key, as somebody does."""

    async def act(view: View) -> None:
        await view.page.locator("#composer-text").fill("")
        await view.page.locator("#composer-text").press_sequentially(text)
        await expect(view.page.locator("[role=listbox] [role=option]").first).to_be_visible()

    return act


def send(text: str, until: str) -> Act:
    async def act(view: View) -> None:
        await write(text)(view)
        await view.page.keyboard.press("Enter")
        await expect(view.page.locator(until).last).to_be_visible()

    return act


async def cut(view: View) -> None:
    """The network goes, while something is written."""
    await view.line.stop()
    await expect(view.page.locator("body")).not_to_have_attribute("data-state", "connected")
    if await view.page.locator("#composer-text").count():
        await view.page.locator("#composer-text").fill("Is anybody there?")
        await view.page.keyboard.press("Enter")
        await expect(view.page.locator(".message--outgoing, .message[data-fate]").last).to_be_visible()


SHOW_NOSCRIPT = "for (const each of document.querySelectorAll('noscript')) each.outerHTML = each.textContent"
EMBEDDED = shown("engawa-room[state=live] [part=text]")
ENTER = "form[action$='/chat/']"
EMAIL = "form:has([name=email])"
ACCOUNT = "main form"
DIALOG = "dialog[open]"
OPEN_ROOM_MENU = click("#room-menu > summary", "#room-menu .room__ways")
PREFERENCES = click(".site-header__preferences", "#preferences")
ROOM = "/chat/veranda/"
SMALL_ROOM = "/chat/porch/"
WATCH = "/feeds/veranda/"


def room_scenes() -> list[Scene]:
    def room(name: str, act: Act | None = None, who: str = "gil", path: str = ROOM, **more: object) -> Scene:
        return Scene(f"room-{name}", "chat:room", path, who, act, **{"state": "connected", **more})

    return [
        room("full", pictured=True),
        room("empty", path="/chat/moss-garden/", pictured=True),
        room("owner", who="olga"),
        room("moderator", who="momo"),
        room("account", who="mio"),
        room("newcomer", who="nobody"),
        room("unfolded", open_details, who="olga", is_anywhere=True),
        room("preferences", PREFERENCES, pictured=True, is_anywhere=True),
        room("draft", write("縁側で\nお茶を飲みながら\n話しましょう。"), is_anywhere=True),
        room("reply", press("r", "#composer-reply"), is_anywhere=True),
        room("menu", press("Enter", "[role=menu]"), is_anywhere=True),
        room("menu-owner", press("Enter", "[role=menu]"), who="olga", pictured=True, is_anywhere=True),
        room("menu-own", press("Enter", "[role=menu]", mine=True), who="mio", is_anywhere=True),
        room("edit", press("e", ".message__form textarea", mine=True), who="mio", is_anywhere=True),
        room("delete", press("d", DIALOG, mine=True), who="mio", is_anywhere=True),
        room("report", press("!", DIALOG), is_anywhere=True),
        room("keys", press("?", DIALOG), pictured=True, is_anywhere=True),
        room("keys-owner", press("?", DIALOG), who="olga", is_anywhere=True),
        room("ban", press("b", DIALOG), who="olga", is_anywhere=True),
        room("mute", press("m", DIALOG), who="olga", is_anywhere=True),
        room("delete-other", press("d", DIALOG), who="olga", is_anywhere=True),
        room("delete-recent", press("a", DIALOG), who="olga", is_anywhere=True),
        room("links", OPEN_ROOM_MENU, is_anywhere=True),
        room("embed", in_turn(OPEN_ROOM_MENU, click("a[data-embed]", DIALOG)), is_anywhere=True),
        room("emoji", click("#emoji", "#emoji[aria-expanded=true]"), pictured=True, is_anywhere=True),
        room("emoji-by-name", write_on(":te"), is_anywhere=True),
        room("mention", write_on("@m"), is_anywhere=True),
        room("disconnected", cut, path="/chat/night-train/", has_line=True, pictured=True),
        room("muted", who="mutsu", path="/chat/market/", pictured=True),
        room("slow", send("One at a time.", "#composer-state:not(:empty)"), path="/chat/evening-walk/"),
        room("archived", path="/chat/cherry-blossoms/", pictured=True),
        room("for-accounts", path="/chat/neighbours/"),
        room("approval", send("May I come in?", "#outgoing .message__fate"), path="/chat/guest-book/"),
        room("private", who="mio", path="/chat/{private}/"),
        Scene("room-past", "chat:room", f"{ROOM}?before={{last}}", "gil"),
        Scene("room-without-scripts", "chat:room", ROOM, "gil", scripts=False),
        Scene("room-refused", "chat:room", ROOM, "gil", fill("#composer", message=" "), status=200, scripts=False),
        Scene("room-banned", "chat:room", "/chat/tea-ceremony/", "bert", status=403, pictured=True),
        Scene("room-not-there", "chat:room", "/chat/nobody-made-this/", status=404),
        Scene("message", "chat:message", f"{ROOM}m/{{mid}}/", "gil", pictured=True),
        Scene("room-search-nothing-yet", "chat:search", f"{ROOM}search", "gil"),
        Scene("room-search", "chat:search", f"{ROOM}search?q=tea", "gil", pictured=True),
        Scene("room-search-nothing", "chat:search", f"{ROOM}search?q=coffee", "gil"),
        Scene("room-search-wrong", "chat:search", f"{ROOM}search?q=%21", "gil", status=400),
    ]


def keeping_scenes() -> list[Scene]:
    """What owners and moderators see."""
    queue = "/chat/town-square/"

    def owners(name: str, path: str, act: Act | None = None, who: str = "olga", **more: object) -> Scene:
        return Scene(
            name, f"chat:{path.rpartition('/')[2].replace('-', '_').partition('?')[0]}", path, who, act, **more
        )

    return [
        owners("moderation", f"{queue}moderation", pictured=True),
        owners("moderation-unfolded", f"{queue}moderation", open_details),
        owners("moderation-empty", f"{ROOM}moderation", who="momo"),
        owners("moderation-hidden", f"{queue}moderation?show=hidden"),
        owners("members", f"{ROOM}members", pictured=True),
        owners("members-private", "/chat/{private}/members"),
        owners("members-moderator", f"{ROOM}members", who="momo"),
        owners("members-member", "/chat/{private}/members", who="mio"),
        owners("members-link", "/chat/town-square/members", fill("form:has([value=invite])", days="3")),
        owners("members-refused", "/chat/town-square/members", fill("form:has([value=invite])", days="0")),
        owners("settings", f"{ROOM}settings", pictured=True),
        owners("settings-archived", "/chat/cherry-blossoms/settings"),
        owners("settings-refused", f"{ROOM}settings", fill("main form", title="", retention_days="x")),
        owners("settings-delete-refused", f"{ROOM}settings", fill("details form", name="Another")),
        owners("settings-past", "/chat/{private}/settings", fill("main form", visibility="public")),
        owners("programs", f"{ROOM}programs", pictured=True),
        owners("programs-empty", f"{queue}programs"),
        owners("programs-refused", f"{ROOM}programs", fill("form:has([value=create_token])", name="Kestrel")),
        owners("view-tokens", f"{ROOM}view-tokens", pictured=True),
        owners("view-tokens-empty", f"{queue}view-tokens"),
        owners("view-tokens-refused", f"{ROOM}view-tokens", fill("form:has([value=create])", name=" ")),
        owners("audit", f"{queue}audit", pictured=True),
        owners("audit-empty", "/chat/moss-garden/audit"),
    ]


def people_scenes() -> list[Scene]:
    def form(name: str, address: str, path: str, act: Act | None = None, who: str = "nobody", **more: object) -> Scene:
        return Scene(name, address, path, who, act, **more)

    profile, change, signup = "/accounts/profile/", "/accounts/password_change/", "/accounts/signup/"
    reset = "/accounts/reset/"
    return [
        form("start", "home", "/", pictured=True),
        form("start-account", "chat:index", "/chat/", who="mio", pictured=True),
        form("start-owner", "home", "/", who="olga"),
        form("start-preferences", "home", "/", PREFERENCES),
        form("start-refused", "chat:index", "/chat/", fill(ENTER, name="…")),
        form("start-search", "chat:index", "/chat/?q=veranda"),
        form("start-search-nothing", "chat:index", "/chat/?q=nothing+of+it"),
        form("start-yours", "chat:index", "/chat/?yours", who="olga"),
        form("start-empty", "home", "/", house="bare"),
        form("login", "login", "/accounts/login/", pictured=True),
        form("login-refused", "login", "/accounts/login/", fill(ACCOUNT, username="olga", password="wrong")),
        form("signup", "signup", signup, pictured=True),
        form("signup-refused", "signup", signup, fill(ACCOUNT, username="0lga", password1="tea", password2="cake")),
        form("profile", "profile", profile, who="mio", pictured=True),
        form("profile-owner", "profile", profile, who="olga"),
        form("profile-refused", "profile", profile, fill(EMAIL, email="no"), "olga"),
        form("delete-account", "delete_account", "/accounts/delete/", who="mio"),
        form("delete-account-owner", "delete_account", "/accounts/delete/", who="olga"),
        form("delete-account-refused", "delete_account", "/accounts/delete/", fill(ACCOUNT, password="x"), "mio"),
        form("delete-account-elsewhere", "delete_account", "/accounts/delete/", who="sven"),
        form("delete-account-long-ago", "delete_account", "/accounts/delete/", fill(ACCOUNT), "sven"),
        form("password-change", "password_change", change, who="olga"),
        form("password-change-refused", "password_change", change, fill(ACCOUNT, old_password="x"), "olga"),
        form("password-change-done", "password_change_done", f"{change}done/", who="olga"),
        form("password-reset", "password_reset", "/accounts/password_reset/"),
        form("password-reset-done", "password_reset_done", "/accounts/password_reset/done/"),
        form("password-reset-confirm", "password_reset_confirm", f"{reset}{{uid}}/{{reset}}/"),
        form("password-reset-refused", "password_reset_confirm", f"{reset}{{uid}}/{{reset}}/",
             fill(ACCOUNT, new_password1="tea", new_password2="cake")),
        form("password-reset-over", "password_reset_confirm", f"{reset}{{uid}}/over/"),
        form("password-reset-complete", "password_reset_complete", f"{reset}done/"),
        form("join", "join", "/join/{invitation}/", who="sven", pictured=True),
        form("join-nobody", "join", "/join/{invitation}/"),
        form("join-member", "join", "/join/{invitation}/", who="mio"),
        form("join-over", "join", "/join/{expired}/", status=404),
        form("offline", "offline", "/offline/", scripts=False, pictured=True),
        form("error-400", "home", f"/?{'x&' * 1001}", status=400),
        form("error-403", "home", "/", fill(ENTER, name="x", csrfmiddlewaretoken="x"), pictured=True),
        form("error-404", "home", "/nothing", status=404, pictured=True),
        form("error-429", "chat:room", "/chat/hush/", in_turn(fill("#composer", message="One"),
             fill("#composer", message="Two")), scripts=False, house="bare", pictured=True),
        form("error-500", "feeds:watch", "/feeds/broken/", status=500, pictured=True),
    ]  # fmt: skip


def watching_scenes() -> list[Scene]:
    """What anybody sees from outside."""

    def watch(name: str, act: Act | None = None, path: str = WATCH, **more: object) -> Scene:
        return Scene(f"watch{name}", "feeds:watch", path, act=act, **{"state": "connected", **more})

    day = f"{WATCH}{{day}}/"
    return [
        watch("", pictured=True),
        watch("-empty", path="/feeds/moss-garden/"),
        watch("-archived", path="/feeds/cherry-blossoms/", state="archived"),
        watch("-unfolded", open_details),
        watch("-paused", click("#pause", "#pause[aria-pressed=true]")),
        Scene("wall", "feeds:wall", f"{WATCH}wall", state="connected", pictured=True),
        Scene("wall-empty", "feeds:wall", "/feeds/moss-garden/wall", state="connected"),
        Scene("wall-without-scripts", "feeds:wall", f"{WATCH}wall", scripts=False),
        watch("-links", OPEN_ROOM_MENU),
        watch("-preferences", PREFERENCES),
        watch("-embed", in_turn(OPEN_ROOM_MENU, click("a[data-embed]", DIALOG))),
        watch("-disconnected", cut, path="/feeds/night-train/", has_line=True),
        Scene("watch-without-scripts", "feeds:watch", WATCH, scripts=False),
        Scene("watch-not-there", "feeds:watch", "/feeds/nobody-made-this/", status=404),
        Scene("watch-message", "feeds:message", f"{WATCH}m/{{mid}}/"),
        Scene("watch-search", "feeds:search", f"{WATCH}search?q=tea"),
        Scene("watch-search-nothing", "feeds:search", f"{WATCH}search?q=coffee"),
        Scene("report", "feeds:report", f"{WATCH}report?mid={{mid}}", pictured=True),
        Scene("report-refused", "feeds:report", f"{WATCH}report?mid={{mid}}", act=fill("main form", note="x")),
        Scene(
            "reported", "feeds:report", "/feeds/town-square/report?mid={reported}", act=fill("main form", reason="spam")
        ),
        Scene("several", "feeds:several", "/feeds/?room=veranda&room=town-square&room=moss-garden", pictured=True),
        Scene("several-missing", "feeds:several", "/feeds/?room=veranda&room=not-there"),
        Scene("choose", "feeds:several", "/feeds/", pictured=True),
        Scene("choose-empty", "feeds:several", "/feeds/", house="bare"),
        Scene("chooser", "feeds:chooser", f"{WATCH}embed", pictured=True),
        Scene("embed", "feeds:embed", "/embed/veranda/", act=EMBEDDED, pictured=True),
        Scene("embed-dark", "feeds:embed", "/embed/veranda/?theme=dark", act=EMBEDDED),
        Scene("embed-without-scripts", "feeds:embed", "/embed/veranda/", scripts=False),
        Scene("archive", "feeds:archive", f"{WATCH}archive/", pictured=True),
        Scene("archive-empty", "feeds:archive", "/feeds/moss-garden/archive/"),
        Scene("archive-year", "feeds:year", f"{WATCH}{{year}}/"),
        Scene("archive-month", "feeds:month", f"{WATCH}{{month}}/", pictured=True),
        Scene("archive-day", "feeds:day", day, pictured=True),
        Scene("archive-for-members", "feeds:member_archive", f"{ROOM}archive/", "mio"),
        Scene("archive-year-for-members", "feeds:member_year", f"{ROOM}{{year}}/", "mio"),
        Scene("archive-month-for-members", "feeds:member_month", f"{ROOM}{{month}}/", "mio"),
        Scene("archive-day-for-members", "feeds:member_day", f"{ROOM}{{day}}/", "mio"),
        Scene("transcript", "feeds:transcript", f"{WATCH}export", pictured=True),
        Scene("transcript-for-members", "feeds:member_transcript", f"{ROOM}export", "mio"),
        Scene("replay", "feeds:replay", f"{WATCH}replay", pictured=True),
        Scene(
            "replay-played",
            "feeds:replay",
            "/feeds/town-square/replay?speed=max",
            act=click("#play", "#log > .message"),
        ),
        Scene("replay-for-members", "feeds:member_replay", f"{ROOM}replay", "mio"),
        Scene("live", "feeds:stream", "/feeds/veranda/stream.html", scripts=False, ends=False, pictured=True),
        Scene(
            "live-several",
            "feeds:stream",
            "/feeds/stream.html?room=veranda&room=town-square",
            scripts=False,
            ends=False,
        ),
    ]


SCENES = [*people_scenes(), *room_scenes(), *keeping_scenes(), *watching_scenes()]


# Looking at them ---------------------------------------------------------------------------------------------


class Gallery:
    """Opens scenes. Each person has one browser profile in each language, kept from scene to scene."""

    def __init__(
        self, browser: Browser, stage: Stage, now: datetime | None = None, *, is_brief: bool = False, **options: object
    ) -> None:
        """``now``: at which moment the browser's clock stands; otherwise it goes. ``is_brief``: what shows in any room
        is shown in a small one."""
        self.browser, self.stage, self.now, self.is_brief, self.options = browser, stage, now, is_brief, options
        self._contexts: dict[tuple[str, str, str, bool], BrowserContext] = {}

    async def close(self) -> None:
        for context in self._contexts.values():
            await context.close()

    async def context(self, scene: Scene, language: str) -> BrowserContext:
        key = (scene.house, scene.who, language, scene.scripts)
        if key not in self._contexts:
            context = self._contexts[key] = await self.browser.new_context(locale=LANGUAGES[language], **self.options)
            context.set_default_timeout(15_000)
            if self.now:
                await context.clock.set_fixed_time(self.now)
            if scene.house == "full":
                await context.add_cookies(self.stage.cookies(scene.who))
            if not scene.scripts:
                # They are kept away rather than turned off: what looks at the page is a script itself.
                await context.route("**/*", _without_scripts)
        return self._contexts[key]

    @asynccontextmanager
    async def open(self, scene: Scene, language: str) -> AsyncIterator[View]:
        """The page of ``scene`` in its state. Raises ``AssertionError`` where it does not come to that."""
        server = getattr(self.stage, scene.house)
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(line_to(server.port)) if scene.has_line else None
            page = await (await self.context(scene, language)).new_page()
            stack.push_async_callback(page.close)
            view = View(page, line)
            path = scene.path.format(**self.stage.facts)
            if self.is_brief and scene.is_anywhere:
                path = path.replace(ROOM, SMALL_ROOM)
            wait_until = "load" if scene.ends else "commit"
            answer = await page.goto((line or server).base + path, wait_until=wait_until)
            if scene.state:
                await expect(page.locator("body")).to_have_attribute("data-state", scene.state)
            if not scene.ends:
                await expect(page.locator(".message").first).to_be_visible()
            if not scene.scripts:
                await page.evaluate(
                    "for (const each of document.querySelectorAll('noscript')) each.outerHTML = each.textContent"
                )
            if scene.act:
                await scene.act(view)
            else:
                assert answer.status == scene.status, f"{path} was answered with {answer.status}"
            yield view
            # The next one who comes here finds no draft of this one's.
            await page.evaluate("localStorage.clear(); sessionStorage.clear()")


async def _without_scripts(route: Route) -> None:
    if route.request.resource_type == "script":
        await route.abort()
    else:
        await route.continue_()
