"""Pooled scores against the rules of BSDS500's `collect_eval_bdry.m`, written loop by loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.evaluation.counts import THRESHOLDS
from blurmapper.evaluation.scores import image_counts, score_pooled

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


def random_maps(seed: int) -> tuple[list[Array], list[npt.NDArray[np.bool_]]]:
    rng = np.random.default_rng(seed)
    truths = [rng.random((13, 9)) > share for share in (0.2, 0.5, 0.7, 0.9)]
    maps = [(0.3 + 0.4 * t + rng.normal(0, 0.3, t.shape)).clip(0, 1) for t in truths]
    return [np.rint(255 * m) / 255 for m in maps], truths


@pytest.mark.parametrize("seed", range(5))
def test_pooled_scores_follow_the_rules_of_bsds(seed: int) -> None:
    maps, truths = random_maps(seed)
    expected = bsds_scores(maps, truths, THRESHOLDS)
    scores = score_pooled(image_counts(m, t) for m, t in zip(maps, truths, strict=True))
    assert (scores.ods, scores.ois, scores.ap) == pytest.approx(expected, abs=1e-12)


def test_a_perfect_binary_map_has_next_to_no_area_by_the_rules_of_bsds() -> None:
    truth = np.array([[True, True, False, False]])
    assert score_pooled([image_counts(truth.astype(float), truth)]).ap == pytest.approx(0.01)
    assert bsds_scores([truth.astype(float)], [truth], THRESHOLDS)[2] == pytest.approx(0.01)
