"""Folders of frames, as other programs take clips apart -> frames with their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from blurmapper.batch import find_photos
from blurmapper.errors import BlurMapperError, VideoError
from blurmapper.images import ImageArray, read_image
from blurmapper.locations import Location
from blurmapper.preprocessing import WHITE
from blurmapper.video.clips import Frame

_DIGITS = re.compile(r"(\d+)")


class FrameFolder:
    """A folder of frames, in the order of their names; numbers in them count as such.

    Parameters
    ----------
    path : Path
    rate : Fraction
        Frames a second.
    output : Path or Address, optional
        A folder that is passed over where it is inside.

    Attributes
    ----------
    frames : list of Path
        The file of each frame, by its number.
    problem : str or None
        Once all frames are read: which could not be.

    Raises
    ------
    VideoError
        If no frame is in it.
    """

    def __init__(self, path: Path, rate: Fraction, output: Location | None = None) -> None:
        self.path, self.rate = path, rate
        found = find_photos([path], output=output)
        self.frames = sorted((Path(str(photo)) for photo, _ in found.photos), key=_natural)
        self.problem: str | None = None
        if not self.frames:
            raise VideoError(f"{path}: no frames in this folder; give clips, or a folder of photos")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return len(self.frames)

    def read_frames(self) -> Iterator[Frame]:
        """Yield frame after frame; those that cannot be read are left out.

        Raises
        ------
        VideoError
            If none can be read.
        """
        failed: list[str] = []
        for number, file in enumerate(self.frames):
            try:
                image = read_image(file)
            except BlurMapperError as error:
                failed.append(str(error))
                continue
            yield Frame(number, number, float(number / self.rate), _to_bytes(image))
        if len(failed) == len(self.frames):
            raise VideoError(f"{self.path}: no frame in it can be read ({failed[0]})")
        if failed:
            frames = "frame is" if len(failed) == 1 else "frames are"
            self.problem = f"{len(failed)} {frames} left out ({failed[0]})"


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return what sorts ``frame2`` before ``frame10``."""
    parts = _DIGITS.split(str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], str(path)


def _to_bytes(image: ImageArray) -> npt.NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    return np.rint(image * np.float32(255 / WHITE[image.dtype])).astype(np.uint8)
