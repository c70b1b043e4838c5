"""Where the camera focused, as its maker notes have it, read by exiftool."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from blurmapper.errors import ConfigError
from blurmapper.ranking.boxes import NamedBox

LABEL = "AF point"

AREA_SHARE = 1 / 30
"""Side of the area that is judged, in parts of the photo's longer side."""

_FRAME = ("ExifImageWidth#", "ExifImageHeight#", "ImageWidth#", "ImageHeight#")
_TAGS = (
    *_FRAME,
    "Orientation#",
    "Model",
    "AFImageWidth#",
    "AFImageHeight#",
    "AFAreaXPosition#",
    "AFAreaYPosition#",
    "AFAreaXPositions#",
    "AFAreaYPositions#",
    "AFPointsInFocus",
    "PrimaryAFPoint",
    "FocusLocation#",
    "FocusPixel#",
    "AFPointPosition#",
    "AFPointSelected#",
    "SubjectArea#",
)
_MOST_BYTES = 1 << 27
_SECONDS = 30
_SAME_SHAPE = 0.03
_PERCENT = 100  # the sides of the frame that some of Canon's compact cameras tell places in

Place = tuple[float, float, float, float]
"""A point, x and y, and the width and height of the frame that it is in."""


def check_exiftool() -> None:
    """Say at once that no AF point can be read.

    Raises
    ------
    ConfigError
        If exiftool is not on this machine.
    """
    if shutil.which("exiftool") is None:
        raise ConfigError(
            "AF points are read by exiftool, which is not on this machine; install it (Debian: "
            "apt-get install libimage-exiftool-perl)"
        )


def read_af_point(photo: BinaryIO, height: int, width: int) -> NamedBox | None:
    """Return the area about the point that a camera focused on, or None where it is unknown.

    Parameters
    ----------
    photo : file
        Open to seek in, for its EXIF and maker notes.
    height, width : int
        Of the photo after its EXIF turn.

    Notes
    -----
    exiftool decodes the maker notes of more makes than any package that pip installs: ExifRead has
    no positions of Canon, Panasonic or Sony, and the bindings of Exiv2 are under the GPL.
    """
    point = find_af_point(_ask_exiftool(photo), height, width)
    if point is None:
        return None
    side = AREA_SHARE * max(height, width)
    return NamedBox(LABEL, point[0] - side / 2, point[1] - side / 2, side, side)


def find_af_point(tags: Mapping[str, Any], height: int, width: int) -> tuple[float, float] | None:
    """Return the x and y of the AF point in pixels of a photo, from what exiftool says of it.

    A photo that was cropped since, as its shape tells, has none.
    """
    with suppress(KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        place = _find_place(tags)
        if place is None:
            return None
        across, down = place[0] / place[2], place[1] / place[3]
        turn = int(tags.get("Orientation") or 1)
        stored = (width, height) if turn < 5 else (height, width)
        shape = (place[2] / place[3]) / (stored[0] / stored[1])
        if not (0 <= across <= 1 and 0 <= down <= 1 and abs(shape - 1) < _SAME_SHAPE):
            return None
        x, y = _turn(across, down, turn)
        return x * width, y * height
    return None


def _ask_exiftool(photo: BinaryIO) -> dict[str, Any]:
    program = shutil.which("exiftool")
    with suppress(OSError, subprocess.SubprocessError, ValueError, IndexError):
        photo.seek(0)
        asked = [f"-{tag}" for tag in _TAGS]
        run = subprocess.run(  # noqa: S603 - a program of the system's, on what is not a name
            [str(program), "-json", "-fast", *asked, "-"],
            input=photo.read(_MOST_BYTES),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        said = json.loads(run.stdout)[0]
        return said if isinstance(said, dict) else {}
    return {}


def _find_place(tags: Mapping[str, Any]) -> Place | None:
    if "AFImageWidth" in tags and "AFAreaXPositions" in tags:
        return _find_canon(tags)
    if "AFImageWidth" in tags and float(tags.get("AFAreaXPosition") or 0) > 0:  # Nikon
        sizes = (float(tags["AFImageWidth"]), float(tags["AFImageHeight"]))
        return float(tags["AFAreaXPosition"]), float(tags["AFAreaYPosition"]), *sizes
    if "FocusLocation" in tags:  # Sony: the frame's sizes, then the place
        across, down, x, y = _numbers(tags["FocusLocation"])[:4]
        return (x, y, across, down) if x > 0 else None
    frame = _find_frame(tags)
    for name in ("PrimaryAFPoint", "AFPointsInFocus"):  # Nikon's mirrors: only one name is a place
        if re.search(r"(?:^|\()Center\)?$", str(tags.get(name))):
            return frame[0] / 2, frame[1] / 2, *frame
    return _find_in_photo(tags, *frame)


def _find_in_photo(tags: Mapping[str, Any], width: float, height: float) -> Place | None:
    """Return a place that is told in the photo's own pixels, or in parts of its sides."""
    for name in ("AFPointPosition", "AFPointSelected"):  # Panasonic; Olympus
        parts = _numbers(tags.get(name))[:2]
        if len(parts) == 2 and 0 < parts[0] < 1 and 0 < parts[1] < 1:
            return parts[0] * width, parts[1] * height, width, height
    for name in ("FocusPixel", "SubjectArea"):  # Fujifilm; EXIF's own, of phones
        if name in tags:
            x, y = _numbers(tags[name])[:2]
            return x, y, width, height
    return None


def _find_frame(tags: Mapping[str, Any]) -> tuple[float, float]:
    sizes = [float(tags.get(name.rstrip("#")) or 0) for name in _FRAME]
    return (sizes[0], sizes[1]) if sizes[0] and sizes[1] else (sizes[2], sizes[3])


def _find_canon(tags: Mapping[str, Any]) -> Place | None:
    """Return the most central of the points in focus: from the frame's middle, upwards with EOS.

    A point, not the mean of them: between two faces in focus may be nothing that is.
    """
    xs, ys = _numbers(tags["AFAreaXPositions"]), _numbers(tags["AFAreaYPositions"])
    focused = [int(each) for each in _numbers(tags.get("AFPointsInFocus")) if each < len(xs)]
    if not focused:
        return None
    width, height = float(tags["AFImageWidth"]), float(tags["AFImageHeight"])
    points = [(xs[each], ys[each]) for each in focused]
    centre = [sum(places) / len(points) for places in zip(*points, strict=True)]
    x, y = min(points, key=lambda point: math.dist(point, centre))
    upwards = "EOS" in str(tags.get("Model"))
    across, down = 0.5 + x / width, 0.5 + (-y if upwards else y) / height
    if width == height == _PERCENT:
        width, height = _find_frame(tags)
    return across * width, down * height, width, height


def _numbers(text: Any) -> list[float]:
    # The first point is number 0.
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", str(text))]


def _turn(x: float, y: float, turn: int) -> tuple[float, float]:
    """Return a place, in parts of the sides, after a turn as EXIF numbers them."""
    turned = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (1 - y, x),
        7: (1 - y, 1 - x),
        8: (y, 1 - x),
    }
    return turned.get(turn, (x, y))
