"""A real Chromium against a real server. Pages wait for what they show, never for time to pass."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.parts import chromium

expect.set_options(timeout=15_000)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NO_WORKERS = "Service Worker registration blocked by Playwright"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them run on one event loop, since they share a browser."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests: what somebody keeps, they keep in a profile of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


class Person:
    """A browser profile of its own, which remembers every complaint of its pages."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        context.set_default_timeout(15_000)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and message.text != NO_WORKERS:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    async def open(self, url: str, *, live: bool = True) -> Page:
        page = await self.context.new_page()
        await page.goto(url)
        if live:
            await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[Person]]]:
    """Makes people; at the end, none of their pages may have complained."""
    people: list[Person] = []

    async def make(*, service_workers: str = "block", **options: object) -> Person:
        people.append(Person(await browser.new_context(service_workers=service_workers, **options)))
        return people[-1]

    yield make
    complaints = [complaint for somebody in people for complaint in somebody.complaints]
    for somebody in people:
        await somebody.context.close()  # and what breaks off then is no complaint
    assert complaints == []


class Site(ThreadingHTTPServer):
    """Somebody else's site: one page, with a Content-Security-Policy where one is given."""

    daemon_threads = True

    def __init__(self, html: str, policy: str = "") -> None:
        self.html = html
        self.policy = policy
        super().__init__(("127.0.0.1", 0), _Site)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = self.server.html.encode() if self.path == "/" else b""
        self.send_response(200 if page else 204)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        if self.server.policy:
            self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def make(html: str, policy: str = "") -> Site:
        sites.append(Site(html, policy))
        return sites[-1]

    yield make
    for one in sites:
        one.shutdown()
        one.server_close()
