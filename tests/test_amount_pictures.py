"""Amounts as files, as a picture, and in what `blurmapper map` tells."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
from click.testing import CliRunner

from blurmapper.amount_pictures import STEPS, UNIT, WIDER, draw_amounts, encode_amounts
from blurmapper.amounts import BlurAmounts
from blurmapper.applications.light import encode_light
from blurmapper.cli import app
from blurmapper.training.leaves import draw_leaves

SIGMA = np.array([[0.5, 1.25, np.nan], [3.0, 7.5, 900.0]], np.float32)
AMOUNTS = BlurAmounts(SIGMA, np.zeros_like(SIGMA), np.full_like(SIGMA, np.nan))


def test_a_png_holds_hundredths_of_a_pixel_and_says_so() -> None:
    with PIL.Image.open(io.BytesIO(encode_amounts(AMOUNTS, ".amount.png"))) as picture:
        values = np.asarray(picture)
        assert "1/100 pixel" in picture.text["Unit"]
        assert picture.text["Cell"].startswith("16 x 16")
    assert UNIT == 100
    assert values.tolist() == [[50, 125, 0], [300, 750, 65535]]


def test_an_npy_file_holds_all_three() -> None:
    stored = np.load(io.BytesIO(encode_amounts(AMOUNTS, ".amount.npy")))
    assert stored.dtype == np.float32
    assert np.array_equal(stored, np.stack(AMOUNTS), equal_nan=True)


def test_colours_go_by_steps_of_pixels_and_what_is_unknown_stays_grey() -> None:
    image = np.full((32, 48, 3), (200, 100, 50), np.uint8)
    drawn = draw_amounts(image, AMOUNTS)
    cells = drawn[8::16, 8::16].reshape(-1, 3)
    assert len({tuple(cell) for cell in cells}) == 6
    unknown = cells[2]
    assert unknown[0] == unknown[1] == unknown[2]
    grey = unknown.astype(float)
    colours = [STEPS[0][1], STEPS[1][1], None, STEPS[2][1], STEPS[3][1], WIDER]
    for cell, colour in zip(cells, colours, strict=True):
        if colour is not None:
            assert np.allclose(cell, 0.55 * grey + 0.45 * np.array(colour), atol=1)


def scene_of_shapes() -> npt.NDArray[np.uint8]:
    return encode_light(draw_leaves(256, np.random.default_rng(1)), np.dtype(np.uint8))


def run_map(*arguments: str | Path) -> list[dict[str, Any]]:
    command = ["map", *map(str, arguments), "--json", "--method", "dbm-lite"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_map_writes_amounts_and_tells_the_sharpest_part(tmp_path: Path) -> None:
    PIL.Image.fromarray(scene_of_shapes()).save(tmp_path / "shapes.png")
    PIL.Image.new("RGB", (64, 48), (90, 90, 90)).save(tmp_path / "wall.png")
    arguments = (tmp_path, "-o", tmp_path / "out", "--amount", "--overlay")
    shapes, wall = sorted(run_map(*arguments), key=lambda line: str(line["photo"]))
    assert 0 < shapes["sigma"] < 1
    assert 0 <= shapes["sharpest_row"] < 256
    assert wall["sigma"] is None
    with PIL.Image.open(shapes["amount"]) as picture:
        assert picture.size == (16, 16)
    with PIL.Image.open(shapes["amount_overlay"]) as picture:
        assert picture.size == (256, 256)

    again = run_map(*arguments)
    assert all(line["mapped_before"] for line in again)
    assert [line["sigma"] for line in again if "shapes" in line["photo"]] == [shapes["sigma"]]


def test_without_amount_nothing_is_measured(tmp_path: Path) -> None:
    PIL.Image.fromarray(scene_of_shapes()).save(tmp_path / "shapes.png")
    (line,) = run_map(tmp_path / "shapes.png", "-o", tmp_path / "out")
    assert "sigma" not in line
    assert line["amount"] is None
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["shapes.png.blur.png"]
