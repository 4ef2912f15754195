"""Every page in every state, looked at by axe-core and by what it does not ask: docs/interface.md says what for.

A scene is opened once in each language and looked at in light and dark. While one test waits for what was found in its
scene, the next scenes are opened.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from django.urls import get_resolver
from playwright.async_api import Browser, Page

from tests.browser.gallery import LANGUAGES, NO_PAGES, SCENES, Gallery, Scene
from tests.browser.stage import stage
from tests.parts import LONG, node_packages
from tests.unit.test_doors import addresses

AHEAD = 2  # scenes that are opened while one is waited for
MOST_STOPS = 60  # of Tab, on a page
PHONE = {"width": 320, "height": 640}  # CSS pixels: what WCAG 1.4.10 asks for
WIDE = {"width": 1280, "height": 800}
LOOKING = Path(__file__).with_name("looking.js")
# The short run looks at all in English, and in Japanese at each page, and at what there are pictures of.
FIRST = {scene.address: scene for scene in reversed(SCENES)}.values()
CASES = [
    (scene, language)
    for language in (LANGUAGES if LONG else ("en", "ja"))
    for scene in SCENES
    if LONG or language == "en" or scene.pictured or scene in FIRST
]
# What axe asks of a page of ours, and cannot be asked of these; each by the scene and the rule.
EXPECTED = {
    ("live", "meta-refresh"): "it counts from when the page has ended; until then it goes on",
    ("wall-without-scripts", "meta-refresh"): "a screen that nobody works, which moves on in no other way",
    ("embed", "page-has-heading-one"): "it shows in a frame, below the headings of the page around it",
}
# Pages of one thing, which have its title: a room from inside and outside, what is found in it, a password that is new.
ALIKE = {
    **dict.fromkeys(("feeds:watch", "feeds:wall", "feeds:embed", "feeds:stream", "feeds:several"), "chat:room"),
    "home": "chat:index",
    "feeds:search": "chat:search",
    "feeds:message": "chat:message",
    "password_reset_complete": "password_change_done",
}


class Seen(NamedTuple):
    title: str
    complaints: list[str]


class Looks:
    """What is found in each scene, as many at a time as two cores have use for."""

    def __init__(self, gallery: Gallery, cases: list[tuple[Scene, str]]) -> None:
        self.gallery, self.cases = gallery, cases
        self.script = (node_packages() / "axe-core" / "axe.min.js").read_text() + LOOKING.read_text()
        self.tasks: dict[tuple[str, str], asyncio.Task[Seen]] = {}

    async def at(self, scene: Scene, language: str) -> Seen:
        place = self.cases.index((scene, language))
        for each, tongue in self.cases[place : place + 1 + AHEAD]:
            if (each.name, tongue) not in self.tasks:
                self.tasks[each.name, tongue] = asyncio.create_task(self.look(each, tongue))
        return await self.tasks[scene.name, language]

    async def look(self, scene: Scene, language: str) -> Seen:
        async with self.gallery.open(scene, language) as view:
            page = view.page
            await page.evaluate(self.script)
            found = [f"light: {each}" for each in await page.evaluate("looking.axe(false)")]
            await page.emulate_media(color_scheme="dark")
            found += [f"dark: {each}" for each in await page.evaluate("looking.axe(true)")]
            await page.emulate_media(color_scheme="light")
            if "embed" not in scene.name:  # a page in a page, whose look is the site's around it
                found += await page.evaluate("language => looking.frame(language)", language)
            if LONG or (scene.pictured and language == "en"):
                found += [f"focus: {each}" for each in await tab_through(page)]
            await page.emulate_media(forced_colors="active")
            found += await page.evaluate("looking.forced()")
            await page.emulate_media(forced_colors="none")
            await page.set_viewport_size(PHONE)
            found += [f"on 320 pixels: {each}" for each in await page.evaluate("looking.reflow()")]
            found += [f"spaced: {each}" for each in await page.evaluate("looking.space()")]
            return Seen(await page.title(), [each for each in found if not is_expected(scene, each)])

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


def is_expected(scene: Scene, complaint: str) -> bool:
    return any(scene.name.startswith(name) and f"{rule}:" in complaint for name, rule in EXPECTED)


async def tab_through(page: Page) -> list[str]:
    """Go round by Tab, as far as that is worth it: every stop is seen, and none keeps the focus."""
    await page.evaluate("looking.watchFocus()")
    for _ in range(MOST_STOPS // 10):
        await asyncio.gather(*(page.keyboard.press("Tab") for _ in range(10)))
        said = await page.evaluate("looking.seenFocus()")
        if said["isRound"]:
            break
    found = [f"{each} does not show that it has the focus" for each in said["unseen"]]
    if said["isRound"] and said["missed"]:
        found.append(f"Tab never comes to {said['missed']}")
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def looks(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Looks]:
    chosen = [getattr(item, "callspec", None) for item in request.session.items if "::test_a_scene[" in item.nodeid]
    cases = [(each.params["scene"], each.params["language"]) for each in chosen if each]
    with stage(tmp_path_factory.mktemp("stage")) as house:
        gallery = Gallery(browser, house, is_brief=not LONG, reduced_motion="reduce", viewport=WIDE)
        looks = Looks(gallery, cases)
        yield looks
        await looks.close()
        await gallery.close()


@pytest.mark.parametrize(("scene", "language"), [pytest.param(*case, id=f"{case[0].name}-{case[1]}") for case in CASES])
async def test_a_scene(looks: Looks, scene: Scene, language: str) -> None:
    assert (await looks.at(scene, language)).complaints == []


async def test_titles_tell_pages_apart(looks: Looks) -> None:
    """Of the pages that were looked at, so far as they are looked at here."""
    by_title: defaultdict[str, set[str]] = defaultdict(set)
    for scene in SCENES:
        task = looks.tasks.get((scene.name, "en"))
        if task and task.done() and not task.exception() and scene.status == 200 and not scene.act:
            by_title[task.result().title].add(ALIKE.get(scene.address, scene.address.replace("member_", "")))
    shared = {title: names for title, names in by_title.items() if len(names) > 1}
    assert shared == {}


def test_no_page_is_missing() -> None:
    known = set(addresses(get_resolver().url_patterns))
    shown = {scene.address for scene in SCENES}
    assert known - shown - NO_PAGES == set(), "they are in no scene of tests/browser/gallery.py"
    assert (shown | NO_PAGES) - known == set(), "there are no such addresses"
    names = [scene.name for scene in SCENES]
    assert len(names) == len(set(names))
