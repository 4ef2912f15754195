"""Pictures of each page of the gallery, for people to look at: ``bin/screenshots``.

``python -m tests.browser.screenshots [part of a name …] [--folder docs/screenshots]``. Each is taken on a phone and on
a desk, light and dark, in English and Japanese, and named by that. What is no longer in the gallery goes.
"""

import argparse
import asyncio
import base64
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import ARGUMENTS
from tests.browser.gallery import SCENES, Gallery, Scene, View
from tests.browser.stage import NOON, Stage, stage
from tests.parts import chromium, fonts
from tests.servers import ROOT

FOLDER = ROOT / "docs" / "screenshots"
QUALITY = 40
HEIGHTS = {360: 740, 1280: 800}  # by width; pages that are longer are shown further down, too
MOST_HEIGHT = 900
SCHEMES = ("light", "dark")
TIME_ZONES = {"en": "Europe/London", "ja": "Asia/Tokyo"}
STILL = "* { caret-color: transparent !important; animation: none !important; transition: none !important }"


def file_names(scene: Scene) -> list[str]:
    languages = TIME_ZONES
    return [f"{scene.name}-{w}-{s}-{each}.webp" for w in HEIGHTS for s in SCHEMES for each in languages]


async def capture(page: Page, width: int) -> bytes:
    size = "({height: Math.max(document.documentElement.scrollHeight, innerHeight)})"
    height = min((await page.evaluate(size))["height"], max(MOST_HEIGHT, HEIGHTS[width]))
    client = await page.context.new_cdp_session(page)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    # Where it is not needed it is not asked for: menus close when a window is resized.
    options = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": height > HEIGHTS[width], "clip": clip}
    return base64.b64decode((await client.send("Page.captureScreenshot", options))["data"])


async def still(view: View) -> None:
    """Nothing blinks or moves, and all that is shown is there."""
    await view.page.evaluate(
        """async (still) => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(still);
            document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
            await document.fonts.ready;
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        STILL,
    )


async def take(gallery: Gallery, scene: Scene, language: str, width: int, folder: Path) -> None:
    async with gallery.open(scene, language) as view:
        await still(view)
        for scheme in SCHEMES:
            await view.page.emulate_media(color_scheme=scheme)
            (folder / f"{scene.name}-{width}-{scheme}-{language}.webp").write_bytes(await capture(view.page, width))


async def take_all(browser: Browser, house: Stage, language: str, scenes: list[Scene], folder: Path) -> list[str]:
    """One after the other, so that nobody else is in a room. Returns what went wrong."""
    failed = []
    for width, height in HEIGHTS.items():
        options = {"viewport": {"width": width, "height": height}, "timezone_id": TIME_ZONES[language]}
        gallery = Gallery(browser, house, reduced_motion="reduce", now=NOON, **options)
        for scene in scenes:
            try:
                await take(gallery, scene, language, width, folder)
            except Exception as error:
                failed.append(f"{scene.name}, {width} wide, {language}: {error}")
        await gallery.close()
    return failed


async def main(scenes: list[Scene], folder: Path) -> list[str]:
    expect.set_options(timeout=15_000)
    with tempfile.TemporaryDirectory() as made:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)

            async def of(language: str) -> list[str]:
                with stage(Path(made) / language) as house:
                    return await take_all(browser, house, language, scenes, folder)

            failed = await asyncio.gather(*map(of, TIME_ZONES))
            await browser.close()
    return [each for some in failed for each in some]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only scenes with one of these in their names")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    fonts()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    pictured = [scene for scene in SCENES if scene.pictured]
    names = arguments.names
    chosen = [scene for scene in pictured if not names or any(each in scene.name for each in names)]
    wrong = asyncio.run(main(chosen, arguments.folder))
    keep = {name for scene in pictured for name in file_names(scene)}
    for file in arguments.folder.iterdir():
        if file.name not in keep:
            file.unlink()
    taken = sum(file.stat().st_size for file in arguments.folder.iterdir())
    print(f"screenshots: of {len(chosen)} pages; the folder has {taken / 1e6:.1f} MB", file=sys.stderr)
    raise SystemExit("\n".join(wrong) or None)
