"""The sharpest part of what a map calls sharp."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from blurmapper.amounts import CELL, BlurAmounts
from blurmapper.applications.magnification import magnify_blur
from blurmapper.errors import ImageError
from blurmapper.kinds import BlurKinds
from blurmapper.sharpest import (
    FEWEST_CELLS,
    compare_amounts,
    find_sharp_cells,
    find_sharpest,
    find_sharpest_inside,
)

SIDE = 28


def amounts_of(sigma: float) -> BlurAmounts:
    grid = np.full((SIDE, SIDE), sigma, np.float32)
    return BlurAmounts(grid, np.zeros_like(grid), np.full_like(grid, np.nan))


def sharp_left_of(column: int) -> np.ndarray:
    blur_map = np.ones((SIDE * CELL, SIDE * CELL), np.float32)
    blur_map[:, : column * CELL] = 0
    return blur_map


def test_the_sharpest_part_is_looked_for_where_the_map_says_sharp() -> None:
    amounts = amounts_of(1.2)
    amounts.sigma[:, 14:] = 0.5
    found = find_sharpest(amounts, sharp_left_of(14))
    assert found is not None
    assert found.sigma == pytest.approx(1.2)
    assert found.column < 14 * CELL
    other = find_sharpest(amounts, 1 - sharp_left_of(14))
    assert other is not None
    assert other.sigma == pytest.approx(0.5)
    assert other.column > 14 * CELL


def test_it_is_a_twentieth_of_what_is_meant() -> None:
    amounts = amounts_of(1.2)
    amounts.sigma[0, :12] = 0.3
    few = find_sharpest(amounts, np.zeros((SIDE * CELL, SIDE * CELL), np.float32))
    amounts.sigma[:2] = 0.3
    many = find_sharpest(amounts, np.zeros((SIDE * CELL, SIDE * CELL), np.float32))
    assert few is not None and many is not None
    assert (few.sigma, many.sigma) == (pytest.approx(1.2), pytest.approx(0.3))
    assert many.row < 2 * CELL


@pytest.mark.parametrize(
    ("blurred", "measured", "expected"),
    [
        (0.4, False, 3.0),
        (0.1, False, None),
        (0.4, True, 0.5),
    ],
)
def test_noise_that_seems_sharp_in_a_soft_photo_is_no_subject(
    blurred: float, measured: bool, expected: float | None
) -> None:
    amounts = amounts_of(3.0)
    amounts.sigma[:, :2] = 0.5 if measured else np.nan
    blur_map = np.where(sharp_left_of(2) == 0, np.float32(blurred), np.float32(0.9))
    found = find_sharpest(amounts, blur_map)
    assert (None if found is None else found.sigma) == expected


def test_the_map_of_a_smaller_copy_serves_as_well() -> None:
    amounts = amounts_of(1.52)
    whole = find_sharpest(amounts, sharp_left_of(14))
    assert whole is not None
    small = sharp_left_of(14)[::2, ::2]
    assert find_sharpest(amounts, small, size=(SIDE * CELL, SIDE * CELL)) == whole
    # Of a photo as small as the copy the map would have seen such a blur.
    assert find_sharpest(BlurAmounts(*(grid[::2, ::2] for grid in amounts)), small) is None


def test_a_size_may_be_of_any_numbers() -> None:
    amounts, blur_map = amounts_of(1.2), sharp_left_of(14)
    for size in ((448.0, 448.0), np.array([448, 448], np.uint16)):
        found = find_sharpest(amounts, blur_map[::2, ::2], size=size)  # type: ignore[arg-type]
        assert found is not None
        assert found.sigma == pytest.approx(1.2)


@pytest.mark.parametrize("halved", [False, True])
def test_cells_of_the_map_are_the_amounts_cells_where_the_last_reach_beyond_the_photo(
    halved: bool,
) -> None:
    height, width, cell = 2 * CELL, 27 * CELL + 2, 26
    grid = np.full((2, 28), 5, np.float32)
    grid[:, cell] = 0.3
    blur_map = np.ones((height, width), np.float32)
    blur_map[:, cell * CELL : (cell + 1) * CELL] = 0
    blur_map = blur_map[::2, ::2] if halved else blur_map
    cells = find_sharp_cells(blur_map, grid, (height, width))
    assert np.flatnonzero(cells.all(axis=0)).tolist() == [cell]
    assert np.flatnonzero(cells.any(axis=0)).tolist() == [cell]


@pytest.mark.parametrize("size", [None, (SIDE * CELL, SIDE * CELL + 1)])
def test_amounts_of_another_photo_are_refused(size: tuple[int, int] | None) -> None:
    blur_map = sharp_left_of(14)
    with pytest.raises(ImageError, match=r"28 x 28 cells .*; give the amounts of this photo"):
        find_sharpest(amounts_of(1), blur_map if size else blur_map[:-CELL], size=size)


@pytest.mark.parametrize("size", [(448, 448, 3), 448, ("448", "448"), np.ones((2, 2))])
def test_a_size_that_is_none_is_refused_in_one_line(size: Any) -> None:
    with pytest.raises(ImageError, match=r"^size is .*; give \(height, width\)$") as refused:
        find_sharpest(amounts_of(1), sharp_left_of(14), size=size)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        tuple(amounts_of(1)),
        amounts_of(1).sigma,
        BlurKinds(*amounts_of(1)[:2]),
        amounts_of(1)._replace(sigma=[[1.0]]),
        "amounts",
    ],
)
def test_what_are_no_amounts_is_refused(given: Any) -> None:
    blur_map, refused = (
        sharp_left_of(14),
        r"^an? .* is not what map_amount returns; give Blur",
    )
    with pytest.raises(ImageError, match=refused):
        find_sharpest(given, blur_map)
    with pytest.raises(ImageError, match=refused):
        compare_amounts(given, amounts_of(1))
    with pytest.raises(ImageError, match=refused):
        compare_amounts(amounts_of(1), given)
    with pytest.raises(ImageError, match=refused):
        magnify_blur(np.zeros((*blur_map.shape, 3), np.uint8), blur_map, amounts=given)


@pytest.mark.parametrize(
    "blur_map",
    [
        np.full((SIDE * CELL, SIDE * CELL), 2.0),
        np.full((SIDE * CELL, SIDE * CELL), np.nan),
        np.zeros((SIDE * CELL, SIDE * CELL), np.uint8),
        np.zeros((0, SIDE * CELL), np.float32),
    ],
)
def test_what_is_no_map_is_refused(blur_map: np.ndarray) -> None:
    with pytest.raises(ImageError, match="blur map"):
        find_sharpest(amounts_of(1), blur_map)


@pytest.mark.parametrize("shape", [(15, 15), (300, 448), (28, 448), (1, 5000), (448, 412)])
def test_a_map_of_another_shape_than_the_photos_is_refused(shape: tuple[int, int]) -> None:
    side = SIDE * CELL
    with pytest.raises(ImageError, match="give the map of this photo, or of a smaller copy"):
        find_sharpest(amounts_of(0.7), np.zeros(shape, np.float32), size=(side, side))


@pytest.mark.parametrize("size", [(100, 150), (99, 151), (64, 1000), (17, 400)])
def test_rounded_sides_of_a_smaller_copy_are_of_its_photo(size: tuple[int, int]) -> None:
    for part in (1, 2, 4, 8):
        height, width = size[0] * part - part // 2, size[1] * part - part + 1
        grid = np.full((-(-height // CELL), -(-width // CELL)), 0.7, np.float32)
        amounts = BlurAmounts(grid, np.zeros_like(grid), grid)
        assert find_sharpest(amounts, np.zeros(size, np.float32), size=(height, width)) is not None


def test_where_nothing_is_sharp_the_figure_is_in_the_middle_of_all() -> None:
    amounts = amounts_of(2.0)
    amounts.sigma[:10] = 1.0
    amounts.sigma[20:] = 9.0
    found = find_sharpest(amounts, sharp_left_of(0))
    assert found is not None
    assert found.sigma == pytest.approx(2.0)


def test_what_lies_at_the_rim_of_something_sharp_is_no_answer_for_it() -> None:
    amounts = amounts_of(np.nan)
    amounts.sigma[10:20, 13] = 5.0
    assert find_sharpest(amounts, sharp_left_of(14)) is None
    anywhere = find_sharpest(amounts, sharp_left_of(0))
    assert anywhere is not None
    assert anywhere.sigma == pytest.approx(5.0)


def test_nothing_measured_where_the_map_says_sharp_is_no_answer() -> None:
    amounts = amounts_of(np.nan)
    amounts.sigma[10:20, 20:] = 1.0
    assert find_sharpest(amounts, sharp_left_of(14)) is None


def test_fur_with_a_few_soft_edges_is_not_soft_and_a_few_sharp_ones_are_sharp() -> None:
    for sigma, known in ((1.5, 10), (1.5, 100), (0.5, 10)):
        amounts = amounts_of(np.nan)
        amounts.sigma[: known // 10, :10] = sigma
        found = find_sharpest(amounts, sharp_left_of(14))
        assert (found is None) == (sigma > 1 and known == 10)


def test_a_few_cells_are_no_answer() -> None:
    sharp = sharp_left_of(SIDE)
    amounts = amounts_of(np.nan)
    amounts.sigma[5, : FEWEST_CELLS - 1] = 0.6
    assert find_sharpest(amounts, sharp) is None
    amounts.sigma[5, FEWEST_CELLS - 1] = 0.6
    assert find_sharpest(amounts, sharp) is not None


def test_small_photos_are_not_enlarged_so_that_a_map_sees_no_more_of_them() -> None:
    grid = np.full((6, 6), 1.0, np.float32)
    amounts = BlurAmounts(grid, np.zeros_like(grid), grid)
    assert find_sharpest(amounts, np.zeros((96, 96), np.float32)) is not None


def test_of_a_part_the_place_lies_within_it() -> None:
    found = find_sharpest_inside(amounts_of(0.7), (slice(5, 7), slice(44, 46)))
    assert found is not None
    assert (found.row, found.column) == (6, 44)
    assert find_sharpest_inside(amounts_of(np.nan), (slice(0, 90), slice(0, 90))) is None


def test_frames_are_compared_where_both_are_known() -> None:
    one, other = amounts_of(1.0), amounts_of(1.25)
    one.sigma[:, :10], other.sigma[:, 18:] = np.nan, np.nan
    one.sigma[:2] = 9.0  # Something moved in between.
    assert compare_amounts(one, other) == pytest.approx(0.8)
    assert compare_amounts(other, one) == pytest.approx(1.25)


def test_frames_with_hardly_anything_in_common_are_not_compared() -> None:
    one, other = amounts_of(1.0), amounts_of(2.0)
    one.sigma[:, : SIDE // 2], other.sigma[:, SIDE // 2 :] = np.nan, np.nan
    other.sigma[0, -FEWEST_CELLS + 1 :] = 2.0
    assert compare_amounts(one, other) is None
    other.sigma[0, -FEWEST_CELLS:] = 2.0
    assert compare_amounts(one, other) == pytest.approx(0.5)


def test_frames_of_two_sizes_are_refused() -> None:
    other = BlurAmounts(*(grid[1:] for grid in amounts_of(1.0)))
    with pytest.raises(ImageError, match="28 x 28 and 27 x 28 cells: compare frames of one size"):
        compare_amounts(amounts_of(1.0), other)


def test_amounts_that_are_no_grid_are_refused() -> None:
    row = np.ones(SIDE, np.float32)
    with pytest.raises(ImageError, match="is not what map_amount returns; give BlurAmounts"):
        find_sharpest(BlurAmounts(row, row, row), sharp_left_of(5))
