"""Where the network is away: one page, kept by a worker that has to do with nothing else."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Response, expect

from tests.browser.conftest import Person
from tests.clients import participant
from tests.servers import Engawa

KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    const requests = await (await caches.open(name)).keys();
    found[name] = requests.map((request) => request.url.slice(location.origin.length));
  }
  return found;
}"""
CONTROLLED = """async () => {
  const { serviceWorker } = navigator;
  await serviceWorker.ready;
  if (!serviceWorker.controller) await new Promise((done) => (serviceWorker.oncontrollerchange = done));
}"""
REPLACED = """async (before) => {
  for (;;) {
    const names = await caches.keys();
    if (names.length === 1 && names[0] !== before) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}"""


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Engawa]:
    """A server that one may stop and start."""
    engawa = Engawa(tmp_path)
    yield engawa
    engawa.stop()


async def worked(page: Page) -> None:
    """Wait until the page has its worker."""
    await page.evaluate(CONTROLLED)


async def test_what_is_kept_is_one_page_and_what_it_needs_whatever_was_visited(
    server: Engawa, person: Callable[..., Awaitable[Person]]
) -> None:
    somebody = await person(service_workers="allow", locale="en-GB")
    page = await somebody.open(f"{server.base}/chat/lobby/")
    await worked(page)
    answers: list[Response] = []
    somebody.context.on("response", lambda answer: answers.append(answer))
    async with participant(server.sockets) as other:
        for path in ("/", "/chat/lobby/", "/feeds/lobby/", "/feeds/lobby/archive/", "/accounts/login/"):
            await page.goto(server.base + path)
        await page.goto(f"{server.base}/feeds/lobby/")
        await expect(page.locator("body")).to_have_attribute("data-state", "connected")
        await other.post("told past the worker")
        await expect(page.locator(".message__body")).to_have_text(["told past the worker"])
        # A download, a part of one, and what is posted.
        told = await page.evaluate("""async () => {
          const file = await fetch("/feeds/lobby/export.txt");
          const part = await fetch("/static/js/room.js", { headers: { Range: "bytes=0-9" } });
          const posted = await fetch("/accounts/language/", { method: "POST", redirect: "manual" });
          return [file.status, (await file.text()).includes("told past"), part.status, (await part.text()).length,
            posted.status];
        }""")
    assert told == [200, True, 206, 10, 403], "the last is Django's, who misses a token"
    somebody.complaints = [each for each in somebody.complaints if "403 (Forbidden)" not in each]
    (kept,) = (await page.evaluate(KEPT)).values()
    page_kept, *needs = kept
    assert page_kept == "/offline/?lang=en-GB" or page_kept == "/offline/?lang=en"
    assert needs
    assert all(path.startswith("/static/") for path in needs), needs
    answered_by_worker = {answer.url.removeprefix(server.base) for answer in answers if answer.from_service_worker}
    streams = [answer for answer in answers if "/stream" in answer.url]
    assert streams
    assert not any(answer.from_service_worker for answer in streams)
    others = answered_by_worker - set(needs)
    assert others <= {"/", "/chat/lobby/", "/feeds/lobby/", "/feeds/lobby/archive/", "/accounts/login/"}, others


async def test_it_shows_in_ones_language_and_goes_when_the_network_is_back(
    away: Engawa, person: Callable[..., Awaitable[Person]]
) -> None:
    somebody = await person(service_workers="allow", locale="ja-JP", color_scheme="dark")
    page = await somebody.open(f"{away.base}/chat/lobby/")
    await worked(page)
    await page.goto("about:blank")
    away.stop()
    await page.goto(f"{away.base}/feeds/lobby/")
    await expect(page.locator("html")).to_have_attribute("lang", "ja")
    await expect(page.locator("#again")).to_be_visible()
    assert page.url == f"{away.base}/feeds/lobby/"
    background = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(background) != "rgba(0, 0, 0, 0)", "with its styles"
    assert await page.locator(".brand img").evaluate("image => image.naturalWidth") > 0
    away.start()
    away.wait_until_ready()
    await expect(page.locator("#room")).to_be_visible()
    assert page.url == f"{away.base}/feeds/lobby/"
    somebody.complaints = [each for each in somebody.complaints if "ERR_CONNECTION_REFUSED" not in each]


async def test_another_worker_takes_the_place_of_the_last_with_nothing_left(
    server: Engawa, person: Callable[..., Awaitable[Person]]
) -> None:
    somebody = await person(service_workers="allow", locale="en-GB")
    page = await somebody.open(f"{server.base}/", live=False)
    await worked(page)
    before = await page.evaluate(KEPT)
    await somebody.context.add_cookies([{"name": "language", "value": "zh-hant", "url": server.base}])
    await page.goto(f"{server.base}/")
    await page.evaluate(REPLACED, next(iter(before)))
    assert "/offline/?lang=zh-Hant" in json.dumps(await page.evaluate(KEPT))


async def test_pages_that_know_nobody_begin_no_worker(server: Engawa, person: Callable[..., Awaitable[Person]]) -> None:
    somebody = await person(service_workers="allow")
    page = await somebody.open(f"{server.base}/feeds/lobby/")
    count = "async () => (await navigator.serviceWorker.getRegistrations()).length"
    assert await page.evaluate(count) == 0
    await page.goto(f"{server.base}/embed/lobby/")
    assert await page.evaluate(count) == 0
    await page.goto(f"{server.base}/")
    await worked(page)
    assert await page.evaluate(count) == 1


async def test_the_page_itself_leads_to_the_start_page(
    server: Engawa, person: Callable[..., Awaitable[Person]]
) -> None:
    page = await (await person()).open(f"{server.base}/offline/", live=False)
    await page.wait_for_url(f"{server.base}/")
