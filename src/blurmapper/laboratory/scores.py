"""Experiments of kind ``scores``: methods beside one another on photos with ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from blurmapper.datasets import Sample
from blurmapper.evaluation.benchmark import run_benchmark
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.report import NOTES, draw_benchmark_curves
from blurmapper.evaluation.rows import Row, differences, make_rows
from blurmapper.evaluation.tables import (
    HEADINGS,
    UNKNOWN,
    Table,
    difference_table,
    format_photos,
    score_tables,
)
from blurmapper.laboratory.entries import prepare_entries
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.machine import Say
from blurmapper.laboratory.photos import is_cuhk, read_samples
from blurmapper.laboratory.results import Results

LEFT_OUT = ("s/photo",)
"""Columns of the scores' own tables that these lack: times are an experiment of their own."""


def run_scores(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Score every method on a data set, or on each set of a folder and on all of them together."""
    samples = read_samples(experiment, data)
    assert data is not None
    results = {}
    for entry in prepare_entries(experiment, data, samples, say):
        results[entry.name] = run_benchmark(entry, samples, output)
        say(f"{entry.name}: {len(samples)} photos scored")

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
        {"curves": lambda: draw_benchmark_curves(results, experiment.protocols[0])},
        photos=format_photos(results),
    )


def _sets(data: Path, samples: Sequence[Sample]) -> dict[str, Sequence[Sample]]:
    """Return the photos all together, then those of each set where there are several."""
    sets: dict[str, list[Sample]] = {}
    for sample in samples:
        sets.setdefault(sample.name.rpartition("/")[0], []).append(sample)
    return {data.resolve().name: samples, **(sets if len(sets) > 1 else {})}


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
    if not is_cuhk(data):
        lines.append("They are of other photos than ours, and show an order at most.")
    return "\n".join(lines)
