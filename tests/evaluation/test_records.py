from __future__ import annotations

import json

import numpy as np
import pytest

from blurmapper.errors import DatasetError
from blurmapper.evaluation.boundary import boundary_counts
from blurmapper.evaluation.counts import image_counts
from blurmapper.evaluation.records import Record, Records
from blurmapper.evaluation.scores import score_paper, score_pooled


def record(name: str, seed: int, seconds: float | None = None) -> Record:
    rng = np.random.default_rng(seed)
    blur_map, truth = rng.random((12, 15)), rng.random((12, 15)) > 0.4
    counts = image_counts(blur_map, truth), boundary_counts(blur_map, truth)
    return Record(name, *counts, seconds, "key")


def test_merging_parts_equals_scoring_all() -> None:
    everything = [record(f"photo{seed}", seed) for seed in range(7)]
    parts = Records(everything[:3])
    for scored_elsewhere in everything[3:]:
        parts.add(scored_elsewhere)
    assert score_paper(parts.counts) == score_paper(Records(everything).counts)
    assert score_pooled(parts.counts) == score_pooled(Records(everything).counts)


def test_no_photo_counts_twice() -> None:
    records = Records([record("a", 0)])
    with pytest.raises(DatasetError, match="a: scored twice"):
        records.add(record("a", 1))


def test_selecting_keeps_the_order_asked_for() -> None:
    records = Records([record("a", 0), record("b", 1), record("c", 2)])
    assert [r.name for r in records.select(["c", "a"])] == ["c", "a"]
    with pytest.raises(DatasetError, match="d: not scored"):
        records.select(["d"])


def test_a_record_is_the_same_after_a_round_trip_through_json() -> None:
    latest = record("a", 2, seconds=0.25)
    assert Record.from_dict(json.loads(json.dumps(latest.to_dict()))).to_dict() == latest.to_dict()
