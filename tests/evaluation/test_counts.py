from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.evaluation.counts import (
    THRESHOLDS,
    ImageCounts,
    image_counts,
    stack_counts,
    stretch_map,
)

TRUTH = np.array([[True, True, False, False], [True, False, False, True]])
BLUR_MAP = np.array([[1.0, 0.6, 0.6, 0.0], [0.2, 0.2, 0.5, 0.499]], np.float32)


def random_pair(seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (31, 17), dtype=np.uint8), rng.random((31, 17)) > 0.4


def assert_same(one: ImageCounts, other: ImageCounts) -> None:
    ours, theirs = one.to_dict(), other.to_dict()
    for field in ("probability", "positive_probability"):
        assert ours.pop(field) == pytest.approx(theirs.pop(field), abs=1e-4)
    assert ours == theirs


def test_counts_of_a_2_by_4_map_worked_by_hand() -> None:
    counts = image_counts(BLUR_MAP, TRUTH)
    assert (counts.positives, counts.pixels) == (4, 8)
    assert (counts.detections[0], counts.true_positives[0]) == (8, 4)
    assert (counts.detections[51], counts.true_positives[51]) == (7, 4)  # 51/255 = 0.2
    assert (counts.detections[52], counts.true_positives[52]) == (5, 3)
    assert (counts.detections[153], counts.true_positives[153]) == (3, 2)  # 153/255 = 0.6
    assert (counts.detections[255], counts.true_positives[255]) == (1, 1)
    assert counts.probability == pytest.approx(3.599)
    assert counts.positive_probability == pytest.approx(2.299)


def test_a_half_lies_between_two_thresholds_and_is_counted_exactly() -> None:
    counts = image_counts(BLUR_MAP, TRUTH)
    assert (counts.detections_half, counts.true_positives_half) == (4, 2)
    assert (counts.detections[127], counts.detections[128]) == (5, 3)


def test_every_threshold_agrees_with_a_direct_comparison() -> None:
    levels, truth = random_pair(1)
    counts = image_counts(levels, truth)
    for k in range(256):
        assert counts.detections[k] == (levels >= k).sum()
        assert counts.true_positives[k] == ((levels >= k) & truth).sum()


@pytest.mark.parametrize(
    "blur_map",
    [
        np.arange(256, dtype=np.uint8),
        257 * np.arange(256, dtype=np.uint16),
        THRESHOLDS.astype(np.float32),
        np.arange(256, dtype=np.float32) / np.float32(255),
        THRESHOLDS,
    ],
    ids=["uint8", "uint16", "float32", "float32 quotient", "float64"],
)
def test_a_value_of_k_over_255_reaches_threshold_k_in_every_dtype(
    blur_map: npt.NDArray[Any],
) -> None:
    counts = image_counts(blur_map[None], np.ones((1, 256), bool))
    assert counts.detections.tolist() == list(range(256, 0, -1))
    assert counts.detections_half == 128


def test_the_float_just_below_a_threshold_does_not_reach_it() -> None:
    below = np.nextafter(THRESHOLDS[1:].astype(np.float32), np.float32(0))
    counts = image_counts(below[None], np.ones((1, 255), bool))
    assert counts.detections.tolist() == [255 - k for k in range(256)]


def test_undecided_pixels_count_nowhere() -> None:
    levels, truth = random_pair(2)
    valid = np.random.default_rng(3).random(truth.shape) > 0.3
    assert_same(
        image_counts(levels, truth, valid), image_counts(levels[valid][None], truth[valid][None])
    )


def test_counts_of_two_parts_add_up_to_the_whole() -> None:
    levels, truth = random_pair(4)
    above, below = (image_counts(levels[rows], truth[rows]) for rows in np.s_[:9, 9:])
    sums = {name: value + getattr(below, name) for name, value in vars(above).items()}
    assert_same(ImageCounts(**sums), image_counts(levels, truth))


def test_counts_survive_json() -> None:
    counts = image_counts(*random_pair(5))
    assert_same(ImageCounts.from_dict(json.loads(json.dumps(counts.to_dict()))), counts)


def test_stretching_8_bit_maps_lands_on_the_thresholds() -> None:
    levels = np.array([[10, 61, 112, 163, 214, 265 - 0]], np.uint16)
    stretched = stretch_map(levels)
    assert stretched.tolist() == [[np.float32(k / 5) for k in range(6)]]
    assert image_counts(stretched, np.ones((1, 6), bool)).detections[153] == 3


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64, np.int64])
def test_stretching_takes_no_memory_for_levels_that_no_pixel_has(dtype: Any) -> None:
    levels = np.array([[0, 1_000_000_000, 4_000_000_000]], dtype)
    assert stretch_map(levels).tolist() == [[0, 0.25, 1]]


def test_what_rounding_puts_outside_the_range_is_inside() -> None:
    counts = image_counts(np.array([[1 + 1e-6, -1e-6]]), np.array([[True, False]]))
    assert counts.true_positives[255] == 1
    assert (counts.detections[1], counts.probability) == (1, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_has_no_range_is_not_stretched(value: float) -> None:
    with pytest.raises(ValueError, match="infinite or not a number, and no range to stretch"):
        stretch_map(np.array([[0.5, value]], np.float32))


def test_a_flat_map_stretches_to_zeros() -> None:
    assert not stretch_map(np.full((2, 3), 77, np.uint8)).any()
    assert not stretch_map(np.full((2, 3), 0.3)).any()


@pytest.mark.parametrize("value", [-0.01, 1.01, np.nan, np.inf])
def test_values_outside_the_unit_range_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
        image_counts(np.array([[0.5, value]]), np.array([[True, False]]))


def test_differing_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="same size"):
        image_counts(np.zeros((2, 3), np.uint8), np.zeros((3, 2), bool))


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        stack_counts([])
