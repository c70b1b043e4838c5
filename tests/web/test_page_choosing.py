"""The page's grid, and what the page says of what it shows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper import rank_photos

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group browser")
expect = api.expect

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
Upload = dict[str, Any]
WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.fixture
def three(good: Upload, sharp_photo: npt.NDArray[np.uint8]) -> list[Upload]:
    """Three photos: half blurred, sharp, and half blurred again."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(sharp_photo).save(buffer, "PNG")
    sharp = {"name": "sharp.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    return [good, sharp, {**good, "name": "other.png"}]


def add(page: Any, photos: list[Upload]) -> None:
    page.set_input_files("#files", photos)
    expect(page.locator("#rows li.done")).to_have_count(len(photos))
    expect(page.locator("#busy")).to_be_hidden()
    # Photos are judged once all are mapped.
    count = "1 photo" if len(photos) == 1 else f"{len(photos)} photos"
    expect(page.locator("#count")).to_have_text(count)


def titles(page: Any) -> list[str]:
    """Return the names in the grid, in the order that a person sees."""
    tiles = page.locator("#chooser .tile")
    places = tiles.evaluate_all("tiles => tiles.map((tile) => Number(tile.dataset.place))")
    names = tiles.locator(".title").all_text_contents()
    return [name for _, name in sorted(zip(places, names, strict=True))]


def test_the_grid_has_the_keys_of_the_report(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    page.click("#grid")
    expect(page.locator("#chooser .tile")).to_have_count(3)
    names = titles(page)
    for key in ("Home", "p", "ArrowRight", "x", "ArrowRight", "3"):
        page.keyboard.press(key)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save picks").click()
    saved = json.loads(waiting.value.path().read_text())
    marks = {each["photo"]: (each["flag"], each["rating"]) for each in saved["photos"]}
    said = [("pick", None), ("reject", None), (None, 3)]
    assert marks == dict(zip(names, said, strict=True))


def test_a_photo_is_shown_pixel_by_pixel(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three)
    page.click("#grid")
    page.keyboard.press("Enter")
    page.keyboard.press("z")
    expect(page.locator("#chooser .compare .whole")).to_be_visible()
    assert page.locator("#chooser .compare .whole").bounding_box()["width"] == pytest.approx(128)
    page.keyboard.press("Escape")
    last = titles(page)[-1]
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    expect(page.locator("#chooser")).to_be_hidden()
    assert page.text_content("#name") == last


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
    expect(page.locator("#busy")).to_be_hidden()
    assert page.text_content("#tag-result") == "Mask"
    assert page.text_content("#legend") == "White is sharp."


def test_all_photos_are_saved_at_once(
    open_page: Open, three: list[Upload], wait_until: WaitUntil
) -> None:
    page = open_page()
    add(page, [*three[:2], {**three[2], "name": "half.jpg"}])
    names: list[str] = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.click("#all")
    expect(page.locator("#news")).to_have_text("half.jpg.blur.png saved")
    expect(page.locator("#all")).to_be_enabled()
    # A download is told after the page has begun it, while Playwright waits.
    wait_until(lambda: page.wait_for_timeout(10) or len(names) == 3)
    assert sorted(names) == ["half.jpg.blur.png", "half.png.blur.png", "sharp.png.blur.png"]


def test_more_blur_is_shown_on_a_small_copy(open_page: Open) -> None:
    page = open_page()
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (2400, 1600), (90, 120, 60)).save(buffer, "PNG")
    add(page, [{"name": "large.png", "mimeType": "image/png", "buffer": buffer.getvalue()}])
    page.check('[name="view"][value="magnify"]', force=True)
    expect(page.locator("#busy")).to_be_hidden()
    expect(page.locator("#made")).to_have_js_property("naturalWidth", 1600)


def test_no_picture_stays_under_another_label(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three[:1])
    page.route("**/v1/magnify*", lambda route: None)
    page.check('[name="view"][value="magnify"]', force=True)
    assert page.text_content("#tag-result") == "More blur"
    assert page.locator("#drawn:visible, #made:visible").count() == 0


def frames(half_blurred_photo: npt.NDArray[np.uint8]) -> list[Upload]:
    """Three photos of one moment, of which the second is sharpest, and one of another minute.

    The first is sharper than the third but paler, and so has less detail. The second is there in
    two files, and between it and the third another scene was taken.
    """
    made = []
    for name, sigma, contrast, time in (
        ("a.jpg", 2.2, 0.5, "0:01"),
        ("b.jpg", 0, 1, "0:02"),
        ("b.jpeg", 0, 1, "0:02"),
        ("between.jpg", 2.4, -0.5, "0:02"),
        ("c.jpg", 2.5, 1, "0:03"),
        ("d.jpg", 0, 1, "1:30"),
    ):
        exif = PIL.Image.Exif()
        taken = f"2026:11:22 12:0{time}"
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
        pixels = (
            cv2.GaussianBlur(half_blurred_photo, (0, 0), sigma) if sigma else half_blurred_photo
        )
        pixels = np.clip(127 + contrast * (pixels.astype(np.float32) - 127), 0, 255)
        buffer = io.BytesIO()
        picture = PIL.Image.fromarray(pixels.astype(np.uint8))
        picture.save(buffer, "JPEG", exif=exif, quality=95)
        made.append({"name": name, "mimeType": "image/jpeg", "buffer": buffer.getvalue()})
    return made


def test_photos_stand_as_rank_has_them(
    open_page: Open,
    half_blurred_photo: npt.NDArray[np.uint8],
    tiny_kinds_weights: Path,
    tmp_path: Path,
) -> None:
    photos = frames(half_blurred_photo)
    for photo in photos:
        (tmp_path / photo["name"]).write_bytes(photo["buffer"])
    rows = rank_photos(tmp_path, method=str(tiny_kinds_weights), jobs=1, group_bursts=True)
    alone = rank_photos(tmp_path, method=str(tiny_kinds_weights), jobs=1)
    assert [row["photo"] for row in rows] != [row["photo"] for row in alone]
    page = open_page()
    add(page, photos)
    page.click("#grid")
    names = [Path(row["photo"]).name for row in rows if row["best_of_burst"] is not False]
    assert titles(page) == names
    assert page.locator("#chooser .burst").all_text_contents() == ["best of 4"] * 2
    page.uncheck("[name=fold]")
    assert titles(page) == [Path(row["photo"]).name for row in rows]
    said = page.locator("#chooser .tile .verdict").all_text_contents()
    assert sorted(said) == sorted(row["verdict"] for row in rows)


def test_the_overlay_of_the_grid_is_on_a_key(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    add(page, three[:1])
    page.click("#grid")
    tint = page.locator("#chooser .tile .tint")
    assert tint.is_hidden()
    page.keyboard.press("o")
    assert tint.is_visible()


def test_the_verdict_is_shown_and_saved(open_page: Open, three: list[Upload], client: Any) -> None:
    page = open_page()
    add(page, three[:1])
    said = client.post("/v1/rank", content=three[0]["buffer"]).json()
    assert page.text_content("#verdict") == said["verdict"]
    assert page.text_content("#why") == said["reason"]
    assert page.text_content("#focus") == f"{said['sigma']:.2f} px"
    with page.expect_download() as waiting:
        page.click("#csv")
    (row,) = csv.DictReader(waiting.value.path().read_text().splitlines())
    assert (row["verdict"], row["reason"]) == (said["verdict"], said["reason"])
    assert float(row["sigma"]) == said["sigma"]


def test_nothing_moves_while_photos_are_judged(
    open_page: Open, three: list[Upload], wait_until: WaitUntil
) -> None:
    page = open_page()
    held: list[Any] = []
    # The first answer waits until the grid is open.
    page.route("**/v1/rank*", lambda route: route.continue_() if held else held.append(route))
    page.set_input_files("#files", three)
    expect(page.locator("#count")).to_have_text("3 photos, 3 to judge")
    page.click("#grid")
    before = titles(page)
    # That the page asks is told later than what it shows.
    wait_until(lambda: page.wait_for_timeout(10) or bool(held))
    held[0].continue_()
    expect(page.locator("#chooser .tile .verdict")).to_have_count(3)
    assert titles(page) == before == ["half.png", "sharp.png", "other.png"]


def test_marks_of_photos_with_one_name_are_not_mixed_up(
    open_page: Open, three: list[Upload]
) -> None:
    page = open_page()
    add(page, [three[0], {**three[1], "name": "half.png"}])
    page.click("#grid")
    page.keyboard.press("Home")
    page.keyboard.press("p")
    assert page.locator("#chooser .is-pick").count() == 1
    page.get_by_role("button", name="Save picks").click()
    expect(page.locator("#chooser .status")).to_contain_text("are called half.png")


def test_a_photo_that_cannot_be_judged_says_so(open_page: Open, three: list[Upload]) -> None:
    page = open_page()
    refusal = {"status": 504, "json": {"error": "the photo takes more than 60 s"}}
    page.route("**/v1/rank*", lambda route: route.fulfill(**refusal))
    add(page, three[:1])
    assert page.text_content("#verdict") == "\u2013"
    assert page.text_content("#why") == "not judged: the photo takes more than 60 s"
    assert page.locator("#rows .state").text_content() == "not judged"
