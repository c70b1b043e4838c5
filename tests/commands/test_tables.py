"""Tables can be read on any screen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from blurmapper.commands._tables import print_tables
from blurmapper.evaluation.tables import Table

HEADINGS = ("method", "ODS", "OIS", "AP", "ODS 95 %", "at", "step AP", "edge F", "calibration")
ROW = ("0.758", "0.759", "0.641", "0.741-0.776", "0.05", "0.642", "0.123", "0.359")


def make_table(name: str = "everything is blurred") -> Table:
    return Table("CUHK, even: 500 photos, protocol paper", HEADINGS, ((name, *ROW),))


Lines = Callable[[Table, int], list[str]]


@pytest.fixture
def lines_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lines:
    def print_on_screen(table: Table, width: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("FORCE_COLOR", "1")
        print_tables([table])
        return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()

    return print_on_screen


@pytest.mark.parametrize("width", [40, 60, 79, 80, 81, 100, 104, 105, 200])
def test_every_cell_is_whole_on_a_screen_of_any_width(lines_of: Lines, width: int) -> None:
    lines = lines_of(make_table(), width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for cell in (*HEADINGS, *ROW):
        assert cell in text
    assert "…" not in text


def test_each_part_of_a_wide_table_names_its_rows(lines_of: Lines) -> None:
    lines = lines_of(make_table(), 80)
    assert sum("everything is blurred" in line for line in lines) == 2
    assert sum("method" in line for line in lines) == 2


def test_a_wide_screen_has_it_in_one_part(lines_of: Lines) -> None:
    assert sum("method" in line for line in lines_of(make_table(), 120)) == 1


def test_a_long_name_is_folded_and_no_markup(lines_of: Lines) -> None:
    name = "[red]" + "n" * 100
    lines = lines_of(make_table(name), 80)
    assert max(map(len, lines)) <= 80
    first = [line for line in lines if "[red]" in line or "nnn" in line]
    assert sum(line.count("n") for line in first) >= 100


def test_a_pipe_gets_it_in_one_part_however_wide(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables([make_table("n" * 300)])
    text = capsys.readouterr().out
    assert sum("calibration" in line and "ODS" in line for line in text.splitlines()) == 1
