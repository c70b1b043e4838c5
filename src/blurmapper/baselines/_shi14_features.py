"""What Shi et al. measure in the patch round every pixel."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from blurmapper.baselines._features import Floats, share_rows
from blurmapper.baselines._gradients import forward_differences, gradient_magnitude, larger_sigma

BORDER = 3
"""Patches this near to the border give no gradient span; they take their neighbours'."""

LOG_RADIUS = 0.2
"""Width of the spectrum's bins, in natural logarithms of the radius."""

CLIPPED = (3.0, 97.0)
"""Filter responses beyond these percentiles of the image are cut off."""

# Under these a patch is flat: less than one pixel in it is off by one of 255 levels.
_FLAT_VARIANCE = 1e-12
_FLAT_POWER = 1e-13
_BLACK_SUM = 1e-3

Filters = npt.NDArray[np.float32]
"""float32 (filters, window, window)."""


def patch_features(grey: Floats, filters: Filters) -> Floats:
    """Return all features of every patch that lies inside an image.

    Parameters
    ----------
    grey : ndarray
        float32 (H, W) in [0, 1], at least ``window + 6`` on a side.
    filters : ndarray
        float32 (filters, window, window).

    Returns
    -------
    ndarray
        float32 (H - window + 1, W - window + 1, 3 + filters): `peakedness`, `gradient_span`,
        `spectral_power`, and the `responses` of the filters.
    """
    window = filters.shape[-1]
    features = (peakedness(grey, window), gradient_span(grey, window), spectral_power(grey, window))
    return np.stack([*features, *responses(grey, filters)], axis=-1)


def peakedness(grey: Floats, window: int) -> Floats:
    """Return q1: the log kurtosis of the gradient, across or down, whichever is smaller.

    Notes
    -----
    The code of Shi et al. divides a patch by its sum first. Kurtosis does not feel that, save
    where the sum happens to be zero; here a patch has no kurtosis only where it is flat. It then
    gets the smallest of the image, as in the authors' code.
    """
    across, down = (_log_kurtosis(d, window) for d in forward_differences(grey))
    return np.minimum(across, down)


def gradient_span(grey: Floats, window: int) -> Floats:
    """Return q2: the larger sigma of two Gaussians fitted to the gradients."""
    sigma = larger_sigma(gradient_magnitude(grey), window)
    return np.pad(sigma[BORDER:-BORDER, BORDER:-BORDER], BORDER, "edge")


def spectral_power(grey: Floats, window: int) -> Floats:
    """Return q3: the log power spectrum of the patch over its sum, averaged over log radii.

    Notes
    -----
    Frequencies, counted from one, of the first quadrant up to half the window; their power is
    averaged over equal rounded radii and summed over radii of equal logarithm, to 0.2; the last
    sum is left out. A flat patch has the power of rounding errors, which the authors' code
    takes at face value; here it gets the smallest of the image, as a black one does there.

    The two directions of the transform are matrix products, with as few rows at a time as are
    needed, so that no patch is ever copied out.
    """
    height, width = (side - window + 1 for side in grey.shape)
    half = (window - 1) // 2
    angles = 2 * np.pi / window * np.outer(np.arange(half), np.arange(window))
    basis = np.concatenate([np.cos(angles), np.sin(angles)]).astype(np.float32)
    rings = _log_rings(window)
    total = cv2.boxFilter(grey, cv2.CV_64F, (window, window), normalize=False)[
        half : half + height, half : half + width
    ]
    scale = 1 / np.maximum(total, _BLACK_SUM) ** 2 / half**2
    centred = grey - grey.mean(dtype=np.float64).astype(np.float32)
    power, flat = np.empty((height, width), np.float32), np.empty((height, width), np.bool_)

    def transform(first: int, end: int) -> None:
        rows = sliding_window_view(centred[first : end + window - 1], window, axis=1)
        # (rows, cosines then sines of each frequency across, columns)
        across = np.ascontiguousarray((rows @ basis.T).transpose(0, 2, 1))
        for row in range(first, end):
            lines = across[row - first : row - first + window].reshape(window, -1)
            both = (basis @ lines).reshape(2, half, 2, half, width)
            real, imaginary = both[0, :, 0] - both[1, :, 1], both[0, :, 1] + both[1, :, 0]
            squared = real * real + imaginary * imaginary
            ringed = rings @ squared.reshape(half * half, width) * scale[row]
            ringed[0] = 1 / half**2
            power[row] = np.log(np.maximum(ringed, _FLAT_POWER)).mean(axis=0)
            flat[row] = (ringed[1:] < _FLAT_POWER).all(axis=0)

    share_rows(transform, height)
    return _with_smallest(power, flat | (total < _BLACK_SUM))


def responses(grey: Floats, filters: Filters) -> list[Floats]:
    """Return q4: the filters' responses, cut off at the image's 3rd and 97th percentile."""
    half = filters.shape[-1] // 2
    answer = []
    for weights in filters:
        whole = np.asarray(cv2.filter2D(grey, cv2.CV_32F, weights), np.float32)
        inside = whole[half : len(grey) - half, half : grey.shape[1] - half]
        answer.append(inside.clip(*np.percentile(inside, CLIPPED).astype(np.float32)))
    return answer


def _log_kurtosis(values: Floats, window: int) -> Floats:
    """Return the log of the fourth central moment over the square of the second."""
    half = window // 2
    rows, columns = slice(half, len(values) - half), slice(half, values.shape[1] - half)
    power, moments = np.ones(values.shape), []
    for _ in range(4):
        power *= values
        moments.append(cv2.boxFilter(power, -1, (window, window))[rows, columns])
    first, second, third, fourth = moments
    square = first * first
    variance = second - square
    central = fourth - 4 * first * third + 3 * square * (2 * second - square)
    flat = variance < _FLAT_VARIANCE
    variance[flat] = central[flat] = 1.0
    kurtosis = np.log(np.maximum(central / (variance * variance), 1.0))
    return _with_smallest(kurtosis.astype(np.float32), flat)


def _with_smallest(values: Floats, undefined: npt.NDArray[np.bool_]) -> Floats:
    """Fill in what is undefined with the smallest of what is not, or 0 where nothing is."""
    values[undefined] = values[~undefined].min() if not undefined.all() else 0.0
    return values


@lru_cache(maxsize=8)
def _log_rings(window: int) -> Floats:
    """Return the weight of each frequency in each ring but the last, float32 (rings, half ** 2).

    A radius goes into the next ring as soon as it has reached the ring's rounded logarithm, one
    ring at a time.
    """
    half = (window - 1) // 2
    counted = np.arange(1, half + 1)
    radius = np.rint(np.hypot(counted[:, np.newaxis], counted)).ravel()
    radii = np.unique(radius)
    starts = np.unique(np.rint(np.log(radii) / LOG_RADIUS)) * LOG_RADIUS
    rings = np.zeros((len(starts), half * half), np.float32)
    ring = -1
    for r in radii:
        if ring + 1 < len(starts) and np.log(r) >= starts[ring + 1] - 1e-12:
            ring += 1
        rings[ring] += (radius == r) / np.count_nonzero(radius == r)
    return rings[:-1]
