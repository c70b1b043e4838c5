"""What a lens makes of a point that is out of focus: kernels that sum to one."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Shape = Literal["disc", "gaussian", "polygon"]

Kernel = npt.NDArray[np.float32]
"""float32 (n, n), n odd, with the sum 1."""

BLADES = 6
"""Of the aperture that `polygon` stands for."""

# Kernels are drawn this many times larger and averaged, so that radii need not be whole.
_OVERSAMPLING = 8


def lens_kernel(shape: Shape, radius: float) -> Kernel:
    """Return the kernel of an aperture; radius in pixels, of the circle around it.

    The Gaussian has the disc's variance, a sigma of half the radius, and is cut at 3 sigma.
    """
    if shape == "gaussian":
        sigma = radius / 2
        row = cv2.getGaussianKernel(2 * int(np.ceil(3 * sigma)) + 1, sigma, cv2.CV_32F)
        return np.asarray(row @ row.T, np.float32)
    size = 2 * int(np.ceil(radius)) + 1
    places = (np.arange(size * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - size / 2
    ys, xs = places[:, np.newaxis], places
    # A narrower one than the finest grid would be drawn as nothing.
    reach = max(radius, 1 / _OVERSAMPLING)
    if shape == "disc":
        drawn = ys**2 + xs**2 <= reach**2
    else:
        angles = (np.arange(BLADES // 2) + 0.5) * 2 * np.pi / BLADES
        to_blade = reach * np.cos(np.pi / BLADES)
        sides = [np.abs(xs * np.cos(a) + ys * np.sin(a)) <= to_blade for a in angles]
        drawn = np.logical_and.reduce(sides)
    kernel = cv2.resize(drawn.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(kernel / kernel.sum(), np.float32)
