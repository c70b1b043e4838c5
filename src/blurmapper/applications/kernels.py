"""What a lens makes of a point that is out of focus: kernels that sum to one."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

Shape = Literal["disc", "gaussian", "polygon"]

Kernel = npt.NDArray[np.float32]
"""float32 (n, n), n odd, with the sum 1."""

BLADES = 6
"""Of the aperture that `polygon` stands for."""

OVERSAMPLING = 8
"""Kernels are drawn this many times larger and averaged, so that radii need not be whole."""


def disc_kernel(radius: float) -> Kernel:
    """Return the kernel of an open circular aperture; radius in pixels."""
    ys, xs = _grid(radius)
    # A narrower one than the finest grid would be drawn as nothing.
    return average_down(ys**2 + xs**2 <= max(radius, 1 / OVERSAMPLING) ** 2)


def gaussian_kernel(sigma: float) -> Kernel:
    """Return a Gaussian kernel cut at three sigma; sigma in pixels."""
    row = cv2.getGaussianKernel(2 * int(np.ceil(3 * sigma)) + 1, sigma, cv2.CV_32F)
    return np.asarray(row @ row.T, np.float32)


def polygon_kernel(radius: float, blades: int, rotation: float = 0.0) -> Kernel:
    """Return the kernel of an aperture with straight blades, 5 to 9 on real lenses.

    The radius, in pixels, is that of the circle around it; the rotation is in radians.
    """
    ys, xs = _grid(radius)
    angles = rotation + (np.arange(blades) + 0.5) * 2 * np.pi / blades
    to_blade = max(radius, 1 / OVERSAMPLING) * np.cos(np.pi / blades)
    sides = [xs * np.cos(a) + ys * np.sin(a) <= to_blade for a in angles]
    return average_down(np.logical_and.reduce(sides))


def lens_kernel(shape: Shape, radius: float) -> Kernel:
    """Return the kernel of an aperture; radius in pixels, of the circle around it.

    The Gaussian has the disc's variance, a sigma of half the radius.
    """
    if shape == "gaussian":
        return gaussian_kernel(radius / 2)
    return disc_kernel(radius) if shape == "disc" else polygon_kernel(radius, BLADES)


def average_down(drawn: npt.NDArray[Any]) -> Kernel:
    """Return the kernel that is drawn `OVERSAMPLING` times larger."""
    size = drawn.shape[0] // OVERSAMPLING
    small = cv2.resize(drawn.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small / small.sum(), np.float32)


def _grid(radius: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    size = 2 * int(np.ceil(radius)) + 1
    places = (np.arange(size * OVERSAMPLING) + 0.5) / OVERSAMPLING - size / 2
    return places[:, np.newaxis], places
