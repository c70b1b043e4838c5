"""How well the edge of a map follows the true edge between blurred and sharp."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.evaluation.counts import LEVELS, JsonReady, Mask, Numbers, map_levels

TOLERANCE = 2
"""Pixels by which an edge may be beside the true one."""

_AT_ONCE = 65_536

Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class BoundaryCounts(JsonReady):
    """Edge pixels of one map and of its ground truth at the thresholds k/255.

    Attributes
    ----------
    detected, detected_near : ndarray of int64, shape (256,)
        Edge pixels of the thresholded map, and those of them near a true edge.
    found : ndarray of int64, shape (256,)
        True edge pixels near an edge of the thresholded map.
    true : int
        True edge pixels.
    """

    detected: npt.NDArray[np.int64]
    detected_near: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    true: int


def boundary_counts(
    blur_map: Numbers, ground_truth: Mask, valid: Mask | None = None
) -> BoundaryCounts:
    """Count edge pixels of a map within 2 pixels of true ones, and the other way round.

    Parameters
    ----------
    blur_map, ground_truth, valid
        As in `image_counts`.

    Notes
    -----
    A pixel is on an edge when its right or lower neighbour is on the other side. Edges of which
    an undecided pixel is part count neither as detected nor as true.

    All thresholds are counted in one pass: a pixel with its two neighbours is an edge for the
    thresholds above their least and up to their greatest value. So is the disc around a pixel,
    since the values of neighbours overlap; where some of it is undecided its ranges may lie apart.
    """
    import cv2

    low, high = _neighbour_range(map_levels(blur_map))
    true_low, true_high = _neighbour_range(ground_truth.astype(np.uint8))
    reach = np.arange(-TOLERANCE, TOLERANCE + 1)
    disc = (reach**2 + reach[:, None] ** 2 <= TOLERANCE**2).astype(np.uint8)
    true_edge, whole = true_low < true_high, np.ones(low.shape, bool)
    if valid is not None:
        decided = _neighbour_range(valid.astype(np.uint8))[0]
        true_edge &= decided > 0
        low = np.where(decided > 0, low, high)
        whole = cv2.erode(decided, disc) > 0
    map_edge = low < high
    near = map_edge & (cv2.dilate(true_edge.astype(np.uint8), disc) > 0)
    near_low, near_high = cv2.erode(low, disc), cv2.dilate(high, disc)
    simple, holed = true_edge & whole, true_edge & ~whole
    return BoundaryCounts(
        detected=_count_open(low[map_edge], high[map_edge]),
        detected_near=_count_open(low[near], high[near]),
        found=_count_open(near_low[simple], near_high[simple])
        + _count_apart(low, high, holed, disc),
        true=int(np.count_nonzero(true_edge)),
    )


def score_boundary(counts: Iterable[BoundaryCounts]) -> float | None:
    """Return the best mean F at one threshold of the photos with an edge; None if there is none."""
    of_photos = [_boundary_f(row) for row in counts if row.true]
    return float(np.mean(of_photos, axis=0).max()) if of_photos else None


def _boundary_f(counts: BoundaryCounts) -> npt.NDArray[np.float64]:
    precision = counts.detected_near / np.maximum(counts.detected, 1)
    recall = counts.found / counts.true
    return 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)


def _neighbour_range(levels: Levels) -> tuple[Levels, Levels]:
    """Return the least and the greatest of each pixel, its right and its lower neighbour."""
    low, high = levels.copy(), levels.copy()
    for extreme, over in ((np.minimum, low), (np.maximum, high)):
        extreme(over[:, :-1], levels[:, 1:], out=over[:, :-1])
        extreme(over[:-1], levels[1:], out=over[:-1])
    return low, high


def _count_apart(low: Levels, high: Levels, chosen: Mask, disc: Levels) -> npt.NDArray[np.int64]:
    """Return for each threshold how many chosen pixels have an edge of it in the disc around."""
    starts, ends = (np.pad(extreme, TOLERANCE).astype(np.uint16) for extreme in (low, high))
    around = np.argwhere(disc)
    counts = np.zeros(LEVELS, np.int64)
    for some in np.array_split(np.argwhere(chosen), 1 + np.count_nonzero(chosen) // _AT_ONCE):
        ys, xs = (some[:, None] + around).transpose(2, 0, 1)
        ranges = np.sort(starts[ys, xs] << 8 | ends[ys, xs])
        reached = np.maximum.accumulate(ranges & 255, axis=1)
        # What is beyond the ranges before counts, so that nothing does twice.
        left = ranges >> 8
        left[:, 1:] = np.maximum(left[:, 1:], reached[:, :-1])
        counts += _count_open(left.ravel(), reached.ravel())
    return counts


def _count_open(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return for each threshold k how many ranges have low < k <= high."""
    rises, falls = (np.bincount(x, minlength=LEVELS).cumsum() for x in (low, high))
    return np.concatenate([[0], (rises - falls)[:-1]])
