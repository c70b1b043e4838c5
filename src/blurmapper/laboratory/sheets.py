"""Experiments of kind ``sheet``: photos, the map of each method, and the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from blurmapper.datasets import Sample
from blurmapper.errors import DatasetError
from blurmapper.evaluation.benchmark import map_reader, run_benchmark
from blurmapper.evaluation.figures import draw_sheet
from blurmapper.evaluation.rows import photo_scores
from blurmapper.evaluation.tables import Table
from blurmapper.laboratory.entries import prepare_entries
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.machine import Say
from blurmapper.laboratory.photos import blurred_share, read_samples, select_kind, shuffle
from blurmapper.laboratory.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLURRED_SHARES = (0.1, 0.9)
"""Least and most of a photo that is blurred where both sides of a map are to be seen."""

METHODS_ACROSS = 4
"""Up to so many methods a photo is a row of the sheet; of more it is a column, where there are
at least half as many photos as methods."""


def run_sheet(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Draw photos of one kind of blur, the map of each method and the truth.

    Which photos are shown is left to chance: the first ones of a shuffle by the experiment's
    seed whose truth calls between a tenth and nine tenths blurred. Their kinds must be known.
    """
    samples = draw_samples(experiment, data)
    entries = list(prepare_entries(experiment, data, samples, say))
    best: dict[str, list[float | None]] = {}
    for entry in entries:
        scores = photo_scores(run_benchmark(entry, samples, output)).values()
        best[entry.name] = [score["best_f"] for score in scores]
        say(f"{entry.name}: {len(samples)} photos mapped")

    captions = {s.name: [f"{best[name][i]:.2f}" for name in best] for i, s in enumerate(samples)}
    rows = [(name, *(f"{value:.3f}" for value in values)) for name, values in best.items()]
    headings = ("method", *(sample.name for sample in samples))
    table = Table(f"{experiment.title}: best F of each map", headings, tuple(rows))
    values = {"photos": [sample.name for sample in samples], "best_f": best}
    down = METHODS_ACROSS < len(entries) <= 2 * len(samples)

    def draw() -> Figure:
        return draw_sheet(
            samples, list(best), map_reader(entries, output), captions, methods_down=down
        )

    return Results([table], _note(experiment), values, {experiment.name: draw})


def draw_samples(experiment: Experiment, data: Path | None) -> list[Sample]:
    """Return photos of the experiment's kind of blur by chance, partly blurred ones only.

    Raises
    ------
    DatasetError
        If there is none.
    """
    candidates = select_kind(read_samples(experiment, data), experiment.blur)
    chosen: list[Sample] = []
    for sample in shuffle(candidates, experiment.seed):
        if len(chosen) == experiment.photos:
            break
        if BLURRED_SHARES[0] <= blurred_share(sample) <= BLURRED_SHARES[1]:
            chosen.append(sample)
    if not chosen:
        kind = experiment.blur or "single"
        raise DatasetError(f"{data}: no {kind} photo is partly blurred; give others")
    return chosen


def _note(experiment: Experiment) -> str:
    low, high = BLURRED_SHARES
    kind = f"{experiment.blur} " if experiment.blur else ""
    return (
        f"White is blurred, undecided truth is mid grey, no map is stretched. Below each map: its "
        f"F at the threshold that is best for it. Chosen by chance (seed {experiment.seed}) from "
        f"the {kind}photos of which {low:.0%} to {high:.0%} is blurred, before any "
        f"map was seen. The paper's: {experiment.source}; its photos were chosen by its authors."
    )
