"""Forward differences, and the two-Gaussian fit of every patch."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.baselines._gradients import forward_differences, gradient_magnitude, larger_sigma

Floats = npt.NDArray[np.float32]


def sigma_by_the_book(magnitudes: Floats) -> float:
    """Fit one patch as the paper's code does: every magnitude and its negative, every round."""
    values = np.concatenate([magnitudes.ravel(), -magnitudes.ravel()]).astype(np.float64)
    wide, narrow, share, last = 0.5, 1e-4, 0.5, 1.0
    rounds = 0
    while abs(last - share) / last > 1e-3 and rounds < 100:
        in_narrow = share * np.exp(-(values**2) / (2 * narrow)) / np.sqrt(2 * np.pi * narrow)
        in_wide = (1 - share) * np.exp(-(values**2) / (2 * wide)) / np.sqrt(2 * np.pi * wide)
        belongs = in_narrow / (in_narrow + in_wide)
        narrow = (belongs * values**2).sum() / belongs.sum()
        wide = ((1 - belongs) * values**2).sum() / (1 - belongs).sum()
        last, share = share, belongs.mean()
        rounds += 1
    return float(np.sqrt(max(narrow, wide)))


@pytest.fixture
def grey() -> Floats:
    """Edges, texture and noise, in eight bits, the right half blurred."""
    rng = np.random.default_rng(3)
    blocks = rng.random((8, 16), np.float32).repeat(8, 0).repeat(8, 1)
    photo = 0.7 * blocks + 0.25 * rng.random((64, 128), np.float32) ** 2
    photo[:, 64:] = cv2.GaussianBlur(photo, (0, 0), 2)[:, 64:]
    photo += rng.normal(0, 0.004, photo.shape).astype(np.float32)
    return np.asarray(np.rint(np.clip(photo, 0, 1) * 255) / 255, np.float32)


def test_differences_reach_right_and_down_and_beyond_the_border_is_black() -> None:
    across, down = forward_differences(np.array([[1, 3], [6, 10]], np.float32))
    assert across.tolist() == [[2, -3], [4, -10]]
    assert down.tolist() == [[5, 7], [-6, -10]]


@pytest.mark.parametrize("window", [11, 15, 21])
def test_the_fit_agrees_with_one_that_takes_every_magnitude_by_itself(
    grey: Floats, window: int
) -> None:
    magnitude = gradient_magnitude(grey)[:-1, :-1]
    sigma = larger_sigma(magnitude, window, step=6)
    book = [
        [
            sigma_by_the_book(magnitude[y : y + window, x : x + window])
            for x in range(0, magnitude.shape[1] - window + 1, 6)
        ]
        for y in range(0, magnitude.shape[0] - window + 1, 6)
    ]
    error = np.abs(sigma / np.array(book) - 1)
    assert np.median(error) < 3e-4
    assert np.quantile(error, 0.98) < 3e-3  # now and then one of the two stops a round earlier


def test_a_patchs_fit_does_not_depend_on_how_the_patch_came_there(grey: Floats) -> None:
    magnitude = gradient_magnitude(grey)
    every = larger_sigma(magnitude, 11)
    assert (larger_sigma(magnitude, 11, step=3) == every[::3, ::3]).all()
    assert (larger_sigma(np.ascontiguousarray(magnitude[20:, 30:]), 11) == every[20:, 30:]).all()


def test_the_wider_sigma_of_a_known_mixture_is_found() -> None:
    rng = np.random.default_rng(5)
    wide = rng.random((150, 150)) < 0.3
    magnitude = np.abs(rng.normal(0, np.where(wide, 0.2, 0.01))).astype(np.float32)
    assert larger_sigma(magnitude, 150) == pytest.approx(0.2, rel=0.03)


def test_a_blurred_photo_has_the_smaller_sigma(grey: Floats) -> None:
    sigma = larger_sigma(gradient_magnitude(grey)[:-1, :-1], 15)
    assert sigma[:, 66:].max() < sigma[:, :48].min()


@pytest.mark.parametrize("value", [0.0, 1e-6, 0.3, 1.4142135])
def test_equal_magnitudes_have_themselves_as_sigma(value: float) -> None:
    sigma = larger_sigma(np.full((12, 14), value, np.float32), 11)
    assert sigma == pytest.approx(value, rel=1e-5, abs=2e-7)
