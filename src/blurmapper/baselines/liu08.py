"""Liu08: naive Bayes on spectrum slope, gradient span and saturation of patches.

R. Liu, Z. Li and J. Jia, "Image Partial Blur Detection and Classification", CVPR 2008,
doi:10.1109/CVPR.2008.4587465.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft, ndimage, sparse

from blurmapper.baselines._bayes import NaiveBayes, blurred_probability, fit_naive_bayes
from blurmapper.baselines._features import Floats, to_grey, to_unit
from blurmapper.baselines._fitted import read_fitted
from blurmapper.baselines._gradients import gradient_magnitude, larger_sigma
from blurmapper.images import BlurMap, ImageArray

WINDOW_SHARE = 0.1
"""A patch's side as a share of the photo's shorter side."""

SMALLEST_WINDOW = 16
STEPS = 8
"""Steps that a patch takes to move by its own side, where it is not moved pixel by pixel."""

SPAN_FACTOR, SPAN_OFFSET = 2000.0, 0.001
PURE = 0.99
"""Share of a patch that must be blurred, or sharp, for it to be learnt from."""

SMALLEST_SLOPE = 0.1
"""Least slope of a photo's spectrum that others are measured against: that of noise is 0."""

SMALLEST_SATURATION = 1 / 255
"""Least of a photo's that others are measured against: a grey photo has none."""

# Power far below that of rounding to 8 bits, so that flat patches have a logarithm.
_NO_POWER = np.float32(1e-10)
_SAMPLES_AT_ONCE = 1 << 20

Pairs = Iterable[tuple[ImageArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]
"""Images, ground truth (True = blurred), and where the truth is certain."""


def map_liu08(image: ImageArray) -> BlurMap:
    """Map blur by naive Bayes on three features of the patch around each pixel.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred: the probability of it.

    Raises
    ------
    WeightsError
        If the fitted numbers are missing.

    Notes
    -----
    Certainty of our reading is medium: the paper gives the features' formulas, no program. Its
    training photos are not to be had; `fit_liu08` fits its classifier on ours.
    """
    fitted = NaiveBayes.from_dict(read_fitted("liu08"))
    return blurred_probability(patch_features(image), fitted)


def fit_liu08(pairs: Pairs) -> dict[str, Any]:
    """Fit the classifier on the patches that are blurred, or sharp, all over.

    Parameters
    ----------
    pairs : iterable of (image, ground_truth, valid)
        RGB images of any dtype (H, W, 3), and bool (H, W): True = blurred, and True = certain.

    Returns
    -------
    dict
        JSON-ready: what `NaiveBayes.from_dict` reads.

    Raises
    ------
    ValueError
        If no pair has a patch of one class.
    """
    features, blurred = [np.empty((0, 3), np.float32)], [np.empty(0, bool)]
    for image, ground_truth, valid in pairs:
        window = _window(*valid.shape)
        share = ndimage.uniform_filter((ground_truth & valid).astype(np.float32), window)
        sharp_share = ndimage.uniform_filter((~ground_truth & valid).astype(np.float32), window)
        # Patches nearer than that to one another would say the same twice.
        apart = np.s_[:: max(1, window // 2), :: max(1, window // 2)]
        is_blurred, is_sharp = share[apart] > PURE, sharp_share[apart] > PURE
        chosen = is_blurred | is_sharp
        features.append(patch_features(image)[apart][chosen])
        blurred.append(is_blurred[chosen])
    return fit_naive_bayes(np.concatenate(features), np.concatenate(blurred)).to_dict()


def patch_features(image: ImageArray) -> Floats:
    """Return the three features of the patch around each pixel, float32 (H, W, 3).

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1]. Beyond its border it is mirrored.

    Returns
    -------
    ndarray
        Section 3 of the paper: the local power spectrum slope, higher where blurred; the
        gradient histogram span and the maximum saturation, both lower where blurred.

    Notes
    -----
    Maxima are of the patch around the very pixel. Slope and sigma, which hardly change from one
    pixel to the next, are taken `STEPS` times on the way from a patch to the one beside it and
    interpolated between, so that the work grows with the photo, not with the patch.
    """
    grey = to_grey(image)
    window = _window(*grey.shape)
    step = window // STEPS
    padded = _mirror(grey, window, step)
    slope = _between(_patch_slopes(padded, window, step), step, grey.shape)
    whole = max(_photo_slope(grey if min(grey.shape) >= window else padded), SMALLEST_SLOPE)
    sigma = _between(larger_sigma(gradient_magnitude(padded), window, step), step, grey.shape)
    span = SPAN_FACTOR * sigma / (_contrast(grey, window) + SPAN_OFFSET)
    saturation = _saturation(image)
    most = max(float(saturation.max()), SMALLEST_SATURATION)
    relative = (ndimage.maximum_filter(saturation, window) - most) / most
    return np.stack([(slope - whole) / whole, span, relative], axis=-1, dtype=np.float32)


def _window(height: int, width: int) -> int:
    return max(SMALLEST_WINDOW, round(WINDOW_SHARE * min(height, width)))


def _mirror(grey: Floats, window: int, step: int) -> Floats:
    """Extend an image so that patches at every ``step`` from its first pixel pass its last.

    One row and column more than they need: the gradient there is not the photo's.
    """
    before = window // 2
    after = [before + (size // step + 1) * step + 1 - size for size in grey.shape]
    return np.pad(grey, [(before, extra) for extra in after], "symmetric")


def _between(grid: Floats, step: int, size: tuple[int, ...]) -> Floats:
    """Interpolate values at every ``step`` pixels linearly, to float32 of this size."""
    for axis in (0, 1):
        below, part = np.divmod(np.arange(size[axis]), step)
        shape = (-1, 1) if axis == 0 else (1, -1)
        share = (part / step).astype(np.float32).reshape(shape)
        lower, upper = grid.take(below, axis), grid.take(below + 1, axis)
        grid = lower + share * (upper - lower)
    return grid


def _patch_slopes(padded: Floats, window: int, step: int) -> Floats:
    """Return the spectrum slope of the patches at every ``step``, float32 (rows, columns)."""
    patches = sliding_window_view(padded, (window, window))[::step, ::step]
    slopes = np.empty(patches.shape[:2], np.float32)
    averages, weights = _radial_averages(window, window), _slope_weights(window)
    at_once = max(1, _SAMPLES_AT_ONCE // window**2)
    for row, along in enumerate(patches):
        for first in range(0, len(along), at_once):
            some = slice(first, first + at_once)
            slopes[row, some] = _radial_power(along[some], averages) @ weights
    return slopes


def _photo_slope(grey: Floats) -> float:
    """Return the spectrum slope of a whole photo."""
    power = _radial_power(grey[np.newaxis], _radial_averages(*grey.shape))
    return float((power @ _slope_weights(min(grey.shape)))[0])


def _radial_power(patches: Floats, averages: sparse.csr_array) -> Floats:
    """Return the log power of patches (n, h, w) at radii from 1 on, float32 (n, radii).

    A Hann window comes first. Without it the step from one edge of a patch to the opposite one
    has a slope of its own, which hides the slope of what is blurred.
    """
    down, across = (np.hanning(size + 2)[1:-1].astype(np.float32) for size in patches.shape[1:])
    centred = patches - patches.mean(axis=(1, 2), keepdims=True)
    spectrum = fft.rfft2(centred * (down[:, np.newaxis] * across))
    power = spectrum.real**2 + spectrum.imag**2
    power /= np.float32((down**2).sum() * (across**2).sum())
    return np.asarray(np.log(power.reshape(len(patches), -1) @ averages + _NO_POWER), np.float32)


def _radial_averages(height: int, width: int) -> sparse.csr_array:
    """Return the matrix that averages half a spectrum over angles, (h * (w // 2 + 1), radii).

    Radii are whole cycles a shorter side, up to half as many as that has pixels. What the half
    spectrum leaves out is the mirror image of what it has, so that it counts twice.
    """
    shorter = min(height, width)
    radius = np.hypot(fft.fftfreq(height)[:, np.newaxis], fft.rfftfreq(width)) * shorter
    number = np.rint(radius).astype(np.int64)
    twice = np.full(number.shape, 2.0, np.float32)
    twice[:, [0, -1] if width % 2 == 0 else [0]] = 1.0
    inside = np.flatnonzero((number >= 1) & (number <= shorter // 2))
    bins, share = number.ravel()[inside] - 1, twice.ravel()[inside]
    share /= np.bincount(bins, share).astype(np.float32)[bins]
    return sparse.csr_array((share, (inside, bins)), shape=(number.size, shorter // 2))


def _slope_weights(shorter: int) -> Floats:
    """Return the weights of log power at each radius whose sum is the slope, steeper = larger.

    Of the straight line through log power over log radius, by least squares in which every
    octave counts the same: else the many high radii, where noise is, would be all of it.
    """
    radius = np.arange(1, shorter // 2 + 1)
    weights = 1 / radius
    log_radius = np.log(radius)
    log_radius -= np.average(log_radius, weights=weights)
    return np.asarray(-weights * log_radius / (weights * log_radius**2).sum(), np.float32)


def _contrast(grey: Floats, window: int) -> Floats:
    """Return the Michelson contrast of the patch around each pixel; of black, 0."""
    brightest: Floats = ndimage.maximum_filter(grey, window)
    darkest: Floats = ndimage.minimum_filter(grey, window)
    total = brightest + darkest
    contrast = np.zeros_like(grey)
    np.divide(brightest - darkest, total, out=contrast, where=total > 0)
    return contrast


def _saturation(image: ImageArray) -> Floats:
    """Return 1 - 3 min(R, G, B) / (R + G + B) of each pixel; of black, 0."""
    colour = to_unit(image)
    total, least = colour.sum(axis=-1), colour.min(axis=-1)
    grey_share = np.divide(3 * least, total, out=np.ones_like(total), where=total > 0)
    return np.asarray(np.maximum(1 - grey_share, 0), np.float32)
