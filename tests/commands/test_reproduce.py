"""`blurmapper reproduce`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from blurmapper.cli import app
from blurmapper.errors import ConfigError, ImageError, MethodError


def test_a_table_is_printed_and_written(tiny_weights: Path, tmp_path: Path) -> None:
    options = ["--method", str(tiny_weights), "--photos", "1", "-o", str(tmp_path)]
    result = CliRunner().invoke(app, ["reproduce", "table6", *options])
    assert result.exit_code == 0, result.output
    assert "| tiny |" in result.output
    assert "| tiny |" in (tmp_path / "table6.md").read_text()


@pytest.mark.parametrize("ending", ["md", "json", "tex"])
def test_a_file_of_the_users_is_named_before_anything_is_done(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blurmapper.laboratory.reproduce.RUNNERS", {})
    notes = tmp_path / f"table6.{ending}"
    notes.write_text("my own notes")
    result = CliRunner().invoke(app, ["reproduce", "table6", "-o", str(tmp_path)])
    assert isinstance(result.exception, ImageError)
    assert str(result.exception).startswith(f"{notes}: is not of blurmapper's making")
    assert notes.read_text() == "my own notes"


def test_no_table_goes_through_a_link(tmp_path: Path) -> None:
    link = tmp_path / "table6.json"
    link.symlink_to("mine")
    result = CliRunner().invoke(app, ["reproduce", "table6", "-o", str(tmp_path)])
    assert isinstance(result.exception, ImageError)
    assert str(result.exception).startswith(f"{link}: is not of blurmapper's making")
    assert [*tmp_path.iterdir()] == [link]


@pytest.mark.parametrize("option", [["--schedule", "full"], ["--set", "seed=1"]])
def test_what_trains_nothing_takes_no_schedule(option: list[str]) -> None:
    result = CliRunner().invoke(app, ["reproduce", "table6", *option])
    assert isinstance(result.exception, ConfigError)
    assert "table6 trains nothing" in str(result.exception)


def test_rows_that_are_no_networks_take_no_settings() -> None:
    options = ["--method", "hifst", "--set", "nope=1"]
    result = CliRunner().invoke(app, ["reproduce", "table3", *options])
    assert isinstance(result.exception, ConfigError)
    assert "table3 trains nothing" in str(result.exception)


def test_data_without_halves_take_no_settings(benchmark_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for inner, name in (("image", "images"), ("gt", "truth")):
        (data / name).mkdir(parents=True)
        shutil.copy(benchmark_folder / inner / "motion0001.png", data / name)
    options = ["--data", str(data), "--set", "nope=1", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["reproduce", "table3", *options])
    assert isinstance(result.exception, ConfigError)
    assert "table3 trains nothing on" in str(result.exception)


def test_a_row_that_there_is_not_lists_networks_and_methods() -> None:
    result = CliRunner().invoke(app, ["reproduce", "table2", "--method", "configuration-vi"])
    assert isinstance(result.exception, MethodError)
    assert "configuration-v, dbm" in str(result.exception)


def test_an_unknown_table_is_an_error_of_ours() -> None:
    result = CliRunner().invoke(app, ["reproduce", "table66"])
    assert isinstance(result.exception, ConfigError)


def test_the_open_benchmark_is_made_as_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")
    from blurmapper.laboratory import open_benchmark

    asked: list[Any] = []

    def build(photos: Path, output: Path, *, advance: Callable[[], None], **choices: int) -> None:
        advance()
        asked.append((photos, output, choices))

    monkeypatch.setattr(open_benchmark, "build_open_benchmark", build)
    options = ["--photos", "photos", "-o", "made", "--seed", "3", "--side", "64"]
    result = CliRunner().invoke(app, ["open-benchmark", *options])
    assert (result.exit_code, result.stdout) == (0, "-> made\n")
    assert asked == [(Path("photos"), Path("made"), {"seed": 3, "side": 64})]
