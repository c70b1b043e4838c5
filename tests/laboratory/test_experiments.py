"""The experiments that the package brings."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from blurmapper.errors import ConfigError
from blurmapper.laboratory.experiments import experiment_names, read_experiment, select_rows
from blurmapper.laboratory.reproduce import RUNNERS
from blurmapper.methods import METHODS

PAPER_TABLES = Path(__file__).parents[3] / "shared" / "paper_tables.csv"


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_can_be_run(name: str) -> None:
    experiment = read_experiment(name)
    assert experiment.name == name
    assert experiment.kind in RUNNERS
    assert set(experiment.methods) <= METHODS.keys()
    networks = experiment.training.networks if experiment.training else {}
    assert experiment.methods or networks or experiment.kind == "cues"
    assert experiment.paper.keys() <= {*experiment.methods, *networks}
    assert experiment.reference in {"", *networks}
    assert "doi:" in experiment.source


def test_a_wrong_name_lists_the_choices() -> None:
    with pytest.raises(
        ConfigError, match="no experiment named 'table33'; choose from: ablations, "
    ):
        read_experiment("table33")


ROWS = {
    "II": {
        f"Configuration {n}": f"configuration-{n.lower()}" for n in ("I", "II", "III", "IV", "V")
    },
    "III": {},
    "IV": {
        "Training from scratch": "from-scratch",
        "FCN-8s": "fcn-8s",
        "Fusion (w/o deep supervision)": "fusion",
        "Fusion (with deep supervision)": "dsn",
        "DBM": "configuration-v",
    },
    "V": {"DBM": "configuration-v"},
}
"""Table of the paper -> what we call its rows where it is not the paper's label in lower case."""


def test_rows_are_chosen_among_networks_and_methods() -> None:
    chosen = select_rows(read_experiment("table3"), ["hifst", "configuration-v", "hifst"])
    assert chosen.methods == ("hifst",)
    assert chosen.training is not None
    assert list(chosen.training.networks) == ["configuration-v"]
    assert select_rows(read_experiment("table6"), ["dbm"]).methods == ("dbm",)


@pytest.mark.parametrize(
    ("name", "rows"),
    [("more-data", ["mine:map_blur"]), ("figure10", ["dbm", "mine:map_blur"])],
)
def test_rows_that_there_are_none_for_are_refused(name: str, rows: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"{name} has no row for .*mine:map_blur; leave it out"):
        select_rows(read_experiment(name), rows)


def test_functions_of_ones_own_are_added_to_the_rows() -> None:
    table = read_experiment("table3")
    added = select_rows(table, ["mine:map_blur"])
    assert added.methods == (*table.methods, "mine:map_blur")
    assert added.training == table.training
    assert select_rows(table, ["dbm", "mine:map_blur"]).methods == ("dbm", "mine:map_blur")
    assert select_rows(read_experiment("figure10"), ["mine:map_blur"]).methods == ("mine:map_blur",)


@pytest.mark.skipif(not PAPER_TABLES.exists(), reason="needs ../shared/paper_tables.csv")
@pytest.mark.parametrize(
    ("table", "name"), [("II", "table2"), ("III", "table3"), ("IV", "table4"), ("V", "table5")]
)
def test_the_papers_scores_are_copied_right(table: str, name: str) -> None:
    with PAPER_TABLES.open(newline="") as stream:
        printed = {
            ROWS[table].get(row["row"], row["row"].lower()): {
                score: float(row[score]) for score in ("ods", "ois", "ap")
            }
            for row in csv.DictReader(stream)
            if row["table"] == table
        }
    if table == "III":
        printed["configuration-v"] = printed["dbm"]
    assert read_experiment(name).paper == printed


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
