"""Experiments of kind ``magnification``: photos whose blur is blurred further."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from blurmapper.applications import magnify_blur
from blurmapper.applications.magnification import RADIUS, THRESHOLD
from blurmapper.evaluation.figures import Picture, as_shown, draw_pictures
from blurmapper.evaluation.tables import UNKNOWN, Table
from blurmapper.images import BlurMap, ImageArray
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.machine import Say
from blurmapper.laboratory.mapped import Mapped, draw_mapped, explain_choice
from blurmapper.laboratory.results import Results

BLURRED = 0.9
"""From this probability on a pixel is blurred for sure."""


def run_magnification(
    experiment: Experiment,
    data: Path | None,
    output: Path,  # noqa: ARG001 - of every runner
    say: Say,
) -> Results:
    """Blur further what is blurred in a few photos, at each strength of the experiment.

    The first method maps the photos that `draw_mapped` chooses; nothing is kept.
    """
    rows, cells, values = {}, [], []
    for mapped in draw_mapped(experiment, data):
        name = mapped.photo.name
        rows[name], left = magnify(mapped, experiment.strengths)
        kept = float((mapped.blur_map <= THRESHOLD).mean())
        shares = (UNKNOWN if share is None else f"{share:.3f}" for share in left)
        cells.append((name, f"{mapped.degree:.3f}", f"{kept:.3f}", *shares))
        values.append({"photo": name, "S": mapped.degree, "kept": kept, "gradient_left": left})
        say(f"{name}: magnified")
    strengths = [f"strength {strength:g}" for strength in experiment.strengths]
    headings = ["photo", "blur map", *strengths]
    note = (
        f"From left to right: {', '.join(headings)}; below, the radius of the disc that is added "
        "where the map is 1. White is blurred. Kept: the share of pixels that come back bit for "
        f"bit, those of at most {THRESHOLD:g} in the map. Below the strengths: what is left of "
        f"the mean gradient where the map is at least {BLURRED:g}. "
        + explain_choice(experiment, data)
    )
    table = Table(experiment.title, ("photo", "S", "kept", *strengths), tuple(cells))
    return Results(
        [table], note, {"photos": values}, {experiment.name: lambda: draw_pictures(headings, rows)}
    )


def magnify(
    mapped: Mapped, strengths: tuple[float, ...]
) -> tuple[list[Picture], list[float | None]]:
    """Return a photo, its map, and the photo magnified, and what is left of its mean gradient.

    The latter is of what is blurred for sure, a share a strength; None where nothing is, or
    where it had no gradient before.
    """
    image, blur_map = mapped.image, mapped.blur_map
    pictures = [Picture(as_shown(image)), Picture(blur_map, f"S {mapped.degree:.2f}")]
    before, left = mean_gradient(image, blur_map), []
    for strength in strengths:
        magnified = magnify_blur(image, blur_map, strength=strength)
        radius = strength * RADIUS * math.sqrt(blur_map.size)
        pictures.append(Picture(as_shown(magnified), f"{radius:.1f} pixels"))
        left.append(mean_gradient(magnified, blur_map) / before if before else None)
    return pictures, left


def mean_gradient(image: ImageArray, blur_map: BlurMap) -> float:
    """Return the mean gradient magnitude of what is blurred for sure; 0 where nothing is."""
    grey = cv2.cvtColor(as_shown(image), cv2.COLOR_RGB2GRAY)
    down, across = np.gradient(grey)
    blurred = np.hypot(down, across)[blur_map >= BLURRED]
    return float(blurred.mean()) if blurred.size else 0.0
