"""Curves of methods: reuse of counts, and how a curve is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blurmapper.evaluation.figures import Curve
from blurmapper.laboratory.experiments import read_experiment
from blurmapper.laboratory.reproduce import reproduce
from blurmapper.laboratory.scores import precision_at

pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")

CURVE = Curve(precision=np.array([0.5, 0.6, 0.9, np.nan]), recall=np.array([1.0, 0.8, 0.3, 0.0]))


@pytest.mark.parametrize(("recall", "precision"), [(0.95, 0.5), (0.8, 0.6), (0.5, 0.6), (0.1, 0.9)])
def test_the_highest_threshold_that_reaches_a_recall_counts(
    recall: float, precision: float
) -> None:
    assert precision_at(CURVE, recall) == precision


def test_a_recall_that_is_never_reached_has_no_precision() -> None:
    assert np.isnan(precision_at(Curve(np.array([0.5]), np.array([0.9])), 0.95))


def test_counts_of_a_table_are_not_made_again(
    tiny_weights: Path, toy_benchmark: Path, tmp_path: Path
) -> None:
    methods = (str(tiny_weights),)
    reproduce(
        replace(read_experiment("table3"), methods=methods, paper={}), toy_benchmark, tmp_path
    )
    counts, (a_map, *_) = tmp_path / "tiny" / "counts.jsonl", (tmp_path / "tiny").rglob("*.png")
    before = counts.read_bytes(), a_map.stat().st_mtime_ns
    reproduce(replace(read_experiment("figure6"), methods=methods), toy_benchmark, tmp_path)
    assert (counts.read_bytes(), a_map.stat().st_mtime_ns) == before


def test_each_protocol_has_a_table_and_a_figure(
    tiny_weights: Path, toy_benchmark: Path, tmp_path: Path
) -> None:
    toy = replace(read_experiment("figure6"), methods=(str(tiny_weights),))
    results, _ = reproduce(toy, toy_benchmark, tmp_path)
    assert list(results.figures) == ["figure6", "figure6-pooled"]
    assert [table.rows[0][0] for table in results.tables] == ["everything is blurred"] * 2
    assert len(results.values["curves"]["pooled"]["tiny"]["recall"]) == 256
