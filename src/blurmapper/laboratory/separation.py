"""How well one number a patch tells two classes apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.evaluation.bootstrap import CONFIDENCE, RESAMPLES, Interval

Floats = npt.NDArray[np.floating[Any]]


def separate(
    first: Floats,
    second: Floats,
    photos: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    *,
    seed: int = 0,
) -> Interval:
    """Return how often a value of the second class exceeds one of the first, of all pairs.

    Parameters
    ----------
    first, second : ndarray, shape (m,) and (n,)
        Values of the two classes. Equal ones count half.
    photos : tuple of ndarray of int, shape (m,) and (n,)
        The number of the photo that each value is of.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Interval
        The area under the ROC curve: 1 tells the classes apart, 0.5 is chance, 0 has them the
        wrong way round. Its 95 % interval is a bootstrap over photos, since patches of one photo
        resemble each other. NaN where a class is empty.
    """
    if not len(first) or not len(second):
        return Interval(np.nan, np.nan, np.nan)
    count = int(max(map(np.max, photos))) + 1
    wins = (second[:, None] > first) + 0.5 * (second[:, None] == first)
    # Which photo's values win over which photo's: every resampled set follows from that.
    of_first, of_second = (np.eye(count)[of_photo] for of_photo in photos)
    won = of_second.T @ wins @ of_first
    drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, RESAMPLES)
    weights = np.concatenate([np.ones((1, count)), drawn])
    pairs = (weights @ of_second.sum(0)) * (weights @ of_first.sum(0))
    areas = np.einsum("ri,ij,rj->r", weights, won, weights, optimize=True)
    values = np.divide(areas, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.nanpercentile(values[1:], [tail, 100 - tail])
    return Interval(float(values[0]), float(low), float(high))
