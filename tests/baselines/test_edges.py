"""Claims on edges and on the ratio of their gradients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import erf

from blurmapper.baselines._edges import find_edges, gradient_ratio

Grey = npt.NDArray[np.float32]
RADII = (5, 7)


def step(sigma: float) -> Grey:
    """Return a vertical step, blurred by sigma, in column 32 of 64."""
    profile = 0.3 + 0.2 * erf((np.arange(64) - 32) / (sigma * 2**0.5))
    return np.tile(profile.astype(np.float32), (48, 1))


def test_an_edge_is_one_pixel_wide_and_in_its_place() -> None:
    edges = find_edges(step(1.0))
    assert edges[1:-1, 32].all()
    assert edges.sum() == edges[:, 32].sum()


def test_an_edge_reaches_the_photos_border() -> None:
    assert find_edges(step(1.0))[[0, -1], 32].any()


def test_edges_are_those_of_a_darker_photo() -> None:
    grey = np.random.default_rng(0).random((60, 80), np.float32)
    agree = find_edges(grey) == find_edges(grey * np.float32(0.125))
    assert agree.mean() > 0.999


def test_an_edge_under_a_tenth_of_the_strongest_is_none() -> None:
    grey = np.concatenate([step(1.0), step(1.0) * np.float32(0.08)])
    edges = find_edges(grey)
    assert edges[10:38, 32].all()
    assert not edges[58:, 20:44].any()


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_flat_image_has_neither_edges_nor_ratio(level: float) -> None:
    flat = np.full((20, 30), level, np.float32)
    assert not find_edges(flat).any()
    assert not gradient_ratio(flat, RADII).any()


def test_the_ratio_falls_as_blur_grows() -> None:
    ratios = [float(gradient_ratio(step(sigma), RADII)[20, 32]) for sigma in (0.5, 1, 2, 4)]
    assert 1.5 > ratios[0]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] > 1


def test_the_ratio_is_that_of_the_formula() -> None:
    expected = ((2.0**2 + 1.5**2) / (2.0**2 + 1.0**2)) ** 0.5
    assert gradient_ratio(step(2.0), RADII)[20, 32] == pytest.approx(expected, rel=1e-3)


def test_turning_the_photo_turns_its_ratios() -> None:
    grey = np.random.default_rng(0).random((30, 40), np.float32)
    turned = gradient_ratio(np.ascontiguousarray(np.rot90(grey)), RADII)
    np.testing.assert_allclose(turned, np.rot90(gradient_ratio(grey, RADII)), rtol=1e-3)
