"""The page's grid, and what the page says of what it shows."""

from __future__ import annotations

import csv
import io
import json
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
Upload = dict[str, Any]


@pytest.fixture
def three(good: Upload, sharp_photo: npt.NDArray[np.uint8]) -> list[Upload]:
    """Three photos: half blurred, sharp, and half blurred again."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(sharp_photo).save(buffer, "PNG")
    sharp = {"name": "sharp.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    return [good, sharp, {**good, "name": "other.png"}]


def add(page: Any, photos: list[Upload]) -> None:
    page.set_input_files("#files", photos)
    expect(page.locator("#rows li.done")).to_have_count(len(photos), timeout=20_000)
    expect(page.locator("#busy")).to_be_hidden(timeout=20_000)


def test_the_grid_has_the_keys_of_the_report(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    page.click("#grid")
    expect(page.locator("#chooser .tile")).to_have_count(3)
    for key in ("p", "ArrowRight", "x", "ArrowRight", "3"):
        page.keyboard.press(key)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save picks").click()
    saved = json.loads(waiting.value.path().read_text())
    assert [(each["photo"], each["flag"], each["rating"]) for each in saved["photos"]] == [
        ("half.png", "pick", None),
        ("sharp.png", "reject", None),
        ("other.png", None, 3),
    ]


def test_a_photo_is_shown_pixel_by_pixel(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    page.click("#grid")
    page.keyboard.press("Enter")
    page.keyboard.press("z")
    expect(page.locator("#chooser .compare .whole")).to_be_visible()
    assert page.locator("#chooser .compare .whole").bounding_box()["width"] == pytest.approx(128)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator("#chooser")).to_be_hidden()
    assert page.text_content("#name") == "sharp.png"


def test_the_ranking_is_saved_with_what_it_is_by(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    page.select_option("#measure", "sharpest")
    with page.expect_download() as waiting:
        page.click("#csv")
    rows = list(csv.DictReader(waiting.value.path().read_text().splitlines()))
    assert all(0 <= float(row["sharpest_blur"]) <= 1 for row in rows)


def test_the_sharpest_regions_are_told_apart(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    page.select_option("#measure", "sharpest")
    for state in page.locator("#rows .state").all_text_contents():
        assert len(state.removeprefix("blur ")) == 5


def test_a_mask_is_called_one(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three[:1])
    # First the mask: a cutout that nobody waits for would keep the server busy.
    page.locator('[name="cut"][value="mask"]').evaluate("radio => { radio.checked = true; }")
    page.check('[name="view"][value="segment"]', force=True)
    expect(page.locator("#busy")).to_be_hidden(timeout=20_000)
    assert page.text_content("#tag-result") == "Mask"
    assert page.text_content("#legend") == "White is sharp."


def test_all_photos_are_saved_at_once(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    names: list[str] = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.click("#all")
    expect(page.locator("#news")).to_have_text("other.blur.png saved")
    expect(page.locator("#all")).to_be_enabled()
    for _ in range(100):
        # A download is told after the page has begun it.
        if len(names) == 3:
            break
        page.wait_for_timeout(100)
    assert sorted(names) == ["half.blur.png", "other.blur.png", "sharp.blur.png"]


def test_more_blur_is_shown_on_a_small_copy(open_page: Open) -> None:
    page = open_page()
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (2400, 1600), (90, 120, 60)).save(buffer, "PNG")
    add(page, [{"name": "large.png", "mimeType": "image/png", "buffer": buffer.getvalue()}])
    page.check('[name="view"][value="magnify"]', force=True)
    expect(page.locator("#busy")).to_be_hidden(timeout=20_000)
    assert page.locator("#made").evaluate("image => image.naturalWidth") == 1600


def test_no_picture_stays_under_another_label(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three[:1])
    page.route("**/v1/magnify*", lambda route: None)
    page.check('[name="view"][value="magnify"]', force=True)
    assert page.text_content("#tag-result") == "More blur"
    assert page.locator("#drawn:visible, #made:visible").count() == 0
