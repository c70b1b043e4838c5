"""Photos that are transparent in part, on the page: white there, as the library has them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group browser")
expect = api.expect

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
WHITE = "rgb(255, 255, 255)"


def test_what_is_transparent_is_white(open_page: Open, sharp_photo: npt.NDArray[np.uint8]) -> None:
    photo = np.zeros((240, 1700, 4), np.uint8)
    photo[:, 850:] = np.dstack(
        [np.tile(sharp_photo, (3, 7, 1))[:240, :850], np.full((240, 850), 255)]
    )
    buffer = io.BytesIO()
    PIL.Image.fromarray(photo).save(buffer, "PNG")
    page = open_page()
    page.set_input_files(
        "#files", {"name": "a.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    expect(page.locator("#rows li.done")).to_have_count(1)
    # Grey and violet on white, from which black is far.
    for picture, least in (("drawn", 150), ("made", 250)):
        page.check(
            f'[name="view"][value="{"overlay" if picture == "drawn" else "magnify"}"]', force=True
        )
        expect(page.locator("#busy")).to_be_hidden()
        expect(page.locator(f"#{picture}")).to_be_visible()
        assert darkest_at_the_left(page.locator(f"#{picture}")) >= least
    assert page.locator("#photo").evaluate("e => getComputedStyle(e).backgroundColor") == WHITE
    page.click("#grid")
    assert darkest_at_the_left(page.locator("#chooser .tile img").first) >= 250
    page.keyboard.press("Enter")
    crops = page.locator("#chooser .crops img").first
    assert crops.evaluate("e => getComputedStyle(e).backgroundColor") == WHITE


def darkest_at_the_left(picture: Any) -> int:
    """Return the least sample in the first tenth of a picture that is shown."""
    darkest: int = picture.evaluate(
        """async (shown) => {
            if (shown.decode) await shown.decode();
            const canvas = new OffscreenCanvas(100, 100).getContext("2d");
            canvas.drawImage(shown, 0, 0, 100, 100);
            return Math.min(...canvas.getImageData(0, 0, 10, 100).data);
        }"""
    )
    return darkest
