from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.evaluation.boundary import (
    TOLERANCE,
    BoundaryCounts,
    boundary_counts,
    score_boundary,
)

SQUARE = np.zeros((40, 50), bool)
SQUARE[10:30, 15:35] = True


def direct_edges(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    edges = np.zeros_like(mask)
    edges[:, :-1] |= mask[:, 1:] != mask[:, :-1]
    edges[:-1] |= mask[1:] != mask[:-1]
    return edges


def undecided_edges(valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say of each pixel whether it, its right or its lower neighbour is undecided."""
    undecided = ~valid
    undecided[:, :-1] |= ~valid[:, 1:]
    undecided[:-1] |= ~valid[1:]
    return undecided


def near(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say of each pixel whether one of the edge pixels is within two pixels of it."""
    rows, columns = np.nonzero(edges)
    y, x = np.arange(edges.shape[0])[:, None, None], np.arange(edges.shape[1])[:, None]
    squares = (y - rows) ** 2 + (x - columns) ** 2
    return np.asarray((squares <= TOLERANCE**2).any(-1))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_one_pass_equals_thresholding_at_every_level(share: float) -> None:
    rng = np.random.default_rng(0)
    levels = np.rint(255 * rng.random((5, 7)).repeat(4, 0).repeat(4, 1)).astype(np.uint8)
    truth = np.add.outer(np.arange(20), np.arange(28)) > 22
    valid = rng.random(truth.shape) >= share
    counts = boundary_counts(levels, truth, valid if share else None)
    decided = ~undecided_edges(valid)
    true_edge = direct_edges(truth) & decided
    assert counts.true == true_edge.sum() > 0
    for k in range(256):
        edges = direct_edges(levels >= k) & decided
        assert counts.detected[k] == edges.sum()
        assert counts.detected_near[k] == (edges & near(true_edge)).sum()
        assert counts.found[k] == (true_edge & near(edges)).sum()


def test_a_perfect_edge_scores_one() -> None:
    score = score_boundary([boundary_counts(SQUARE.astype(np.float32), SQUARE)])
    assert score == 1.0


@pytest.mark.parametrize(("shift", "expected"), [(TOLERANCE, 1.0), (TOLERANCE + 1, 0.6)])
def test_an_edge_is_found_within_two_pixels_and_not_beyond(shift: int, expected: float) -> None:
    shifted = np.roll(SQUARE, shift, axis=1).astype(np.float32)
    score = score_boundary([boundary_counts(shifted, SQUARE)])
    assert score == pytest.approx(expected, abs=0.1)


def test_a_photo_without_a_true_edge_is_left_out() -> None:
    everything = np.ones_like(SQUARE)
    assert score_boundary([boundary_counts(SQUARE.astype(np.float32), everything)]) is None


def test_edges_beside_undecided_pixels_count_neither_way() -> None:
    valid = np.ones_like(SQUARE)
    valid[:, 25:] = False
    counts = boundary_counts(SQUARE.astype(np.float32), SQUARE, valid)
    assert counts.true == counts.detected[255] == direct_edges(SQUARE)[:, :24].sum()


def test_an_edge_in_undecided_ground_finds_no_true_edge() -> None:
    valid = np.ones_like(SQUARE)
    valid[:, 36:] = False
    truth, late = SQUARE.copy(), np.zeros(SQUARE.shape, np.float32)
    truth[:, 35:] = False
    late[:, 37:] = 1.0
    counts = boundary_counts(late, truth, valid)
    assert (counts.detected[255], counts.found[255]) == (0, 0)


def test_counts_survive_json() -> None:
    counts = boundary_counts(SQUARE.astype(np.float32), SQUARE)
    again = BoundaryCounts.from_dict(json.loads(json.dumps(counts.to_dict())))
    assert again.to_dict() == counts.to_dict()
