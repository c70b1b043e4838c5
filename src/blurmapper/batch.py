"""Photos and folders in, one map file for each photo out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from blurmapper.errors import BlurMapperError, ImageError, MethodError
from blurmapper.images import (
    PHOTO_SUFFIXES,
    BlurMap,
    ImageArray,
    draw_overlay,
    read_image,
    write_image,
    write_map,
)
from blurmapper.mapper import BlurKinds, BlurMapper
from blurmapper.methods import BlurMethod

MAP_ENDINGS = {"8": ".blur.png", "16": ".blur.png", "npy": ".blur.npy"}
OVERLAY_ENDING = ".overlay.jpg"
DEFOCUS_ENDINGS = {"8": ".defocus.png", "16": ".defocus.png", "npy": ".defocus.npy"}
MOTION_ENDINGS = {"8": ".motion.png", "16": ".motion.png", "npy": ".motion.npy"}

MADE = frozenset({".blur", ".cutout", ".defocus", ".magnified", ".mask", ".motion", ".overlay"})
"""What stands before the suffix of the files that our commands write."""

THRESHOLD = 0.5
"""A pixel with at least this probability counts as blurred."""


@dataclass(frozen=True)
class Job:
    """A photo, and the path of its outputs without their endings."""

    photo: Path
    target: Path


@dataclass(frozen=True)
class Outputs:
    """Which files a photo gets: how its maps are written, an overlay, a map a kind of blur."""

    map_kind: Literal["8", "16", "npy"] = "8"
    overlay: bool = False
    kinds: bool = False


@dataclass(frozen=True)
class PhotoFigures:
    """What came of a photo.

    Attributes
    ----------
    photo, map, overlay, defocus, motion : Path or None
        The photo's file, its map, its overlay, and the map's two parts by kind of blur.
    height, width : int
        The photo's size in pixels, after its EXIF turn.
    blur_degree : float
        S, the mean of the map, in [0, 1].
    share_blurred : float
        Share of the pixels with a probability of at least 0.5, in [0, 1].
    seconds : float
        Reading, mapping and writing together.
    """

    photo: Path
    height: int
    width: int
    blur_degree: float
    share_blurred: float
    seconds: float
    map: Path
    overlay: Path | None
    defocus: Path | None = None
    motion: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
        }


def list_photos(source: Path) -> list[Path]:
    """Return a file as it is, or the photos in a folder and its subfolders, in order.

    Hidden files are left out, and what an earlier run made is no photo.

    Raises
    ------
    ImageError
        If a folder holds no photo.
    """
    if not source.is_dir():
        return [source]
    photos = []
    for folder, subfolders, names in os.walk(source):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            is_photo = Path(name).suffix.lower() in PHOTO_SUFFIXES and not name.startswith(".")
            if is_photo and Path(Path(name).stem).suffix not in MADE:
                photos.append(Path(folder, name))
    if not photos:
        raise ImageError(f"{source}: no photos in this folder; give one that holds photos")
    return photos


def plan_jobs(sources: Iterable[Path], output: Path) -> tuple[list[Job], list[BlurMapperError]]:
    """Give every photo an output of its own under `output`, folders mirrored.

    A photo's outputs are called after its stem. Where another photo has taken that name
    they are called after the whole file name, and failing that are numbered, so that
    ``x.jpg`` and ``x.png`` both survive.

    Returns
    -------
    list of Job
        One for each photo, in order; a photo given twice is mapped once.
    list of BlurMapperError
        One for each source that holds no photo.
    """
    jobs: dict[Path, Job] = {}
    taken: set[str] = set()
    errors: list[BlurMapperError] = []
    for source in sources:
        try:
            photos = list_photos(source)
        except BlurMapperError as error:
            errors.append(error)
            continue
        for photo in photos:
            if photo.resolve() not in jobs:
                below = photo.relative_to(source).parent if photo != source else Path()
                name = _free_name(below, photo, taken)
                jobs[photo.resolve()] = Job(photo, output / below / name)
    return list(jobs.values()), errors


def map_photos(
    jobs: Iterable[Job], method: BlurMethod, outputs: Outputs
) -> Iterator[PhotoFigures | BlurMapperError]:
    """Map photo after photo; one that fails yields its error, and the others go on."""
    for job in jobs:
        try:
            yield map_photo(job, method, outputs)
        except BlurMapperError as error:
            yield error


def map_photo(job: Job, method: BlurMethod, outputs: Outputs) -> PhotoFigures:
    """Map one photo and write its files.

    Raises
    ------
    ImageError
        If the photo cannot be read or a file cannot be written.
    """
    start = time.perf_counter()
    image = read_image(job.photo)
    kinds = _map_kinds(method, image) if outputs.kinds else None
    blur_map = method(image) if kinds is None else kinds.defocus + kinds.motion
    _make_folder(job.target.parent)
    map_path = _write(blur_map, job, MAP_ENDINGS, outputs)
    overlay_path = _with_ending(job.target, OVERLAY_ENDING) if outputs.overlay else None
    if overlay_path is not None:
        write_image(draw_overlay(image, blur_map), overlay_path)
    return PhotoFigures(
        photo=job.photo,
        height=blur_map.shape[0],
        width=blur_map.shape[1],
        blur_degree=float(blur_map.mean(dtype="float64")),
        share_blurred=_share_blurred(blur_map),
        seconds=time.perf_counter() - start,
        map=map_path,
        overlay=overlay_path,
        defocus=_write(kinds.defocus, job, DEFOCUS_ENDINGS, outputs) if kinds else None,
        motion=_write(kinds.motion, job, MOTION_ENDINGS, outputs) if kinds else None,
    )


def _map_kinds(method: BlurMethod, image: ImageArray) -> BlurKinds:
    if not isinstance(method, BlurMapper):
        raise MethodError("this method cannot tell motion from defocus; use dbm-lite")
    return method.map_kinds(image)


def _write(blur_map: BlurMap, job: Job, endings: dict[str, str], outputs: Outputs) -> Path:
    path = _with_ending(job.target, endings[outputs.map_kind])
    write_map(blur_map, path, bits=16 if outputs.map_kind == "16" else 8)
    return path


def _share_blurred(blur_map: BlurMap) -> float:
    return float((blur_map >= THRESHOLD).mean())


def _free_name(folder: Path, photo: Path, taken: set[str]) -> str:
    numbered = (f"{photo.name}-{number}" for number in count(2))
    for name in chain((photo.stem, photo.name), numbered):
        # Case folded, since some file systems hold X and x to be one name.
        key = str(folder / name).casefold()
        if key not in taken:
            break
    taken.add(key)
    return name


def _with_ending(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder with -o"
        ) from error
