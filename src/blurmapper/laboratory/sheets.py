"""Experiments of kinds ``sheet`` and ``failures``: photos by chance or the worst, with maps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from blurmapper.datasets import Sample
from blurmapper.errors import DatasetError
from blurmapper.evaluation.benchmark import map_reader
from blurmapper.evaluation.counts import THRESHOLDS
from blurmapper.evaluation.figures import draw_sheet
from blurmapper.evaluation.records import Record, Records
from blurmapper.evaluation.rows import photo_scores
from blurmapper.evaluation.scores import f_score, score_paper
from blurmapper.evaluation.tables import Table
from blurmapper.laboratory.entries import prepare_entries, score_entries
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.photos import blurred_share, read_samples, select_kind, shuffle
from blurmapper.laboratory.results import Results

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
    results = score_entries(entries, samples, output, say)
    best = {
        name: [score["best_f"] for score in photo_scores(records).values()]
        for name, records in results.items()
    }

    captions = {s.name: [f"{best[name][i]:.2f}" for name in best] for i, s in enumerate(samples)}
    rows = [(name, *(f"{value:.3f}" for value in values)) for name, values in best.items()]
    headings = ("method", *(sample.name for sample in samples))
    table = Table(f"{experiment.title}: best F of each map", headings, tuple(rows))
    values = {"photos": [sample.name for sample in samples], "best_f": best}
    down = METHODS_ACROSS < len(entries) <= 2 * len(samples)
    read = map_reader(entries, output)
    draw = {
        experiment.name: lambda: draw_sheet(samples, list(best), read, captions, methods_down=down)
    }
    return Results([table], _sheet_note(experiment), values, draw)


def draw_samples(experiment: Experiment, data: Path | None) -> list[Sample]:
    """Return photos of the experiment's kind of blur by chance, partly blurred ones only.

    Raises
    ------
    DatasetError
        If there is none.
    """
    candidates = select_kind(read_samples(experiment, data), experiment.blur)
    low, high = BLURRED_SHARES
    shuffled = shuffle(candidates, experiment.seed)
    partly = (sample for sample in shuffled if low <= blurred_share(sample) <= high)
    chosen = list(islice(partly, experiment.photos))
    if not chosen:
        kind = experiment.blur or "single"
        raise DatasetError(f"{data}: no {kind} photo is partly blurred; give others")
    return chosen


def _sheet_note(experiment: Experiment) -> str:
    low, high = BLURRED_SHARES
    kind = f"{experiment.blur} " if experiment.blur else ""
    return (
        f"White is blurred, undecided truth is mid grey, no map is stretched. Below each map: its "
        f"F at the threshold that is best for it. Chosen by chance (seed {experiment.seed}) from "
        f"the {kind}photos of which {low:.0%} to {high:.0%} is blurred, before any "
        f"map was seen. The paper's: {experiment.source}; its photos were chosen by its authors."
    )


@dataclass(frozen=True)
class Decision:
    """How a photo is decided at one threshold.

    Attributes
    ----------
    photo : str
    f : float
        0 where nothing is found.
    precision, recall : float
        Precision is 1 where nothing is found.
    blurred, found : float
        Shares of the decided pixels: that the truth calls blurred, and that the map does.
    """

    photo: str
    f: float
    precision: float
    recall: float
    blurred: float
    found: float

    @property
    def fault(self) -> str:
        """What goes wrong more: blur that is missed, or sharpness that is called blurred."""
        missed = self.blurred * (1 - self.recall)
        false = self.found * (1 - self.precision)
        side = "blur missed" if missed > false else "sharp called blurred"
        return f"{side}, {max(missed, false):.0%} of the photo"


def run_failures(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Show the photos with the least F at the threshold that is best for all of them together.

    The first method is the one that fails; the others are shown beside it.
    """
    samples = read_samples(experiment, data)
    entries = list(prepare_entries(experiment, data, samples, say))
    records = score_entries(entries, samples, output, say)
    decided = {name: decide(of_method) for name, of_method in records.items()}
    first = next(iter(decided))
    if not decided[first]:
        raise DatasetError(f"{data}: nothing is blurred in any photo; give a data set with blur")
    order = sorted(decided[first].values(), key=lambda decision: (decision.f, decision.photo))
    worst = [decision.photo for decision in order[: experiment.photos]]
    threshold = _threshold(records[first])
    by_name = {sample.name: sample for sample in samples}

    shown = [by_name[name] for name in worst]
    captions = {name: [f"F {decided[method][name].f:.2f}" for method in decided] for name in worst}
    photos = {name: [vars(d) for d in of.values()] for name, of in decided.items()}
    values = {"threshold": threshold, "worst": worst, "photos": photos}
    table = _table(experiment, order[: experiment.photos], by_name)
    note = _note(experiment, order, by_name, threshold)
    read = map_reader(entries, output)
    draw = {experiment.name: lambda: draw_sheet(shown, list(decided), read, captions)}
    return Results([table], note, values, draw)


def decide(records: Records) -> dict[str, Decision]:
    """Return how each photo is decided at the threshold of ODS, protocol `paper`.

    Photos in which nothing is blurred have no F and are left out.
    """
    level = int(np.searchsorted(THRESHOLDS, _threshold(records)))
    return {r.name: _decide(r, level) for r in records if r.counts.positives > 0}


def _decide(record: Record, level: int) -> Decision:
    counts = record.counts
    hits, found = counts.true_positives[level], counts.detections[level]
    f = f_score(hits, found, np.array(counts.positives))
    return Decision(
        record.name,
        float(f),
        float(hits / found) if found else 1.0,
        float(hits / counts.positives),
        counts.positives / counts.pixels,
        float(found / counts.pixels),
    )


def _threshold(records: Records) -> float:
    return float(score_paper(records.counts).ods_threshold)


def _table(
    experiment: Experiment, worst: Sequence[Decision], samples: Mapping[str, Sample]
) -> Table:
    headings = ("photo", "kind", "F", "precision", "recall", "blurred", "found", "what fails")
    rows = [
        (
            decision.photo,
            samples[decision.photo].kind or "?",
            f"{decision.f:.3f}",
            f"{decision.precision:.3f}",
            f"{decision.recall:.3f}",
            f"{decision.blurred:.0%}",
            f"{decision.found:.0%}",
            decision.fault,
        )
        for decision in worst
    ]
    return Table(f"{experiment.title}: the {len(worst)} worst photos", headings, tuple(rows))


def _note(
    experiment: Experiment,
    order: Sequence[Decision],
    samples: Mapping[str, Sample],
    threshold: float,
) -> str:
    tenth = order[: math.ceil(len(order) / 10)]
    missed = sum(decision.fault.startswith("blur missed") for decision in tenth)
    measure = (
        f"Ordered by F at the threshold {threshold:.3f}, which gives the method in the first "
        "column of maps its ODS in the protocol `paper`; each method's F at its own such threshold "
        f"is below its map. White is blurred, undecided truth mid grey. {len(order)} photos; the "
        f"{len(samples) - len(order)} in which nothing is blurred have no F."
    )
    seen = (
        f"In the worst tenth, {len(tenth)} photos of F up to {tenth[-1].f:.3f}, {missed} fail "
        f"since blur is missed and {len(tenth) - missed} since what is sharp is called blurred; "
        f"a median of {np.median([d.blurred for d in tenth]):.0%} of each is blurred, of all "
        f"photos {np.median([d.blurred for d in order]):.0%}. Kinds in the worst tenth: "
        f"{_kinds(tenth, samples)}; in all: {_kinds(order, samples)}."
    )
    return "\n".join([measure, seen, f"The paper's: {experiment.source}."])


def _kinds(decisions: Sequence[Decision], samples: Mapping[str, Sample]) -> str:
    counts = Counter(samples[decision.photo].kind or "unknown" for decision in decisions)
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
