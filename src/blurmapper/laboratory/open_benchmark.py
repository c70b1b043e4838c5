"""A benchmark of 1,000 partly blurred photos, for where the paper's own cannot be had.

Laid out and numbered as the CUHK benchmark: 704 photos out of focus and 296 in motion, those with
an odd number to train on, those with an even number to test on. Real blur with a hand-traced mask
comes first, then real optical blur behind a sharp subject, then blur made of sharp photos. No
scene is there twice, and what a made photo borrows from another stays in its half.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.csv_rows import to_csv
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.files import refuse_link, write_file, written_as
from blurmapper.laboratory.photos import CUHK_PHOTOS, MANIFEST, shuffle
from blurmapper.laboratory.provenance import to_json
from blurmapper.training.augmentation import resize_layer
from blurmapper.training.data import KINDS, PairSource
from blurmapper.training.pairs import MOVED, SHARP, UNDECIDED, label_of
from blurmapper.training.photos import Masked, PhotoLibrary, read_library, read_masked, read_pixels

NAMES = {"motion": "motion", "defocus": "out_of_focus"}

SCENES = {
    "motion": ("panning", "subject_motion", "part_in_motion", "traffic", "light_trails"),
    "defocus": (
        "background_defocus",
        "foreground_defocus",
        "foreground_lights",
        "plane_of_focus",
        "several_depths",
    ),
}
"""Which scenes of `blurmapper.training.synthesis` are made for each kind, in turn."""

LEAST_SHARE = 0.03
"""Of a made photo, of what is blurred and of what is sharp: it is partly blurred."""

TRIES = 30
LISTED = ("photo", "kind", "confidence", "origin", "source", "scene")
JPEG_QUALITY = 95

Image = npt.NDArray[np.uint8]
Origin = Literal["traced", "optical", "made"]


@dataclass(frozen=True)
class Entry:
    """A photo of the benchmark to be.

    Attributes
    ----------
    name : str
        As CUHK names it: ``motion0001``; an odd number is of the half to train on.
    kind : {"motion", "defocus"}
    origin : {"traced", "optical", "made"}
    source : Masked
        The photo it is, or is made of; its mask is empty for the latter.
    scene : str
        Of what is made; else what the tracer said.
    """

    name: str
    kind: str
    origin: Origin
    source: Masked
    scene: str = ""

    @property
    def half(self) -> int:
        """1 of the half to train on, 0 of the half to test on."""
        return int(self.name[-4:]) % 2


def build_open_benchmark(
    photos: Path,
    output: Path,
    *,
    seed: int = 0,
    side: int = 384,
    advance: Callable[[], None] = lambda: None,
) -> Path:
    """Make the open benchmark, or what is missing of it.

    Parameters
    ----------
    photos : Path
        Training photos as `blurmapper.training.photos.read_library` takes them.
    output : Path
        Gets ``images/``, ``truth/`` (255 blurred, 0 sharp, 128 undecided), ``photos.csv`` and
        ``benchmark.json``.
    seed : int
        The same seed and photos give the same benchmark.
    side : int
        Height and width of its photos in pixels.
    advance : callable
        Called as each of the photos is there.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    ConfigError
        If `output` holds another benchmark, or photos that are of none.
    DatasetError
        If there are too few photos, or one cannot be read.
    """
    made_by: dict[str, str | int] = {"photos": photos.resolve().name, "seed": seed, "side": side}
    made_by |= CUHK_PHOTOS
    manifest = output / MANIFEST
    if manifest.exists() and _read_manifest(manifest) != made_by:
        raise ConfigError(f"{output}: holds a benchmark made otherwise; give another folder")
    if manifest.exists() and (output / "photos.csv").exists():
        return output
    for folder in ("images", "truth"):
        refuse_link(output / folder, output)
    others = () if manifest.exists() else [*output.glob("images/*"), *output.glob("truth/*")]
    if others:
        raise ConfigError(f"{output}: holds photos or masks of another; give another folder")
    library = read_whole_library(photos)
    entries = plan_entries(library, seed)
    sources = [PairSource(part, side, seed) for part in _halve(library, entries)]
    if not all(sources[entry.half].library.bokeh for entry in entries if entry.origin == "made"):
        raise DatasetError(f"{photos / 'photos.csv'}: too few photos of use bokeh; add some")
    write_file(manifest, to_json(made_by))
    for number, entry in enumerate(entries):
        if not _picture(output, entry).exists():
            image, truth = _make(entry, sources[entry.half], (seed, number))
            mask = cv2.imencode(".png", truth)[1]
            write_file(output / "truth" / f"{entry.name}.png", mask.tobytes())
            quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            photo = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
            write_file(_picture(output, entry), photo.tobytes())
        advance()
    ours = written_as(",".join(LISTED).encode())
    rows = [(e.name, e.kind, 3, e.origin, e.source.photo.stem, e.scene) for e in entries]
    write_file(output / "photos.csv", to_csv([LISTED, *rows]), ours)
    return output


def _read_manifest(path: Path) -> object:
    """Return what a benchmark is made of; of a file that is damaged, nothing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError):
        return None


def plan_entries(library: PhotoLibrary, seed: int) -> list[Entry]:
    """Return the benchmark's photos in the order of their names.

    Raises
    ------
    DatasetError
        If there are too few sharp photos to make the rest of.
    """
    rng = np.random.default_rng(seed)
    traced, optical, sharp = (shuffle(items, rng) for items in _tell_apart(library))
    pools = [sharp[half::2] for half in (0, 1)]
    entries = []
    for kind, count in CUHK_PHOTOS.items():
        real = [(m, "traced") for m in traced if _kind(m) == kind]
        real += [(m, "optical") for m in optical if kind == "defocus"]
        for half in (0, 1):
            chosen: list[tuple[Masked, Origin, str]] = [
                (m, origin, m.kind)  # type: ignore[misc]
                for m, origin in real[half::2][: count // 2]
            ]
            missing = count // 2 - len(chosen)
            if missing > len(pools[half]):
                raise DatasetError(
                    f"{missing - len(pools[half])} more photos that are sharp all over are needed "
                    "in each half to make blur of; add some to the photos"
                )
            made, pools[half] = pools[half][:missing], pools[half][missing:]
            scenes = SCENES[kind]
            chosen += [(m, "made", scenes[i % len(scenes)]) for i, m in enumerate(made)]
            numbers = range(2 - half, count + 1, 2)
            for number, (source, origin, scene) in zip(numbers, shuffle(chosen, rng), strict=True):
                name = f"{NAMES[kind]}{number:04d}"
                entries.append(Entry(name, kind, origin, source, scene))
    return sorted(entries, key=lambda entry: entry.name)


def read_whole_library(photos: Path) -> PhotoLibrary:
    """Read all training photos, also those that are held out when our own networks train."""
    parts = [read_library(photos, held_out=held_out) for held_out in (False, True)]
    lists = ("sharp", "blurred", "shapes", "bokeh", "traced")
    return PhotoLibrary(**{name: sum((getattr(p, name) for p in parts), ()) for name in lists})


def _tell_apart(library: PhotoLibrary) -> tuple[list[Masked], list[Masked], list[Masked]]:
    """Return the traced, optical and sharp photos, one of each scene, the traced one first."""
    traced = [m for m in library.traced if _is_partly_blurred(m.mask)]
    optical = [m for m in library.bokeh if _is_partly_blurred(m.mask)]
    sharp = [Masked(photo, Path()) for photo in library.sharp]
    every = [*traced, *optical, *sharp]
    first = {group[0] for group in group_twins([m.photo for m in every])}
    kept = {m.photo for place, m in enumerate(every) if place in first}
    one, two, three = ([m for m in part if m.photo in kept] for part in (traced, optical, sharp))
    return one, two, three


def _is_partly_blurred(mask: Path) -> bool:
    values = read_pixels(mask, cv2.IMREAD_GRAYSCALE)
    return bool((values > 200).mean() > LEAST_SHARE and (values < 50).mean() > LEAST_SHARE)


def _kind(traced: Masked) -> str:
    """Return motion or defocus; what mixes several blurs counts as the more frequent of the two."""
    return "motion" if KINDS.get(traced.kind) == MOVED else "defocus"


def _halve(library: PhotoLibrary, entries: Sequence[Entry]) -> Iterator[PhotoLibrary]:
    """Return what the photos of each half may borrow subjects from, those tested on first."""
    for half in (0, 1):
        own = {entry.source.photo for entry in entries if entry.half == half}
        yield replace(library, bokeh=tuple(m for m in library.bokeh if m.photo in own))


def _make(entry: Entry, source: PairSource, seed: tuple[int, int]) -> tuple[Image, Image]:
    """Return photo (S, S, 3) and truth (S, S), S being the side."""
    if entry.origin != "made":
        photo, truth = read_masked(entry.source)
        if entry.origin == "optical":
            truth = label_of(1.0 - truth.astype(np.float32) / 255.0, 255)
        interpolated = resize_layer(photo, source.side)
        nearest = cv2.resize(truth, (source.side,) * 2, interpolation=cv2.INTER_NEAREST_EXACT)
        return np.asarray(interpolated, np.uint8), np.asarray(nearest, np.uint8)
    rng = np.random.default_rng(seed)
    for _ in range(TRIES):
        pair = source.make(entry.source.photo, rng, entry.scene)
        blurred, sharp = pair.label > UNDECIDED, pair.label == SHARP
        if min(blurred.mean(), sharp.mean()) > LEAST_SHARE:
            return pair.image, np.where(blurred, 255, pair.label).astype(np.uint8)
    raise DatasetError(
        f"{entry.source.photo}: no partly blurred photo ({entry.scene}) could be made of it in "
        f"{TRIES} tries; take it off the list"
    )


def _picture(output: Path, entry: Entry) -> Path:
    return output / "images" / f"{entry.name}.jpg"


SIDE = 16
"""Of the grey thumbnails that are compared, in pixels."""

ALIKE = 0.95
"""Correlation of two thumbnails from which on they are taken for the same scene."""


def group_twins(photos: Sequence[Path]) -> list[list[int]]:
    """Return the photos in groups: those nearly the same together, mirrored ones too.

    Returns
    -------
    list of list of int
        Places in `photos`, each in one group, in order.

    Raises
    ------
    DatasetError
        If a photo cannot be read.
    """
    thumbnails = np.stack([_thumbnail(path) for path in photos])
    mirrored = thumbnails[:, :, ::-1].reshape(len(photos), -1)
    plain = thumbnails.reshape(len(photos), -1)
    alike = np.maximum(plain @ plain.T, plain @ mirrored.T) > ALIKE
    np.fill_diagonal(alike, val=True)
    # Each takes the first photo that one like it has, until all of a group have the same.
    first = np.arange(len(photos))
    while (nearer := np.where(alike, first, len(photos)).min(axis=1)).tolist() != first.tolist():
        first = nearer
    return [np.flatnonzero(first == head).tolist() for head in np.unique(first)]


def _thumbnail(path: Path) -> npt.NDArray[np.float32]:
    """Return a small grey picture of mean 0 and length 1, so that products are correlations."""
    grey = read_pixels(path, cv2.IMREAD_REDUCED_GRAYSCALE_4)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)
