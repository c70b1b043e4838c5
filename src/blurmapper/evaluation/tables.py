"""Tables of scores for the screen, spreadsheets, Markdown, LaTeX and programs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from blurmapper.csv_rows import to_cell, to_csv
from blurmapper.errors import count_of
from blurmapper.evaluation.bootstrap import Interval
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.rows import ALL_BLURRED, ALL_PHOTOS, Row, photo_scores
from blurmapper.files import written_as

HEADINGS = {"ods": "ODS", "ois": "OIS", "ap": "AP", "f_score": "F 0.3", "mae": "MAE"}
BETTER: dict[str, Callable[[Iterable[float]], float]] = {
    **dict.fromkeys(("ODS", "OIS", "AP", "F 0.3", "step AP", "edge F"), max),
    **dict.fromkeys(("MAE", "calibration", "s/photo"), min),
}
"""Which of a column's numbers is the best one, where one is."""

PHOTO_COLUMNS = "photo,method,f,best_f,best_threshold,mae,blurred"

ALL_BLURRED_LABEL = "everything is blurred"
UNKNOWN = "-"


@dataclass(frozen=True)
class Table:
    """Headings and cells as text; the first column is words, the others are numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def score_tables(rows: Sequence[Row], data: str) -> list[Table]:
    """Return a table of all photos, then one for each subset; each names its protocol.

    Parameters
    ----------
    rows : sequence of Row
        From `make_rows`.
    data : str
        What the photos are, for the title.
    """
    subsets = dict.fromkeys(row.subset for row in rows)
    return [_score_table([r for r in rows if r.subset == subset], data) for subset in subsets]


def difference_table(
    differences: Mapping[str, Mapping[str, Interval]], reference: str, protocol: str
) -> Table:
    """Return the table of paired differences to a reference method, with 95 % intervals."""
    names = list(next(iter(differences.values())))
    cells = (
        (method, *(format_gain(intervals[name]) for name in names))
        for method, intervals in differences.items()
    )
    title = f"Difference to {reference}, protocol {protocol}, 95 % paired bootstrap over photos"
    return Table(title, ("method", *(HEADINGS[name] for name in names)), tuple(cells))


OURS = {
    "json": written_as(b'[\n  {\n    "method": ', b'"boundary_f"'),
    "csv": written_as(b"method,protocol,subset,images,", b"boundary_f"),
    "markdown": written_as(b"**", b"| method |", b"calibration |"),
    "latex": written_as(b"\\begin{table}", b"{tabular}", b"calibration &"),
}
"""By what an earlier run's files are known, which alone are written anew."""


def format_markdown(table: Table) -> str:
    """Return a table as Markdown, its title in bold above it."""
    rule = ("---", *("---:",) * (len(table.headings) - 1))
    rows = ([cell.replace("|", r"\|") for cell in row] for row in (table.headings, *table.rows))
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join([f"**{table.title}**", "", *lines, ""])


def format_latex(table: Table, name: str = "") -> str:
    """Return a table as LaTeX: best scores bold, a label, and no wider than the text.

    It needs the packages booktabs and graphicx. The label is ``tab:``, `name` and the words of the
    title, as ``tab:table3-de-500-photos-protocol-paper``.
    """
    columns = map(_latex_column, table.headings, zip(*table.rows, strict=True))
    label = re.sub(r"[^a-z0-9]+", "-", f"{name} {table.title}".lower()).strip("-")
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{_escape(table.title)}}}",
            rf"\label{{tab:{label}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * (len(table.headings) - 1)}}}",
            r"\toprule",
            " & ".join(map(_escape, table.headings)) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in zip(*columns, strict=True)),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )


def _latex_column(heading: str, cells: Sequence[str]) -> list[str]:
    """Return a column's cells as LaTeX; differences with their intervals have no best one."""
    better = BETTER.get(heading)
    known = [cell for cell in cells if re.fullmatch(r"\d*\.\d+", cell)] if better else []
    best = better(map(float, known)) if better and len(known) > 1 else None
    return [
        rf"\textbf{{{cell}}}" if cell in known and float(cell) == best else _escape(cell)
        for cell in cells
    ]


def format_csv(rows: Sequence[Row]) -> str:
    """Return the rows with every number in full, an interval as two columns."""
    flat = [_flatten(row) for row in rows]
    return to_csv([flat[0].keys(), *(row.values() for row in flat)])


def format_photos(results: Mapping[str, Records]) -> str:
    """Return the scores of each photo by each method as CSV; `photo_scores` says which."""
    rows = (
        (to_cell(photo), to_cell(method), *scores.values())
        for method, records in results.items()
        for photo, scores in photo_scores(records).items()
    )
    return to_csv([PHOTO_COLUMNS.split(","), *rows])


def format_json(rows: Sequence[Row]) -> str:
    """Return the rows as a JSON list of one object a row."""
    return json.dumps([row.to_dict() for row in rows], indent=2) + "\n"


def _score_table(rows: Sequence[Row], data: str) -> Table:
    first = rows[0]
    names = list(first.scores)
    subset = "" if first.subset == ALL_PHOTOS else f", {first.subset}"
    title = f"{data}{subset}: {count_of(first.images, 'photo')}, protocol {first.protocol}"
    headings = ["method", *(HEADINGS[name] for name in names), f"{HEADINGS[names[0]]} 95 %"]
    if first.threshold is not None:
        headings.append("at")
    headings += ["step AP", "edge F", "calibration", "s/photo"]
    return Table(title, tuple(headings), tuple(_cells(row) for row in rows))


def _cells(row: Row) -> tuple[str, ...]:
    first = next(iter(row.scores.values()))
    cells = [ALL_BLURRED_LABEL if row.method == ALL_BLURRED else row.method]
    cells += [format_number(score.value) for score in row.scores.values()]
    known = not math.isnan(first.value)
    cells.append(f"{first.low:.3f}-{first.high:.3f}" if known else UNKNOWN)
    if row.threshold is not None:
        cells.append(f"{row.threshold:.2f}" if known else UNKNOWN)
    numbers = (row.average_precision, row.boundary_f, row.calibration_error, row.seconds)
    return (*cells, *map(format_number, numbers))


def _flatten(row: Row) -> dict[str, object]:
    values = row.to_dict()
    values |= {name: to_cell(values[name]) for name in ("method", "subset")}
    for name, (low, high) in values.pop("intervals").items():
        values |= {f"{name}_low": low, f"{name}_high": high}
    return values


def format_number(value: float | None) -> str:
    """Return a number as a cell, which may be unknown."""
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.3f}"


def format_gain(interval: Interval) -> str:
    """Return a difference with its interval as a cell."""
    if math.isnan(interval.value):
        return UNKNOWN
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


_LATEX = str.maketrans(
    {letter: f"\\{letter}" for letter in "%_&#${}"}
    | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    # At the head of a row they would belong to the end of the row above.
    | {"[": "{[}", "*": "{*}"}
)


def _escape(text: str) -> str:
    return text.translate(_LATEX)
