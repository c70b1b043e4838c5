"""Shi, Xu and Jia, "Discriminative Blur Detection Features", CVPR 2014."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import eigh

from blurmapper.baselines._features import Floats, grow_image, stretch, to_grey
from blurmapper.baselines._fitted import (
    NaiveBayes,
    Pairs,
    blurred_probability,
    fit_naive_bayes,
    read_fitted,
)
from blurmapper.baselines._graph import fuse_scales
from blurmapper.baselines._shi14_features import BORDER, Filters, patch_features
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

WINDOWS = (11, 15, 21)
"""Sides of the patches, in pixels: three scales."""

SMALLEST_SIDE = WINDOWS[-1] + 2 * BORDER
"""Of an image in which every scale has a patch with all its features."""

SAMPLES = 400
"""Patches of a pair that are looked at when fitting, at each scale."""

RIDGE = 1e-6
"""Share of the mean variance added to each pixel's, so that discriminants are defined."""

Doubles = npt.NDArray[np.float64]


@ignore_underflow()
def map_shi14(image: ImageArray) -> BlurMap:
    """Map blur by naive Bayes on peakedness, spread and spectrum of gradients in patches.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred: a probability on the graph of three scales.

    Raises
    ------
    WeightsError
        If the fitted numbers are missing.

    Notes
    -----
    Shi, Xu and Jia (doi:10.1109/CVPR.2014.379): at three scales the features of
    `blurmapper.baselines._shi14_features`, the probability of blurred stretched to [0, 1], and the
    scales fused by `blurmapper.baselines._graph.fuse_scales`. A scale has no patches in the
    outermost half window; there the map repeats its border.

    Certainty of our reading is full: features, graph and the scale that is returned are those of
    the authors' program. Its trained filters and classes are for non-commercial use and not in
    here: ours are fitted by `fit_shi14` on photos of our own, so that maps differ from theirs.
    An image under 27 pixels on a side is extended by its last row and column to hold one whole
    patch.
    """
    fitted = read_fitted("shi14")
    height, width = image.shape[:2]
    grey = to_grey(grow_image(image, SMALLEST_SIDE))
    maps = np.zeros((len(WINDOWS), *grey.shape), np.float32)
    for scale, window in enumerate(WINDOWS):
        half = window // 2
        inside = maps[scale, half : len(grey) - half, half : grey.shape[1] - half]
        inside[:] = _stretched_probability(grey, fitted["scales"][str(window)])
    return fuse_scales(maps, [window // 2 for window in WINDOWS])[:height, :width]


def fit_shi14(pairs: Pairs, seed: int = 0) -> dict[str, Any]:
    """Fit the filters and the classifiers of the three scales.

    Parameters
    ----------
    pairs : iterable of (image, ground_truth, valid)
        RGB images of any dtype (H, W, 3), and bool (H, W): True = blurred, and True = certain.
    seed : int
        Of the choice of `SAMPLES` patches a pair, drawn evenly among the certain ones.

    Returns
    -------
    dict
        JSON-ready: ``scales`` holds for each window the ``filters``, as lists of weights row by
        row, and ``naive_bayes``.

    Raises
    ------
    ValueError
        If no pair has a certain patch, or all are of one class.
    """
    greys = [
        (to_grey(grow_image(image, SMALLEST_SIDE)), truth, valid) for image, truth, valid in pairs
    ]
    return {"scales": {str(window): _fit_scale(greys, window, seed) for window in WINDOWS}}


def discriminants(sharp: Doubles, blurred: Doubles) -> Doubles:
    """Return two linear discriminants of two classes.

    Parameters
    ----------
    sharp, blurred : ndarray
        float64 (samples, values) of either class.

    Returns
    -------
    ndarray
        float64 (2, values), of length one.

    Notes
    -----
    Between two classes there is one discriminant in Fisher's sense, the first; that the paper
    takes several leaves open which. The authors' filters from the second on let only high
    frequencies pass, and sharp patches answer to them several times as widely as blurred ones.
    Ours is that of which the ratio of the two variances is largest, by the generalised
    eigenvectors of the classes' covariances.
    """
    between = blurred.mean(axis=0) - sharp.mean(axis=0)
    in_sharp, in_blurred = (np.cov(values, rowvar=False) for values in (sharp, blurred))
    ridge = RIDGE * np.trace(in_sharp + in_blurred) / len(in_sharp) * np.eye(len(in_sharp))
    first = np.linalg.solve(in_sharp + in_blurred + ridge, between)
    last = len(in_sharp) - 1
    second = eigh(in_sharp, in_blurred + ridge, subset_by_index=(last, last))[1][:, 0]
    return np.stack([direction / np.linalg.norm(direction) for direction in (first, second)])


def _stretched_probability(grey: Floats, fitted: Mapping[str, Any]) -> Floats:
    """Return the probability of blurred of every patch, stretched unless it is one all over."""
    filters = _square(fitted["filters"])
    features = patch_features(grey, filters)
    probability = blurred_probability(features, NaiveBayes.from_dict(fitted["naive_bayes"]))
    return stretch(probability) if np.ptp(probability) > 0 else probability


def _fit_scale(greys: list[Any], window: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng((seed, window))
    half = window // 2
    chosen, patches, blurred = [], [], []
    for grey, truth, valid in greys:
        inside = valid[half : len(grey) - half, half : grey.shape[1] - half]
        rows, columns = np.nonzero(inside)
        picks = rng.choice(len(rows), min(SAMPLES, len(rows)), replace=False)
        at = rows[picks], columns[picks]
        chosen.append(at)
        patches.append(sliding_window_view(grey, (window, window))[at].reshape(len(picks), -1))
        blurred.append(truth[at[0] + half, at[1] + half])
    is_blurred, values = np.concatenate(blurred), np.concatenate(patches).astype(np.float64)
    weights = discriminants(values[~is_blurred], values[is_blurred]).astype(np.float32)
    filters = _square(weights)
    features = [
        patch_features(grey, filters)[at] for (grey, *_), at in zip(greys, chosen, strict=True)
    ]
    classes = fit_naive_bayes(np.concatenate(features), is_blurred)
    return {"filters": _rounded(weights), "naive_bayes": classes.to_dict()}


def _square(weights: npt.ArrayLike) -> Filters:
    flat = np.asarray(weights, np.float32)
    side = round(flat.shape[-1] ** 0.5)
    return flat.reshape(-1, side, side)


def _rounded(weights: Filters) -> list[list[float]]:
    """Return weights as short as float32 needs them."""
    return [[float(f"{weight:.8g}") for weight in row] for row in weights]
