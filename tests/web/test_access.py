"""The page for everybody: on every screen, for all eyes, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
expect = pytest.importorskip(
    "playwright.sync_api", reason="needs the dependency group browser"
).expect

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
Upload = dict[str, Any]
VIEWS = ("map", "overlay", "kinds", "segment", "magnify")
BROKEN = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}


def add(page: Any, *photos: Upload) -> None:
    page.set_input_files("#files", list(photos))
    expect(page.locator("#rows li.done, #rows li.failed")).to_have_count(len(photos))


def test_nothing_sticks_out_of_any_screen(open_page: Open, good: Upload) -> None:
    page = open_page()
    add(page, good, BROKEN | {"name": "a-very-long-name-" * 6 + ".jpg"})
    for width in (320, 375, 768, 1360):
        page.set_viewport_size({"width": width, "height": 740})
        for view in VIEWS:
            page.check(f'[name="view"][value="{view}"]', force=True)
            assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_the_listing_of_the_api_fits_the_smallest_screen(open_page: Open) -> None:
    page = open_page("/docs", viewport={"width": 320, "height": 740})
    expect(page.locator(".operation").first).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(open_page: Open, good: Upload, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    faint = page.evaluate(FAINT_TEXTS)
    add(page, good, BROKEN)
    for view in VIEWS:
        page.check(f'[name="view"][value="{view}"]', force=True)
        faint += page.evaluate(FAINT_TEXTS)
    assert faint == []


def test_every_control_has_a_name(open_page: Open, good: Upload) -> None:
    page = open_page()
    add(page, good)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([type=file])")]
            .filter((c) => !(c.getAttribute("aria-label") || c.textContent.trim()
                || [...(c.labels ?? [])].some((label) => label.textContent.trim())))
            .map((c) => c.outerHTML)"""
    )
    assert nameless == []


# WCAG 2.2: the contrast of text with the nearest ground that is not transparent, 4.5 at least.
FAINT_TEXTS = """() => {
    const paint = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const light = (rgb) => rgb.slice(0, 3)
        .map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
    const groundOf = (e) => {
        const colour = rgba(getComputedStyle(e).backgroundColor);
        return colour[3] === 255 || !e.parentElement ? colour : groundOf(e.parentElement);
    };
    const texts = [...document.querySelectorAll("body *")].filter((e) =>
        e.checkVisibility() && !e.closest(".frame, .unseen, :disabled, .off")
        && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
    return texts.filter((e) => {
        const [one, other] = [rgba(getComputedStyle(e).color), groundOf(e)].map(light);
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 4.5;
    }).map((e) => e.outerHTML);
}"""


def test_a_photo_comes_back_on_stage_after_one_that_failed(
    open_page: Open, good: dict[str, Any]
) -> None:
    page = open_page()
    add(page, good, BROKEN)
    for name, is_shown in (("half.png", True), ("notes.jpg", False), ("half.png", True)):
        page.click(f"text={name}")
        expect(page.locator("#photo")).to_be_visible(visible=is_shown)
