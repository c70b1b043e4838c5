from __future__ import annotations

import numpy as np
import pytest

from blurmapper.evaluation.counts import image_counts
from blurmapper.evaluation.figures import mean_curve, pooled_curve

HALF = image_counts(
    np.array([[200, 200, 200, 0]], np.uint8), np.array([[True, False, False, True]])
)
WHOLE = image_counts(np.array([[100, 0]], np.uint8), np.array([[True, False]]))
SHARP = image_counts(np.array([[100, 0]], np.uint8), np.array([[False, False]]))


def test_the_pooled_curve_worked_by_hand() -> None:
    curve = pooled_curve([HALF, WHOLE])
    assert curve.precision[[0, 100, 200]] == pytest.approx([3 / 6, 2 / 4, 1 / 3])
    assert curve.recall[[0, 100, 200]] == pytest.approx([1, 2 / 3, 1 / 3])
    assert np.isnan(curve.precision[201])


def test_the_mean_curve_worked_by_hand() -> None:
    curve = mean_curve([HALF, WHOLE])
    assert curve.precision[[0, 100]] == pytest.approx([1 / 2, (1 / 3 + 1) / 2])
    assert curve.precision[200] == pytest.approx(1 / 3)  # the second photo detects nothing
    assert curve.recall[[0, 100, 200]] == pytest.approx([1, (1 / 2 + 1) / 2, (1 / 2 + 0) / 2])


def test_photos_without_blur_are_no_part_of_the_mean_curve() -> None:
    with_sharp, without = mean_curve([HALF, SHARP]), mean_curve([HALF])
    assert np.array_equal(with_sharp.precision, without.precision, equal_nan=True)
    assert np.array_equal(with_sharp.recall, without.recall)
