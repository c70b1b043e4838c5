"""The rules of BSDS500's `collect_eval_bdry.m`, written straight down, loop by loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def bsds_scores(
    maps: list[Array], truths: list[npt.NDArray[np.bool_]], thresholds: Array
) -> tuple[float, float, float]:
    """Return ODS (not interpolated between thresholds), OIS and the area at 101 recalls."""
    pooled = np.zeros((len(thresholds), 3))
    best_of_each = np.zeros(3)
    for blur_map, truth in zip(maps, truths, strict=True):
        rows = []
        for threshold in thresholds:
            detected = blur_map >= threshold
            rows.append([(detected & truth).sum(), detected.sum(), truth.sum()])
        pooled += np.array(rows)
        best_of_each += max(rows, key=lambda row: harmonic_f(*row))
    curve = [(hits / size if size else 0.0, hits / true) for hits, size, true in pooled]
    by_recall = {recall: precision for precision, recall in curve}
    recalls = sorted(by_recall)
    area = sum(
        sampled_precision(recalls, [by_recall[r] for r in recalls], k / 100) for k in range(101)
    )
    return max(harmonic_f(*row) for row in pooled), harmonic_f(*best_of_each), area / 100


def harmonic_f(hits: float, detections: float, positives: float) -> float:
    """Return the harmonic mean of precision and recall, 0 where there is no hit."""
    if hits == 0:
        return 0.0
    precision, recall = hits / detections, hits / positives
    return 2 * precision * recall / (precision + recall)


def sampled_precision(recalls: list[float], precisions: list[float], recall: float) -> float:
    """Interpolate linearly between the two reached recalls around one; 0 outside them."""
    for k, reached in enumerate(recalls):
        if reached == recall:
            return precisions[k]
        if reached > recall:
            if k == 0:
                return 0.0
            share = (recall - recalls[k - 1]) / (reached - recalls[k - 1])
            return precisions[k - 1] + share * (precisions[k] - precisions[k - 1])
    return 0.0
