"""What a page costs whoever opens it for the first time: bytes of scripts and styles as they are sent, compressed.

What a page imports only once it is wanted (``import()``) is not among them, since no browser has asked for it by then.
"""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Request, expect

from tests.browser.conftest import Person
from tests.servers import Engawa

MOST = {"script": 40 * 1024, "stylesheet": 20 * 1024}


@pytest.mark.parametrize("language", ["en-GB", "ja-JP"])
@pytest.mark.parametrize("path", ["/", "/chat/lobby/", "/feeds/lobby/"])
async def test_a_page_asks_for_little_and_for_nothing_twice(
    server: Engawa, person: Callable[..., Awaitable[Person]], path: str, language: str
) -> None:
    somebody = await person(locale=language)
    finished: list[Request] = []
    somebody.context.on("requestfinished", lambda request: finished.append(request))
    page = await somebody.open(server.base + path, live=path != "/")
    await page.wait_for_load_state("load")
    await expect(page.locator("main")).to_be_visible()
    spent = dict.fromkeys(MOST, 0)
    asked = []
    for request in finished:
        if request.resource_type in MOST:
            asked.append(request.url)
            spent[request.resource_type] += (await request.sizes())["responseBodySize"]
            headers = await (await request.response()).all_headers()
            assert "immutable" in headers["cache-control"], request.url
            is_small = int(headers["content-length"]) < 300  # and would not become smaller
            assert is_small or headers.get("content-encoding") in ("br", "gzip"), request.url
    assert sorted(asked) == sorted(set(asked))
    assert all(0 < spent[kind] <= most for kind, most in MOST.items()), spent


async def test_no_script_waits_for_another(server: Engawa, person: Callable[..., Awaitable[Person]]) -> None:
    somebody = await person()
    initiated: dict[str, str] = {}
    page = await somebody.context.new_page()
    session = await somebody.context.new_cdp_session(page)
    await session.send("Network.enable")
    session.on(
        "Network.requestWillBeSent",
        lambda event: initiated.setdefault(event["request"]["url"], event["initiator"]["type"]),
    )
    await page.goto(f"{server.base}/chat/lobby/")
    await expect(page.locator("body")).to_have_attribute("data-state", "connected")
    scripts = {url for url, by in initiated.items() if ".js" in url}
    assert len(scripts) > 20
    # The page's own head names all of them.
    assert {url for url in scripts if initiated[url] != "parser"} == set()
