"""HiFST: high-frequency multiscale fusion and sort transform of gradient magnitudes.

S. A. Golestaneh and L. J. Karam, "Spatially-Varying Blur Detection Based on Multiscale Fused and
Sorted Transform Coefficients of Gradient Magnitudes", CVPR 2017, doi:10.1109/CVPR.2017.71.
The filter at the end: E. S. L. Gastal and M. M. Oliveira, "Domain Transform for Edge-Aware Image
and Video Processing", ACM Transactions on Graphics 30(4), 2011, doi:10.1145/2010324.1964964.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numba
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import Floats, stretch, to_grey_levels, to_levels
from blurmapper.baselines._hifst_transform import LANES, LAYERS, smallest_magnitudes
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

SPATIAL_SIGMA, RANGE_SIGMA, ROUNDS = 15.0, 0.25, 3
"""Of the edge-aware filter: sigma in pixels, sigma of grey in [0, 1], rounds."""

ENTROPY_SIDE = 7
"""Side of the window whose entropy weights a pixel."""

KEPT_BYTES = 2**29
"""Layers up to this size are kept; those of larger photos are computed twice, first for their
ranges: at 1 megapixel they take 468 MB."""

_jit = numba.njit(nogil=True, cache=True)


@ignore_underflow()
def map_hifst(image: ImageArray) -> BlurMap:
    """Map blur by the smallest high-frequency magnitudes of the gradient at four scales.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1]. Deeper images are rounded to 8 bits,
        as the method's constants are for those.

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred, stretched to the photo's own range; a constant
        photo is blurred all over.

    Notes
    -----
    Certainty of our reading is full: with the authors' maps of 16 photos ours correlate at 0.9997
    or more. The entropy is that of the fused layers, rounded to 256 levels, and not of the photo.
    How 2,660 coefficients a pixel are computed and sorted in little time is said in
    `_hifst_transform`; it changes nothing but rounding.
    """
    grey = to_grey_levels(_smooth(to_levels(image)))
    across, down = (
        cv2.Sobel(grey, cv2.CV_32F, *axis, borderType=cv2.BORDER_REPLICATE)
        for axis in ((1, 0), (0, 1))
    )
    fused = stretch(_fuse_layers(np.hypot(across, down)))
    weighted = fused * _entropy(np.asarray(fused * np.float32(255) + np.float32(0.5), np.uint8))
    return 1 - stretch(_smooth_along_edges(weighted, stretch(grey)))


def _smooth(levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the 3 x 3 Gaussian of sigma 0.5, rounded to 8 bits.

    OpenCV's own for 8 bits rounds its weights to 1/256, and differs at one pixel in a hundred.
    """
    smooth = cv2.GaussianBlur(
        levels.astype(np.float32), (3, 3), 0.5, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(smooth + np.float32(0.5), np.uint8)


def _fuse_layers(gradient: Floats) -> Floats:
    """Return the largest, at each pixel, of the layers stretched to [0, 1]."""
    keep = gradient.size * LAYERS * gradient.itemsize <= KEPT_BYTES
    fused = np.empty(gradient.shape, np.float32)

    def measure(left: int) -> tuple[Floats, Floats, Floats | None]:
        layers = smallest_magnitudes(gradient, left)
        return layers.min(axis=(1, 2)), layers.max(axis=(1, 2)), layers if keep else None

    def fuse(left: int, layers: Floats | None) -> None:
        if layers is None:
            layers = smallest_magnitudes(gradient, left)
        _largest_stretched(layers, lowest, spans, fused[:, left : left + LANES])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        lefts = range(0, gradient.shape[1], LANES)
        lows, highs, strips = zip(*pool.map(measure, lefts), strict=True)
        lowest = np.min(lows, axis=0)
        spans = np.max(highs, axis=0) - lowest
        spans[spans == 0] = 1
        list(pool.map(fuse, lefts, strips))
    return fused


@_jit
def _largest_stretched(layers: Floats, lowest: Floats, spans: Floats, largest: Floats) -> None:
    largest[:] = 0
    for k in range(len(layers)):
        low, span = lowest[k], spans[k]
        for y in range(layers.shape[1]):
            for x in range(layers.shape[2]):
                largest[y, x] = max(largest[y, x], (layers[k, y, x] - low) / span)


def _entropy(levels: npt.NDArray[np.uint8]) -> Floats:
    """Return the entropy, in bits, of the levels in the window round each pixel.

    With n of N pixels at a level it is (N log2 N - sum(n log2 n)) / N. The sum is moved along a row
    in whole multiples of 2^-40, so that nothing is lost on the way.
    """
    count = ENTROPY_SIDE**2
    n = np.arange(1, count + 1)
    table = np.append(0, np.rint(n * np.log2(n) * 2.0**40)).astype(np.int64)
    padded = np.pad(levels, ENTROPY_SIDE // 2, mode="symmetric")
    sums = _sum_counts(padded, table, np.empty(levels.shape, np.int64))
    return np.asarray((table[count] - sums) / (2.0**40 * count), np.float32)


@_jit
def _sum_counts(
    padded: npt.NDArray[np.uint8], table: npt.NDArray[np.int64], sums: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Sum table[n] over the levels in each window, n the times that a level is there."""
    for y in range(sums.shape[0]):
        counts = np.zeros(256, np.int64)
        total = 0
        for x in range(padded.shape[1]):
            for k in range(y, y + ENTROPY_SIDE):
                level = padded[k, x]
                total += table[counts[level] + 1] - table[counts[level]]
                counts[level] += 1
                if x >= ENTROPY_SIDE:
                    level = padded[k, x - ENTROPY_SIDE]
                    total += table[counts[level] - 1] - table[counts[level]]
                    counts[level] -= 1
            if x >= ENTROPY_SIDE - 1:
                sums[y, x - ENTROPY_SIDE + 1] = total
    return sums


def _smooth_along_edges(values: Floats, guide: Floats) -> Floats:
    """Return the recursive filter of the domain transform: equations 21 and 14 of its paper.

    The guide's own smoothing, 3 x 3 of sigma 1 with zeros around, is the authors'.
    """
    guide = np.asarray(
        cv2.GaussianBlur(guide, (3, 3), 1.0, borderType=cv2.BORDER_CONSTANT), np.float32
    )
    steps = [1 + SPATIAL_SIGMA / RANGE_SIGMA * np.abs(np.diff(g, axis=1)) for g in (guide, guide.T)]
    for k in range(ROUNDS):
        share = 2.0 ** (ROUNDS - 1 - k) / np.sqrt(4.0**ROUNDS - 1)
        sigma = SPATIAL_SIGMA * np.sqrt(3.0) * share
        for step in steps:
            weights = np.exp(np.float32(-np.sqrt(2.0) / sigma) * step)
            values = np.ascontiguousarray(_smooth_rows(values, weights).T)
    return values


@_jit
def _smooth_rows(values: Floats, weights: Floats) -> Floats:
    """Draw each pixel to its left neighbour, then to its right one."""
    height, width = values.shape
    for y in range(height):
        for x in range(1, width):
            values[y, x] += weights[y, x - 1] * (values[y, x - 1] - values[y, x])
        for x in range(width - 2, -1, -1):
            values[y, x] += weights[y, x] * (values[y, x + 1] - values[y, x])
    return values
