"""Records, and photos that say when they were taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper.applications.degree import Weighting
from blurmapper.batch import Job, PhotoFailure, run_in_threads
from blurmapper.methods import BlurMethod
from blurmapper.ranking.frames import Frame
from blurmapper.ranking.measuring import MeasureTask, to_record
from blurmapper.ranking.records import Box, PhotoRecord

Measure = Callable[..., list[PhotoRecord | PhotoFailure]]
MakeRecord = Callable[..., PhotoRecord]
WritePhoto = Callable[..., Path]


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """Path, S, frame -> a record of a photo that need not exist."""

    def make(photo: str | Path, blur_degree: float, frame: Frame | None = None) -> PhotoRecord:
        box = Box(0, 0, 8, 6, blur_degree)
        return PhotoRecord(Path(photo), 24, 32, blur_degree, blur_degree, box, frame)

    return make


@pytest.fixture(scope="session")
def measure() -> Measure:
    """Photos, what maps them, weighting -> what was measured of each."""

    def call(
        photos: list[Path], method: BlurMethod, weighting: Weighting | None = None
    ) -> list[Any]:
        results = run_in_threads(map(Job, photos), MeasureTask(""), method)
        return [to_record(each, weighting) for each in results]

    return call


@pytest.fixture(scope="session")
def write_photo() -> WritePhoto:
    """Path, pixels, time of taking as EXIF has it, its fraction, camera, body -> the file."""

    def write(
        path: Path,
        pixels: npt.NDArray[np.uint8],
        taken: str | None = None,
        fraction: str | None = None,
        camera: str = "Zorki 4",
        body: str | None = None,
    ) -> Path:
        exif = PIL.Image.Exif()
        exif[ExifTags.Base.Model] = camera
        details = exif.get_ifd(ExifTags.IFD.Exif)
        if taken is not None:
            details[ExifTags.Base.DateTimeOriginal] = taken
        if fraction is not None:
            details[ExifTags.Base.SubsecTimeOriginal] = fraction
        if body is not None:
            details[ExifTags.Base.BodySerialNumber] = body
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(pixels).save(path, exif=exif)
        return path

    return write


@pytest.fixture(scope="session")
def scene() -> Callable[[int], npt.NDArray[np.uint8]]:
    """Number -> a photo, uint8 (96, 128, 3), of large soft shapes, another for each number."""

    def make(number: int) -> npt.NDArray[np.uint8]:
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        picture = PIL.Image.fromarray(coarse).resize((128, 96), PIL.Image.Resampling.BICUBIC)
        return np.asarray(picture)

    return make


def write(folder: Path, *names: str) -> Path:
    """Write files that hold their folder's name and their own; return the first."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(f"{folder.name}/{name}")
    return folder / names[0]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}
