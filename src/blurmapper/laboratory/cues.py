"""Experiments of kind ``cues``: what low-level statistics of a patch say about blur, and a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Sample
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.evaluation.benchmark import Entry, read_entry_map, run_benchmark
from blurmapper.evaluation.bootstrap import Interval, interval_of, resample
from blurmapper.evaluation.figures import as_shown
from blurmapper.evaluation.tables import Table
from blurmapper.laboratory.entries import prepare_entries
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.patches import (
    CLASSES,
    SHARP,
    STATISTICS,
    Evidence,
    Floats,
    Place,
    cut_patches,
    draw_cues,
    measure,
)
from blurmapper.laboratory.photos import read_samples, shuffle
from blurmapper.laboratory.results import Results

FLAT, STRUCTURED = 1 / 3, 2 / 3
"""Of the sharp patches, ordered by mean gradient magnitude: up to here flat, from here on
structured. Blurred patches have no say in it."""


def run_cues(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Set low-level statistics of patches against maps: how well each tells blurred from sharp.

    `photos`, drawn by `seed`, give `patches` blurred and sharp patches of `side` each at most;
    there has to be one of each class.
    """
    samples = shuffle(read_samples(experiment, data), experiment.seed)[: experiment.photos]
    entries = list(prepare_entries(experiment, data, samples, say))
    evidence = _gather(experiment, samples, entries, output, say)
    areas = {
        name: {other: _area(evidence, score, other) for other in SHARP}
        for name, score in evidence.scores.items()
    }
    counts = {name: int((evidence.classes == name).sum()) for name in CLASSES}
    scores = evidence.scores.items()
    patches = [
        asdict(place) | {"class": str(name)} | {k: round(float(v[i]), 5) for k, v in scores}
        for i, (place, name) in enumerate(zip(evidence.places, evidence.classes, strict=True))
    ]
    values = {
        "areas": {n: {o or "sharp": asdict(a) for o, a in of.items()} for n, of in areas.items()},
        "counts": counts,
        "patches": patches,
    }
    note = _note(experiment, areas, counts, len(samples))
    draw = {experiment.name: lambda: draw_cues(evidence, areas, experiment.seed)}
    return Results([_table(experiment, areas)], note, values, draw)


def separate(
    first: Floats, second: Floats, photos: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
) -> Interval:
    """Return how often a value of the second class exceeds one of the first, of all pairs.

    Parameters
    ----------
    first, second : ndarray, shape (m,) and (n,)
        Values of the two classes. Equal ones count half.
    photos : tuple of ndarray of int, shape (m,) and (n,)
        The number of the photo that each value is of.

    Returns
    -------
    Interval
        The area under the ROC curve: 1 tells the classes apart, 0.5 is chance, 0 has them the
        wrong way round. Its 95 % interval is a bootstrap over photos, since patches of one photo
        resemble each other. NaN where a class is empty.
    """
    if not len(first) or not len(second):
        return Interval(np.nan, np.nan, np.nan)
    count = int(max(map(np.max, photos))) + 1
    wins = (second[:, None] > first) + 0.5 * (second[:, None] == first)
    # Which photo's values win over which photo's: every resampled set follows from that.
    of_first, of_second = (np.eye(count)[of_photo] for of_photo in photos)
    won = of_second.T @ wins @ of_first
    weights = resample(count)
    pairs = (weights @ of_second.sum(0)) * (weights @ of_first.sum(0))
    areas = np.einsum("ri,ij,rj->r", weights, won, weights, optimize=True)
    values = np.divide(areas, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    return interval_of(values)


def classify(patches: Floats, blurred: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    """Return the class of each patch: blurred by the truth, flat and structured by gradients."""
    energy = -measure(patches)["gradient magnitude"]
    flat, structured = np.quantile(energy[~blurred], [FLAT, STRUCTURED])
    sharp = np.where(energy <= flat, "flat", np.where(energy >= structured, "structured", ""))
    return np.where(blurred, "blurred", sharp)


def _gather(
    experiment: Experiment,
    samples: Sequence[Sample],
    entries: Sequence[Entry],
    output: Path,
    say: Say,
) -> Evidence:
    rng = np.random.default_rng(experiment.seed)
    cut = [cut_patches(sample, experiment.side, experiment.patches, rng) for sample in samples]
    places = [place for of_photo, _ in cut for place in of_photo]
    patches = np.concatenate([of_photo for _, of_photo in cut])
    blurred = np.array([place.blurred for place in places], bool)
    if blurred.all() or not blurred.any():
        raise DatasetError(
            f"{samples[0].truth.parent}: {len(samples)} photos have no patch of "
            f"{experiment.side} x {experiment.side} pixels that is "
            f"{'sharp' if blurred.any() else 'blurred'} all over; give more photos"
        )
    scores = measure(patches)
    for name in scores.keys() & {entry.name for entry in entries}:
        raise ConfigError(f"two rows would be called {name}; name maps NAME=DIR")
    for entry in entries:
        run_benchmark(entry, samples, output)
        scores[entry.name] = _mean_of_maps(entry, samples, output, places, experiment.side)
        say(f"{entry.name}: {len(places)} patches read")
    classes = classify(patches, blurred)
    if missing := sorted({*CLASSES} - {*classes}):
        raise DatasetError(
            f"{samples[0].truth.parent}: too few sharp patches to have some of each class (none is "
            f"{' or '.join(missing)}); give more photos"
        )
    return Evidence(places, patches, classes, scores)


def _mean_of_maps(
    entry: Entry, samples: Sequence[Sample], output: Path, places: Sequence[Place], side: int
) -> Floats:
    means, wanted = np.empty(len(places)), {sample.name: sample for sample in samples}
    current, blur_map = "", np.empty((0, 0), np.float32)
    for i, place in enumerate(places):
        if place.photo != current:
            current = place.photo
            blur_map = as_shown(read_entry_map(entry, wanted[current], output))
        means[i] = blur_map[place.top : place.top + side, place.left : place.left + side].mean()
    return means


def _area(evidence: Evidence, score: Floats, other: str) -> Interval:
    """Return how well a score tells blurred patches from a class of sharp ones, or from all."""
    names = {name: i for i, name in enumerate(dict.fromkeys(p.photo for p in evidence.places))}
    photos = np.array([names[place.photo] for place in evidence.places])
    blurred = evidence.classes == "blurred"
    sharp = evidence.classes == other if other else ~blurred
    return separate(score[sharp], score[blurred], (photos[sharp], photos[blurred]))


def _table(experiment: Experiment, areas: Mapping[str, Mapping[str, Interval]]) -> Table:
    headings = ("more means blurred", *(f"blurred / {words} (95 %)" for words in SHARP.values()))
    rows = [(name, *(_cell(of[other]) for other in SHARP)) for name, of in areas.items()]
    return Table(f"{experiment.title}: area under the ROC curve", headings, tuple(rows))


def _cell(area: Interval) -> str:
    return f"{area.value:.3f} ({area.low:.3f}-{area.high:.3f})"


def best_cue(areas: Mapping[str, Mapping[str, Interval]], other: str) -> str:
    """Return the low-level statistic that tells two classes apart best, whichever way round."""
    return max(STATISTICS, key=lambda name: abs(areas[name][other].value - 0.5))


def _note(
    experiment: Experiment,
    areas: Mapping[str, Mapping[str, Interval]],
    counts: Mapping[str, Any],
    photos: int,
) -> str:
    lines = []
    for other in ("flat", "structured"):
        cue = best_cue(areas, other)
        seen = [f"`{cue}` {areas[cue][other].value:.3f}"]
        seen += [f"`{n}` {of[other].value:.3f}" for n, of in areas.items() if n not in STATISTICS]
        lines.append(
            f"Blurred against {SHARP[other]}: the best single statistic and the maps: "
            f"{', '.join(seen)}."
        )
    number = ", ".join(f"{count} {name}" for name, count in counts.items())
    lines.append(
        f"Patches of {experiment.side} x {experiment.side} pixels that the truth calls sharp, or "
        f"blurred, all over: {number}, and sharp ones between flat and structured; at most "
        f"{experiment.patches} of either from each of {photos} photos (seed {experiment.seed}). "
        "Flat is the third of the sharp patches with the least mean gradient, structured the "
        "third with the most, so that for gradient magnitude the first column is low and the "
        "second high by choice. 1 tells the classes apart, 0.5 is chance, below it the statistic "
        "has them the wrong way round. Intervals: bootstrap over photos. A method's number is "
        "the mean of its map in the patch; it sees the whole photo, the statistics the patch."
    )
    lines.append(f"The paper's: {experiment.source}.")
    return "\n".join(lines)
