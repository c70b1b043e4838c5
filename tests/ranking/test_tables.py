"""The ranking for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from blurmapper.errors import ImageError, MissingExtraError
from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import PhotoRecord, Unreadable
from blurmapper.ranking.tables import (
    COLUMNS,
    Ranking,
    check_parquet,
    format_csv,
    format_json_lines,
    format_parquet,
)


@pytest.fixture
def ranking(make_record: Callable[..., PhotoRecord]) -> Ranking:
    """Two photos, one of a burst, and one that could not be read."""
    records = [make_record('a, "b".jpg', 0.125), make_record("c\udcff.jpg", 0.5)]
    failed = Unreadable(Path("d.jpg"), ImageError("d.jpg: damaged"))
    return Ranking(records, [failed], {records[0].photo: Burst(1, is_best=True)})


def test_csv_can_be_read_back(ranking: Ranking) -> None:
    text = format_csv(ranking).decode("utf-8", "surrogateescape")
    first, second, third = csv.DictReader(io.StringIO(text, newline=""))
    assert first["photo"] == 'a, "b".jpg'
    assert (first["rank"], first["blur_degree"], first["stars"]) == ("1", "0.125", "5")
    assert (first["burst"], first["best_of_burst"]) == ("1", "True")
    assert second["photo"] == "c\udcff.jpg"
    assert (third["photo"], third["rank"], third["error"]) == ("d.jpg", "", "d.jpg: damaged")


def test_json_has_a_line_a_photo_with_all_columns(ranking: Ranking) -> None:
    rows = [json.loads(line) for line in format_json_lines(ranking).splitlines()]
    assert all(list(row) == list(COLUMNS) for row in rows)
    assert [row["blur_degree"] for row in rows] == [0.125, 0.5, None]
    assert rows[1]["burst"] is None


def test_parquet_has_the_types_even_of_empty_columns(ranking: Ranking) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import BufferReader, parquet

    table = parquet.read_table(BufferReader(format_parquet(ranking)))
    assert table.column_names == list(COLUMNS)
    assert table["blur_degree"].to_pylist() == [0.125, 0.5, None]
    assert table["photo"].to_pylist()[1] == "c?.jpg"
    assert str(table.schema.field("burst").type) == "int64"


def test_no_photos_are_a_table_without_rows() -> None:
    assert format_csv(Ranking([])).decode().strip() == ",".join(COLUMNS)
    assert format_json_lines(Ranking([])) == b""


def test_a_missing_package_is_named_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'blurmapper\[table\]'"):
        check_parquet()
