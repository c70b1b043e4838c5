"""The crops of a report: a photo's own pixels, and where in them its sharpest place is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.batch import find_photos, run_task
from blurmapper.methods import MethodOptions
from blurmapper.ranking.records import Box, PhotoRecord
from blurmapper.ranking.report import ReportTask, _find_in_crop
from blurmapper.sharpest import SharpestPart


def test_crops_have_the_photo_s_own_pixels(tmp_path: Path, tiny_weights: Path) -> None:
    (tmp_path / "in").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "in" / "a.png")
    task = ReportTask(str(tiny_weights), MethodOptions(threads=1))
    list(run_task(task, find_photos([tmp_path / "in"]), tmp_path / "out"))
    with PIL.Image.open(tmp_path / "out" / "a.png.sharpest.jpg") as crop:
        assert crop.size == (400, 300)


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [(350, 450, [0.5, 0.5]), (0, 899, [399 / 400, 0]), (690, 210, [0.5, 290 / 300])],
)
def test_a_crop_says_where_the_sharpest_place_is_in_it(
    row: int, column: int, place: list[float]
) -> None:
    focus = SharpestPart(0.5, row, column)
    record = PhotoRecord(Path("a"), 700, 900, 0.5, 0.5, Box(0, 0, 225, 175, 0.1), focus=focus)
    assert _find_in_crop(record) == pytest.approx(place)
