"""Precision and recall by threshold, pooled over pixels or averaged over photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blurmapper.evaluation.counts import Counts, stack_counts
from blurmapper.evaluation.scores import Floats, ratio


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
    return Curve(
        ratio(true_positives, detections, empty=np.nan),
        ratio(true_positives, table.positives.sum(), empty=np.nan),
    )


def mean_curve(counts: Counts) -> Curve:
    """Return precision and recall of each photo, averaged over photos.

    Notes
    -----
    This is how the curves that come with HiFST (Golestaneh and Karam, CVPR 2017,
    doi:10.1109/CVPR.2017.71) were made, and gives its own to the last digit. Photos in which
    nothing is blurred are left out; of the others, those that detect nothing at a threshold have
    no precision there.
    """
    table = stack_counts(counts)
    blurred = table.positives > 0
    true_positives, detections = table.true_positives[blurred], table.detections[blurred]
    precision = ratio(true_positives, detections, empty=0.0).sum(0)
    recall = ratio(true_positives, table.positives[blurred, None], empty=0.0).sum(0)
    return Curve(
        ratio(precision, (detections > 0).sum(0), empty=np.nan),
        ratio(recall, blurred.sum(), empty=np.nan),
    )
