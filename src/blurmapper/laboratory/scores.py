"""Experiments of kinds ``scores`` and ``curves``: methods beside one another, by the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from blurmapper.datasets import Sample
from blurmapper.evaluation.figures import Curve
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.report import NOTES, draw_benchmark_curves, protocol_curves
from blurmapper.evaluation.rows import ALL_BLURRED, Row, differences, make_rows
from blurmapper.evaluation.tables import (
    ALL_BLURRED_LABEL,
    HEADINGS,
    UNKNOWN,
    Table,
    difference_table,
    format_number,
    format_photos,
    score_tables,
)
from blurmapper.laboratory.entries import prepare_entries, score_entries
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.photos import is_cuhk, read_samples
from blurmapper.laboratory.results import Results

LEFT_OUT = ("s/photo",)
"""Columns of the scores' own tables that these lack: times are an experiment of their own."""


def run_scores(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Score every method on a data set, or on each set of a folder and on all of them together."""
    samples = read_samples(experiment, data)
    assert data is not None
    entries = prepare_entries(experiment, data, samples, say)
    results = score_entries(entries, samples, output, say)

    tables, rows = [], []
    for protocol in experiment.protocols:
        for title, part in _sets(data, samples).items():
            part_rows = _rows(results, part, protocol)
            table = _narrow(score_tables(part_rows, title)[0])
            if part is samples and protocol == "paper":
                table = _beside_paper(table, part_rows, experiment)
            tables.append(table)
            rows += [{"data": title, **row.to_dict()} for row in part_rows]
        if experiment.reference in results and len(results) > 1:
            compared = differences(results, protocol, experiment.reference)
            tables.append(difference_table(compared, experiment.reference, protocol))
    return Results(
        tables,
        _note(experiment, data),
        {"rows": rows},
        {
            f"{experiment.name}-curves": lambda: draw_benchmark_curves(
                results, experiment.protocols[0]
            )
        },
        photos=format_photos(results),
    )


def _sets(data: Path, samples: Sequence[Sample]) -> dict[str, Sequence[Sample]]:
    """Return the photos all together, then those of each set where there are several."""
    together, sets = data.resolve().name, dict[str, list[Sample]]()
    for sample in samples:
        name = sample.name.rpartition("/")[0]
        sets.setdefault(f"{name} (set)" if name == together else name, []).append(sample)
    return {together: samples, **(sets if len(sets) > 1 else {})}


def _rows(results: Mapping[str, Records], samples: Sequence[Sample], protocol: str) -> list[Row]:
    names = [sample.name for sample in samples]
    return make_rows({m: r.select(names) for m, r in results.items()}, samples, protocol)


def _narrow(table: Table) -> Table:
    kept = [i for i, heading in enumerate(table.headings) if heading not in LEFT_OUT]
    headings, *rows = (tuple(row[i] for i in kept) for row in (table.headings, *table.rows))
    return Table(table.title, headings, tuple(rows))


def _beside_paper(table: Table, rows: Sequence[Row], experiment: Experiment) -> Table:
    """Add the paper's own scores as the last columns."""
    scores = list(rows[0].scores)
    headings = (*table.headings, *(f"paper's {HEADINGS[score]}" for score in scores))
    cells = []
    for cell, row in zip(table.rows, rows, strict=True):
        figures = experiment.paper.get(row.method, {})
        theirs = [f"{figures[s]:.3f}" if s in figures else UNKNOWN for s in scores]
        cells.append((*cell, *theirs))
    return Table(table.title, headings, tuple(cells))


def _note(experiment: Experiment, data: Path) -> str:
    lines = [f"Protocol `{name}`: {NOTES[name]}" for name in experiment.protocols]
    lines.append(f"The paper's columns: {experiment.source}.")
    if experiment.limit or not is_cuhk(data):
        lines.append("They are of other photos than ours, and show an order at most.")
    return "\n".join(lines)


RECALLS = (0.5, 0.7, 0.8, 0.9, 0.95)
"""At which the tables read the curves."""

MEANINGS = {
    "paper": "precision and recall of each photo at each of 256 thresholds, averaged over photos, "
    "as the curves that come with HiFST are",
    "pooled": "precision and recall of the pixels of all photos taken together, as the paper "
    "describes its own",
}


def run_curves(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Draw the curves of every method on a data set, a figure a protocol.

    With the folder of a table of the same photos nothing is computed again.
    """
    samples = read_samples(experiment, data)
    entries = prepare_entries(experiment, data, samples, say)
    results = score_entries(entries, samples, output, say)
    tables, values, figures = [], {}, {}
    for protocol in experiment.protocols:
        curves = protocol_curves(results, protocol)
        tables.append(_table(curves, f"{experiment.title}, protocol {protocol}"))
        values[protocol] = {name: _to_dict(curve) for name, curve in curves.items()}
        first = protocol == experiment.protocols[0]
        name = experiment.name if first else f"{experiment.name}-{protocol}"
        figures[name] = partial(draw_benchmark_curves, results, protocol)
    meanings = "; ".join(f"`{name}`: {MEANINGS[name]}" for name in experiment.protocols)
    note = (
        f"{len(samples)} photos. {meanings}. Below each recall: the precision at the highest "
        "threshold that still reaches it. Blurred is positive; the cross is the answer that "
        "everything is blurred, whose precision is the share of pixels that are. A curve that "
        f"begins far right has maps that are never black. The paper's: {experiment.source}."
    )
    return Results(tables, note, {"photos": len(samples), "curves": values}, figures)


def precision_at(curve: Curve, recall: float) -> float:
    """Return the precision at the highest threshold that reaches a recall, else NaN."""
    reached = np.flatnonzero(curve.recall >= recall)
    return float(curve.precision[reached[-1]]) if len(reached) else float("nan")


def _table(curves: Mapping[str, Curve], title: str) -> Table:
    rows = []
    for name, curve in curves.items():
        label = ALL_BLURRED_LABEL if name == ALL_BLURRED else name
        precisions = (precision_at(curve, recall) for recall in RECALLS)
        rows.append((label, *map(format_number, precisions)))
    headings = ("method", *(f"at recall {recall:g}" for recall in RECALLS))
    return Table(f"{title}: precision", headings, tuple(rows))


def _to_dict(curve: Curve) -> dict[str, list[float | None]]:
    """Return the 256 points of a curve; what does not exist is None, which JSON has."""
    points = {"precision": curve.precision, "recall": curve.recall}
    return {
        name: [None if np.isnan(value) else round(float(value), 6) for value in values]
        for name, values in points.items()
    }
