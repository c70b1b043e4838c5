"""The page of a report, in headless Chromium, from a file: looked at, chosen from, saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper.batch import Result, find_photos, run_task
from blurmapper.methods import MethodOptions
from blurmapper.ranking.measuring import to_record
from blurmapper.ranking.report import FILES, ReportTask, write_report
from blurmapper.ranking.tables import make_ranking

expect = pytest.importorskip(
    "playwright.sync_api", reason="needs the dependency group browser"
).expect

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Any, tiny_weights: Path, tmp_path: Path) -> Iterator[Any]:
    """The page of six photos, of which the last three are a burst."""
    (tmp_path / "in").mkdir()
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    soft = PIL.Image.fromarray(coarse).resize((640, 480), PIL.Image.Resampling.BICUBIC)
    for number in range(6):
        exif = PIL.Image.Exif()
        if number >= 3:
            taken = f"2026:11:22 12:00:0{number}"
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
        soft.save(tmp_path / "in" / f"{number}.jpg", exif=exif, quality=90)
    task = ReportTask(str(tiny_weights), MethodOptions(threads=1))
    found, output = find_photos([tmp_path / "in"]), tmp_path / "out"
    results = list(run_task(task, found, output / FILES))
    done = {Path(str(each.photo)): each for each in results if isinstance(each, Result)}
    address = write_report(make_ranking(map(to_record, results), group=True), done, output)
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
    page.goto(address.as_uri())
    page.wait_for_selector(".tile")
    yield page
    context.close()
    assert failures == []


def titles(page: Any) -> list[str]:
    names: list[str] = page.locator(".tile .title").all_text_contents()
    return sorted(names)


def saved(page: Any) -> dict[str, Any]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save picks").click()
    photos = json.loads(waiting.value.path().read_text())["photos"]
    return {each["photo"]: (each["flag"], each["rating"]) for each in photos}


def test_space_folds_bursts_where_that_is_asked_and_looks_elsewhere(page: Any) -> None:
    folding = page.locator("[name=fold]")
    folding.focus()
    page.keyboard.press("Space")
    expect(folding).not_to_be_checked()
    expect(page.locator(".compare")).to_be_hidden()
    expect(page.locator(".tile")).to_have_count(6)


def test_a_burst_that_is_folded_leaves_its_best_chosen(page: Any) -> None:
    best = page.locator(".tile:has(.burst) .title").text_content()
    page.locator(".tile:has(.burst)").click()
    page.keyboard.press("b")
    expect(page.locator(".tile")).to_have_count(6)
    page.locator(".tile:has(.burst:not(.best))").first.click()
    page.keyboard.press("b")
    expect(page.locator(".tile")).to_have_count(4)
    expect(page.locator(".tile[aria-current=true] .title")).to_have_text(best)


def test_the_large_view_is_closed_without_keys(page: Any) -> None:
    close = page.get_by_role("button", name="Close", exact=True)
    page.locator(".tile").first.dblclick()
    expect(page.locator(".compare")).to_be_visible()
    close.locator("visible=true").click()
    expect(page.locator(".compare")).to_be_hidden()


def test_keys_pick_reject_and_rate(page: Any) -> None:
    # With Caps Lock letters come as capitals.
    for key in ("P", "ArrowRight", "x", "ArrowRight", "4"):
        page.keyboard.press(key)
    assert saved(page) == {
        "0.jpg": ("pick", None),
        "1.jpg": ("reject", None),
        "2.jpg": (None, 4),
    }
    for key in ("Home", "u", "ArrowRight", "u", "ArrowRight", "0"):
        page.keyboard.press(key)
    # What is taken back may have been carried out already.
    assert saved(page) == {"0.jpg": ("", None), "1.jpg": ("", None), "2.jpg": (None, 0)}
    assert page.text_content(".picks") == "0 picked, 0 rejected"


def test_bursts_are_folded_until_asked(page: Any) -> None:
    assert titles(page) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    page.keyboard.press("End")
    page.keyboard.press("b")
    assert len(titles(page)) == 6
    page.uncheck("[name=fold]")
    assert len(titles(page)) == 6
    page.check("[name=fold]")
    assert len(titles(page)) == 4


def test_the_photo_that_keys_mean_is_in_sight_whatever_is_shown(page: Any) -> None:
    page.set_viewport_size({"width": 420, "height": 420})
    page.keyboard.press("End")
    page.locator(".grid").evaluate("grid => grid.scrollTo(0, 0)")
    chosen = page.locator("[aria-current=true]")
    expect(chosen).not_to_be_in_viewport()
    page.uncheck("[name=fold]")
    expect(chosen).to_be_in_viewport()


def test_a_burst_is_compared_and_each_of_it_can_be_chosen(page: Any) -> None:
    for key in ("End", "C", "ArrowRight", "x", "ArrowRight", "p"):
        page.keyboard.press(key)
    assert page.locator(".compare figure").count() == 3
    page.keyboard.press("Escape")
    assert saved(page) == {"4.jpg": ("reject", None), "5.jpg": ("pick", None)}


def test_one_key_shows_every_pixel(page: Any) -> None:
    page.keyboard.press("Enter")
    whole = page.locator(".compare .whole").bounding_box()
    page.keyboard.press("z")
    assert page.locator(".compare .whole").bounding_box()["width"] == pytest.approx(640)
    assert whole["width"] < 1200
    page.keyboard.press("Enter")
    assert page.locator(".compare").is_hidden()


def test_filters_show_what_is_asked_for(page: Any) -> None:
    page.keyboard.press("p")
    page.select_option("[name=flag]", "pick")
    assert titles(page) == ["0.jpg"]
    page.select_option("[name=flag]", "undecided")
    assert titles(page) == ["1.jpg", "2.jpg", "3.jpg"]
    page.select_option("[name=flag]", "")
    page.fill("[name=search]", "2")
    assert titles(page) == ["2.jpg"]


def test_what_was_chosen_is_there_after_a_reload(page: Any) -> None:
    page.keyboard.press("p")
    page.reload()
    page.wait_for_selector(".tile")
    assert saved(page) == {"0.jpg": ("pick", None)}


def test_the_overlay_is_on_a_key(page: Any) -> None:
    assert page.locator(".tile .tint").first.is_hidden()
    page.keyboard.press("o")
    assert page.locator(".tile .tint").first.is_visible()
