"""Measuring photos and putting them in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.errors import ImageError
from blurmapper.images import ImageArray
from blurmapper.ranking.records import (
    Box,
    PhotoRecord,
    Unreadable,
    find_sharpest_box,
    rank_photos,
)

Measure = Callable[..., list[PhotoRecord | Unreadable]]


def map_by_red(image: ImageArray) -> npt.NDArray[np.float32]:
    """Call red pixels blurred."""
    return image[..., 0].astype(np.float32) / 255


def write_red(path: Path, red: int) -> Path:
    PIL.Image.new("RGB", (40, 30), (red, 0, 0)).save(path)
    return path


def test_a_record_holds_the_figures_of_the_map(measure: Measure, tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :20, 0] = 255
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    (record,) = measure([tmp_path / "a.png"], map_by_red)
    assert isinstance(record, PhotoRecord)
    assert (record.height, record.width) == (40, 80)
    assert record.blur_degree == record.share_blurred == 0.25
    assert (record.sharpest.width, record.sharpest.height) == (20, 10)
    assert record.sharpest.blur == 0
    assert record.frame is None


def test_an_unreadable_photo_does_not_stop_the_others(measure: Measure, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no photo")
    photos = [tmp_path / "bad.png", write_red(tmp_path / "good.png", 0)]
    first, second = measure(photos, map_by_red)
    assert isinstance(first, Unreadable)
    assert "bad.png" in str(first.error)
    assert isinstance(second, PhotoRecord)


def test_what_stands_out_can_count_more(measure: Measure, tmp_path: Path) -> None:
    pixels = np.full((60, 80, 3), (0, 120, 0), np.uint8)
    pixels[5:20, 5:20] = (255, 0, 0)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    (plain,) = measure([tmp_path / "a.png"], map_by_red)
    (salient,) = measure([tmp_path / "a.png"], map_by_red, weighting="saliency")
    assert isinstance(plain, PhotoRecord) and isinstance(salient, PhotoRecord)
    assert salient.blur_degree > 3 * plain.blur_degree


def test_the_order_is_the_same_however_photos_come(make_record: Callable[..., PhotoRecord]) -> None:
    results: list[PhotoRecord | Unreadable] = [
        make_record("c.jpg", 0.5),
        make_record("a.jpg", 0.5),
        make_record("b.jpg", 0.1),
        Unreadable(Path("d.jpg"), ImageError("d")),
        Unreadable(Path("B.jpg"), ImageError("B")),
    ]
    for order in itertools.permutations(results):
        records, unreadable = rank_photos(order)
        assert [str(record.photo) for record in records] == ["b.jpg", "a.jpg", "c.jpg"]
        assert [str(each.photo) for each in unreadable] == ["B.jpg", "d.jpg"]


def test_a_blurred_background_does_not_count_by_region(
    make_record: Callable[..., PhotoRecord],
) -> None:
    portrait = replace(make_record("portrait.jpg", 0.8), sharpest=Box(0, 0, 8, 6, 0.01))
    shaken = make_record("shaken.jpg", 0.6)
    assert rank_photos([portrait, shaken])[0] == [shaken, portrait]
    assert rank_photos([portrait, shaken], by="region")[0] == [portrait, shaken]


def test_no_photos_are_ranked_as_none() -> None:
    assert rank_photos([]) == ([], [])


def test_the_sharpest_box_is_where_the_map_is_least() -> None:
    blur_map = np.ones((80, 120), np.float32)
    blur_map[10:30, 60:90] = 0.2
    box = find_sharpest_box(blur_map)
    assert (box.x, box.y, box.width, box.height) == (60, 10, 30, 20)
    assert box.blur == pytest.approx(0.2)


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_of_equal_windows_the_one_in_the_middle_is_taken(value: float) -> None:
    box = find_sharpest_box(np.full((80, 120), value, np.float32))
    assert (box.x, box.y) == (45, 30)


def test_rounding_does_not_decide_between_equal_windows() -> None:
    noise = np.random.default_rng(0).uniform(0, 1e-4, (80, 120)).astype(np.float32)
    box = find_sharpest_box(noise)
    assert (box.x, box.y) == (45, 30)


def test_the_box_of_a_large_map_is_found_to_a_step_of_the_search() -> None:
    blur_map = np.ones((1200, 2000), np.float32)
    blur_map[700:1000, 100:600] = 0
    box = find_sharpest_box(blur_map)
    assert (box.width, box.height) == (500, 300)
    assert abs(box.x - 100) <= 8 and abs(box.y - 700) <= 8
    assert box.blur < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3), (257, 1000)])
def test_the_box_lies_inside_a_map_of_any_size(shape: tuple[int, int]) -> None:
    blur_map = np.random.default_rng(1).random(shape, np.float32)
    box = find_sharpest_box(blur_map)
    assert 0 <= box.x <= shape[1] - box.width and 0 <= box.y <= shape[0] - box.height
    assert box.width == max(1, shape[1] // 4) and box.height == max(1, shape[0] // 4)
