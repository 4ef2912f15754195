"""Draws the icons that must be PNG from those that are SVG: ``python -m tests.browser.icons``."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.parts import chromium

IMAGES = Path(__file__).resolve().parent.parent.parent / "static" / "images"
# Each drawing, by its source: the file's name and its side in pixels.
DRAWN = {
    "icon.svg": {"icon.png": 512, "icon-192.png": 192, "icon-180.png": 180, "icon-64.png": 64},
    "icon-maskable.svg": {"icon-maskable.png": 512},
}


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for source, drawings in DRAWN.items():
            for name, side in drawings.items():
                page = browser.new_page(viewport={"width": side, "height": side})
                svg = (IMAGES / source).read_text()
                page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: {side}px }}</style>{svg}")
                page.screenshot(path=IMAGES / name)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
