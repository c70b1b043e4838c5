"""Claims on Chen16."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import erf

from blurmapper.baselines import chen16
from blurmapper.baselines.chen16 import ALPHA, edge_blur, map_chen16

Photo = npt.NDArray[np.uint8]


@pytest.fixture
def cards() -> Photo:
    """Coloured rectangles on one another, uint8 (240, 320, 3), the right half out of focus."""
    rng = np.random.default_rng(3)
    photo = np.full((240, 320, 3), 90.0)
    for _ in range(300):
        top, left = rng.integers(0, 220), rng.integers(0, 300)
        photo[top : top + rng.integers(8, 40), left : left + rng.integers(8, 40)] = rng.integers(
            20, 236, 3
        )
    photo = cv2.GaussianBlur(photo, (0, 0), 0.6)
    photo[:, 160:] = cv2.GaussianBlur(photo, (0, 0), 4)[:, 160:]
    return (photo + rng.normal(0, 1, photo.shape)).clip(0, 255).astype(np.uint8)


def test_the_blurred_half_is_higher(cards: Photo) -> None:
    blur_map = map_chen16(cards)
    assert blur_map.shape == (240, 320)
    assert blur_map.dtype == np.float32
    assert blur_map[:, 176:].mean() > blur_map[:, :144].mean() + 0.2


def test_the_map_is_stretched_to_its_range(cards: Photo) -> None:
    blur_map = map_chen16(cards)
    assert blur_map.min() == 0
    assert blur_map.max() == 1


@pytest.mark.parametrize("sigma", [0.75, 1.0, 2.0, 3.0])
def test_a_steps_blur_is_the_authors_formula(sigma: float) -> None:
    profile = 0.3 + 0.2 * erf((np.arange(64) - 32) / (sigma * 2**0.5))
    blur = edge_blur(np.tile(profile.astype(np.float32), (48, 1)))[12:-12, 32]
    expected = ((sigma**2 + 1) * 1.5**2 / (1.5**2 - 1)) ** 0.5
    np.testing.assert_allclose(blur, expected, rtol=0.02)


def test_values_spread_as_the_inverse_says() -> None:
    rng = np.random.default_rng(0)
    affinity = np.triu(rng.random((12, 12)) * (rng.random((12, 12)) < 0.5), 1)
    affinity += affinity.T
    blur = np.where(rng.random(12) < 0.6, rng.uniform(1.3, 9, 12), np.nan)
    influence = ALPHA * np.linalg.inv(np.diag(affinity.sum(1)) - (1 - ALPHA) * affinity)
    influence[:, np.isnan(blur)] = 0
    influence /= influence.sum(1, keepdims=True)
    expected = influence @ np.nan_to_num(blur)
    np.testing.assert_allclose(chen16._spread(blur, affinity), expected, rtol=1e-9)


def test_a_value_reaches_unlike_superpixels_faintly_but_alone() -> None:
    # Two and two superpixels alike, the pairs as unlike as can be; only the first is known.
    affinity = np.zeros((4, 4))
    affinity[0, 1] = affinity[2, 3] = 1.0
    affinity[1, 2] = np.finfo(np.float64).eps
    blur = np.array([5.0, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(chen16._spread(blur, affinity + affinity.T), 5.0, rtol=1e-9)


def test_few_seeds_leave_a_superpixel_unknown() -> None:
    labels = np.repeat([[0], [1]], 20, axis=1)
    blur = np.full((2, 20), 2.0, np.float32)
    blur[1, 9:] = 0
    np.testing.assert_array_equal(chen16._superpixel_blur(blur, labels), [2.0, np.nan])


def test_the_values_are_those_recorded(cards: Photo) -> None:
    means = cv2.resize(map_chen16(cards), (4, 3), interpolation=cv2.INTER_AREA)
    recorded = [
        [0.037, 0.109, 0.582, 0.769],
        [0.022, 0.054, 0.612, 0.751],
        [0.032, 0.109, 0.556, 0.772],
    ]
    np.testing.assert_allclose(means, recorded, atol=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (16, 17), (3, 900)])
@pytest.mark.parametrize("flat", [True, False])
def test_small_and_flat_photos_have_maps(shape: tuple[int, int], flat: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    blur_map = map_chen16(np.full_like(noise, 77) if flat else noise)
    assert blur_map.shape == shape
    assert blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1


def test_a_flat_photo_is_blurred() -> None:
    assert (map_chen16(np.full((20, 30, 3), 200, np.uint8)) == 1).all()


def test_a_dtype_changes_the_scale_alone(cards: Photo) -> None:
    eight = map_chen16(cards)
    sixteen = map_chen16(cards.astype(np.uint16) * np.uint16(257))
    assert np.abs(eight - sixteen).mean() < 0.001
