"""Photos with their maps, chosen by chance, for the figures of what maps are for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blurmapper.applications import blur_degree
from blurmapper.errors import DatasetError
from blurmapper.images import BlurMap, ImageArray, read_image
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.photos import Photo, is_open_benchmark, list_photos, shuffle
from blurmapper.methods import METHODS, get_method

DEGREES = (0.2, 0.8)
"""Least and most S of a photo that has a sharp and a blurred part to show."""


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
    found: list[Mapped] = []
    for photo in shuffle(list_photos(experiment, data), experiment.seed):
        if len(found) == experiment.photos:
            break
        if photo.kind and not photo.kind.startswith(experiment.blur):
            continue
        image = read_image(photo.path)
        mapped = Mapped(photo, image, method(image))
        if DEGREES[0] <= mapped.degree <= DEGREES[1]:
            found.append(mapped)
    if not found:
        raise DatasetError(
            f"{data or 'the samples'}: no photo has an S of {DEGREES[0]:g} to {DEGREES[1]:g}, so a "
            "sharp and a blurred part; give others"
        )
    return found


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


def warn_of_seen(method: str, data: Path | None) -> list[str]:
    """Return a sentence where a bundled network is shown photos that it was trained on."""
    is_bundled = method in METHODS and METHODS[method].kind == "network"
    if not (is_bundled and data is not None and is_open_benchmark(data)):
        return []
    return [f"`{method}` was trained on photos that this set is made of; expect worse on others."]
