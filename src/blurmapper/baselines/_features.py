"""What several of the classical methods begin or end with."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE

Floats = npt.NDArray[np.float32]
"""Values a pixel: float32 (H, W), or (H, W, channels)."""

Regions = npt.NDArray[np.intp]
"""The number of the region that each pixel is in, (H, W), from 0 on."""

LUMA = np.array([0.2989, 0.5870, 0.1140], np.float32)
"""Shares of red, green and blue in grey: Rec. 601, as the authors' MATLAB rounds them."""


def to_unit(image: ImageArray) -> Floats:
    """Return an image of any dtype as float32 RGB (H, W, 3) in [0, 1]."""
    if image.dtype == np.float32:
        return image
    return image.astype(np.float32) / np.float32(WHITE[image.dtype])


def to_levels(image: ImageArray) -> npt.NDArray[np.uint8]:
    """Return an image of any dtype as uint8 RGB (H, W, 3), rounded."""
    if image.dtype == np.uint8:
        return image
    return np.asarray(to_unit(image) * np.float32(255.0) + np.float32(0.5), np.uint8)


def to_grey(image: ImageArray) -> Floats:
    """Return an image's grey, float32 (H, W) in [0, 1]."""
    return np.asarray(to_unit(image) @ LUMA / LUMA.sum(), np.float32)


def to_grey_levels(image: ImageArray) -> npt.NDArray[np.uint8]:
    """Return an image's grey, uint8 (H, W), rounded."""
    return np.asarray(to_grey(image) * np.float32(255.0) + np.float32(0.5), np.uint8)


def stretch(values: npt.NDArray[Any]) -> Floats:
    """Stretch values linearly to [0, 1]; where all are equal, to 0."""
    lowest, highest = float(values.min()), float(values.max())
    if lowest == highest:
        return np.zeros(values.shape, np.float32)
    return np.asarray((values - lowest) / (highest - lowest), np.float32)


def region_means(values: npt.NDArray[Any], regions: Regions) -> npt.NDArray[np.float64]:
    """Return the mean of values (H, W) in each region."""
    sums = np.bincount(regions.ravel(), values.ravel())
    return np.asarray(sums / np.bincount(regions.ravel()), np.float64)


def neighbours(regions: Regions) -> tuple[Regions, Regions]:
    """Return every two regions that share an edge of a pixel, once, the lower number first."""
    sides = [(regions[:, 1:], regions[:, :-1]), (regions[1:], regions[:-1])]
    touching = [np.stack([one[one != other], other[one != other]]) for one, other in sides]
    pairs = np.unique(np.sort(np.concatenate(touching, axis=1), axis=0), axis=1)
    return pairs[0], pairs[1]


def slope_weights(frequency: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return the weights of log power at each frequency whose sum is the slope of its line.

    That is the straight line through log power over log frequency, by least squares in which every
    octave counts the same: else the many high frequencies, where noise is, would be all of it.
    """
    weights = 1 / frequency
    centred = np.log(frequency) - np.average(np.log(frequency), weights=weights)
    return np.asarray(weights * centred / (weights * centred**2).sum(), np.float64)


def share_rows(work: Callable[[int, int], object], rows: int) -> None:
    """Call ``work(first, end)`` on runs of rows, on all processors at once.

    For compiled loops that let go of the interpreter. Numba's own threads would do, but they
    abort the process where it forks, or where two threads of a server map photos at once.
    """
    threads = min(os.cpu_count() or 1, rows)
    bounds = [rows * part // (4 * threads) for part in range(4 * threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


def grow_image(image: ImageArray, side: int) -> ImageArray:
    """Repeat the last row and column of an image until it is ``side`` pixels high and wide."""
    height, width = image.shape[:2]
    if min(height, width) >= side:
        return image
    return np.pad(image, ((0, max(0, side - height)), (0, max(0, side - width)), (0, 0)), "edge")
