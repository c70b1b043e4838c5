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
from blurmapper.laboratory.experiments import (
    Experiment,
    add_maps,
    read_experiment,
    select_rows,
)
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


@pytest.mark.parametrize(("name", "called"), [("one", "one"), ("data", "data (set)")])
def test_each_set_and_all_together_have_a_table_a_protocol(
    name: str,
    called: str,
    toy: Experiment,
    make_set: Callable[[str, str, str], Path],
    tmp_path: Path,
) -> None:
    make_set(name, "images", "truth")
    folder = make_set("two", "images", "truth").parent
    results, _ = reproduce(toy, folder, tmp_path / "out")
    assert [table.title for table in results.tables] == [
        f"{name}, protocol {protocol}"
        for protocol in ("paper", "pooled")
        for name in ("data: 8 photos", *sorted((f"{called}: 4 photos", "two: 4 photos")))
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
    names = [
        "table3.md",
        "table3.json",
        "table3.tex",
        "table3.csv",
        "table3-curves.png",
        "table3-curves.pdf",
    ]
    assert [path.name for path in written] == names
    rows = json.loads(written[1].read_text())["rows"]
    assert {(row["data"], row["protocol"]) for row in rows} == {("one", "paper"), ("one", "pooled")}
    with PIL.Image.open(written[4]) as picture:
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


def test_finished_maps_and_ones_own_function_get_rows(
    toy: Experiment,
    make_set: Callable[[str, str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = make_set("one", "images", "truth")
    (tmp_path / "own_of_a_test.py").write_text(
        "def sure(image): return (image[..., 0] == 128).astype(float)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    experiment = add_maps(
        select_rows(toy, ["own_of_a_test:sure"]), [f"masks={data / 'truth'}"], ["sharp"]
    )
    results, written = reproduce(experiment, data, tmp_path / "out")
    rows = {row[0]: row[1] for row in results.tables[0].rows}
    assert list(rows) == ["everything is blurred", "tiny", "sure", "masks"]
    assert float(rows["sure"]) > 0.99
    assert float(rows["masks"]) < 0.7
    assert {path.suffix for path in written} == {".md", ".tex", ".json", ".csv", ".png", ".pdf"}
    lines = (tmp_path / "out/table3.csv").read_text().splitlines()
    assert lines[0] == "photo,method,f,best_f,best_threshold,mae,blurred"
    assert len(lines) == 1 + 3 * 4
    assert r"\textbf{" in (tmp_path / "out/table3.tex").read_text()
    assert all(path in reproduce(experiment, data, tmp_path / "out")[1] for path in written)


def test_maps_of_a_method_take_its_place_and_it_is_not_run(
    toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    data = make_set("one", "images", "truth")
    experiment = add_maps(
        replace(toy, methods=("dbm-lite", *toy.methods)), [f"dbm-lite={data / 'truth'}"], []
    )
    results, _ = reproduce(experiment, data, tmp_path / "out")
    rows = {row[0]: row[1] for row in results.tables[0].rows}
    assert list(rows) == ["everything is blurred", "tiny", "dbm-lite"]
    assert float(rows["dbm-lite"]) == 1
    assert not (tmp_path / "out/dbm-lite/maps").exists()


@pytest.mark.parametrize("name", ["tiny", "all-blurred"])
def test_two_rows_of_one_name_are_refused_before_the_work(
    name: str, toy: Experiment, make_set: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    data = make_set("one", "images", "truth")
    experiment = add_maps(toy, [f"{name}={data / 'truth'}"], [])
    with pytest.raises(ConfigError, match=f"two rows would be called {name}; "):
        reproduce(experiment, data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_maps_photos_itself_takes_no_finished_maps() -> None:
    with pytest.raises(ConfigError, match="table6 maps photos itself; leave out --maps"):
        add_maps(read_experiment("table6"), ["mine=maps"], [])
