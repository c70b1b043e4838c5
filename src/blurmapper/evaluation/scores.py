"""Scores of a set of photos from their counts alone, in the three protocols in use.

``paper`` follows the numbers that Ma et al. printed, ``pooled`` the words of their paper and the
habit of edge detection, ``dbd`` the community of defocus blur detection. Each counts blurred
pixels as positive. A row of one must never be put beside a row of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.evaluation.counts import THRESHOLDS, Counts, CountTable, stack_counts

# Its users look for it here.
from blurmapper.evaluation.counts import image_counts as image_counts  # noqa: PLC0414

DBD_BETA_SQUARED = 0.3
RECALL_LEVELS = np.linspace(0, 1, 101)

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Scores of a set of photos in the protocol `paper` or `pooled`.

    Attributes
    ----------
    ods, ois : float
        Best F at one threshold for the whole set, and at each photo's own best threshold.
    ap : float
        Average precision as the protocol defines it.
    ods_threshold : float
        The threshold k/255 that gives `ods`; the lowest of equals.
    images : int
        Photos scored.
    """

    ods: float
    ois: float
    ap: float
    ods_threshold: float
    images: int


@dataclass(frozen=True)
class DbdScores:
    """F (beta^2 = 0.3) at the threshold 0.5 and mean absolute error, both means over photos."""

    f_score: float
    mae: float
    images: int


def f_score(
    true_positives: npt.NDArray[Any],
    detections: npt.NDArray[Any],
    positives: npt.NDArray[Any],
    beta_squared: float = 1.0,
) -> Floats:
    """Return F = (1 + b^2) P R / (b^2 P + R) from counts.

    It is 0 where nothing is detected, NaN where nothing is blurred: there is no recall then.
    """
    sizes = np.where(positives > 0, detections + beta_squared * positives, 0)
    return ratio((1 + beta_squared) * true_positives, sizes, empty=np.nan)


def score_paper(counts: Counts) -> Scores:
    """Score as the numbers of Ma et al. (TIP 2018, doi:10.1109/TIP.2018.2847421) were made.

    Notes
    -----
    With F_i(t) of photo i: ODS is the best mean over photos at one threshold, OIS the mean over
    photos of the best, AP the mean over thresholds of the pooled precision. The paper's text says
    otherwise; these definitions give its published rows for HiFST to the last digit.
    A photo without a blurred pixel has no recall, so no F: it takes part in AP alone; a set of
    such photos scores NaN. A threshold that no pixel of the set reaches has no precision and is
    left out of AP.
    """
    return _scores(paper_scores, counts)


def score_pooled(counts: Counts) -> Scores:
    """Score as edge detection does: counts are summed over photos before F is taken.

    Notes
    -----
    ODS is the best F of the counts pooled at one threshold, OIS the F of the counts pooled at each
    photo's own best threshold, AP the area under the curve sampled at 101 recalls, all as in the
    code of BSDS500 (Arbelaez et al., 2011, doi:10.1109/TPAMI.2010.161), save that ODS is not
    interpolated between thresholds. Read `average_precision` beside it: this AP is zero below the
    lowest recall a method reaches.
    """
    return _scores(pooled_scores, counts)


def score_dbd(counts: Counts) -> DbdScores:
    """Score as defocus blur detection does: F at 0.5 with beta^2 = 0.3, blurred positive, and MAE.

    Notes
    -----
    A photo without a blurred pixel has no F; it takes part in the mean absolute error, unless it is
    undecided all over.
    """
    table = stack_counts(counts)
    f, mae = dbd_scores(table, np.ones((1, len(table))))
    return DbdScores(float(f[0]), float(mae[0]), decided_photos(table))


def average_precision(counts: Counts) -> float:
    """Return the step-wise average precision of the pooled counts: sum of (R_k - R_k+1) P_k.

    Equal to scikit-learn's ``average_precision_score`` over all pixels of 8-bit maps.
    """
    table = stack_counts(counts)
    true_positives, detections = table.true_positives.sum(0), table.detections.sum(0)
    precision = ratio(true_positives, detections, empty=0.0)
    recall = ratio(true_positives, table.positives.sum(), empty=np.nan)
    return float(-np.diff(recall, append=0.0) @ precision)


def calibration_error(counts: Counts) -> float:
    """Return the expected calibration error: how far probabilities are from frequencies.

    Parameters
    ----------
    counts : iterable of ImageCounts or CountTable

    Notes
    -----
    Mean over pixels of ``|mean probability - share blurred|`` of the pixel's bin, of 16 of equal
    width over [0, 1] (Guo et al., ICML 2017). Within a level the probability is taken as k/255
    plus the mean excess over the levels of all pixels: exact for 8-bit maps, within 1/255 for
    finer ones.
    """
    table = stack_counts(counts)
    pixels = -np.diff(table.detections.sum(0), append=0)
    blurred = -np.diff(table.true_positives.sum(0), append=0)
    excess = ratio(table.probability.sum() - THRESHOLDS @ pixels, pixels.sum(), empty=np.nan)
    gaps = (THRESHOLDS + excess) * pixels - blurred
    return float(ratio(np.abs(gaps.reshape(16, -1).sum(1)).sum(), pixels.sum(), empty=np.nan))


def paper_scores(table: CountTable, weights: Weights) -> tuple[Floats, ...]:
    """Return ODS, OIS, AP and the ODS threshold of weighted sets of photos, protocol `paper`.

    Parameters
    ----------
    table : CountTable
        Of N photos.
    weights : ndarray, shape (B, N)
        How often each photo is in each of B sets: ones for the set itself, resampling counts
        for a bootstrap. Each answer has the shape (B,).
    """
    f = np.nan_to_num(_image_f(table))
    shares = _shares(weights, table.positives)
    mean_f = shares @ f
    detections = weights @ table.detections
    precision = ratio(weights @ table.true_positives, detections, empty=0.0)
    ap = ratio(precision.sum(1), (detections > 0).sum(1), empty=np.nan)
    best = mean_f.argmax(1)
    # Shares add up to one but for rounding.
    ods, ois = (np.minimum(mean, 1.0) for mean in (mean_f.max(1), shares @ f.max(1)))
    return ods, ois, ap, THRESHOLDS[best]


def pooled_scores(table: CountTable, weights: Weights) -> tuple[Floats, ...]:
    """Return ODS, OIS, AP and the ODS threshold as `paper_scores` does, protocol `pooled`.

    Where nothing is blurred in a photo, its best threshold is the highest.
    """
    true_positives, detections = weights @ table.true_positives, weights @ table.detections
    positives = weights @ table.positives
    f = f_score(true_positives, detections, positives[:, None])
    photos = np.arange(len(table))
    best = np.where(table.positives > 0, _image_f(table).argmax(1), -1)
    ois = f_score(
        weights @ table.true_positives[photos, best],
        weights @ table.detections[photos, best],
        positives,
    )
    precision = ratio(true_positives, detections, empty=0.0)
    recall = ratio(true_positives, positives[:, None], empty=0.0)
    ap = [interpolated_precision(r, p) for r, p in zip(recall, precision, strict=True)]
    return f.max(1), ois, np.where(positives > 0, ap, np.nan), THRESHOLDS[f.argmax(1)]


def dbd_scores(table: CountTable, weights: Weights) -> tuple[Floats, ...]:
    """Return F and mean absolute error of weighted sets of photos, protocol `dbd`."""
    f = f_score(table.true_positives_half, table.detections_half, table.positives, DBD_BETA_SQUARED)
    mean_error = _shares(weights, table.pixels) @ np.nan_to_num(absolute_error(table))
    return _shares(weights, table.positives) @ np.nan_to_num(f), mean_error


def absolute_error(table: CountTable) -> Floats:
    """Return the mean absolute error of each photo, NaN of one that is undecided all over."""
    error = table.probability - 2 * table.positive_probability + table.positives
    return ratio(error, table.pixels, empty=np.nan)


def decided_photos(table: CountTable) -> int:
    """Return how many photos have a pixel that is decided, without which none is scored."""
    return int(np.count_nonzero(table.pixels))


@dataclass(frozen=True)
class Protocol:
    """How a table is made: its scores' names, and what gives them for weighted sets of photos."""

    scores: tuple[str, ...]
    weighted: Callable[[CountTable, Weights], tuple[Floats, ...]]


PROTOCOLS = {
    "paper": Protocol(("ods", "ois", "ap"), paper_scores),
    "pooled": Protocol(("ods", "ois", "ap"), pooled_scores),
    "dbd": Protocol(("f_score", "mae"), dbd_scores),
}


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike, *, empty: float) -> Floats:
    """Divide element by element; the answer is `empty` where the denominator is zero."""
    over = np.asarray(denominator, np.float64)
    shape = np.broadcast_shapes(np.shape(numerator), over.shape)
    quotient: Floats = np.divide(numerator, over, out=np.full(shape, empty), where=over > 0)
    return quotient


def interpolated_precision(recall: Floats, precision: Floats) -> float:
    """Return the area under a curve by rising threshold, sampled at 101 recalls as in BSDS500.

    Of equal recalls the one at the highest threshold counts; a recall outside the range that the
    curve reaches adds nothing.
    """
    reached, at = np.unique(recall[::-1], return_index=True)
    samples = np.interp(RECALL_LEVELS, reached, precision[::-1][at], left=0.0, right=0.0)
    return float(samples.sum() / 100)


def _scores(
    protocol: Callable[[CountTable, Weights], tuple[Floats, ...]], counts: Counts
) -> Scores:
    table = stack_counts(counts)
    ods, ois, ap, threshold = protocol(table, np.ones((1, len(table))))
    images = decided_photos(table)
    return Scores(float(ods[0]), float(ois[0]), float(ap[0]), float(threshold[0]), images)


def _image_f(table: CountTable) -> Floats:
    return f_score(table.true_positives, table.detections, table.positives[:, None])


def _shares(weights: Weights, counted: npt.NDArray[np.int64]) -> Floats:
    """Return each photo's share in a mean over the photos of which anything is counted."""
    kept = weights * (counted > 0)
    return ratio(kept, kept.sum(1, keepdims=True), empty=np.nan)
