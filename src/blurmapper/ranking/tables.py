"""The ranking for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blurmapper.errors import MissingExtraError
from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import PhotoRecord, Unreadable
from blurmapper.ranking.sidecars import rate

COLUMNS: dict[str, type] = {
    "rank": int,
    "photo": str,
    "width": int,
    "height": int,
    "blur_degree": float,
    "share_blurred": float,
    "sharpest_x": int,
    "sharpest_y": int,
    "sharpest_width": int,
    "sharpest_height": int,
    "sharpest_blur": float,
    "stars": int,
    "burst": int,
    "best_of_burst": bool,
    "error": str,
}
"""The columns of every format, in their order; what does not apply is empty."""


@dataclass(frozen=True)
class Ranking:
    """Photos in order, the sharpest first, those that could not be read, and the bursts."""

    records: Sequence[PhotoRecord]
    unreadable: Sequence[Unreadable] = ()
    bursts: Mapping[Path, Burst] = field(default_factory=dict)


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
            "sharpest_x": record.sharpest.x,
            "sharpest_y": record.sharpest.y,
            "sharpest_width": record.sharpest.width,
            "sharpest_height": record.sharpest.height,
            "sharpest_blur": record.sharpest.blur,
            "stars": rate(record.blur_degree),
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
    """Return the ranking as CSV with a line of headings, in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows(ranking))
    return text.getvalue().encode("utf-8", "surrogateescape")


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
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    stream = io.BytesIO()
    table = [
        row | {"photo": row["photo"].encode("utf-8", "replace").decode()} for row in rows(ranking)
    ]
    parquet.write_table(pa.Table.from_pylist(table, schema=schema), stream)
    return stream.getvalue()


def check_parquet() -> None:
    """Say at once, not after hours of mapping, that Parquet files cannot be written.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[table]`` is not installed.
    """
    try:
        import pyarrow  # noqa: F401, ICN001
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "pyarrow is not installed; Parquet files need pip install 'blurmapper[table]'"
        ) from error
