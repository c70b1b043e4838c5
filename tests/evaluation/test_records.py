from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blurmapper.errors import DatasetError
from blurmapper.evaluation.boundary import boundary_counts
from blurmapper.evaluation.counts import image_counts
from blurmapper.evaluation.records import (
    Record,
    Records,
    append_record,
    mend_records,
    read_records,
)
from blurmapper.evaluation.scores import score_paper, score_pooled


def record(name: str, seed: int, seconds: float | None = None) -> Record:
    rng = np.random.default_rng(seed)
    blur_map, truth = rng.random((12, 15)), rng.random((12, 15)) > 0.4
    counts = image_counts(blur_map, truth), boundary_counts(blur_map, truth)
    return Record(name, *counts, seconds, "key")


def test_merging_parts_equals_scoring_all() -> None:
    everything = [record(f"photo{seed}", seed) for seed in range(7)]
    parts = Records(everything[:3])
    parts.merge(Records(everything[3:]))
    assert score_paper(parts.counts) == score_paper(Records(everything).counts)
    assert score_pooled(parts.counts) == score_pooled(Records(everything).counts)


def test_no_photo_counts_twice() -> None:
    records = Records([record("a", 0)])
    with pytest.raises(DatasetError, match="a: scored twice"):
        records.merge(Records([record("a", 1)]))


def test_selecting_keeps_the_order_asked_for() -> None:
    records = Records([record("a", 0), record("b", 1), record("c", 2)])
    assert [r.name for r in records.select(["c", "a"])] == ["c", "a"]
    with pytest.raises(DatasetError, match="d: not scored"):
        records.select(["d"])


def test_records_on_disk_are_read_back_and_the_last_of_a_photo_stands(tmp_path: Path) -> None:
    path = tmp_path / "counts.jsonl"
    latest = record("a", 2, seconds=0.25)
    for each in (record("a", 0), record("b", 1), latest):
        append_record(path, each)
    read = read_records(path)
    assert list(read) == ["a", "b"]
    assert read["a"].to_dict() == latest.to_dict()


def test_a_line_cut_short_by_a_kill_is_scored_anew(tmp_path: Path) -> None:
    path = tmp_path / "counts.jsonl"
    append_record(path, record("a", 0))
    whole = path.stat().st_size
    append_record(path, record("b", 1))
    with path.open("r+b") as stream:
        stream.truncate(whole + 100)
    assert list(read_records(path)) == ["a"]
    mend_records(path)
    append_record(path, record("b", 1))
    assert list(read_records(path)) == ["a", "b"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "counts.jsonl"
    path.write_text("{}\n")
    with pytest.raises(DatasetError, match="line 1 is damaged"):
        read_records(path)
