"""Experiments of kind ``degrees``: photos in the order of their blur degree S."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blurmapper.applications import blur_degree
from blurmapper.batch import Manifest, describe_file, find_unchanged, identify, is_number
from blurmapper.errors import DatasetError, ImageError
from blurmapper.evaluation.figures import COLOURS, Picture, draw_pictures, new_figure, read_shown
from blurmapper.evaluation.selection import name_method
from blurmapper.evaluation.tables import Table, format_number
from blurmapper.images import read_image
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.photos import (
    Photo,
    blurred_share,
    list_photos,
    spread_evenly,
    warn_of_seen,
)
from blurmapper.laboratory.results import Results
from blurmapper.methods import get_method, identify_method, naming

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 6
"""Photos in a line of the sheet."""

OFTEN = 50
"""Photos after which it is said how many are mapped."""


def run_degrees(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Rank photos by their blur degree S, and show some, spread evenly from sharp to blurred.

    The first method maps the photos, which need no truth; ``output/METHOD/degrees.jsonl`` gets S of
    each and is gone on with.
    """
    method = experiment.methods[0]
    photos = list_photos(experiment, data)
    degrees = find_degrees(method, photos, output / name_method(method) / "degrees.jsonl", say)
    ranked = sorted(
        (p for p in photos if p.name in degrees), key=lambda p: (degrees[p.name], p.name)
    )
    if not ranked:
        raise DatasetError(f"{photos[0].path.parent}: no photo in it can be read; give others")
    known = {p.name: blurred_share(p.sample) for p in ranked if p.sample is not None}
    shares = {name: share for name, share in known.items() if not math.isnan(share)}
    ranks = {photo.name: rank for rank, photo in enumerate(ranked, 1)}
    shown = spread_evenly(ranked, experiment.photos)
    rows = [
        (name, str(ranks[name]), f"{degrees[name]:.3f}", format_number(shares.get(name)))
        for name in (photo.name for photo in shown)
    ]
    headings = ("photo", "rank", "S", "blurred by the truth")
    table = Table(f"{experiment.title}: {len(ranked)} photos", headings, tuple(rows))
    values = {
        "shown": [photo.name for photo in shown],
        "degrees": {photo.name: degrees[photo.name] for photo in ranked},
        "blurred_shares": shares,
        **_agreement(degrees, shares),
    }
    figures = {experiment.name: lambda: _draw_photos(shown, degrees, ranks)}
    if shares:
        figures[f"{experiment.name}-truth"] = lambda: _draw_truth(degrees, shares, shown)
    return Results([table], _note(experiment, data, values), values, figures)


def find_degrees(method: str, photos: Sequence[Photo], file: Path, say: Say) -> dict[str, float]:
    """Return S of each photo that can be read, measured unless the file has it.

    Photos are measured anew where they, the method or its weights have changed.
    """
    identity, map_blur = identify_method(method), get_method(method)
    degrees: dict[str, float] = {}
    with Manifest(file, ("made_of", "inputs", "degree")) as manifest:
        for number, photo in enumerate(photos, 1):
            made_of = [identity, identify(photo.path)]
            try:
                line = find_unchanged(manifest, photo.name, [photo.path], made_of=made_of)
                if line is None or not is_number(line["degree"], 1):
                    inputs = [describe_file(photo.path)]
                    with naming(photo.path):
                        degree = blur_degree(map_blur(read_image(photo.path)))
                    line = {"made_of": made_of, "inputs": inputs, "degree": degree}
                    manifest.add(photo.name, line)
                degrees[photo.name] = line["degree"]
            except ImageError as error:
                say(str(error))
            if number % OFTEN == 0 or number == len(photos):
                say(f"{number} of {len(photos)} photos mapped")
    return degrees


def _agreement(degrees: Mapping[str, float], shares: Mapping[str, float]) -> dict[str, float]:
    """Return how S goes with the share that the truth calls blurred."""
    found, true = [degrees[name] for name in shares], list(shares.values())
    if len(shares) < 3 or len(set(found)) < 2 or len(set(true)) < 2:
        return {}
    from scipy import stats

    return {
        "rank_correlation": float(stats.spearmanr(found, true).statistic),
        "mean_difference": float(np.mean(np.subtract(found, true))),
        "mean_absolute_difference": float(np.mean(np.abs(np.subtract(found, true)))),
    }


def _note(experiment: Experiment, data: Path | None, values: Mapping[str, Any]) -> str:
    method = experiment.methods[0]
    order = (
        f"Photos in the order of S, the mean of the map of `{method}`: 0 sharp all over, 1 blurred "
        "all over. Shown are the first, the last, and others at equal steps of rank between them."
    )
    lines = [order]
    if "rank_correlation" in values:
        lines.append(
            "S against the share of each photo that the truth calls blurred: Spearman's rank "
            f"correlation {values['rank_correlation']:.3f}, mean difference "
            f"{values['mean_difference']:+.3f}, mean absolute difference "
            f"{values['mean_absolute_difference']:.3f}. S says how much of a photo is blurred, not "
            "how strongly."
        )
    lines += warn_of_seen(method, data)
    return " ".join([*lines, f"The paper's: {experiment.source}."])


def _draw_photos(
    shown: Sequence[Photo], degrees: Mapping[str, float], ranks: Mapping[str, int]
) -> Figure:
    pictures = [
        Picture(read_shown(photo.path), f"rank {ranks[photo.name]}, S {degrees[photo.name]:.2f}")
        for photo in shown
    ]
    across = math.ceil(len(pictures) / math.ceil(len(pictures) / ACROSS))
    blank = [Picture(np.ones((1, 1, 3)))] * (-len(pictures) % across)
    lines = [*pictures, *blank]
    rows = {" " * i: lines[i : i + across] for i in range(0, len(lines), across)}
    figure = draw_pictures([""] * across, rows)
    for cell in figure.axes[len(pictures) :]:
        cell.set_visible(False)
    return figure


def _draw_truth(
    degrees: Mapping[str, float], shares: Mapping[str, float], shown: Sequence[Photo]
) -> Figure:
    figure = new_figure(4.2, 4.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, zorder=1)
    true, found = list(shares.values()), [degrees[name] for name in shares]
    axes.scatter(true, found, s=14, color=COLOURS[1], alpha=0.6, linewidths=0, label="photos")
    marked = [photo.name for photo in shown if photo.name in shares]
    axes.scatter(
        [shares[name] for name in marked],
        [degrees[name] for name in marked],
        s=44,
        facecolors="none",
        edgecolors=COLOURS[0],
        linewidths=1.2,
        label="shown",
    )
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set(xlabel="Share blurred by the truth", ylabel="Blur degree S")
    axes.legend(loc="upper left", fontsize=8.5, frameon=False)
    return figure
