"""Yi16: local binary patterns, mattes and their fusion."""

from __future__ import annotations

import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.baselines._coarse_matting import CoarseMatting, _between, _reduce
from blurmapper.baselines.yi16 import WINDOWS, map_yi16, pattern_codes, sharpness

BOOK = Path(__file__).parents[2] / "benchmarks" / "baselines" / "yi16.py"


@pytest.fixture(scope="module")
def book() -> dict[str, Any]:
    return runpy.run_path(str(BOOK))


@pytest.fixture
def grey() -> npt.NDArray[np.uint8]:
    """Noise over a ramp: every pattern occurs, plain ones as well."""
    rng = np.random.default_rng(2)
    ramp = np.add.outer(np.arange(41), 3 * np.arange(37)) % 256
    return np.asarray(np.clip(ramp + rng.normal(0, 4, ramp.shape), 0, 255), np.uint8)


@pytest.fixture
def scene() -> npt.NDArray[np.uint8]:
    """A smooth left and a finely textured right side, of different colours."""
    rng = np.random.default_rng(1)
    photo = np.zeros((40, 48, 3), np.float32)
    photo[:, :26] = np.linspace(60, 90, 40)[:, None, None] * np.array([1, 0.8, 0.5])
    photo[:, 26:] = rng.uniform(70, 250, (40, 22, 1)) * np.array([0.5, 0.9, 1])
    return np.asarray(np.rint(photo + rng.normal(0, 0.7, photo.shape)), np.uint8)


def test_codes_agree_with_those_of_the_book(
    grey: npt.NDArray[np.uint8], book: dict[str, Any]
) -> None:
    codes = pattern_codes(grey)
    assert set(range(10)) == set(np.unique(codes))
    assert (codes == book["patterns"](np.pad(grey.astype(float), 1, "edge"))).all()


@pytest.mark.parametrize("window", WINDOWS)
def test_scores_agree_with_those_of_the_book(
    grey: npt.NDArray[np.uint8], book: dict[str, Any], window: int
) -> None:
    codes = pattern_codes(grey)
    share = book["stretch"](book["share_of_busy"](codes, window))
    assert sharpness(codes, window) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        ([[9, 9, 9], [9, 9, 9], [9, 9, 9]], 0),
        ([[99, 99, 99], [99, 9, 99], [99, 99, 99]], 8),
        ([[9, 9, 99], [9, 9, 99], [9, 9, 99]], 3),
        ([[9, 99, 9], [99, 9, 99], [9, 99, 9]], 8),
        ([[9, 13, 9], [9, 9, 9], [9, 9, 9]], 0),
        ([[9, 14, 9], [9, 9, 9], [9, 9, 9]], 1),
        ([[9, 14, 9], [9, 9, 9], [9, 14, 9]], 9),
    ],
)
def test_the_code_of_a_pixel_worked_by_hand(pixels: list[list[int]], code: int) -> None:
    assert pattern_codes(np.array(pixels, np.uint8))[1, 1] == code


def test_a_turned_photo_has_turned_codes(grey: npt.NDArray[np.uint8]) -> None:
    turned = pattern_codes(np.ascontiguousarray(np.rot90(grey)))
    assert (turned == np.rot90(pattern_codes(grey))).all()


def test_the_share_of_busy_codes_falls_with_blur() -> None:
    texture = np.random.default_rng(0).integers(0, 256, (96, 96)).astype(np.float32)
    shares = [
        (pattern_codes(np.asarray(cv2.GaussianBlur(texture, (0, 0), s), np.uint8)) >= 6).mean()
        for s in (0.4, 0.8, 1.2, 1.8, 2.6)
    ]
    assert all(a > b for a, b in pairwise(shares))


def test_the_map_agrees_with_that_of_the_book(
    scene: npt.NDArray[np.uint8], book: dict[str, Any]
) -> None:
    found, expected = map_yi16(scene), book["by_the_book"](scene)
    assert expected.std() > 0.3
    assert np.abs(found - expected).max() < 5e-3


def test_textured_is_sharp_and_plain_is_blurred(scene: npt.NDArray[np.uint8]) -> None:
    blur_map = map_yi16(scene)
    assert np.median(blur_map[:, :18]) > 0.9
    assert blur_map[:, 34:].max() < 0.2


def test_a_matte_is_a_linear_function_of_colour_where_the_photo_is_one() -> None:
    rng = np.random.default_rng(8)
    mix = cv2.GaussianBlur(rng.random((160, 176), np.float32), (0, 0), 12)[..., None]
    mix = np.clip(1.6 * (mix - mix.min()) / (mix.max() - mix.min()) - 0.3, 0, 1)
    image = mix * np.float32([0.9, 0.5, 0.3]) + (1 - mix) * np.float32([0.1, 0.4, 0.6])
    low, high = mix[..., 0] < 0.02, mix[..., 0] > 0.98
    inside = CoarseMatting(image).matte(low, high)
    assert np.corrcoef(inside.ravel(), mix.ravel())[0, 1] > 0.99


def test_a_lone_seed_is_not_lost_on_the_way_to_the_coarsest_level() -> None:
    image = np.random.default_rng(8).random((40, 40, 3), np.float32)
    high = np.zeros((40, 40), np.bool_)
    high[21, 17] = True
    assert CoarseMatting(image).matte(np.zeros_like(high), high).min() > 0.9


def test_a_constant_photo_is_blurred_all_over() -> None:
    assert (map_yi16(np.full((30, 20, 3), 77, np.uint8)) == 1).all()


def test_the_map_is_not_stretched(scene: npt.NDArray[np.uint8]) -> None:
    blur_map = map_yi16(scene)
    assert 0.03 < blur_map.min() < 0.2 and 0.8 < blur_map.max() < 0.97


def test_what_is_white_is_no_seed_of_sharp_nor_what_is_black_of_blurred() -> None:
    photo = np.full((48, 48, 3), 120, np.uint8)
    photo[:, 24:] = np.random.default_rng(0).integers(0, 2, (48, 24, 1)) * 255
    seeds: list[npt.NDArray[np.bool_]] = []

    def remember(_: CoarseMatting, low: Any, high: Any) -> Any:
        seeds.append(high)
        return np.zeros(low.shape, np.float32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CoarseMatting, "matte", remember)
        map_yi16(photo)
    busy = seeds[0][6:-6, 34:-6]
    white = photo[6:-6, 34:-6, 0] == 255
    assert busy[~white].any() and not busy[white].any()


@pytest.mark.parametrize("shape", [(21, 30), (33, 40), (48, 21)])
def test_a_level_of_the_pyramid_keeps_every_second_pixel_but_the_outer_two(
    shape: tuple[int, int],
) -> None:
    ramp = np.add.outer(np.arange(shape[0]), 3 * np.arange(shape[1])).astype(np.float64)
    np.testing.assert_allclose(_reduce(ramp), ramp[2:-2:2, 2:-2:2])
    enlarged = _between(_between(_reduce(ramp), 0, shape[0]), 1, shape[1])
    np.testing.assert_allclose(enlarged[2:-4, 2:-4], ramp[2:-4, 2:-4])


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 1), (13, 17), (16, 16)])
def test_small_and_odd_photos_have_maps_of_their_size(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    blur_map = map_yi16(photo)
    assert blur_map.shape == shape and blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1


def test_eight_and_sixteen_bits_and_floats_give_the_same_map(
    scene: npt.NDArray[np.uint8],
) -> None:
    eight = map_yi16(scene)
    assert map_yi16(scene.astype(np.uint16) * 257) == pytest.approx(eight, abs=1e-3)
    assert map_yi16(scene.astype(np.float32) / 255) == pytest.approx(eight, abs=1e-3)
