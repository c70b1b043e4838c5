"""What is known of each photo, and the order of photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal, cast

import cv2
import numpy as np

from blurmapper.applications.degree import Weighting, blur_degree
from blurmapper.batch import THRESHOLD, Outcome, PhotoFailure, Result, Task, enlarge_to, read_for
from blurmapper.images import BlurMap
from blurmapper.methods import BlurMethod
from blurmapper.ranking.frames import Frame, read_frame

Measure = Literal["degree", "region"]
"""What photos are ranked by: S, or the mean blur of the sharpest region."""

BOX_SHARE = 4
"""The sharpest region is a window of a fourth of the photo's height and width."""

SEARCH_SIDE = 256
"""Pixels of the longer side of the map that is searched for it."""

EVEN_BLUR = 1e-3
"""Windows whose mean blur differs by less are equally sharp."""


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


@dataclass(frozen=True)
class MeasureTask(Task):
    """Measure a photo for the ranking: the fields of `PhotoRecord`; nothing is written.

    Attributes
    ----------
    weighting : {"centre", "saliency"} or None
        What counts more in S; see `blur_degree`.
    with_frames : bool
        Also find out what tells the frames of a burst.
    """

    weighting: Weighting | None = None
    with_frames: bool = False

    name: ClassVar[str] = "rank"

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Measure a photo."""
        read = read_for(method, photo, name=name)
        reduced = method(read.image)
        blur_map = enlarge_to(reduced, read.height, read.width)
        # Saliency is computed from the photo, which may have been read with fewer pixels.
        weighed = blur_map if self.weighting is None else reduced
        return Outcome(
            {
                "height": read.height,
                "width": read.width,
                "blur_degree": blur_degree(weighed, weighting=self.weighting, image=read.image),
                "share_blurred": float((blur_map >= THRESHOLD).mean()),
                "sharpest": find_sharpest_box(blur_map),
                "frame": read_frame(photo, read.image) if self.with_frames else None,
            }
        )


def find_sharpest_box(blur_map: BlurMap) -> Box:
    """Return the window of a quarter of the sides that has the least mean blur.

    Parameters
    ----------
    blur_map : ndarray
        float32 (H, W) in [0, 1], 1 = blurred.

    Returns
    -------
    Box
        max(1, H // 4) x max(1, W // 4) pixels. Of windows that are equally sharp to 0.001, the
        one nearest to the middle. Maps of more than 256 pixels a side are searched in steps of
        as many parts of it.
    """
    height, width = blur_map.shape
    scale = min(1.0, SEARCH_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(blur_map, size, interpolation=cv2.INTER_AREA)
    rows, columns = (max(1, side // BOX_SHARE) for side in small.shape)
    sums = cv2.integral(small, sdepth=cv2.CV_64F)
    totals = sums[rows:, columns:] - sums[:-rows, columns:]
    totals += sums[:-rows, :-columns] - sums[rows:, :-columns]
    means = totals / (rows * columns)
    tops, lefts = np.nonzero(means <= means.min() + EVEN_BLUR)
    middle = (np.array(means.shape) - 1) / 2
    nearest = np.argmin((tops - middle[0]) ** 2 + (lefts - middle[1]) ** 2)
    box_height, box_width = max(1, height // BOX_SHARE), max(1, width // BOX_SHARE)
    y = min(round(tops[nearest] * height / small.shape[0]), height - box_height)
    x = min(round(lefts[nearest] * width / small.shape[1]), width - box_width)
    window = blur_map[y : y + box_height, x : x + box_width]
    return Box(x, y, box_width, box_height, float(window.mean(dtype=np.float64)))


def to_record(result: Result) -> PhotoRecord:
    """Return what `MeasureTask` measured."""
    return PhotoRecord(cast("Path", result.photo), **result.values)


def rank_photos(
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
