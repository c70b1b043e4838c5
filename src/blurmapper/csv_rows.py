"""Rows and cells of CSV, as people, programs and spreadsheets read and write it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from blurmapper.errors import DatasetError
from blurmapper.locations import read_regular

_FORMULA = re.compile(r"'*(?:\s*[-=+@＝＋－＠]|[\t\r\n])")  # noqa: RUF001 - Excel takes wide ones too


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a list of photos: one a row, in the column ``photo``; cells that lack are empty.

    Raises
    ------
    DatasetError
        If the file cannot be read, is not UTF-8 or no CSV, has no column ``photo``, or says two
        things of one photo.
    """
    try:
        columns, rows = split_rows(read_regular(path).decode("utf-8-sig"))
        found = [row for row in rows if any(row.values())]
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); check it") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"{path}: row {line} is not UTF-8; save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise DatasetError(f"{path}: no CSV ({error}); save it anew as CSV in UTF-8") from error
    if "photo" not in columns:
        raise DatasetError(
            f"{path}: row 1 names no column photo; let it name the columns, as photo,kind"
        )
    by_photo: dict[str, dict[str, str]] = {}
    for row in found:
        if by_photo.setdefault(row["photo"], row) != row:
            raise DatasetError(f"{path}: has two rows of {row['photo']}; keep one")
    return [*by_photo.values()]


def split_rows(text: str) -> tuple[list[str], csv.DictReader[str]]:
    """Return the columns that the first row names, and the others; cells that lack are empty."""
    header = text.partition("\n")[0]
    # Spreadsheets write what the country's numbers leave free.
    delimiter = next((mark for mark in ";\t" if mark in header and "," not in header), ",")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    return list(rows.fieldnames or ()), rows


def to_csv(rows: Iterable[Iterable[object]], line_end: str = "\n") -> str:
    """Return rows as CSV, with the line ends of Unix unless given."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=line_end).writerows(rows)
    return stream.getvalue()


def to_cell(text: str) -> str:
    """Return text for a cell of CSV: where a spreadsheet would compute it, behind an apostrophe.

    Examples
    --------
    >>> to_cell("=1+1.jpg"), to_cell("a=1.jpg"), to_cell("'-a.jpg")
    ("'=1+1.jpg", 'a=1.jpg', "''-a.jpg")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(cell: str) -> str:
    """Return the text that `to_cell` made a cell of.

    Examples
    --------
    >>> from_cell("'=1+1.jpg"), from_cell("'s-Hertogenbosch.jpg")
    ('=1+1.jpg', "'s-Hertogenbosch.jpg")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
