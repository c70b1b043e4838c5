"""Take the pictures of the page: the package's samples in a running server, in Chromium.

blurmapper serve
python docs/pictures/make_web.py http://127.0.0.1:8000
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

import blurmapper

SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"
PHOTOS = [SAMPLES / f"{name}.jpg" for name in ("cat", "coffee", "rocket")]
PICTURES = Path(__file__).parent


def main() -> None:
    """Take the pictures."""
    address = sys.argv[1]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        desktop: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}}
        phone = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 1.5}
        shoot(open_page(browser, address, desktop), "map", "web-map")
        shoot(
            open_page(browser, address, desktop | {"color_scheme": "dark"}), "segment", "web-dark"
        )
        shoot_grid(open_page(browser, address, desktop))
        shoot(open_page(browser, address, phone), "overlay", "web-phone")
        browser.close()


def open_page(browser: Browser, address: str, options: dict[str, Any]) -> Page:
    """Open the page with the samples in it."""
    page = browser.new_context(**options).new_page()
    page.goto(address)
    page.set_input_files("#files", PHOTOS)
    page.get_by_text(f"{len(PHOTOS)} photos", exact=True).wait_for()
    return page


def shoot(page: Page, view: str, name: str) -> None:
    """Take a picture of a view."""
    page.check(f'[name="view"][value="{view}"]', force=True)
    page.locator("#busy").wait_for(state="hidden")
    page.locator("#drawn:visible, #made:visible").wait_for()
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def shoot_grid(page: Page) -> None:
    """Take a picture of the grid, with marks and what is blurred in violet."""
    page.click("#grid")
    for key in ("Home", "p", "ArrowRight", "4", "o"):
        page.keyboard.press(key)
    page.screenshot(path=PICTURES / "web-grid.png", animations="disabled")


if __name__ == "__main__":
    main()
