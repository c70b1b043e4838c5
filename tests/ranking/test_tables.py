"""The ranking for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from blurmapper.batch import PhotoFailure
from blurmapper.csv_rows import from_cell
from blurmapper.errors import ImageError, MissingExtraError, install_command
from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import Box, Measure, PhotoRecord
from blurmapper.ranking.tables import (
    COLUMNS,
    OURS,
    Ranking,
    check_parquet,
    format_csv,
    format_json_lines,
    format_parquet,
    rows,
)

MEASURES: tuple[Measure, ...] = get_args(Measure)


@pytest.fixture
def ranking(make_record: Callable[..., PhotoRecord]) -> Ranking:
    """Two photos, one of a burst, and one that could not be read."""
    records = [make_record('a, "b".jpg', 0.125), make_record("c\udcff.jpg", 0.5)]
    failed = PhotoFailure(Path("d.jpg"), ImageError("d.jpg: damaged"))
    return Ranking(records, [failed], {records[0].photo: Burst(1, place=1)})


def test_csv_can_be_read_back(ranking: Ranking) -> None:
    text = format_csv(ranking).decode("utf-8", "surrogateescape")
    first, second, third = csv.DictReader(io.StringIO(text, newline=""))
    assert first["photo"] == 'a, "b".jpg'
    assert (first["rank"], first["blur_degree"], first["stars"]) == ("1", "0.125", "5")
    assert (first["burst"], first["best_of_burst"]) == ("1", "True")
    assert second["photo"] == "c\udcff.jpg"
    assert (third["photo"], third["rank"], third["error"]) == ("d.jpg", "", "d.jpg: damaged")


def test_json_has_a_line_a_photo_with_all_columns(ranking: Ranking) -> None:
    parsed = [json.loads(line) for line in format_json_lines(ranking).splitlines()]
    assert all(list(row) == list(COLUMNS) for row in parsed)
    assert [row["blur_degree"] for row in parsed] == [0.125, 0.5, None]
    assert parsed[1]["burst"] is None


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.jpg", b"\xfe\xfe.jpg", rb"\udcff.jpg", rb"\\udcff.jpg", rb"a\b.jpg", b"\xc3\xa4"],
)
def test_names_in_parquet_lead_back_to_their_bytes(name: bytes) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import BufferReader, parquet

    photo = Path(os.fsdecode(name))
    failed = PhotoFailure(photo, ImageError(f"{photo}: damaged"))
    table = parquet.read_table(BufferReader(format_parquet(Ranking([], [failed]))))
    (row,) = table.select(["photo", "error"]).to_pylist()
    # As docs/ranking.md has it.
    found = re.sub(
        rb"\\udc(..)", lambda byte: bytes.fromhex(byte[1].decode()), row["photo"].encode()
    )
    assert found == name
    assert row["error"] == f"{row['photo']}: damaged"


def test_parquet_has_the_types_even_of_empty_columns(ranking: Ranking) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import BufferReader, parquet

    table = parquet.read_table(BufferReader(format_parquet(ranking)))
    assert table.column_names == list(COLUMNS)
    assert table["blur_degree"].to_pylist() == [0.125, 0.5, None]
    assert table["photo"].to_pylist()[1] == r"c\udcff.jpg"
    assert str(table.schema.field("burst").type) == "int64"


def test_no_photos_are_a_table_without_rows() -> None:
    assert format_csv(Ranking([])).decode().strip() == ",".join(COLUMNS)
    assert format_json_lines(Ranking([])) == b""


def test_a_missing_package_is_named_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("table"))):
        check_parquet()


def test_stars_follow_what_photos_are_ranked_by(make_record: Callable[..., PhotoRecord]) -> None:
    record = replace(make_record("portrait.jpg", 0.7), sharpest=Box(0, 0, 8, 6, 0.05))
    assert [rows(Ranking([record], by=by))[0]["stars"] for by in MEASURES] == [3, 2, 5]


@pytest.mark.parametrize("name", ["=1+1.jpg", "+a.jpg", "-a.jpg", "@a.jpg"])
def test_no_cell_of_the_csv_is_computed(name: str, make_record: Callable[..., PhotoRecord]) -> None:
    failed = PhotoFailure(Path(name), ImageError(f"{name}: damaged"))
    text = format_csv(Ranking([make_record(name, 0.5)], [failed])).decode()
    for row in csv.DictReader(io.StringIO(text, newline="")):
        assert row["photo"] == f"'{name}"
        assert from_cell(row["photo"]) == name
        assert row["error"] in ("", f"'{name}: damaged")


@pytest.mark.parametrize("kind", OURS)
def test_an_earlier_ranking_is_known_and_nothing_else(
    kind: str, ranking: Ranking, tmp_path: Path
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    formats = {"csv": format_csv, "json": format_json_lines, "parquet": format_parquet}
    table = tmp_path / "table"
    table.write_bytes(formats[kind](ranking))
    assert OURS[kind](table)
    if kind != "parquet":
        table.write_bytes(BOM_UTF8 + table.read_bytes())
        assert OURS[kind](table)
    if kind == "json":
        boxed = replace(
            ranking, records=[replace(ranking.records[0], boxes=[{"label": "a"}] * 9000)]
        )
        table.write_bytes(format_json_lines(boxed))
        assert OURS[kind](table)
    columns = b"rank,photo,blur_degree,notes\r\n"
    for other in (b"\xff\xd8\xff\xe0\0", columns, b"rank,photo\r\n", b'{"rank": 1}\n', b"PAR1"):
        table.write_bytes(other)
        assert not OURS[kind](table)
