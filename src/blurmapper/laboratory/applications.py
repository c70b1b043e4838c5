"""Experiments of kinds ``segmentation`` and ``magnification``: what the maps of photos are for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.applications import blur_degree, cut_out, magnify_blur, seed_labels, segment_blur
from blurmapper.applications.magnification import RADIUS, THRESHOLD
from blurmapper.applications.segmentation import (
    BACKGROUND,
    FOREGROUND,
    PROBABLE_BACKGROUND,
    PROBABLE_FOREGROUND,
)
from blurmapper.datasets import read_truth
from blurmapper.errors import DatasetError
from blurmapper.evaluation.figures import COLOURS, Picture, as_shown, draw_pictures, truth_as_shown
from blurmapper.evaluation.tables import Table, format_number
from blurmapper.images import BlurMap, ImageArray, read_image
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.photos import Photo, list_photos, shuffle, warn_of_seen
from blurmapper.laboratory.results import Results
from blurmapper.masks import check_size
from blurmapper.methods import BlurMethod, get_method, naming

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEGREES = (0.2, 0.8)
"""Least and most S of a photo that has a sharp and a blurred part to show."""


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

SURELY_BLURRED = 0.9
"""From this probability on a pixel is blurred for sure."""


@dataclass(frozen=True, eq=False)
class Mapped:
    """A photo with its map; `image` and `blur_map` are of one size."""

    photo: Photo
    image: ImageArray
    blur_map: BlurMap

    @property
    def degree(self) -> float:
        """S, the mean of the map."""
        return blur_degree(self.blur_map)


def run_segmentation(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
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
        cells.append((name, *map(format_number, measured.values())))
        values.append({"photo": name, **measured})
        say(f"{name}: cut out")
    columns = HEADINGS[: len(next(iter(rows.values())))]
    table = Table(experiment.title, ("photo", *list(values[0])[1:]), tuple(cells))
    note = (
        f"From left to right: {', '.join(columns)}. White is blurred, undecided truth mid grey. "
        "The seeds are what GrabCut starts from: sure below 0.1 and from 0.9 of the map on, "
        "probable in between, 0.5 the border. Subject: its share of the photo. IoU: of what the "
        "truth calls sharp with the cut, and with the map below 0.5. "
        + explain_choice(experiment, data)
    )
    draw = {experiment.name: lambda: add_legend(draw_pictures(columns, rows))}
    return Results([table], note, {"photos": values}, draw)


def overlap(mapped: Mapped, subject: Mask) -> float | None:
    """Return the IoU of a subject and of what the truth calls sharp; None where that is nothing."""
    if mapped.photo.sample is None:
        return None
    ground_truth, valid = read_truth(mapped.photo.sample)
    check_size(ground_truth, mapped.photo.sample.truth, mapped.image, mapped.photo.path)
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


def run_magnification(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Blur further what is blurred in a few photos, at each strength of the experiment.

    The first method maps the photos that `draw_mapped` chooses; nothing is kept.
    """
    rows, cells, values = {}, [], []
    for mapped in draw_mapped(experiment, data):
        name = mapped.photo.name
        rows[name], left = magnify(mapped, experiment.strengths)
        kept = float((mapped.blur_map <= THRESHOLD).mean())
        cells.append((name, *map(format_number, (mapped.degree, kept, *left))))
        values.append({"photo": name, "S": mapped.degree, "kept": kept, "gradient_left": left})
        say(f"{name}: magnified")
    strengths = [f"strength {strength:g}" for strength in experiment.strengths]
    headings = ["photo", "blur map", *strengths]
    note = (
        f"From left to right: {', '.join(headings)}; below, the radius of the disc that is added "
        "where the map is 1. White is blurred. Kept: the share of pixels that come back bit for "
        f"bit, those of at most {THRESHOLD:g} in the map. Below the strengths: what is left of "
        f"the mean gradient where the map is at least {SURELY_BLURRED:g}. "
        + explain_choice(experiment, data)
    )
    table = Table(experiment.title, ("photo", "S", "kept", *strengths), tuple(cells))
    draw = {experiment.name: lambda: draw_pictures(headings, rows)}
    return Results([table], note, {"photos": values}, draw)


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
    blurred = np.hypot(down, across)[blur_map >= SURELY_BLURRED]
    return float(blurred.mean()) if blurred.size else 0.0


def draw_mapped(experiment: Experiment, data: Path | None) -> list[Mapped]:
    """Return photos by chance, of those that have a sharp and a blurred part by their maps.

    They are the first ones of a shuffle by the experiment's seed with an S within `DEGREES`, and
    of its kind of blur where kinds are known. The first method maps them.

    Raises
    ------
    DatasetError
        If there is none.
    """
    method = get_method(experiment.methods[0])
    low, high = DEGREES
    photos = shuffle(list_photos(experiment, data), experiment.seed)
    of_kind = (
        photo for photo in photos if not photo.kind or photo.kind.startswith(experiment.blur)
    )
    mapped = (_map_photo(photo, method) for photo in of_kind)
    found = list(islice((each for each in mapped if low <= each.degree <= high), experiment.photos))
    if not found:
        raise DatasetError(
            f"{data or 'the samples'}: no photo has an S of {low:g} to {high:g}, so a sharp and a "
            "blurred part; give others"
        )
    return found


def _map_photo(photo: Photo, method: BlurMethod) -> Mapped:
    image = read_image(photo.path)
    with naming(photo.path):
        return Mapped(photo, image, method(image))


def explain_choice(experiment: Experiment, data: Path | None) -> str:
    """Return which photos `draw_mapped` takes, and what of theirs the method has seen."""
    kind = f"{experiment.blur} " if experiment.blur else ""
    choice = (
        f"Maps of `{experiment.methods[0]}`. The {kind}photos are the first ones of a shuffle "
        f"(seed {experiment.seed}) that have an S, the mean of the map, of {DEGREES[0]:g} to "
        f"{DEGREES[1]:g}; none was left out for its looks."
    )
    seen = warn_of_seen(experiment.methods[0], data)
    return " ".join([choice, *seen, f"The paper's: {experiment.source}."])


def _draw_row(mapped: Mapped, found: float | None) -> list[Picture]:
    labels = seed_labels(mapped.blur_map)
    seeds = np.zeros((*labels.shape, 3), np.float32)
    for label, (_, colour) in SEEDS.items():
        seeds[labels == label] = as_shown(np.frombuffer(bytes.fromhex(colour[1:]), np.uint8))
    cutout = on_squares(cut_out(mapped.image, mapped.blur_map))
    row = [
        Picture(as_shown(mapped.image)),
        Picture(mapped.blur_map, f"S {mapped.degree:.2f}"),
        Picture(seeds),
        Picture(cutout, "" if found is None else f"IoU {found:.2f}"),
    ]
    sample = mapped.photo.sample
    return row if sample is None else [*row, Picture(truth_as_shown(sample))]
