"""Cells of CSV are text for spreadsheets, and what they were for programs."""

from __future__ import annotations

import pytest

from blurmapper.csv_rows import from_cell, to_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1", "'=1", "''-1", "-a\nb"]
)
def test_no_spreadsheet_computes_a_cell_and_programs_read_it_back(text: str) -> None:
    assert to_cell(text) == f"'{text}"
    assert from_cell(to_cell(text)) == text


@pytest.mark.parametrize("text", ["a.jpg", "", "'s-Hertogenbosch.jpg", "a=b", "./-1"])
def test_other_cells_are_as_they_were(text: str) -> None:
    assert to_cell(text) == from_cell(text) == text
