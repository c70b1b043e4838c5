"""Su11: singular values side by side, and the map of their shares."""

from __future__ import annotations

import runpy
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.baselines._singular_values import LANES, largest_share
from blurmapper.baselines.su11 import WINDOW, map_su11, share_of_largest

BOOK = Path(__file__).parents[2] / "benchmarks" / "baselines" / "su11.py"

Photo = npt.NDArray[np.uint8]


@pytest.fixture
def texture() -> Photo:
    noise = np.random.default_rng(0).integers(0, 256, (48, 72, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 0.8).astype(np.uint8)


def blurred(photo: Photo, sigma: float) -> Photo:
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma), np.uint8)


def share_by_definition(patch: npt.NDArray[np.float32], largest: int) -> float:
    values = np.linalg.svd(patch.astype(np.float64), compute_uv=False)
    return float(values[:largest].sum() / values.sum())


def test_the_map_is_the_books(texture: Photo) -> None:
    photo = texture[:24, :40]
    photo[:, 20:] = blurred(photo, 3)[:, 20:]
    expected = runpy.run_path(str(BOOK))["by_the_book"](photo)
    np.testing.assert_allclose(map_su11(photo), expected, atol=1e-5)


@pytest.mark.parametrize("largest", [1, 2, 5])
@pytest.mark.parametrize("side", [5, 11, 21])
def test_shares_are_those_of_the_decomposition(side: int, largest: int) -> None:
    plane = np.random.default_rng(side).random((30, LANES + 9)).astype(np.float32)
    padded = np.pad(plane, side // 2, mode="symmetric")
    shares = largest_share(plane, side, largest)
    for y, x in ((0, 0), (29, LANES + 8), (7, LANES), (15, LANES - 1)):
        expected = share_by_definition(padded[y : y + side, x : x + side], largest)
        assert shares[y, x] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-4, 1.0])
def test_small_singular_values_are_not_lost(scale: float) -> None:
    """A patch of falling singular values, the smallest a hundred-thousandth of the largest."""
    rng = np.random.default_rng(1)
    left, _ = np.linalg.qr(rng.normal(size=(11, 11)))
    right, _ = np.linalg.qr(rng.normal(size=(11, 11)))
    patch = (left * np.geomspace(1, 1e-5, 11) @ right * scale).astype(np.float32)
    share = largest_share(patch, 11, 3)[5, 5]
    assert share == pytest.approx(share_by_definition(patch, 3), abs=2e-6)


def test_a_single_point_holds_one_singular_value() -> None:
    plane = np.zeros((21, 21), np.float32)
    plane[10, 10] = 1
    assert (largest_share(plane, 5, 1) == 1).all()


def test_equal_singular_values_share_evenly() -> None:
    shares = largest_share(np.eye(40, dtype=np.float32), 5, 2)
    assert shares[20, 20] == pytest.approx(2 / 5, abs=1e-6)


def test_a_wider_blur_is_higher(texture: Photo) -> None:
    means = [share_of_largest(blurred(texture, sigma)).mean() for sigma in (0.5, 1, 2, 4, 8)]
    assert (np.diff(means) > 0.002).all()


def test_contrast_and_dtype_make_no_difference(texture: Photo) -> None:
    blur_map = map_su11(texture)
    np.testing.assert_allclose(map_su11(texture // 2 * 2 / np.float32(510)), blur_map, atol=0.05)
    np.testing.assert_array_equal(map_su11(texture.astype(np.uint16) * np.uint16(257)), blur_map)


@pytest.mark.parametrize("level", [0, 1, 200])
@pytest.mark.parametrize("size", [(1, 1), (50, 1), (16, 33)])
def test_a_constant_photo_is_blurred(level: int, size: tuple[int, int]) -> None:
    blur_map = map_su11(np.full((*size, 3), level, np.uint8))
    assert blur_map == pytest.approx(1, abs=1e-6)
    assert blur_map.max() <= 1


def test_turning_the_photo_turns_the_map(texture: Photo) -> None:
    turned = map_su11(np.ascontiguousarray(texture.swapaxes(0, 1)))
    np.testing.assert_allclose(turned.T, map_su11(texture), atol=1e-5)


def test_a_part_of_the_photo_has_the_same_map(texture: Photo) -> None:
    """Away from where it is cut off: nothing depends on how many rows are worked on."""
    whole, part = share_of_largest(texture), share_of_largest(texture[8:])
    half = WINDOW // 2
    np.testing.assert_array_equal(part[half:], whole[8 + half :])


def test_neighbours_worked_on_side_by_side_make_no_difference(texture: Photo) -> None:
    whole, part = share_of_largest(texture), share_of_largest(texture[:, 8:])
    half = WINDOW // 2
    np.testing.assert_allclose(part[:, half:], whole[:, 8 + half :], atol=1e-6)


def test_the_map_is_stretched_to_the_photos_own_range(texture: Photo) -> None:
    blur_map, share = map_su11(texture), share_of_largest(texture)
    assert (blur_map.min(), blur_map.max()) == (0, 1)
    assert share.min() > 0.3
    np.testing.assert_allclose(np.corrcoef(blur_map.ravel(), share.ravel())[0, 1], 1)
