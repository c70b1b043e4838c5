"""Measuring photos for the ranking: each once, and kept in the user's cache while it stays."""

from __future__ import annotations

import math
import os
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import cv2
import numpy as np

from blurmapper.amounts import identify_network
from blurmapper.applications.degree import Weighting, blur_degree, share_blurred
from blurmapper.batch import MOST, Found, Outcome, PhotoFailure, PhotoTask, Result
from blurmapper.images import BlurMap, ImageArray, read_photo
from blurmapper.locations import Location
from blurmapper.methods import BlurMethod
from blurmapper.preprocessing import reduce_within
from blurmapper.ranking.af_points import check_exiftool, read_af_point
from blurmapper.ranking.boxes import Boxes
from blurmapper.ranking.faces import check_faces, find_faces
from blurmapper.ranking.frames import READING, Frame, read_frame
from blurmapper.ranking.judging import Judged, judge_photo
from blurmapper.ranking.records import SAID, Box, PhotoRecord, Verdict, may_be_boxes
from blurmapper.ranking.verdicts import judge_box
from blurmapper.sharpest import SharpestPart

BOX_SHARE = 4
"""The sharpest region is a window of a fourth of the photo's height and width."""

SEARCH_SIDE = 256
"""Pixels of the longer side of the map that is searched for it."""

EVEN_BLUR = 1e-3
"""Windows whose mean blur differs by less are equally sharp."""

_DEGREES: dict[Weighting | None, str] = {
    None: "blur_degree",
    "centre": "blur_degree_centre",
    "saliency": "blur_degree_saliency",
}

_FRAME = ("taken", "camera", "fingerprint", "detail")


@dataclass(frozen=True)
class MeasureTask(PhotoTask):
    """Measure a photo for the ranking: all that `to_record` makes records of; nothing is written.

    S is measured with every weighting, and with it what tells the frames of a burst, so that
    another look at the same photos asks for nothing that is not there.
    """

    boxes: Boxes | None = None
    faces: bool = False
    af_point: bool = False

    name: ClassVar[str] = "rank"
    verb: ClassVar[str] = "measured"
    measured: ClassVar[Mapping[str, float]] = {
        **dict.fromkeys((*_DEGREES.values(), "share_blurred", "sharpest_blur"), 1.0),
        **dict.fromkeys((f"sharpest_{name}" for name in ("x", "y", "width", "height")), MOST),
    }

    @property
    def noted(self) -> Mapping[str, Callable[[Any], bool]]:
        """Where it is sharpest, the verdict, and what tells the frames of a burst."""
        # What is no frame is told where it is read.
        return {**SAID, **dict.fromkeys(_FRAME, lambda value: True), "boxes": may_be_boxes}

    def check(self, found: Found) -> None:  # noqa: ARG002 - of any photos
        """Say at once that what looks for boxes is not there."""
        if self.faces:
            check_faces()
        if self.af_point:
            check_exiftool()

    def choices(self) -> tuple[Any, ...]:
        """Return the options of the networks, how frames are read, and what is asked of boxes."""
        options = self.options
        chosen: tuple[Any, ...] = (options.refine, options.working_side, identify_network())
        asked = {"boxes": self.boxes is not None, "faces": self.faces, "af_point": self.af_point}
        return (*chosen, READING, *(name for name, wanted in asked.items() if wanted))

    def identify(self, photo: Location) -> list[int] | None:
        """Return what changes when the content of a photo does, or its boxes do."""
        known = super().identify(photo)
        if known is None or self.boxes is None:
            return known
        boxes = repr(self.boxes.of(str(photo)))
        return [*known, zlib.crc32(boxes.encode("utf-8", "surrogateescape"))]

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Measure a photo."""
        image = read_photo(photo, name=name).image
        return Outcome(self.measure(method, image, method(image), photo, name))

    def measure(
        self, method: BlurMethod, image: ImageArray, blur_map: BlurMap, photo: BinaryIO, name: str
    ) -> dict[str, Any]:
        """Return what is measured of a photo that was read whole, and of its map."""
        weighed = {
            name: blur_degree(blur_map, weighting=weighting, image=image)
            for weighting, name in _DEGREES.items()
        }
        box = asdict(find_sharpest_box(blur_map))
        judged = judge_photo(method, image, blur_map, threads=self.options.threads)
        focus, verdict = judged.focus, judged.verdict
        return {
            "height": image.shape[0],
            "width": image.shape[1],
            **weighed,
            "share_blurred": share_blurred(blur_map),
            **{f"sharpest_{name}": value for name, value in box.items()},
            "sigma": focus and focus.sigma,
            "focus_x": focus and focus.column,
            "focus_y": focus and focus.row,
            "verdict": verdict.word,
            "reason": verdict.reason,
            **_note_frame(read_frame(photo, image)),
            "boxes": self._judge_boxes(name, photo, image, blur_map, judged),
        }

    def _judge_boxes(
        self, name: str, photo: BinaryIO, image: ImageArray, blur_map: BlurMap, judged: Judged
    ) -> list[dict[str, Any]] | None:
        """Return what is said of each box of a photo, JSON-ready; None where none is asked for."""
        if self.boxes is None and not self.faces and not self.af_point:
            return None
        boxes = [] if self.boxes is None else self.boxes.of(name)
        if self.faces:
            boxes = [*boxes, *find_faces(image)]
        if self.af_point and (point := read_af_point(photo, *image.shape[:2])):
            boxes = [*boxes, point]
        said = []
        for box in boxes:
            rows, columns = box.slices(*blur_map.shape)
            verdict, found = judge_box(blur_map, judged.amounts, judged.focus, (rows, columns))
            said.append(
                {
                    "label": box.label,
                    "x": columns.start,
                    "y": rows.start,
                    "width": columns.stop - columns.start,
                    "height": rows.stop - rows.start,
                    "sigma": found and found.sigma,
                    "verdict": verdict.word,
                    "reason": verdict.reason,
                }
            )
        return said


def find_cache() -> Path | None:
    """Return where measurements are kept: ``blurmapper`` in the folder that the system has for it.

    That is ``XDG_CACHE_HOME`` or ``~/.cache``, on macOS ``~/Library/Caches`` and on Windows
    ``LOCALAPPDATA``. A user without a home has none.
    """
    homes = {"darwin": "~/Library/Caches", "win32": "~/AppData/Local"}
    given = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    for home in (given or "", homes.get(sys.platform, "~/.cache")):
        # What is not absolute counts as not set, and is what is left where nobody knows the home.
        folder = os.path.expanduser(home)  # noqa: PTH111 - Path raises without a home
        if os.path.isabs(folder):  # noqa: PTH117
            return Path(folder, "blurmapper")
    return None


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
    small = reduce_within(blur_map, SEARCH_SIDE)
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


def to_record(
    result: Result | PhotoFailure, weighting: Weighting | None = None
) -> PhotoRecord | PhotoFailure:
    """Return what `MeasureTask` measured, with S by a weighting; what failed stays what it is."""
    if isinstance(result, PhotoFailure):
        return result
    values = result.values
    box = {name: values[f"sharpest_{name}"] for name in Box.__dataclass_fields__}
    known = values["sigma"] is not None
    return PhotoRecord(
        result.photo,
        values["height"],
        values["width"],
        values[_DEGREES[weighting]],
        values["share_blurred"],
        Box(**box),
        _to_frame(values),
        SharpestPart(values["sigma"], values["focus_y"], values["focus_x"]) if known else None,
        Verdict(values["verdict"], values["reason"]),
        values["boxes"],
    )


def _note_frame(frame: Frame | None) -> dict[str, Any]:
    if frame is None:
        return dict.fromkeys(_FRAME)
    return asdict(frame) | {"taken": frame.taken.isoformat()}


def _to_frame(values: Mapping[str, Any]) -> Frame | None:
    try:
        taken = datetime.fromisoformat(values["taken"])
        look, detail = int(values["fingerprint"]), float(values["detail"])
        # A camera's clock has no zone, and a line may have been altered.
        is_one = taken.tzinfo is None and 0 <= look < 1 << 64 and math.isfinite(detail)
        return Frame(taken, str(values["camera"]), look, detail) if is_one else None
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
