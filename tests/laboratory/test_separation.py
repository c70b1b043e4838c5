"""Areas under ROC curves, and how sure they are."""

from __future__ import annotations

import numpy as np
import pytest

from blurmapper.laboratory.cues import separate

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference")


def photos_of(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def test_the_area_is_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 6, 40), rng.integers(2, 8, 60)
    labels = np.repeat([0, 1], [40, 60])
    area = separate(first, second, (photos_of(*[4] * 10), photos_of(*[6] * 10)))
    expected = metrics.roc_auc_score(labels, np.concatenate([first, second]))
    assert area.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("shift", "area"), [(10, 1.0), (0, 0.5), (-10, 0.0)])
def test_one_half_is_chance_and_0_the_wrong_way_round(shift: float, area: float) -> None:
    values = np.arange(5.0)
    photos = np.arange(5), np.arange(5)
    assert separate(values, values + shift, photos).value == area


def test_patches_of_one_photo_make_nothing_surer() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=20), rng.normal(1, 1, 20)
    once = separate(first, second, (np.arange(20), np.arange(20)))
    five_times = np.repeat(np.arange(20), 5)
    often = separate(np.repeat(first, 5), np.repeat(second, 5), (five_times, five_times))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_an_empty_class_has_no_area() -> None:
    photos = np.arange(0), np.arange(3)
    assert np.isnan(separate(np.empty(0), np.arange(3.0), photos).value)
