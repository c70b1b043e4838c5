from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.evaluation.counts import ImageCounts, stack_counts
from blurmapper.evaluation.scores import (
    average_precision,
    calibration_error,
    f_score,
    image_counts,
    score_dbd,
    score_paper,
    score_pooled,
)

FIRST = image_counts(
    np.array([[255, 255, 128, 0], [128, 0, 0, 0]], np.uint8),
    np.array([[True, True, True, False], [False, False, False, True]]),
)
SECOND = image_counts(
    np.array([[255, 128, 128, 128], [0, 0, 0, 0]], np.uint8),
    np.array([[True, True, False, False], [False, False, False, False]]),
)


def random_set(seed: int) -> tuple[list[npt.NDArray[np.uint8]], list[npt.NDArray[np.bool_]]]:
    rng = np.random.default_rng(seed)
    truths = [rng.random((23, 19)) > share for share in (0.2, 0.5, 0.7, 0.9)]
    noise = [rng.normal(0, 60, truth.shape) for truth in truths]
    maps = [
        np.clip(90 + 70 * t + n, 0, 255).astype(np.uint8)
        for t, n in zip(truths, noise, strict=True)
    ]
    return maps, truths


def counted(seed: int) -> list[ImageCounts]:
    return [image_counts(*pair) for pair in zip(*random_set(seed), strict=True)]


def test_paper_scores_of_two_photos_worked_by_hand() -> None:
    # F at 0, at 128/255 and at 1: 8/12, 6/8, 4/6 of the first photo; 4/10, 4/6, 2/3 of the second.
    scores = score_paper([FIRST, SECOND])
    assert scores.ods == pytest.approx((6 / 8 + 4 / 6) / 2)
    assert scores.ois == pytest.approx((6 / 8 + 4 / 6) / 2)
    assert scores.ods_threshold == pytest.approx(1 / 255)
    assert scores.ap == pytest.approx((6 / 16 + 128 * 5 / 8 + 127 * 3 / 3) / 256)
    assert scores.images == 2


def test_pooled_scores_of_two_photos_worked_by_hand() -> None:
    scores = score_pooled([FIRST, SECOND])
    assert scores.ods == pytest.approx(2 * 5 / (8 + 6))
    assert scores.ois == pytest.approx(2 * 5 / (8 + 6))


def test_dbd_scores_of_one_photo_worked_by_hand() -> None:
    scores = score_dbd([FIRST])  # P = R = 3/4
    assert scores.f_score == pytest.approx(1.3 * 3 / (4 + 0.3 * 4))
    assert scores.mae == pytest.approx((127 / 255 + 128 / 255 + 1) / 8)


def test_the_mean_over_photos_differs_from_the_pooled_score() -> None:
    assert abs(score_paper(counted(1)).ods - score_pooled(counted(1)).ods) > 0.01


def test_precision_and_recall_agree_with_scikit_learn() -> None:
    maps, truths = random_set(6)
    levels = np.concatenate([m.ravel() for m in maps])
    metrics = pytest.importorskip("sklearn.metrics", reason="it is the reference")
    precision, recall, used = metrics.precision_recall_curve(
        np.concatenate([t.ravel() for t in truths]), levels
    )
    table = stack_counts(counted(6))
    true_positives = table.true_positives.sum(0)[used.astype(int)]
    assert true_positives / table.detections.sum(0)[used.astype(int)] == pytest.approx(
        precision[:-1]
    )
    assert true_positives / table.positives.sum() == pytest.approx(recall[:-1])


def test_average_precision_agrees_with_scikit_learn() -> None:
    maps, truths = random_set(7)
    metrics = pytest.importorskip("sklearn.metrics", reason="it is the reference")
    expected = metrics.average_precision_score(
        np.concatenate([t.ravel() for t in truths]), np.concatenate([m.ravel() for m in maps])
    )
    assert average_precision(counted(7)) == pytest.approx(expected, abs=1e-12)


def test_a_perfect_map_scores_one() -> None:
    _, truths = random_set(8)
    counts = [image_counts(truth.astype(np.float32), truth) for truth in truths]
    assert (score_paper(counts).ods, score_paper(counts).ois) == pytest.approx((1, 1))
    assert (score_pooled(counts).ods, score_pooled(counts).ois) == pytest.approx((1, 1))
    assert (score_dbd(counts).f_score, score_dbd(counts).mae) == pytest.approx((1, 0))
    assert average_precision(counts) == pytest.approx(1)
    assert calibration_error(counts) == pytest.approx(0, abs=1e-9)


def test_an_empty_detection_has_an_f_of_zero() -> None:
    assert f_score(np.array(0), np.array(0), np.array(7)) == 0
    nothing = image_counts(np.zeros((2, 4)), np.array([[True] * 4, [False] * 4]))
    assert score_dbd([nothing]).f_score == 0
    assert score_paper([nothing]).ods_threshold == 0


def test_a_photo_with_nothing_blurred_has_no_f_but_spoils_precision() -> None:
    sharp = image_counts(np.full((2, 4), 255, np.uint8), np.zeros((2, 4), bool))
    alone, both = score_paper([FIRST]), score_paper([FIRST, sharp])
    assert (both.ods, both.ois) == (alone.ods, alone.ois)
    assert both.ap < alone.ap
    assert both.images == 2


def test_a_photo_that_is_undecided_all_over_counts_nowhere() -> None:
    blank = image_counts(np.full((2, 4), 0.9), np.zeros((2, 4), bool), np.zeros((2, 4), bool))
    for score in (score_paper, score_pooled, score_dbd):
        assert score([FIRST, blank, blank]) == score([FIRST])  # type: ignore[operator]
    assert calibration_error([FIRST, blank]) == calibration_error([FIRST])


@pytest.mark.filterwarnings("error")
def test_a_set_that_is_undecided_all_over_has_no_score() -> None:
    blank = image_counts(np.full((2, 4), 0.9), np.zeros((2, 4), bool), np.zeros((2, 4), bool))
    paper, pooled, dbd = score_paper([blank]), score_pooled([blank]), score_dbd([blank])
    missing = (paper.ods, paper.ap, pooled.ods, pooled.ap, dbd.f_score, dbd.mae)
    assert np.isnan([*missing, calibration_error([blank])]).all()
    assert paper.images == pooled.images == dbd.images == 0


def test_thresholds_that_no_pixel_reaches_are_left_out_of_the_mean_precision() -> None:
    truth = np.array([[True, True, False, False]])
    counts = image_counts(np.array([[100, 100, 0, 0]], np.uint8), truth)
    assert score_paper([counts]).ap == pytest.approx((0.5 + 100) / 101)


def test_all_photos_called_blurred_score_their_share() -> None:
    everything = [image_counts(np.ones(t.shape), t) for t in random_set(9)[1]]
    shares = np.array([c.positives / c.pixels for c in everything])
    assert score_paper(everything).ods == pytest.approx((2 * shares / (1 + shares)).mean())


def test_calibration_error_worked_by_hand() -> None:
    # Ten pixels at 0.8 of which six are blurred, ten at 0 of which one is.
    blur_map = np.repeat(np.array([[204], [0]], np.uint8), 10, axis=1)
    truth = np.array([[True] * 6 + [False] * 4, [True] + [False] * 9])
    assert calibration_error([image_counts(blur_map, truth)]) == pytest.approx((0.2 + 0.1) / 2)


def test_calibration_error_of_honest_probabilities_is_small_for_floats_too() -> None:
    rng = np.random.default_rng(10)
    blur_map = rng.random((500, 500), dtype=np.float32)
    truth = rng.random(blur_map.shape) < blur_map
    assert calibration_error([image_counts(blur_map, truth)]) < 0.01
    assert calibration_error([image_counts(1 - blur_map, truth)]) > 0.4


@pytest.mark.parametrize("photos", range(1, 60))
def test_perfect_maps_score_one_and_not_more(photos: int) -> None:
    truth = np.eye(4, dtype=bool)
    scores = score_paper([image_counts(truth.astype(np.float32), truth)] * photos)
    assert (scores.ods, scores.ois) == (pytest.approx(1), pytest.approx(1))
    assert max(scores.ods, scores.ois) <= 1
