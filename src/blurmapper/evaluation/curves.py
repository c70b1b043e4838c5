"""Precision and recall by threshold, pooled over pixels or averaged over photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blurmapper.evaluation.counts import Counts, stack_counts
from blurmapper.evaluation.scores import Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall at the thresholds k/255, so that recall falls.

    Attributes
    ----------
    precision, recall : ndarray, shape (256,)
        Precision is NaN where nothing is detected.
    """

    precision: Floats
    recall: Floats


def pooled_curve(counts: Counts) -> Curve:
    """Return the curve of all pixels of all photos taken together."""
    table = stack_counts(counts)
    true_positives, detections = table.true_positives.sum(0), table.detections.sum(0)
    with np.errstate(invalid="ignore"):
        return Curve(true_positives / detections, true_positives / table.positives.sum())


def mean_curve(counts: Counts) -> Curve:
    """Return precision and recall of each photo, averaged over photos.

    Notes
    -----
    This is how the curves that come with HiFST (Golestaneh and Karam, CVPR 2017) were made, and
    gives its own to the last digit. A photo counts for precision where it detects anything, and
    for recall where anything is blurred.
    """
    table = stack_counts(counts)
    blurred = table.positives > 0
    with np.errstate(invalid="ignore"):
        precision = table.true_positives / table.detections
        photos = (table.detections > 0).sum(0)
        return Curve(
            np.nansum(precision, axis=0) / photos,
            (table.true_positives[blurred] / table.positives[blurred, None]).mean(0),
        )
