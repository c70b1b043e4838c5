from __future__ import annotations

import math

import numpy as np
import pytest

from blurmapper.evaluation.bootstrap import bootstrap_differences, bootstrap_intervals
from blurmapper.evaluation.counts import ImageCounts, image_counts
from blurmapper.evaluation.scores import PROTOCOLS, score_dbd, score_paper, score_pooled


def counted(noise: float, images: int = 30) -> list[ImageCounts]:
    """Count noisy maps of photos that are the same for every noise."""
    counts = []
    for seed in range(images):
        rng = np.random.default_rng(seed)
        truth = rng.random((16, 16)) < rng.uniform(0.2, 0.9)
        blur_map = 0.3 + 0.4 * truth + noise * rng.normal(size=truth.shape)
        counts.append(image_counts(blur_map.clip(0, 1), truth))
    return counts


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_interval_is_around_the_score(protocol: str) -> None:
    counts = counted(0.3)
    intervals = bootstrap_intervals(counts, protocol, resamples=200)
    exact = {"paper": score_paper, "pooled": score_pooled, "dbd": score_dbd}[protocol](counts)
    for name, interval in intervals.items():
        assert interval.value == pytest.approx(getattr(exact, name))
        assert interval.low < interval.value < interval.high


def test_the_same_seed_draws_the_same_photos() -> None:
    counts = counted(0.3)
    first, again, other = (
        bootstrap_intervals(counts, "paper", resamples=50, seed=seed)["ods"] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_more_photos_give_a_narrower_interval() -> None:
    few, many = (
        bootstrap_intervals(counted(0.3, images), "paper", resamples=200)["ods"]
        for images in (8, 80)
    )
    assert many.high - many.low < few.high - few.low


def test_a_set_has_no_difference_to_itself() -> None:
    counts = counted(0.3)
    for interval in bootstrap_differences(counts, counts, "paper", resamples=50).values():
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_pairing_finds_a_difference_that_the_intervals_hide() -> None:
    better, worse = counted(0.30), counted(0.33)
    apart = [bootstrap_intervals(c, "paper", resamples=200)["ods"] for c in (better, worse)]
    assert apart[0].low < apart[1].high
    assert bootstrap_differences(better, worse, "paper", resamples=200)["ods"].low > 0


def test_other_photos_cannot_be_paired() -> None:
    counts = counted(0.3)
    with pytest.raises(ValueError, match="same photos"):
        bootstrap_differences(counts, counts[::-1], "paper")


def test_without_anything_blurred_there_is_no_score() -> None:
    sharp = [image_counts(np.full((4, 4), 0.2), np.zeros((4, 4), bool))] * 3
    assert math.isnan(bootstrap_intervals(sharp, "paper", resamples=20)["ods"].value)
    assert math.isnan(bootstrap_intervals(sharp, "pooled", resamples=20)["ois"].low)
    assert bootstrap_intervals(sharp, "dbd", resamples=20)["mae"].value == pytest.approx(0.2)
