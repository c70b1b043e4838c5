"""The experiments that the package brings."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from blurmapper.errors import ConfigError
from blurmapper.laboratory.experiments import experiment_names, read_experiment
from blurmapper.laboratory.reproduce import RUNNERS
from blurmapper.methods import METHODS

PAPER_TABLES = Path(__file__).parents[3] / "shared" / "paper_tables.csv"


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_can_be_run(name: str) -> None:
    experiment = read_experiment(name)
    assert experiment.name == name
    assert experiment.kind in RUNNERS
    assert set(experiment.methods) <= METHODS.keys()
    assert experiment.paper.keys() <= set(experiment.methods)
    assert "doi:" in experiment.source


def test_a_wrong_name_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match="no experiment named 'table33'; choose from: table3, "):
        read_experiment("table33")


@pytest.mark.skipif(not PAPER_TABLES.exists(), reason="needs ../shared/paper_tables.csv")
def test_the_papers_scores_are_copied_right() -> None:
    with PAPER_TABLES.open(newline="") as stream:
        printed = {
            row["row"].lower(): {score: float(row[score]) for score in ("ods", "ois", "ap")}
            for row in csv.DictReader(stream)
            if row["table"] == "III"
        }
    assert read_experiment("table3").paper == printed


@pytest.mark.skipif(not PAPER_TABLES.exists(), reason="needs ../shared/paper_tables.csv")
def test_the_papers_times_are_copied_right() -> None:
    with PAPER_TABLES.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["table"] == "VI"]
    printed = {
        row["row"].removesuffix(" (CPU)").lower(): row["ods"]
        for row in rows
        if row["row"] != "DBM (GPU)"
    }
    paper = read_experiment("table6").paper
    assert {m: f"{t['mean']} +- {t['deviation']} s" for m, t in paper.items()} == printed
