"""The photos that a method does worst on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.errors import DatasetError
from blurmapper.evaluation.boundary import BoundaryCounts
from blurmapper.evaluation.counts import LEVELS, image_counts
from blurmapper.evaluation.records import Record, Records
from blurmapper.laboratory.experiments import Experiment, read_experiment
from blurmapper.laboratory.sheets import decide, run_failures

NOTHING = np.zeros(LEVELS, np.int64)


@pytest.fixture
def toy(tiny_weights: Path) -> Experiment:
    return replace(read_experiment("figure13"), methods=(str(tiny_weights),), photos=2)


def record(name: str, blur_map: list[float], truth: list[int]) -> Record:
    counts = image_counts(np.array([blur_map], np.float32), np.array([truth], bool))
    return Record(name, counts, BoundaryCounts(NOTHING, NOTHING, NOTHING, 0))


def test_a_decision_worked_by_hand() -> None:
    decision = decide(Records([record("a", [1, 1, 1, 0], [1, 0, 0, 1])]))["a"]
    # ODS takes the threshold 0, at which everything is found.
    assert (decision.precision, decision.recall, decision.found) == (0.5, 1, 1)
    assert decision.f == pytest.approx(2 / 3)
    assert decision.fault == "sharp called blurred, 50% of the photo"


def test_blur_that_is_missed_is_named_so() -> None:
    whole = [record(str(n), [1, 1, 0, 0], [1, 1, 0, 0]) for n in range(9)]
    decision = decide(Records([*whole, record("a", [1, 0, 0, 0], [1, 1, 1, 0])]))["a"]
    assert decision.recall == pytest.approx(1 / 3)
    assert decision.fault == "blur missed, 50% of the photo"


def test_a_photo_with_nothing_blurred_is_left_out() -> None:
    records = [record("a", [1, 0], [1, 0]), record("b", [1, 0], [0, 0])]
    assert decide(Records(records)).keys() == {"a"}


def test_the_worst_come_first(toy: Experiment, toy_benchmark: Path, tmp_path: Path) -> None:
    values = run_failures(toy, toy_benchmark, tmp_path, print).values
    found = {decision["photo"]: decision["f"] for decision in values["photos"]["tiny"]}
    assert values["worst"] == sorted(found, key=lambda name: (found[name], name))[:2]


def test_where_nothing_is_blurred_there_is_one_line(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    for path in (toy_benchmark / "truth").iterdir():
        PIL.Image.new("L", (96, 64)).save(path)
    with pytest.raises(DatasetError, match="nothing is blurred in any photo"):
        run_failures(toy, toy_benchmark, tmp_path, print)
