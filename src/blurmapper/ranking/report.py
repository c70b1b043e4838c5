"""A page of all photos of a ranking, to look at them and choose, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar
from urllib.parse import quote

import cv2
import numpy as np

import blurmapper
from blurmapper.applications.degree import THRESHOLD
from blurmapper.batch import REPORT, DoneBefore, Found, Job, Outcome, Result, real_path
from blurmapper.decoding import is_turned_webp
from blurmapper.errors import ImageError
from blurmapper.files import write_file, written_as
from blurmapper.images import (
    OVERLAY_TINT,
    PHOTO_SUFFIXES,
    BlurMap,
    ImageArray,
    encode_cutout,
    encode_image,
    read_photo,
)
from blurmapper.locations import Location
from blurmapper.methods import BlurMethod
from blurmapper.preprocessing import reduce_within
from blurmapper.ranking.measuring import MeasureTask, find_cache
from blurmapper.ranking.records import PhotoRecord
from blurmapper.ranking.tables import Ranking, rows

PAGE = "index.html"
FILES = "files"
"""The folder in the report's with the pictures of each photo, and the manifest of them."""

THUMB_SIDE = 400
TINT_SIDE = 200
CROP = (300, 400)
"""Height and width of the crops, pixel by pixel."""

_ASSETS = Path(blurmapper.__file__).parent / "assets" / "choosing"
_SCRIPTS = (
    "choice.js",
    "compare.js",
    "figures.js",
    "filters.js",
    "grid.js",
    "keys.js",
    "chooser.js",
    "report.js",
)
_STYLES = ("report.css", "choosing.css")
_SHOWN = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif", ".bmp")
"""Suffixes of photos that browsers show."""

IS_REPORT = written_as(b"<!doctype html>", b'content="blurmapper report"')


@dataclass(frozen=True)
class ReportTask(MeasureTask):
    """Measure a photo, and write a small copy, its map and crops at full size for the report."""

    name: ClassVar[str] = "report"
    kinds: ClassVar[tuple[str, ...]] = ("thumb", "tint", "subject", "sharpest")

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return the endings of the pictures, by which no later run takes them for photos."""
        before = "" if photo.suffix.lower() in PHOTO_SUFFIXES else REPORT
        endings = {kind: f"{before}.{kind}.jpg" for kind in self.kinds}
        return endings | {"tint": f"{before}.tint.png"}

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Measure a photo and draw its pictures."""
        image = read_photo(photo, name=name).image
        blur_map = method(image)
        values = self.measure(method, image, blur_map, photo, name)
        middle = (
            values["sharpest_y"] + values["sharpest_height"] // 2,
            values["sharpest_x"] + values["sharpest_width"] // 2,
        )
        if values["sigma"] is not None:
            middle = (values["focus_y"], values["focus_x"])
        files = {
            "thumb": encode_image(reduce_within(image, THUMB_SIDE), ".jpg"),
            "tint": _encode_tint(blur_map),
            "subject": encode_image(_crop(image, find_subject(blur_map)), ".jpg"),
            "sharpest": encode_image(_crop(image, middle), ".jpg"),
        }
        return Outcome(values, files)


@contextmanager
def keeping_measurements(
    task: MeasureTask, found: Found, *, redo: bool = False
) -> Iterator[Callable[[Result], None]]:
    """Keep what a report measures in the user's cache too, for looks without a report.

    Parameters
    ----------
    task : ReportTask
    found : Found
        The photos, none of them read yet.
    redo : bool
        Also keep what is kept already.

    Yields
    ------
    callable
        To be called with each result; it does nothing where nothing can be kept.
    """
    plain = MeasureTask(task.method, task.options, task.boxes, task.faces, task.af_point)
    jobs: dict[Location, Job] = {}
    with ExitStack() as stack:
        if cache := find_cache():
            with suppress(ImageError):
                kept = stack.enter_context(DoneBefore(cache, plain, redo=redo))
                jobs = {job.photo: job for job in kept.plan(found, cache) if job.done is None}

        def keep(result: Result) -> None:
            if result.photo in jobs:
                kept.add(jobs[result.photo], result)

        yield keep


def find_subject(blur_map: BlurMap) -> tuple[int, int]:
    """Return the row and column in the middle of the largest part of a photo that is sharp.

    That is the pixel of it which is furthest from what is blurred; where nothing is sharp, that
    of the part which is as sharp as the sharpest fifth.
    """
    small = reduce_within(blur_map, 256)
    least = THRESHOLD if (small < THRESHOLD).any() else float(np.quantile(small, 0.2)) + 1e-6
    sharp = (small < least).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(sharp)
    if count > 1:
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        sharp = (labels == largest).astype(np.uint8)
    # What lies at the rim is not in the middle of anything.
    distance = cv2.distanceTransform(np.pad(sharp, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    rows, columns = (side / part for side, part in zip(blur_map.shape, small.shape, strict=True))
    return int((row + 0.5) * rows), int((column + 0.5) * columns)


def write_report(ranking: Ranking, results: Mapping[Location, Result], output: Path) -> Path:
    """Write the page of a ranking, once its pictures are there.

    Parameters
    ----------
    ranking : Ranking
    results : mapping of Path or Address to Result
        From `ReportTask`, of each photo of the ranking.
    output : Path
        The report's folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ImageError
        If it cannot be written, or another page is there.
    """
    page = (_ASSETS / "report.html").read_text("utf-8")
    for mark, content in (
        ("/*STYLE*/", "".join((_ASSETS / name).read_text("utf-8") for name in _STYLES)),
        ("/*SCRIPT*/", join_scripts()),
        ("/*DATA*/", _to_json(_describe(ranking, results, output))),
    ):
        before, after = page.split(mark)
        page = before + content + after
    return write_file(output / PAGE, page, IS_REPORT)


def join_scripts() -> str:
    """Return scripts as one, for pages from files may not import; their names never clash."""
    texts = [(_ASSETS / name).read_text("utf-8") for name in _SCRIPTS]
    joined = "\n".join(re.sub(r"(?m)^import .*$", "", text) for text in texts)
    return re.sub(r"(?m)^export ", "", joined)


def _to_json(data: dict[str, Any]) -> str:
    # No name of a photo may end the script that it stands in.
    return json.dumps(data).replace("<", "\\u003c")


def _describe(ranking: Ranking, results: Mapping[Location, Result], output: Path) -> dict[str, Any]:
    paths = [_without_dots(Path(str(record.photo))) for record in ranking.records]
    folder = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    beside = _without_dots(output / PAGE).parent
    photos = []
    for row, record, path in zip(rows(ranking), ranking.records, paths, strict=False):
        files, (line, column) = results[record.photo].files, _find_sharpest(record)
        look = zlib.crc32(Path(str(files["thumb"])).read_bytes())
        is_shown = path.suffix.lower() in _SHOWN and not is_turned_webp(path)
        photos.append(
            {
                "path": path.relative_to(folder).as_posix(),
                # What the browser keeps of a photo is not said of another that takes its name, and
                # stays where photos of further folders come to the report.
                "key": f"{_link(path, beside)}|{look:08x}",
                "name": path.name,
                "rank": row["rank"],
                "width": row["width"],
                "height": row["height"],
                "thumb": _link(files["thumb"], output),
                "overlay": _link(files["tint"], output),
                "full": _link(path, beside) if is_shown else None,
                "crops": [
                    {"label": "amid what is sharp", "url": _link(files["subject"], output)},
                    {
                        "label": "at the sharpest place",
                        "url": _link(files["sharpest"], output),
                        "place": _find_in_crop(record),
                    },
                ],
                "focus": [column / record.width, line / record.height],
                "values": {name: row[name] for name in VALUES},
                "boxes": [_in_parts(box, record) for box in record.boxes or ()],
                "burst": row["burst"],
                "best": bool(row["best_of_burst"]),
                "verdict": row["verdict"],
                "reason": row["reason"],
            }
        )
    return {"report": str(beside), "folder": str(folder), "photos": photos}


def _without_dots(path: Path) -> Path:
    """Return the absolute path; where it has ``..``, which ends a link, links are resolved."""
    absolute = path.absolute()
    return Path(real_path(absolute)) if ".." in absolute.parts else absolute


VALUES = ("sigma", "blur_degree", "share_blurred", "sharpest_blur")
"""The numbers that the page shows, filters and orders by."""


def _in_parts(box: dict[str, Any], record: PhotoRecord) -> dict[str, Any]:
    """Return what is said of a box, its place in parts of the photo's sides."""
    said = {name: box[name] for name in ("label", "sigma", "verdict")}
    x, y = box["x"] / record.width, box["y"] / record.height
    return {**said, "place": [x, y, box["width"] / record.width, box["height"] / record.height]}


def _find_sharpest(record: PhotoRecord) -> tuple[int, int]:
    """Return the row and column at which a photo is shown at 1 : 1."""
    if record.focus is not None:
        return record.focus.row, record.focus.column
    box = record.sharpest
    return box.y + box.height // 2, box.x + box.width // 2


def _find_in_crop(record: PhotoRecord) -> list[float]:
    """Return the same in parts of the width and height of its crop, which ends at the rim."""
    places = zip((record.height, record.width), CROP, _find_sharpest(record), strict=True)
    return [(at - _start(side, most, at)) / min(side, most) for side, most, at in places][::-1]


def _link(file: Location, folder: Path) -> str:
    """Return a link to a file from a folder, byte by byte, as not all names are UTF-8."""
    return quote(os.fsencode(Path(os.path.relpath(str(file), folder)).as_posix()))


def _start(side: int, most: int, middle: int) -> int:
    """Return where a crop of so many pixels starts along a side, about its middle or at an end."""
    return max(0, min(middle - most // 2, side - most))


def _crop(image: ImageArray, middle: tuple[int, int]) -> ImageArray:
    parts = []
    for side, most, at in zip(image.shape, CROP, middle, strict=False):
        start = _start(side, most, at)
        parts.append(slice(start, start + most))
    return np.ascontiguousarray(image[tuple(parts)])


def _encode_tint(blur_map: BlurMap) -> bytes:
    """Return a PNG that is violet where a photo is blurred, and clear elsewhere."""
    small = reduce_within(blur_map, TINT_SIDE)
    rgba = np.empty((*small.shape, 4), np.uint8)
    rgba[..., :3] = OVERLAY_TINT
    rgba[..., 3] = np.rint(160 * small)
    return encode_cutout(rgba)
