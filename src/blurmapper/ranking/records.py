"""What is known of each photo, and the order of photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from blurmapper.batch import PhotoFailure
from blurmapper.ranking.frames import Frame

Measure = Literal["degree", "region"]
"""What photos are ranked by: S, or the mean blur of the sharpest region."""

Unreadable = PhotoFailure
"""A photo that cannot be measured, and why."""


@dataclass(frozen=True, slots=True)
class Box:
    """A window of a photo after its EXIF turn, in pixels from its upper left, and its mean blur."""

    x: int
    y: int
    width: int
    height: int
    blur: float


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """What was measured of a photo.

    Attributes
    ----------
    photo : Path
        The photo's file.
    height, width : int
        Its size in pixels, after its EXIF turn.
    blur_degree : float
        S, the mean of the map, in [0, 1]; weighted if so asked.
    share_blurred : float
        Share of the pixels with a probability of at least 0.5, in [0, 1].
    sharpest : Box
        The window of a quarter of the sides that has the least mean blur.
    frame : Frame or None
        What tells whether it is of a burst; None where unknown or not asked for.
    """

    photo: Path
    height: int
    width: int
    blur_degree: float
    share_blurred: float
    sharpest: Box
    frame: Frame | None = None

    def blur(self, by: Measure) -> float:
        """Return what photos are ranked by: S, or the mean blur of the sharpest region."""
        return self.blur_degree if by == "degree" else self.sharpest.blur


def order_photos(
    results: Iterable[PhotoRecord | Unreadable], *, by: Measure = "degree"
) -> tuple[list[PhotoRecord], list[Unreadable]]:
    """Return the measured photos, the sharpest first, and those that could not be read.

    The order is total: photos of the same blur, and those that could not be read, go by their
    paths, so that it does not depend on the order in which they were measured.

    Parameters
    ----------
    results : iterable of PhotoRecord or Unreadable
    by : {"degree", "region"}
        What is compared: S, or the mean blur of the sharpest region, which does not mind a
        blurred background.
    """
    records: list[PhotoRecord] = []
    unreadable: list[Unreadable] = []
    for result in results:
        if isinstance(result, PhotoRecord):
            records.append(result)
        else:
            unreadable.append(result)
    records.sort(key=lambda record: (record.blur(by), str(record.photo)))
    unreadable.sort(key=lambda failed: str(failed.photo))
    return records, unreadable
