"""How far scores would move had other photos been taken: the bootstrap over photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blurmapper.evaluation.counts import Counts, stack_counts
from blurmapper.evaluation.scores import PROTOCOLS, Floats

RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A score, or a difference of two, with the percentile interval of its bootstrap.

    All are NaN where nothing is blurred in any photo, so that no recall exists.
    """

    value: float
    low: float
    high: float


def bootstrap_intervals(
    counts: Counts, protocol: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """Return each score of a protocol with its 95 % interval.

    Parameters
    ----------
    counts : iterable of ImageCounts or CountTable
    protocol : {"paper", "pooled", "dbd"}
    resamples : int
        Sets of as many photos, drawn with replacement.
    seed : int
        The same seed draws the same photos.
    """
    scores = _resampled_scores(counts, protocol, resamples, seed)
    return {name: interval_of(values) for name, values in scores.items()}


def bootstrap_differences(
    counts: Counts, reference: Counts, protocol: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """Return by how much each score exceeds that of a reference, with its 95 % interval.

    The comparison is paired: both are scored on the same resampled photos, so that what makes
    a photo hard for both cancels.

    Parameters
    ----------
    counts, reference : iterable of ImageCounts or CountTable
        Of the same photos in the same order.
    protocol, resamples, seed
        As in `bootstrap_intervals`.

    Raises
    ------
    ValueError
        If the photos are not the same.
    """
    ours, theirs = stack_counts(counts), stack_counts(reference)
    if not np.array_equal(ours.positives, theirs.positives):
        raise ValueError("a paired difference needs the same photos in the same order")
    first = _resampled_scores(ours, protocol, resamples, seed)
    second = _resampled_scores(theirs, protocol, resamples, seed)
    return {name: interval_of(first[name] - second[name]) for name in first}


def _resampled_scores(
    counts: Counts, protocol: str, resamples: int, seed: int
) -> dict[str, Floats]:
    """Return each score of the set itself, followed by those of the resampled sets."""
    table = stack_counts(counts)
    weights = resample(len(table), resamples, seed)
    names = PROTOCOLS[protocol].scores
    return dict(zip(names, PROTOCOLS[protocol].weighted(table, weights), strict=False))


def resample(images: int, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return how often each image is in the set itself, and in each that is drawn from it."""
    drawn = np.random.default_rng(seed).multinomial(images, [1 / images] * images, resamples)
    return np.concatenate([np.ones((1, images)), drawn])


def interval_of(values: Floats) -> Interval:
    """Return the first of some scores with the percentile interval of the others."""
    tail = 50 * (1 - CONFIDENCE)
    if np.isnan(values[0]):
        return Interval(np.nan, np.nan, np.nan)
    # A resampled set may by chance hold no photo with anything blurred.
    low, high = np.nanpercentile(values[1:], [tail, 100 - tail])
    return Interval(float(values[0]), float(low), float(high))
