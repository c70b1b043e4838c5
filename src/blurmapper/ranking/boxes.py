"""Boxes around things in photos, as detectors and data sets have them, for a verdict on each."""

from __future__ import annotations

import csv
import json
import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from blurmapper.csv_rows import from_cell, split_rows
from blurmapper.errors import ConfigError, count_of
from blurmapper.images import PHOTO_SUFFIXES
from blurmapper.locations import read_regular

COLUMNS = ("photo", "x", "y", "width", "height")

_ODD = (
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    csv.Error,
)
"""What reading a file raises that holds other things than boxes."""

_ROUNDING = 0.01
_MOST_PIXELS = 1e9  # from a photo's corner
_LONGEST_NAME = 4096


@dataclass(frozen=True, slots=True)
class NamedBox:
    """A box of a photo after its EXIF turn.

    Attributes
    ----------
    label : str
    x, y, width, height : float
        From the upper left corner: in pixels, or in parts of the photo's sides.
    in_parts : bool
    """

    label: str
    x: float
    y: float
    width: float
    height: float
    in_parts: bool = False

    def slices(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of a photo that are inside; they may be none."""
        across, down = (width, height) if self.in_parts else (1, 1)
        rows = _slice(self.y * down, self.height * down, height)
        return rows, _slice(self.x * across, self.width * across, width)


@dataclass(frozen=True)
class Boxes:
    """The boxes of many photos.

    Attributes
    ----------
    by_name : dict of str to list of NamedBox
        As much of a photo's path as is given -> its boxes, none of what is known to have none.
    source : Path
        Where they are from.
    are_stems : bool
        Whether the names are without suffix, as YOLO's files are called.
    """

    by_name: dict[str, list[NamedBox]]
    source: Path
    are_stems: bool = False

    def of(self, photo: str) -> list[NamedBox]:
        """Return the boxes of a photo, found by as much of its path as the file gives."""
        # From whichever folder a photo is named, its boxes are the same.
        path = PurePosixPath(_to_name(os.path.abspath(photo)))  # noqa: PTH100 - addresses too
        for start in range(len(path.parts)):
            tail = PurePosixPath(*path.parts[start:])
            # What somebody has written by hand may lack the suffix too.
            stem = tail.with_name(tail.stem) if tail.name else tail
            is_photo = not self.are_stems and stem.suffix.lower() in PHOTO_SUFFIXES
            for name in (tail,) if is_photo else (tail, stem):
                if str(name) in self.by_name:
                    return self.by_name[str(name)]
        return []

    def find_strays(self, photos: Collection[str]) -> str | None:
        """Return the line about boxes of none of the photos, if any; `ConfigError` if all are."""
        given = {id(self.of(photo)) for photo in photos}
        strays = [name for name, each in self.by_name.items() if each and id(each) not in given]
        if not strays or not photos:
            return None
        said = (
            f"boxes of {count_of(len(strays), 'photo')} fit none given ({strays[0]} is the first)"
        )
        if given.isdisjoint(map(id, self.by_name.values())):
            mend = "check the names in it, in UTF-8, or rank without it"
            raise ConfigError(f"{self.source}: its {said}; {mend}")
        return f"{self.source}: the {said}"


def read_boxes(path: Path) -> Boxes:
    """Read boxes: COCO (.json), CSV, or a folder of YOLO's .txt files, one a photo.

    CSV has the columns photo, x, y, width and height, in pixels, and may have label. A photo is
    found by its name, or by as much of its path as is given. Of YOLO's outlines the box is taken;
    lists of classes and other texts beside its files are passed over, as are annotations of COCO
    that have no box.

    Raises
    ------
    ConfigError
        If the file cannot be read, or is none of these, or a line of YOLO's is in pixels, or has an
        odd number of values that may be of a box or of an outline.
    """
    try:
        if path.is_dir():
            files = sorted(path.rglob("*.txt"))
            found = [
                (_to_name(str(file.relative_to(path).with_suffix(""))), box)
                for file in files
                for box in _read_yolo(file)
            ]
            has_boxes = any(box for _, box in found)
            if not has_boxes and (not files or any(map(_read_lines, files))):
                raise ValueError(path)
        else:
            text = read_regular(path).decode("utf-8-sig", "surrogateescape")
            is_coco = path.suffix.lower() == ".json"
            found = list(_read_coco(text) if is_coco else _read_csv(text, path))
    except OSError as error:
        unread = error.filename or path
        raise ConfigError(f"{unread}: cannot be read ({error.strerror}); check the path") from error
    except _ODD as error:
        raise ConfigError(
            f"{path}: holds no boxes; give COCO JSON, CSV in UTF-8 with {', '.join(COLUMNS)}, or a "
            "folder of YOLO's .txt files"
        ) from error
    boxes: dict[str, list[NamedBox]] = defaultdict(list)
    for name, box in found:
        known = boxes[_to_tail(name)]
        if box is None:
            continue
        place = (box.x, box.y, box.width, box.height)
        if not all(abs(number) <= _MOST_PIXELS for number in place):  # nor if it is NaN
            raise ConfigError(f"{path}: the box {place} of {name} is none; mend it or leave it out")
        known.append(box)
    return Boxes(dict(boxes), path, path.is_dir())


def _read_coco(text: str) -> Iterator[tuple[str, NamedBox | None]]:
    content: dict[str, Any] = json.loads(text)
    names = {image["id"]: _to_name(str(image["file_name"])) for image in content["images"]}
    labels = {each["id"]: str(each["name"]) for each in content.get("categories", ())}
    annotations = content["annotations"]
    with_boxes = [each for each in annotations if each.get("bbox")]
    if annotations and not any(each["image_id"] in names for each in with_boxes):
        raise ValueError("none of an image has a box")
    for each in with_boxes:
        x, y, width, height = map(float, each["bbox"])
        kind = each.get("category_id")
        # Subsets list some images alone; what stands for the others is no photo's name.
        name = names.get(each["image_id"], f"image_id {each['image_id']}, which none has,")
        yield name, NamedBox(labels.get(kind, str(kind)), x, y, width, height)
    yield from ((name, None) for name in names.values())


def _read_csv(text: str, path: Path) -> Iterator[tuple[str, NamedBox]]:
    columns, rows = split_rows(text)
    if not set(COLUMNS) <= set(columns):
        raise ValueError(columns)
    # A comma that does not part cells is the decimal point there.
    point = "." if "," in text.partition("\n")[0] else ","
    for row in rows:
        if not any(row.values()):
            # Spreadsheets leave such rows at the end.
            continue
        cells = [row[name] for name in COLUMNS[1:]]
        try:
            x, y, width, height = (float(cell.replace(point, ".")) for cell in cells)
        except ValueError as error:
            where, said = f"{path}: line {rows.line_num}", ", ".join(cells)[:40]
            raise ConfigError(
                f"{where} has {said!r} for {', '.join(COLUMNS[1:])}; give four numbers"
            ) from error
        name, label = _to_name(from_cell(row["photo"])), row.get("label") or ""
        yield name, NamedBox(label, x, y, width, height)


def _read_yolo(file: Path) -> Iterator[NamedBox | None]:
    lines = _read_lines(file)
    if not lines:
        yield None
    if not any(map(_is_label, lines)):
        return
    for line in lines:
        label, *rest = line.split()
        values = [float(each) for each in rest] if all(map(_is_number, rest)) else []
        is_outline = len(values) % 2 == 0 and len(values) >= 6
        # Behind a box may be a score, or key points, each with 0, 1 or 2 for how it is seen; what
        # else is odd may be an outline with a score.
        has_points = len(values) % 3 == 1 and {*values[6::3]} <= {0, 1, 2}
        is_box = len(values) >= 4 and (len(values) < 6 or has_points)
        parts = values if is_outline else values[:4]
        if not (is_outline or is_box) or any(abs(part - 0.5) > 0.5 + _ROUNDING for part in parts):
            raise ConfigError(
                f"{file}: {line[:40]!r} is no box or outline for sure; give class, x, y, width and "
                "height, or class and corners, in parts of the photo from 0 to 1, and nothing else"
            )
        if is_outline:
            # Its corners, x before y.
            across, down = values[::2], values[1::2]
            x, y = min(across), min(down)
            yield NamedBox(label, x, y, max(across) - x, max(down) - y, in_parts=True)
        else:
            x, y, width, height = values[:4]
            yield NamedBox(label, x - width / 2, y - height / 2, width, height, in_parts=True)


def _read_lines(file: Path) -> list[str]:
    lines = read_regular(file).decode("utf-8-sig", errors="replace").splitlines()
    return [line for line in lines if line.strip()]


def _is_label(line: str) -> bool:
    """Tell a line of YOLO's, or what is left of one, from names of classes and other texts."""
    words = line.split()
    numbers = [_is_number(word) for word in words]
    return len(words) > 1 and (all(numbers) or (len(words) > 4 and all(numbers[1:])))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _to_name(text: str) -> str:
    # macOS, and what was packed there, has accents apart from their letters. To sort those takes a
    # time that grows as the square of the length, and no file is called so long.
    text = text.replace("\\", "/")
    return text if len(text) > _LONGEST_NAME else unicodedata.normalize("NFC", text)


def _to_tail(name: str) -> str:
    """Return what is sure of a path: what is above the folder that it is from is not."""
    parts = PurePosixPath(posixpath.normpath(name)).parts
    return str(PurePosixPath(*(part for part in parts if part != "..")))


def _slice(start: float, length: float, side: int) -> slice:
    first = min(side, max(0, round(start)))
    return slice(first, max(first, min(side, round(start + length))))
