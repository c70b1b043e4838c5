"""One number from a blur map, whatever counts more."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.applications.degree import Weighting, blur_degree
from blurmapper.errors import ConfigError

WEIGHTINGS: tuple[Weighting | None, ...] = (None, "centre", "saliency")


def blurred_in(rows: slice, columns: slice) -> npt.NDArray[np.float32]:
    blur_map = np.zeros((60, 80), np.float32)
    blur_map[rows, columns] = 1
    return blur_map


@pytest.fixture
def red_on_green() -> npt.NDArray[np.uint8]:
    """A green photo, uint8 (60, 80, 3), with a red square in its upper left corner."""
    photo = np.full((60, 80, 3), (40, 120, 40), np.uint8)
    photo[5:20, 5:20] = (220, 30, 30)
    return photo


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_the_degree_of_a_constant_map_is_its_value(
    value: float, weighting: Weighting | None, red_on_green: npt.NDArray[np.uint8]
) -> None:
    blur_map = np.full((60, 80), value, np.float32)
    degree = blur_degree(blur_map, weighting=weighting, image=red_on_green)
    assert degree == pytest.approx(value, abs=1e-6)
    assert 0 <= degree <= 1


def test_the_degree_is_the_mean_of_the_map() -> None:
    assert blur_degree(blurred_in(slice(0, 15), slice(None))) == 0.25


def test_a_large_map_is_not_summed_in_single_precision() -> None:
    blur_map = np.full((3000, 3000), 0.1, np.float32)
    assert blur_degree(blur_map) == pytest.approx(float(np.float32(0.1)), abs=1e-12)


def test_blur_in_the_middle_counts_more_than_at_the_rim() -> None:
    middle = blur_degree(blurred_in(slice(20, 40), slice(30, 50)), weighting="centre")
    corner = blur_degree(blurred_in(slice(0, 20), slice(0, 20)), weighting="centre")
    plain = blur_degree(blurred_in(slice(0, 20), slice(0, 20)))
    assert corner < plain < middle


def test_what_stands_out_by_colour_counts_more(red_on_green: npt.NDArray[np.uint8]) -> None:
    blur_map = blurred_in(slice(5, 20), slice(5, 20))
    assert blur_degree(blur_map, weighting="saliency", image=red_on_green) > 5 * blur_degree(
        blur_map
    )


def test_an_object_stands_out_in_focus_and_out_of_focus(
    red_on_green: npt.NDArray[np.uint8],
) -> None:
    blur_map = blurred_in(slice(5, 20), slice(5, 20))
    soft = cv2.GaussianBlur(red_on_green, (0, 0), 2)
    sharp_degree, soft_degree = (
        blur_degree(blur_map, weighting="saliency", image=image) for image in (red_on_green, soft)
    )
    assert soft_degree == pytest.approx(sharp_degree, abs=0.15)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint16, 65535), (np.float32, 1)])
def test_the_depth_of_the_photo_does_not_matter(
    dtype: type, white: int, red_on_green: npt.NDArray[np.uint8]
) -> None:
    blur_map = blurred_in(slice(0, 30), slice(0, 40))
    deep = (red_on_green / 255 * white).astype(dtype)
    assert blur_degree(blur_map, weighting="saliency", image=deep) == pytest.approx(
        blur_degree(blur_map, weighting="saliency", image=red_on_green), abs=1e-3
    )


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_photo_of_one_colour_has_no_salient_part(grey: int) -> None:
    blur_map = blurred_in(slice(0, 30), slice(None))
    image = np.full((60, 80, 3), grey, np.uint8)
    assert blur_degree(blur_map, weighting="saliency", image=image) == 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_map_of_any_size_has_a_degree(
    shape: tuple[int, int], weighting: Weighting | None
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    degree = blur_degree(np.full(shape, 0.5, np.float32), weighting=weighting, image=image)
    assert degree == pytest.approx(0.5)


def test_saliency_asks_for_the_photo() -> None:
    with pytest.raises(ConfigError, match="give image"):
        blur_degree(np.zeros((60, 80), np.float32), weighting="saliency")


def test_a_wrong_weighting_lists_the_right_ones() -> None:
    with pytest.raises(ConfigError, match="choose from: centre, saliency"):
        blur_degree(np.zeros((60, 80), np.float32), weighting="center")  # type: ignore[arg-type]
