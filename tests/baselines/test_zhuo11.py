"""Claims on Zhuo11."""

from __future__ import annotations

import runpy
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import erf

from blurmapper.baselines.zhuo11 import LARGEST_SIGMA, edge_blur, map_zhuo11, smooth_edge_blur

BOOK = Path(__file__).parents[2] / "benchmarks" / "baselines" / "zhuo11.py"

Photo = npt.NDArray[np.uint8]


def step(distance: npt.NDArray[np.float64], sigma: float) -> npt.NDArray[np.float32]:
    """Return a step in grey, blurred by sigma, by the signed distance from it."""
    return (0.3 + 0.2 * erf(distance / (sigma * 2**0.5))).astype(np.float32)


@pytest.fixture
def cards() -> Photo:
    """Coloured rectangles on one another, uint8 (72, 96, 3), the right half out of focus."""
    rng = np.random.default_rng(3)
    photo = np.full((72, 96, 3), 90.0)
    for _ in range(40):
        top, left = rng.integers(0, 60), rng.integers(0, 84)
        photo[top : top + rng.integers(6, 20), left : left + rng.integers(6, 20)] = rng.integers(
            20, 236, 3
        )
    photo = cv2.GaussianBlur(photo, (0, 0), 0.6)
    photo[:, 48:] = cv2.GaussianBlur(photo, (0, 0), 2.5)[:, 48:]
    return (photo + rng.normal(0, 1, photo.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0.5, 0.75, 1.0, 1.5, 2.0, 2.5])
def test_sigma_at_a_diagonal_step_is_within_5_percent(sigma: float) -> None:
    row, column = np.indices((64, 64)) - 32.0
    blur = edge_blur(step((row + column) / 2**0.5, sigma))[8:-8, 8:-8]
    assert (blur > 0).sum() >= 40
    np.testing.assert_allclose(blur[blur > 0], sigma, rtol=0.05)


@pytest.mark.parametrize("sigma", [0.75, 1.0, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("axis", [0, 1])
def test_sigma_at_a_step_along_an_axis_is_within_5_percent(sigma: float, axis: int) -> None:
    blur = edge_blur(step(np.indices((64, 64))[axis] - 32.0, sigma))[8:-8, 8:-8]
    assert (blur > 0).sum() == 48
    np.testing.assert_allclose(blur[blur > 0], sigma, rtol=0.05)


def test_the_sharpest_step_along_an_axis_is_within_10_percent() -> None:
    blur = edge_blur(step(np.indices((64, 64))[1] - 32.0, 0.5))[8:-8, 32]
    np.testing.assert_allclose(blur, 0.5, rtol=0.1)


def test_sigma_is_capped() -> None:
    blur = edge_blur(step(np.indices((96, 96))[1] - 48.0, 5.0))
    assert blur.max() == LARGEST_SIGMA


def test_smoothing_keeps_the_places_of_edges() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.5, 3, (30, 40)).astype(np.float32) * (rng.random((30, 40)) < 0.1)
    smooth = smooth_edge_blur(rng.random((30, 40, 3), np.float32), sigma.astype(np.float32))
    np.testing.assert_array_equal(smooth > 0, sigma > 0)
    assert smooth.max() < sigma.max()


def test_the_fast_map_is_the_one_by_the_book(cards: Photo) -> None:
    fast, book = map_zhuo11(cards), runpy.run_path(str(BOOK))["by_the_book"](cards)
    assert np.ptp(book) > 0.5
    assert np.abs(fast - book).max() < 0.01


def test_the_blurred_half_is_higher(cards: Photo) -> None:
    blur_map = map_zhuo11(cards)
    assert blur_map[:, 56:].mean() > blur_map[:, :40].mean() + 0.3


def test_a_wider_blur_gives_a_larger_value(cards: Photo) -> None:
    sharp = cards[:, :48]
    means = [map_zhuo11(cv2.GaussianBlur(sharp, (0, 0), s)).mean() for s in (0.3, 1, 1.5, 2)]
    assert means == sorted(means)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.4])
def test_the_map_is_sigma_over_its_largest_value(sigma: float) -> None:
    grey = step(np.indices((40, 48))[1] - 22.0, sigma)
    photo = np.repeat(grey[..., np.newaxis], 3, axis=2)
    np.testing.assert_allclose(map_zhuo11(photo), sigma / LARGEST_SIGMA, rtol=0.05)


def test_the_values_are_those_recorded(cards: Photo) -> None:
    means = cv2.resize(map_zhuo11(cards), (4, 3), interpolation=cv2.INTER_AREA)
    recorded = [
        [0.294, 0.322, 0.564, 0.568],
        [0.271, 0.316, 0.496, 0.659],
        [0.301, 0.295, 0.696, 0.694],
    ]
    np.testing.assert_allclose(means, recorded, atol=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (16, 17)])
@pytest.mark.parametrize("flat", [True, False])
def test_small_and_flat_photos_have_maps(shape: tuple[int, int], flat: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    blur_map = map_zhuo11(np.full_like(noise, 77) if flat else noise)
    assert blur_map.shape == shape
    assert blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1


def test_where_no_edge_can_be_measured_all_is_blurred() -> None:
    assert (map_zhuo11(np.full((20, 30, 3), 200, np.uint8)) == 1).all()


def test_a_dtype_changes_the_scale_alone(cards: Photo) -> None:
    eight = map_zhuo11(cards)
    sixteen = map_zhuo11(cards.astype(np.uint16) * np.uint16(257))
    assert np.abs(eight - sixteen).max() < 0.01
