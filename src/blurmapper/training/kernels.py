"""Point spread functions of lenses and shaking hands, each summing to one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.applications.kernels import (
    OVERSAMPLING,
    Kernel,
    average_down,
    disc_kernel,
    gaussian_kernel,
    polygon_kernel,
)

LARGEST_RADIUS = 20.0
"""Blur radii are drawn up to this many pixels in a photo of `REFERENCE_SIDE`."""

REFERENCE_SIDE = 512
SMALLEST_MOVEMENT = 3.5
"""Length in pixels from which an eye is sure that something moved."""


def motion_kernel(length: float, angle: float, bend: float, dwell: float = 0.0) -> Kernel:
    """Return the kernel of a movement along a circular arc.

    Parameters
    ----------
    length : float
        Of the path, in pixels.
    angle : float
        Direction at the path's middle, in radians.
    bend : float
        By how much the direction turns along the path, in radians; 0 is a straight line.
    dwell : float
        How much longer than elsewhere the movement rests at the path's ends: edges stand double
        where it does. 0 is constant speed.
    """
    steps = max(2, int(np.ceil(length * OVERSAMPLING)))
    along = np.linspace(-0.5, 0.5, steps)
    directions = angle + bend * along
    points = np.cumsum(np.stack([np.cos(directions), np.sin(directions)]), axis=1)
    points = (points - points.mean(axis=1, keepdims=True)) * length / steps
    half = int(np.ceil(np.abs(points).max())) + 1
    size = (2 * half + 1) * OVERSAMPLING
    drawn = np.zeros((size, size), np.float32)
    columns, rows = np.round(points * OVERSAMPLING + (size - 1) / 2).astype(int)
    np.add.at(drawn, (rows, columns), 1.0 + dwell * (np.abs(along) > 0.4))
    thick = cv2.blur(drawn, (OVERSAMPLING, OVERSAMPLING))
    return average_down(thick)


def apply_kernel(values: npt.NDArray[np.float32], kernel: Kernel) -> npt.NDArray[np.float32]:
    """Convolve (H, W) or (H, W, C) with a kernel, mirrored at the border."""
    flipped = np.ascontiguousarray(kernel[::-1, ::-1])
    return np.asarray(
        cv2.filter2D(values, -1, flipped, borderType=cv2.BORDER_REFLECT_101), np.float32
    )


def draw_radius(rng: np.random.Generator, side: int, smallest: float) -> float:
    """Draw a blur radius in pixels, small ones as often as large ones (log-uniform)."""
    largest = LARGEST_RADIUS * side / REFERENCE_SIDE
    return float(np.exp(rng.uniform(np.log(smallest), np.log(max(largest, smallest * 1.5)))))


def draw_often_slight(rng: np.random.Generator, side: int, smallest: float) -> float:
    """Draw a blur radius as `draw_radius` does, a third of the time at most three times `smallest`.

    Slight blur is what a network takes for sharp, and what photos at their best hold most of.
    """
    if rng.random() < 1 / 3:
        return float(rng.uniform(smallest, 3.0 * smallest))
    return draw_radius(rng, side, smallest)


def lens_kernel(rng: np.random.Generator, radius: float) -> Kernel:
    """Draw an aperture of this radius: disc, polygon or Gaussian."""
    shape = rng.choice(["disc", "polygon", "gaussian"], p=[0.45, 0.25, 0.3])
    if shape == "polygon" and radius > 2.0:
        return polygon_kernel(radius, int(rng.integers(5, 9)), float(rng.uniform(0, np.pi)))
    return gaussian_kernel(radius / 2.0) if shape == "gaussian" else disc_kernel(radius)


def shake_kernel(rng: np.random.Generator, side: int, *, panning: bool = False) -> Kernel:
    """Draw a movement: panning is longer, straighter and nearer to level."""
    longest = max((0.25 if panning else 0.12) * side, 1.5 * SMALLEST_MOVEMENT)
    length = float(np.exp(rng.uniform(np.log(SMALLEST_MOVEMENT), np.log(longest))))
    angle = rng.normal(0, 0.2) if panning else rng.uniform(0, np.pi)
    bend = float(rng.normal(0, 0.1 if panning else 0.8))
    dwell = float(rng.uniform(1.0, 12.0)) if not panning and rng.random() < 0.25 else 0.0
    return motion_kernel(length, float(angle), bend, dwell)
