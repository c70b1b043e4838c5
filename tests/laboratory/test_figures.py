"""Every figure of the paper at toy size: files, resuming, and what is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import PIL.Image
import pytest

from blurmapper.errors import ConfigError
from blurmapper.laboratory.experiments import Experiment, experiment_names, read_experiment
from blurmapper.laboratory.reproduce import reproduce
from blurmapper.laboratory.results import Results

from .toys import make_toy_benchmark

pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")

KINDS = ("cues", "curves", "sheet", "segmentation", "degrees", "magnification", "failures")
FIGURES = [name for name in experiment_names() if read_experiment(name).kind in KINDS]


def as_toy(name: str, weights: Path) -> Experiment:
    """Return an experiment of the package with one quick network, for few and small photos.

    Those that train networks are run so in test_networks.py.
    """
    experiment = read_experiment(name)
    return replace(experiment, methods=(str(weights),), training=None, photos=2, side=16)


class Drawn(NamedTuple):
    """An experiment, its data, where it is drawn, and what came of its first run."""

    toy: Experiment
    data: Path
    out: Path
    results: Results
    written: list[Path]


@pytest.fixture(scope="module", params=FIGURES)
def drawn(
    request: pytest.FixtureRequest, tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Drawn:
    folder = tmp_path_factory.mktemp(request.param)
    toy, data = as_toy(request.param, tiny_weights), make_toy_benchmark(folder / "toy")
    return Drawn(toy, data, folder / "out", *reproduce(toy, data, folder / "out"))


def test_page_values_and_figure_are_written(drawn: Drawn) -> None:
    name, results, written = drawn.toy.name, drawn.results, drawn.written
    endings = ("md", "json", "tex", "png", "pdf")
    assert [path.name for path in written[:5]] == [f"{name}.{ending}" for ending in endings]
    page = written[0].read_text()
    assert page.startswith("# Figure")
    assert results.note in page
    assert "doi:" in page
    assert json.loads(written[1].read_text())["experiment"]["name"] == name
    tables = written[2].read_text()
    assert "booktabs,graphicx}" in tables
    assert tables.count(rf"\label{{tab:{name}-") == len(results.tables)
    for path in (path for path in written if path.suffix == ".png"):
        with PIL.Image.open(path) as picture:
            assert picture.width > 300


def test_a_second_run_finds_the_same(drawn: Drawn) -> None:
    kept = {path: path.read_bytes() for path in drawn.out.rglob("counts.jsonl")}
    again, _ = reproduce(drawn.toy, drawn.data, drawn.out)
    assert again.values == drawn.results.values
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("name", ["figure6", "figure7", "figure8"])
def test_scores_need_a_data_set(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"{name} needs --data"):
        reproduce(read_experiment(name), None, tmp_path)
