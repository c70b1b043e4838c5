"""Scoring methods beside one another, on one set and on several."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.errors import ConfigError
from blurmapper.laboratory.experiments import Experiment, read_experiment
from blurmapper.laboratory.reproduce import reproduce


@pytest.fixture
def toy(tiny_weights: Path) -> Experiment:
    """Table III of a network that is quickly run."""
    return replace(read_experiment("table3"), methods=(str(tiny_weights),), training=None, paper={})


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Set, folder of photos, folder of masks -> four photos, half blurred, CUHK's named as such."""

    def make(name: str, photos: str, masks: str) -> Path:
        rng = np.random.default_rng(0)
        word = "motion" if masks == "gt" else "photo"
        for folder in (photos, masks):
            (tmp_path / "data" / name / folder).mkdir(parents=True)
        for number in range(4):
            photo = rng.integers(0, 256, (32, 48, 3), np.uint8)
            photo[:, 24:] = 128
            truth = np.zeros((32, 48), np.uint8)
            truth[:, 24:] = 255
            for folder, picture in ((photos, photo), (masks, truth)):
                file = tmp_path / "data" / name / folder / f"{word}000{number}.png"
                PIL.Image.fromarray(picture).save(file)
        return tmp_path / "data" / name

    return make


@pytest.fixture(autouse=True)
def _needs_matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")


def test_each_set_and_all_together_have_a_table_a_protocol(
    toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    make_set("one", "images", "truth")
    folder = make_set("two", "images", "truth").parent
    results, _ = reproduce(toy, folder, tmp_path / "out")
    assert [table.title for table in results.tables] == [
        f"{name}, protocol {protocol}"
        for protocol in ("paper", "pooled")
        for name in ("data: 8 photos", "one: 4 photos", "two: 4 photos")
    ]


def test_everything_blurred_is_the_first_row(
    toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    results, _ = reproduce(toy, make_set("one", "images", "truth"), tmp_path / "out")
    for table in results.tables:
        assert [row[0] for row in table.rows] == ["everything is blurred", "tiny"]


def test_the_papers_scores_stand_beside_ours(
    toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    paper = {"tiny": {"ods": 0.5, "ois": 0.25, "ap": 0.125}}
    data = make_set("one", "images", "truth")
    results, _ = reproduce(replace(toy, paper=paper), data, tmp_path / "out")
    assert results.tables[0].headings[-3:] == ("paper's ODS", "paper's OIS", "paper's AP")
    assert results.tables[0].rows[1][-3:] == ("0.500", "0.250", "0.125")
    assert "other photos than ours" in results.note


def test_of_the_cuhk_benchmark_the_papers_half_is_scored(
    toy: Experiment,
    make_set: Callable[[str, str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("blurmapper.laboratory.photos.check_cuhk", lambda samples: None)
    results, _ = reproduce(toy, make_set("cuhk", "image", "gt"), tmp_path / "out")
    assert results.values["rows"][0]["images"] == 2
    assert "other photos" not in results.note


def test_tables_figures_and_rows_are_written(
    toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    _, written = reproduce(toy, make_set("one", "images", "truth"), tmp_path / "out")
    assert [path.name for path in written] == ["table3.md", "table3.json", "curves.png"]
    rows = json.loads(written[1].read_text())["rows"]
    assert {(row["data"], row["protocol"]) for row in rows} == {("one", "paper"), ("one", "pooled")}
    with PIL.Image.open(written[2]) as picture:
        assert picture.width > 300


def test_nothing_is_scored_twice(
    toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    data = make_set("one", "images", "truth")
    reproduce(toy, data, tmp_path / "out")
    counts = tmp_path / "out" / "tiny" / "counts.jsonl"
    before = counts.read_bytes()
    reproduce(toy, data, tmp_path / "out")
    assert counts.read_bytes() == before


def test_without_data_there_is_nothing_to_score(
    toy: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="table3 needs --data"):
        reproduce(toy, None, tmp_path)
