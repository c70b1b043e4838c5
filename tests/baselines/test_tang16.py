"""Claims on the spectrum residual and on evening it out among regions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import linalg, sparse

from blurmapper.baselines._features import neighbours
from blurmapper.baselines.tang16 import (
    _affine_distance,
    _even_out,
    _residual_energy,
    map_tang16,
)


def test_the_blurred_half_is_higher(half_blurred_photo: npt.NDArray[np.uint8]) -> None:
    blur_map = map_tang16(half_blurred_photo)
    assert blur_map[:, 72:].mean() > blur_map[:, :56].mean() + 0.4


def test_a_flat_photo_is_blurred_all_over() -> None:
    # Grey 255 leaves rounding in the spectrum, which must not be stretched.
    assert (map_tang16(np.full((61, 97, 3), 255, np.uint8)) == 1).all()


def test_the_residual_is_that_of_the_printed_formula() -> None:
    grey = np.random.default_rng(0).random((12, 15), np.float32)
    spectrum = np.fft.fft2(grey)
    log = np.log(np.abs(spectrum) + (12 * 15 / 12) ** 0.5 / 255)
    average = np.mean(
        [np.roll(log, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)], axis=0
    )
    whitened = np.exp(np.log(np.abs(spectrum)) - average + 1j * np.angle(spectrum))
    expected = np.abs(np.fft.ifft2(whitened)) ** 2
    np.testing.assert_allclose(_residual_energy(grey), expected, rtol=1e-3, atol=1e-6)


def test_the_affine_distance_is_the_norm_of_log_eigenvalues() -> None:
    factors = np.random.default_rng(1).normal(size=(2, 20, 2, 2))
    one, other = factors @ factors.swapaxes(-1, -2)
    expected = [
        np.linalg.norm(np.log(linalg.eigh(b, a, eigvals_only=True)))
        for a, b in zip(one, other, strict=True)
    ]
    np.testing.assert_allclose(_affine_distance(one, other), expected, rtol=1e-6)


def test_the_affine_distance_knows_no_change_of_axes() -> None:
    rng = np.random.default_rng(2)
    factors, axes = rng.normal(size=(2, 5, 2, 2)), rng.normal(size=(2, 2))
    one, other = factors @ factors.swapaxes(-1, -2)
    np.testing.assert_allclose(
        _affine_distance(axes @ one @ axes.T, axes @ other @ axes.T), _affine_distance(one, other)
    )


def test_regions_that_touch_are_neighbours_once() -> None:
    regions = np.array([[0, 0, 1], [2, 2, 1], [2, 3, 3]])
    first, second = neighbours(regions)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize("likeness", [1.0, 1e-6])
def test_like_regions_come_together_and_unlike_ones_stay_apart(likeness: float) -> None:
    similarity = sparse.csr_array(np.array([[0, likeness], [likeness, 0]]))
    apart = np.ptp(_even_out(np.array([0.0, 1.0]), similarity))
    assert apart < 0.05 if likeness == 1.0 else apart > 0.95
