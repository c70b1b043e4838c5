"""Experiments of kind ``curves``: precision against recall, method beside method."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from blurmapper.evaluation.benchmark import run_benchmark
from blurmapper.evaluation.curves import Curve
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.report import draw_benchmark_curves, protocol_curves
from blurmapper.evaluation.rows import ALL_BLURRED
from blurmapper.evaluation.tables import ALL_BLURRED_LABEL, Table, format_figure
from blurmapper.laboratory.entries import prepare_entries
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.machine import Say
from blurmapper.laboratory.photos import read_samples
from blurmapper.laboratory.results import Results

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
    results: dict[str, Records] = {}
    for entry in prepare_entries(experiment, data, samples, say):
        results[entry.name] = run_benchmark(entry, samples, output)
        say(f"{entry.name}: {len(samples)} photos scored")
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
        rows.append((label, *map(format_figure, precisions)))
    headings = ("method", *(f"at recall {recall:g}" for recall in RECALLS))
    return Table(f"{title}: precision", headings, tuple(rows))


def _to_dict(curve: Curve) -> dict[str, list[float | None]]:
    """Return the 256 points of a curve; what does not exist is None, which JSON has."""
    points = {"precision": curve.precision, "recall": curve.recall}
    return {
        name: [None if np.isnan(value) else round(float(value), 6) for value in values]
        for name, values in points.items()
    }
