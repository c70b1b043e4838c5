"""A benchmark as one HTML file that needs nothing else, and its figures as files.

Without matplotlib there is neither, but a `MissingExtraError`.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np

import blurmapper
from blurmapper.datasets import Sample
from blurmapper.evaluation.benchmark import Entry, map_reader
from blurmapper.evaluation.counts import THRESHOLDS, ImageCounts
from blurmapper.evaluation.figures import (
    Curve,
    draw_curves,
    draw_sheet,
    encode_figure,
    is_figure,
    mean_curve,
    pooled_curve,
)
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.rows import with_all_blurred
from blurmapper.evaluation.scores import score_paper, score_pooled
from blurmapper.evaluation.tables import Table
from blurmapper.files import write_file, written_as

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXTREMES = 10
"""Best and worst photos shown of each."""


PAGE = Path(blurmapper.__file__).parent / "assets" / "benchmark.html"

FIGURES = ("curves.pdf", "best.png", "worst.png")
"""What `write_figures` writes."""

IS_REPORT = written_as(b"<!doctype html>", b'<meta name="generator" content="blurmapper">')
"""By what an earlier report is known, which alone is written anew."""

NOTES = {
    "paper": "ODS is the best mean F over photos at one threshold, OIS the mean of each photo's "
    "best F, AP the mean pooled precision over thresholds, as the numbers of Ma et al. (2018).",
    "pooled": "Counts of all photos are summed before F is taken, as in BSDS. AP counts recalls "
    "below the lowest one reached as zero; step AP does not.",
    "dbd": "F with beta squared 0.3 at the threshold 0.5, and mean absolute error; both are means "
    "over photos, blurred is positive.",
}


@dataclass(frozen=True)
class Findings:
    """What a benchmark found.

    Attributes
    ----------
    tables : sequence of Table
        The first is of all photos.
    results : mapping of str to Records
        Method -> records of the samples.
    samples : sequence of Sample
    entries : sequence of Entry
        Where the maps of each method are.
    output : Path
        The folder that `run_benchmark` kept its maps in.
    protocol : {"paper", "pooled", "dbd"}
    """

    tables: Sequence[Table]
    results: Mapping[str, Records]
    samples: Sequence[Sample]
    entries: Sequence[Entry]
    output: Path
    protocol: str

    @property
    def first(self) -> str:
        """The method whose best and worst photos are shown."""
        return next(iter(self.results))


def write_report(findings: Findings, path: str | Path) -> None:
    """Write tables, curves, and the first method's best and worst photos as one HTML file.

    Raises
    ------
    ImageError
        If the file cannot be written.
    """
    title = findings.tables[0].title
    sections = [_table_html(table) for table in findings.tables]
    sections.insert(1, f"<p>{NOTES[findings.protocol]}</p>")
    sections.append("<h2>Precision and recall</h2>")
    curves = draw_benchmark_curves(findings.results, findings.protocol)
    sections.append(_figure_html(curves, "Precision-recall curves"))
    for label, samples in rank_extremes(findings).items():
        sections.append(f"<h2>{label} photos of {html.escape(findings.first)}</h2>")
        sections.append(
            f"<p>Below each map: the share of its pixels decided right at {_threshold(findings)}. "
            "White is blurred; undecided truth is grey.</p>"
        )
        sections.append(_figure_html(draw_benchmark_sheet(findings, samples), f"{label} photos"))
    page = Template(PAGE.read_text("utf-8"))
    content = page.substitute(title=html.escape(title), body="\n".join(sections))
    write_file(Path(path), content, IS_REPORT, follow=True)


def write_figures(findings: Findings, folder: str | Path) -> None:
    """Write ``curves.pdf``, ``best.png`` and ``worst.png`` to a folder, as far as there are such.

    Raises
    ------
    ImageError
        If a file cannot be written, or one is there that is no figure.
    """
    curves = draw_benchmark_curves(findings.results, findings.protocol)
    write_file(Path(folder, "curves.pdf"), encode_figure(curves, "pdf"), is_figure)
    for label, samples in rank_extremes(findings).items():
        sheet = draw_benchmark_sheet(findings, samples)
        write_file(Path(folder, f"{label.lower()}.png"), encode_figure(sheet, "png"), is_figure)


def draw_benchmark_curves(results: Mapping[str, Records], protocol: str) -> Figure:
    """Draw the curve of each method as `protocol_curves` has it."""
    title = "all pixels pooled" if protocol == "pooled" else "means over photos"
    return draw_curves(protocol_curves(results, protocol), title)


def protocol_curves(results: Mapping[str, Records], protocol: str) -> dict[str, Curve]:
    """Return the curve of each method: pooled in the protocol `pooled`, else means over photos."""
    curve = pooled_curve if protocol == "pooled" else mean_curve
    return {name: curve(records.counts) for name, records in with_all_blurred(results).items()}


def draw_benchmark_sheet(findings: Findings, samples: Sequence[Sample]) -> Figure:
    """Draw photo, maps and truth of some photos, with the share of pixels right below each map."""
    read = map_reader(findings.entries, findings.output)
    right = {name: _share_right(findings, name) for name in findings.results}
    captions = {s.name: [f"{right[name][s.name]:.3f}" for name in right] for s in samples}
    return draw_sheet(samples, list(findings.results), read, captions)


def rank_extremes(findings: Findings) -> dict[str, list[Sample]]:
    """Return the worst and the best photos of the first method, the most extreme first.

    Where no photo is decided there are neither, and so no sheets.
    """
    right = _share_right(findings, findings.first)
    decided = (sample for sample in findings.samples if not math.isnan(right[sample.name]))
    ranked = sorted(decided, key=lambda sample: right[sample.name])
    count = min(EXTREMES, (len(ranked) + 1) // 2)
    return {"Worst": ranked[:count], "Best": ranked[: -count - 1 : -1]} if ranked else {}


def _share_right(findings: Findings, method: str) -> dict[str, float]:
    """Return for each photo the share of its pixels that the protocol's threshold decides right.

    Unlike F, it exists for photos in which nothing is blurred.
    """
    records = findings.results[method]
    score = {"pooled": score_pooled, "paper": score_paper}.get(findings.protocol)
    level = score and int(np.searchsorted(THRESHOLDS, score(records.counts).ods_threshold))
    return {record.name: _right_at(record.counts, level) for record in records}


def _right_at(counts: ImageCounts, level: int | None) -> float:
    """Return the share that is right at the threshold of a level, or else at 0.5.

    NaN of a photo that is undecided all over.
    """
    if not counts.pixels:
        return math.nan
    hits, found = counts.true_positives_half, counts.detections_half
    if level is not None:
        hits, found = int(counts.true_positives[level]), int(counts.detections[level])
    return 1 - (counts.positives + found - 2 * hits) / counts.pixels


def _threshold(findings: Findings) -> str:
    return "0.5" if findings.protocol == "dbd" else "the method's threshold of ODS"


def _table_html(table: Table) -> str:
    def cells(tag: str, row: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    body = "\n".join(cells("td", row) for row in table.rows)
    return (
        f'<div class="scroll"><table>\n<caption>{html.escape(table.title)}</caption>\n'
        f"<thead>{cells('th', table.headings)}</thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _figure_html(figure: Figure, words: str) -> str:
    picture = base64.b64encode(encode_figure(figure, "png")).decode()
    return f'<figure><img alt="{words}" src="data:image/png;base64,{picture}"></figure>'
