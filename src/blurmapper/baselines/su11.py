"""Su11: how much of a patch its largest singular values hold.

B. Su, S. Lu and C. L. Tan, "Blurred Image Region Detection and Classification", ACM Multimedia
2011, doi:10.1145/2072298.2072024.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import Floats, to_unit
from blurmapper.baselines._fitted import read_fitted
from blurmapper.baselines._singular_values import largest_share
from blurmapper.images import BlurMap, ImageArray

WINDOWS = (5, 7, 11, 15, 21)
"""Sides of patches to choose from, in pixels: up to the largest that a port of the method has."""

MOST_LARGEST = 8
SAMPLES = 400
"""Pixels of each training pair that the choice is made on."""

CLEARLY_BLURRED = 0.75
"""Share of the largest singular values above which the authors call a pixel blurred."""


def map_su11(image: ImageArray) -> BlurMap:
    """Map blur by the share of the few largest singular values of each patch.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred; not stretched. A constant patch, black ones too,
        is blurred.

    Notes
    -----
    beta = (sum of the k largest) / (sum of all). Blur takes away detail, which the
    small singular values hold. Certainty is full for the formula; neither the patch's side nor k
    is known for sure. `fit_su11` chose them on training photos: 21 and 3, as a port has them.
    The patch is of the value of HSV, mirrored at the photo's borders.
    """
    fitted = read_fitted("su11")
    return largest_share(_value(image), fitted["window"], fitted["largest"])


def score_su11(image: ImageArray) -> float:
    """Return the authors' degree of blur of a whole photo, in [0, 1].

    Half of it is the share of the largest singular values of the photo itself, half the share of
    pixels above `CLEARLY_BLURRED`. That k is the same for the photo as for a patch is our reading.
    """
    values = np.linalg.svd(_value(image), compute_uv=False)
    whole = values[: read_fitted("su11")["largest"]].sum() / values.sum() if values.any() else 1.0
    return float(whole + np.mean(map_su11(image) > CLEARLY_BLURRED)) / 2


def fit_su11(
    pairs: Iterable[tuple[ImageArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
) -> dict[str, Any]:
    """Choose the patch's side and how many singular values are large.

    Parameters
    ----------
    pairs : iterable of (image, ground_truth, valid)
        RGB (H, W, 3); where it is blurred, and where that is decided, bool (H, W).

    Returns
    -------
    dict
        ``window`` and ``largest``, and the ``average_precision`` that chose them, on `SAMPLES`
        pixels of each pair.

    Raises
    ------
    ValueError
        If the pairs' decided pixels are not of both kinds.
    """
    rng = np.random.default_rng(0)
    truths = []
    spectra: dict[int, list[Floats]] = {window: [] for window in WINDOWS}
    for image, ground_truth, valid in pairs:
        rows, columns = np.nonzero(valid)
        chosen = rng.choice(len(rows), min(SAMPLES, len(rows)), replace=False)
        pixels = rows[chosen], columns[chosen]
        truths.append(ground_truth[pixels])
        for window in WINDOWS:
            spectra[window].append(_spectra(_value(image), window, pixels))
    truth = np.concatenate(truths) if truths else np.zeros(0, bool)
    if truth.all() or not truth.any():
        raise ValueError("the decided pixels are all of one kind")
    precision = {
        (window, largest): _average_precision(_shares(np.concatenate(parts), largest), truth)
        for window, parts in spectra.items()
        for largest in range(1, min(window - 1, MOST_LARGEST) + 1)
    }
    window, largest = max(precision, key=precision.__getitem__)
    best = round(precision[window, largest], 4)
    return {"window": window, "largest": largest, "average_precision": best}


def _value(image: ImageArray) -> Floats:
    return np.asarray(to_unit(image).max(axis=2), np.float32)


def _spectra(value: Floats, window: int, pixels: tuple[npt.NDArray[np.intp], ...]) -> Floats:
    """Return the singular values, falling, of the patches round some pixels."""
    padded = np.pad(value, window // 2, mode="symmetric")
    patches = np.lib.stride_tricks.sliding_window_view(padded, (window, window))[pixels]
    return np.asarray(np.linalg.svd(patches, compute_uv=False), np.float32)


def _shares(spectra: Floats, largest: int) -> npt.NDArray[np.float64]:
    total = spectra.sum(axis=1, dtype=np.float64)
    share = spectra[:, :largest].sum(axis=1, dtype=np.float64)
    shares: npt.NDArray[np.float64] = np.ones(len(total))
    np.divide(share, total, out=shares, where=total > 0)
    return shares


def _average_precision(shares: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]) -> float:
    """Return the mean precision at the blurred pixels, ranked by their shares."""
    ranked = truth[np.argsort(-shares, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())
