"""The ranking for spreadsheets and programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from blurmapper.batch import PhotoFailure
from blurmapper.csv_rows import to_cell, to_csv
from blurmapper.errors import needing
from blurmapper.files import written_as
from blurmapper.locations import Location
from blurmapper.ranking.bursts import Burst, group_bursts, order_within_bursts
from blurmapper.ranking.records import Measure, PhotoRecord, order_photos

COLUMNS: dict[str, type] = {
    "rank": int,
    "photo": str,
    "width": int,
    "height": int,
    "blur_degree": float,
    "share_blurred": float,
    "sigma": float,
    "focus_x": int,
    "focus_y": int,
    "verdict": str,
    "reason": str,
    "sharpest_x": int,
    "sharpest_y": int,
    "sharpest_width": int,
    "sharpest_height": int,
    "sharpest_blur": float,
    "stars": int,
    "boxes": str,
    "burst": int,
    "best_of_burst": bool,
    "error": str,
}
"""The columns of every format, in their order; what does not apply is empty."""

TEXTS = tuple(name for name, kind in COLUMNS.items() if kind is str)


@dataclass(frozen=True)
class Ranking:
    """Photos in order, the sharpest first, those that could not be read, and the bursts.

    `by` is what they are ranked and rated by. `is_grouped` says whether bursts were looked for.
    """

    records: Sequence[PhotoRecord]
    unreadable: Sequence[PhotoFailure] = ()
    bursts: Mapping[Location, Burst] = field(default_factory=dict)
    by: Measure = "s"
    is_grouped: bool = False


def make_ranking(
    results: Iterable[PhotoRecord | PhotoFailure], *, by: Measure = "s", group: bool = False
) -> Ranking:
    """Return the ranking of what was measured, with its bursts if so asked.

    By focus the photos of a burst then stand in its own order, which goes by finer differences.
    """
    records, unreadable = order_photos(results, by=by)
    bursts = group_bursts(records) if group else {}
    if by == "focus":
        records = order_within_bursts(records, bursts)
    return Ranking(records, unreadable, bursts, by, group)


def rows(ranking: Ranking) -> list[dict[str, Any]]:
    """Return a row for each photo with all of `COLUMNS`; those that could not be read are last."""
    measured = [
        {
            "rank": rank,
            "photo": str(record.photo),
            "width": record.width,
            "height": record.height,
            "blur_degree": record.blur_degree,
            "share_blurred": record.share_blurred,
            "sigma": record.focus and record.focus.sigma,
            "focus_x": record.focus and record.focus.column,
            "focus_y": record.focus and record.focus.row,
            "verdict": record.verdict.word,
            "reason": record.verdict.reason,
            **{f"sharpest_{name}": value for name, value in asdict(record.sharpest).items()},
            "stars": record.stars(ranking.by),
            "boxes": record.boxes,
            "burst": burst.number if burst else None,
            "best_of_burst": burst.is_best if burst else None,
            "error": None,
        }
        for rank, record in enumerate(ranking.records, start=1)
        for burst in [ranking.bursts.get(record.photo)]
    ]
    failed = [
        dict.fromkeys(COLUMNS) | {"photo": str(each.photo), "error": str(each.error)}
        for each in ranking.unreadable
    ]
    return measured + failed


def format_csv(ranking: Ranking) -> bytes:
    """Return the ranking as CSV with a line of headings, in UTF-8.

    Text that a spreadsheet would compute stands behind an apostrophe (`to_cell`).
    """
    table = [
        row | {name: to_cell(row[name]) for name in TEXTS if row[name]}
        for row in map(_with_text, rows(ranking))
    ]
    text = to_csv([COLUMNS, *(row.values() for row in table)], "\r\n")
    return text.encode("utf-8", "surrogateescape")


def format_json_lines(ranking: Ranking) -> bytes:
    """Return the ranking as JSON, one object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows(ranking)).encode()


def format_parquet(ranking: Ranking) -> bytes:
    """Return the ranking as a Parquet file, with the types of `COLUMNS`.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[table]`` is not installed.
    """
    check_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()], _for_pandas())
    stream = io.BytesIO()
    table = [
        row | {name: _to_utf8(row[name]) for name in ("photo", "error") if row[name]}
        for row in map(_with_text, rows(ranking))
    ]
    parquet.write_table(pa.Table.from_pylist(table, schema=schema), stream)
    return stream.getvalue()


def _to_utf8(text: str) -> str:
    r"""Return text with bytes that are no UTF-8 as ``\udcff``, a backslash before ``udc`` too."""
    return text.replace(r"\udc", r"\udc5cudc").encode("utf-8", "backslashreplace").decode()


def _with_text(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for formats of plain cells: boxes as JSON."""
    return row | {"boxes": None if row["boxes"] is None else json.dumps(row["boxes"])}


def _for_pandas() -> dict[str, str]:
    """Return what lets pandas read whole numbers as such also where some are missing."""
    kinds = {int: ("int64", "Int64"), bool: ("bool", "boolean")}
    columns = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": kinds[kind][0],
            "numpy_type": kinds[kind][1],
            "metadata": None,
        }
        for name, kind in COLUMNS.items()
        if kind in kinds
    ]
    return {"pandas": json.dumps({"index_columns": [], "column_indexes": [], "columns": columns})}


def _is_csv(path: Path) -> bool:
    # An older version, or a person, may have left columns out; none is another's.
    with path.open("rb") as stream:
        head = stream.readline(1000).decode("utf-8-sig", "replace").strip()
    return {"photo", "blur_degree"} <= {*head.split(",")} <= COLUMNS.keys()


def _is_parquet(path: Path) -> bool:
    from pyarrow import ArrowException, parquet

    try:
        return list(parquet.read_schema(path).names) == list(COLUMNS)
    except ArrowException:
        return False


OURS = {
    "csv": _is_csv,
    "json": written_as(b'{"rank": ', b'"sharpest_blur": ', b'"stars": '),
    "parquet": _is_parquet,
}
"""By what an earlier ranking is known, which alone is written anew."""


def check_parquet() -> None:
    """Say at once, not after hours of mapping, that Parquet files cannot be written.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[table]`` is not installed.
    """
    with needing("table", "Parquet files need"):
        import pyarrow  # noqa: F401, ICN001
