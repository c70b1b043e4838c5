"""Experiments of kind ``segmentation``: the sharp subject cut out by GrabCut, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from blurmapper.applications import cut_out, seed_labels, segment_blur
from blurmapper.applications.segmentation import (
    BACKGROUND,
    FOREGROUND,
    PROBABLE_BACKGROUND,
    PROBABLE_FOREGROUND,
)
from blurmapper.datasets import read_truth
from blurmapper.evaluation.figures import COLOURS, Picture, as_shown, draw_pictures, truth_as_shown
from blurmapper.evaluation.tables import UNKNOWN, Table
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.machine import Say
from blurmapper.laboratory.mapped import Mapped, draw_mapped, explain_choice
from blurmapper.laboratory.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = {
    FOREGROUND: ("sharp", COLOURS[1]),
    PROBABLE_FOREGROUND: ("probably sharp", COLOURS[5]),
    PROBABLE_BACKGROUND: ("probably blurred", COLOURS[4]),
    BACKGROUND: ("blurred", COLOURS[0]),
}
"""What GrabCut starts from -> its name and colour."""

HEADINGS = ("photo", "blur map", "seeds", "cut-out", "truth")

SQUARES = 24
"""Of the ground that cut-outs lie on, along the longer side."""

LIGHT, DARK = 0.95, 0.8

Mask = npt.NDArray[np.bool_]


def run_segmentation(
    experiment: Experiment,
    data: Path | None,
    output: Path,  # noqa: ARG001 - of every runner
    say: Say,
) -> Results:
    """Cut the sharp subject out of a few photos, which needs pymatting.

    The first method maps the photos that `draw_mapped` chooses; nothing is kept.
    """
    rows, cells, values = {}, [], []
    for mapped in draw_mapped(experiment, data):
        name, subject = mapped.photo.name, segment_blur(mapped.image, mapped.blur_map)
        measured = {
            "S": mapped.degree,
            "subject": float(subject.mean()),
            "IoU of the cut": overlap(mapped, subject),
            "IoU of the map": overlap(mapped, mapped.blur_map < 0.5),
        }
        rows[name] = _draw_row(mapped, measured["IoU of the cut"])
        cells.append((name, *(UNKNOWN if v is None else f"{v:.3f}" for v in measured.values())))
        values.append({"photo": name, **measured})
        say(f"{name}: cut out")
    columns = HEADINGS[: len(next(iter(rows.values())))]
    table = Table(experiment.title, ("photo", *list(values[0])[1:]), tuple(cells))

    def draw() -> Figure:
        return add_legend(draw_pictures(columns, rows))

    return Results(
        [table], _note(experiment, data, columns), {"photos": values}, {experiment.name: draw}
    )


def overlap(mapped: Mapped, subject: Mask) -> float | None:
    """Return the IoU of a subject and of what the truth calls sharp; None where that is nothing."""
    if mapped.photo.sample is None:
        return None
    ground_truth, valid = read_truth(mapped.photo.sample)
    decided = np.ones_like(ground_truth) if valid is None else valid
    sharp = ~ground_truth
    union = ((subject | sharp) & decided).sum()
    return float((subject & sharp & decided).sum() / union) if (sharp & decided).any() else None


def on_squares(rgba: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a cut-out, RGBA of any depth (H, W, 4), on light squares, floats in [0, 1]."""
    shown = as_shown(rgba)
    ys, xs = np.indices(shown.shape[:2]) * SQUARES // max(shown.shape[:2])
    ground = np.where((ys + xs) % 2, np.float32(LIGHT), np.float32(DARK))[..., np.newaxis]
    return np.asarray(ground + shown[..., 3:] * (shown[..., :3] - ground))


def add_legend(figure: Figure) -> Figure:
    """Say below a figure what the colours of seeds mean."""
    from matplotlib.patches import Patch

    patches = [Patch(color=colour, label=name) for name, colour in SEEDS.values()]
    figure.legend(
        handles=patches, loc="outside lower center", ncols=len(patches), fontsize=8, frameon=False
    )
    figure.set_figheight(figure.get_figheight() + 0.3)
    return figure


def _note(experiment: Experiment, data: Path | None, columns: Sequence[str]) -> str:
    return (
        f"From left to right: {', '.join(columns)}. White is blurred, undecided truth mid grey. "
        "The seeds are what GrabCut starts from: sure below 0.1 and from 0.9 of the map on, "
        "probable in between, 0.5 the border. Subject: its share of the photo. IoU: of what the "
        "truth calls sharp with the cut, and with the map below 0.5. "
        + explain_choice(experiment, data)
    )


def _draw_row(mapped: Mapped, found: float | None) -> list[Picture]:
    labels = seed_labels(mapped.blur_map)
    seeds = np.zeros((*labels.shape, 3), np.float32)
    for label, (_, colour) in SEEDS.items():
        seeds[labels == label] = _rgb(colour)
    cutout = on_squares(cut_out(mapped.image, mapped.blur_map))
    row = [
        Picture(as_shown(mapped.image)),
        Picture(mapped.blur_map, f"S {mapped.degree:.2f}"),
        Picture(seeds),
        Picture(cutout, "" if found is None else f"IoU {found:.2f}"),
    ]
    sample = mapped.photo.sample
    return row if sample is None else [*row, Picture(truth_as_shown(sample))]


def _rgb(colour: str) -> npt.NDArray[np.float32]:
    """Return ``#RRGGBB`` as shares of white."""
    return as_shown(np.frombuffer(bytes.fromhex(colour[1:]), np.uint8))
