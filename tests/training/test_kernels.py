"""Claims on point spread functions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.applications.light import disc_kernel, gaussian_kernel, polygon_kernel
from blurmapper.training.compositing import (
    apply_kernel,
    motion_kernel,
)

KERNELS = {
    "disc": disc_kernel(4.3),
    "gaussian": gaussian_kernel(2.1),
    "hexagon": polygon_kernel(5.0, 6, 0.3),
    "straight motion": motion_kernel(9.0, 0.4, 0.0),
    "motion that rests": motion_kernel(15.0, 0.5, 0.4, 8.0),
    "curved motion": motion_kernel(15.0, 1.0, 1.2),
}


def spread(kernel: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Standard deviation down and across, in pixels."""
    ys, xs = np.indices(kernel.shape) - (kernel.shape[0] - 1) / 2
    return float(np.sqrt((kernel * ys**2).sum())), float(np.sqrt((kernel * xs**2).sum()))


@pytest.mark.parametrize("name", KERNELS)
def test_no_light_is_lost(name: str) -> None:
    assert KERNELS[name].sum() == pytest.approx(1.0, abs=1e-5)
    assert KERNELS[name].min() >= 0.0


@pytest.mark.parametrize("radius", [1.5, 3.0, 7.7])
def test_a_disc_is_as_wide_as_its_radius_says(radius: float) -> None:
    # A uniform disc has a standard deviation of half its radius along each axis.
    down, across = spread(disc_kernel(radius))
    assert down == pytest.approx(radius / 2, abs=0.12)
    assert across == pytest.approx(down, abs=1e-3)


def test_a_polygon_of_many_blades_is_a_disc() -> None:
    assert np.abs(polygon_kernel(6.0, 64, 0.0) - disc_kernel(6.0)).max() < 2e-3


def test_a_level_movement_spreads_across_only() -> None:
    down, across = spread(motion_kernel(12.0, 0.0, 0.0))
    assert across == pytest.approx(12.0 / np.sqrt(12.0), rel=0.05)
    assert down < 0.5


def test_a_bent_path_leaves_its_line() -> None:
    assert spread(motion_kernel(12.0, 0.0, 2.0))[0] > 2 * spread(motion_kernel(12.0, 0.0, 0.0))[0]


def test_edges_stand_double_where_a_movement_rests_at_its_ends() -> None:
    kernel = motion_kernel(21.0, 0.0, 0.0, 10.0)
    middle = kernel.shape[1] // 2
    across = kernel.sum(axis=0)
    assert min(across[: middle - 4].max(), across[middle + 5 :].max()) > 3 * across[middle]


def test_applying_is_a_convolution_not_a_correlation() -> None:
    kernel = np.zeros((3, 3), np.float32)
    kernel[0, 0] = 1.0
    point = np.zeros((7, 7), np.float32)
    point[3, 3] = 1.0
    assert apply_kernel(point, kernel)[2, 2] == 1.0
