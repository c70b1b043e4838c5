"""Folders of frames, as other programs take clips apart -> frames with their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from blurmapper.batch import find_photos
from blurmapper.batch.finding import NO_PHOTOS
from blurmapper.decoding import to_eight_bits
from blurmapper.errors import BlurMapperError, VideoError
from blurmapper.files import written_as
from blurmapper.images import read_image
from blurmapper.locations import Location
from blurmapper.video.clips import Frame

TABLE_ENDING = ".frames.csv"
FRAMES_ENDING = ".frames"
"""What the name of the folder ends with that chosen frames are copied to, beside the table."""

HEADINGS_OF_S = ("frame", "seconds", "blur_degree", "share_blurred")
IS_TABLE = written_as(",".join(HEADINGS_OF_S).encode())
"""By what an earlier run's table is known, also of an earlier version; it alone is written anew."""

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
        Once all frames are read: which could not be, and subfolders that could not be listed.

    Raises
    ------
    VideoError
        If no frame is in it.
    """

    def __init__(self, path: Path, rate: Fraction, output: Location | None = None) -> None:
        self.path, self.rate = path, rate
        self.frames, self._unlisted = list_frames(path, output)
        self.problem: str | None = None
        if not self.frames:
            none = f"{path}: no frames in this folder; give clips, or a folder of photos"
            raise VideoError(self._unlisted[0] if self._unlisted else none)

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
            yield Frame(number, number, float(number / self.rate), to_eight_bits(image))
        if len(failed) == len(self.frames):
            raise VideoError(f"{self.path}: no frame in it can be read ({failed[0]})")
        problems = list(self._unlisted)
        if failed:
            frames = "frame is" if len(failed) == 1 else "frames are"
            problems.insert(0, f"{len(failed)} {frames} left out ({failed[0]})")
        self.problem = "; ".join(problems) or None


def list_frames(path: Path, output: Location | None = None) -> tuple[list[Path], list[str]]:
    """Return the files of a folder of frames in their order, and what of it cannot be listed.

    Copies that earlier runs made are none of its frames.

    Parameters
    ----------
    path : Path
    output : Path or Address, optional
        As for `FrameFolder`.
    """
    found = find_photos([path], outputs=[output])
    inside = {
        path / folder for _, below in found.photos for folder in list(Path(below).parents)[:-1]
    }
    copies = set(filter(_holds_copies, inside))
    frames = (Path(str(photo)) for photo, _ in found.photos)
    kept = sorted((each for each in frames if copies.isdisjoint(each.parents)), key=_natural)
    return kept, [str(each.error) for each in found.failures if each.reason != NO_PHOTOS]


def _holds_copies(folder: Path) -> bool:
    """Say whether a folder is one that chosen frames were copied to, by the table beside it."""
    if folder.suffix != FRAMES_ENDING:
        return False
    table = folder.with_suffix(TABLE_ENDING)
    with suppress(OSError):
        return table.is_file() and IS_TABLE(table)
    return False


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return what sorts ``frame2`` before ``frame10``."""
    parts = _DIGITS.split(str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], str(path)
