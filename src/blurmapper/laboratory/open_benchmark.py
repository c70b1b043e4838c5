"""A benchmark of 1,000 partly blurred photos, for where the paper's own cannot be had.

Laid out and numbered as the CUHK benchmark: 704 photos out of focus and 296 in motion, those with
an odd number to train on, those with an even number to test on. Real blur with a hand-traced mask
comes first, then real optical blur behind a sharp subject, then blur made of sharp photos. No
scene is there twice, and what a made photo borrows from another stays in its half.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.csv_rows import to_csv
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.files import check_replaceable, refuse_link, write_file, written_as
from blurmapper.laboratory.photos import CUHK_PHOTOS, MANIFEST, shuffle
from blurmapper.laboratory.provenance import to_json
from blurmapper.laboratory.twins import group_twins
from blurmapper.masks import read_mask
from blurmapper.training.augmentation import resize_layer
from blurmapper.training.data import KINDS, PairSource
from blurmapper.training.pairs import MOVED, SHARP, UNDECIDED, label_of
from blurmapper.training.photos import (
    Masked,
    PhotoLibrary,
    read_library,
    read_pixels,
    read_subject,
    read_traced,
)

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
    manifest, listed = output / MANIFEST, output / "photos.csv"
    is_list = written_as(",".join(LISTED).encode())
    check_replaceable(listed, is_list)
    begun = _read_manifest(manifest)
    if manifest.exists():
        if not made_by.items() <= begun.items():
            raise ConfigError(f"{output}: holds a benchmark made otherwise; give another folder")
        if listed.exists() and is_list(listed):
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
    rows = [(e.name, e.kind, 3, e.origin, e.source.photo.stem, e.scene) for e in entries]
    content = to_csv([LISTED, *rows])
    plan = hashlib.sha256(content.encode()).hexdigest()
    if begun.get("plan", plan) != plan:
        raise ConfigError(f"{output}: begun with other photos than {photos}; give another folder")
    write_file(manifest, to_json({**made_by, "plan": plan}))
    for number, entry in enumerate(entries):
        if not _picture(output, entry).exists():
            _write_entry(output, entry, sources[entry.half], (seed, number))
        advance()
    write_file(listed, content, is_list)
    return output


def _read_manifest(path: Path) -> dict[str, Any]:
    """Return what a benchmark is made of; of a file that is damaged, nothing."""
    with suppress(OSError, RecursionError, ValueError):
        read = json.loads(path.read_text(encoding="utf-8"))
        return read if isinstance(read, dict) else {}
    return {}


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
    traced = [m for m in library.traced if _is_partly_blurred(read_mask(m.mask))]
    grey = cv2.IMREAD_GRAYSCALE
    optical = [m for m in library.bokeh if _is_partly_blurred(read_pixels(m.mask, grey))]
    sharp = [Masked(photo, Path()) for photo in library.sharp]
    every = [*traced, *optical, *sharp]
    first = {group[0] for group in group_twins([m.photo for m in every])}
    kept = {m.photo for place, m in enumerate(every) if place in first}
    one, two, three = ([m for m in part if m.photo in kept] for part in (traced, optical, sharp))
    return one, two, three


def _is_partly_blurred(mask: Image) -> bool:
    return bool((mask > 200).mean() > LEAST_SHARE and (mask < 50).mean() > LEAST_SHARE)


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
        optical = entry.origin == "optical"
        photo, truth = (read_subject if optical else read_traced)(entry.source)
        if optical:
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


def _write_entry(output: Path, entry: Entry, source: PairSource, seed: tuple[int, int]) -> None:
    """Write the photo after its mask, so that where there is a photo both are there."""
    image, truth = _make(entry, source, seed)
    write_file(output / "truth" / f"{entry.name}.png", cv2.imencode(".png", truth)[1].tobytes())
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    photo = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
    write_file(_picture(output, entry), photo.tobytes())


def _picture(output: Path, entry: Entry) -> Path:
    return output / "images" / f"{entry.name}.jpg"
