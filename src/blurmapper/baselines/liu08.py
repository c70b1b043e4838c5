"""Liu08: naive Bayes on spectrum slope, gradient span and saturation of patches.

R. Liu, Z. Li and J. Jia, "Image Partial Blur Detection and Classification", CVPR 2008,
doi:10.1109/CVPR.2008.4587465.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft, ndimage, sparse
from scipy.special import expit

from blurmapper.baselines._features import Floats, slope_weights, to_grey, to_unit
from blurmapper.baselines._fitted import (
    NaiveBayes,
    Pairs,
    blurred_log_odds,
    fit_naive_bayes,
    read_fitted,
)
from blurmapper.baselines._gradients import gradient_magnitude, larger_sigma
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

WINDOW = 15
"""A patch's side in pixels: with it features explain the published maps best."""

STEP = 3
"""Pixels by which a patch is moved where it is not moved pixel by pixel."""

SPAN_FACTOR, SPAN_OFFSET = 2000.0, 0.001
LEAST_SPAN = 0.01
"""What is added to the span before its logarithm is taken."""

LOWEST_RADIUS = 0.5
"""What counts as the radius of the spectrum's zero frequency, in cycles a side."""

CENTRE, SURENESS = 0.5, (2.5, 10.0)
"""Log odds at which the map is one half, and by what those under and over it are multiplied."""

PURE = 0.99
"""Share of a patch that must be blurred, or sharp, for it to be learnt from."""

SMALLEST_SLOPE = 0.1
"""Least slope of a photo's spectrum that others are measured against: that of noise is 0."""

SMALLEST_SATURATION = 1 / 255
"""Least of a photo's that others are measured against: a grey photo has none."""

# Power far below that of rounding to 8 bits, so that flat patches have a logarithm.
_NO_POWER = np.float32(1e-6)
_SAMPLES_AT_ONCE = 1 << 20


@ignore_underflow()
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
    training photos are not to be had; `fit_liu08` fits its classifier on ours. What the formulas
    leave open is read off 16 of the maps that the authors of the benchmark gave out: the patch's
    side, that the spectrum's slope begins at the zero frequency, so that it tells contrast too,
    and how sure the map is of itself. The classifier is less sure when it is fitted on our pairs
    than the published maps are, so that its log odds are stretched about `CENTRE`. With those
    maps ours correlate at a median of .66.
    """
    fitted = NaiveBayes.from_dict(read_fitted("liu08"))
    beyond = blurred_log_odds(patch_features(image), fitted) - CENTRE
    return np.asarray(expit(beyond * np.where(beyond < 0, *SURENESS)), np.float32)


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
        share = ndimage.uniform_filter((ground_truth & valid).astype(np.float32), WINDOW)
        sharp_share = ndimage.uniform_filter((~ground_truth & valid).astype(np.float32), WINDOW)
        # Patches nearer than that to one another would say the same twice.
        apart = np.s_[:: WINDOW // 2, :: WINDOW // 2]
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
        logarithm of the gradient histogram span and the maximum saturation, both lower where
        blurred.

    Notes
    -----
    The span's logarithm is ours: it is spread so far that a Gaussian of it would have most
    blurred patches at its very ends, where nothing is blurred. Maxima are of the patch around
    the very pixel. Slope and sigma, which hardly change from one pixel to the next, are taken
    every `STEP` pixels and interpolated between.
    """
    grey = to_grey(image)
    padded = _mirror(grey, WINDOW, STEP)
    slope = _between(_patch_slopes(padded, WINDOW, STEP), STEP, grey.shape)
    whole = max(_photo_slope(grey if min(grey.shape) >= WINDOW else padded), SMALLEST_SLOPE)
    sigma = _between(larger_sigma(gradient_magnitude(padded), WINDOW, STEP), STEP, grey.shape)
    span = SPAN_FACTOR * sigma / (_contrast(grey, WINDOW) + SPAN_OFFSET)
    saturation = _saturation(image)
    most = max(float(saturation.max()), SMALLEST_SATURATION)
    relative = (ndimage.maximum_filter(saturation, WINDOW) - most) / most
    features = ((slope - whole) / whole, np.log(span + LEAST_SPAN), relative)
    return np.stack(features, axis=-1, dtype=np.float32)


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
    """Return the log power of patches (n, h, w) at whole radii from 0 on, float32 (n, radii)."""
    spectrum = fft.rfft2(patches)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(np.log(power.reshape(len(patches), -1) @ averages + _NO_POWER), np.float32)


def _radial_averages(height: int, width: int) -> sparse.csr_array:
    """Return the matrix that averages half a spectrum over angles, (h * (w // 2 + 1), radii).

    Radii are whole cycles a shorter side, from 0 to half as many as that has pixels. What the half
    spectrum leaves out is the mirror image of what it has, so that it counts twice.
    """
    shorter = min(height, width)
    radius = np.hypot(fft.fftfreq(height)[:, np.newaxis], fft.rfftfreq(width)) * shorter
    number = np.rint(radius).astype(np.int64)
    twice = np.full(number.shape, 2.0, np.float32)
    twice[:, [0, -1] if width % 2 == 0 else [0]] = 1.0
    inside = np.flatnonzero(number <= shorter // 2)
    bins, share = number.ravel()[inside], twice.ravel()[inside]
    share /= np.bincount(bins, share).astype(np.float32)[bins]
    return sparse.csr_array((share, (inside, bins)), shape=(number.size, shorter // 2 + 1))


def _slope_weights(shorter: int) -> Floats:
    """Return the weights of log power at each radius whose sum is the slope, steeper = larger."""
    radius = np.maximum(np.arange(shorter // 2 + 1), LOWEST_RADIUS)
    return np.asarray(-slope_weights(radius), np.float32)


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
