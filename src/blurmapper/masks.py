"""Mask files of data sets -> greys in which 255 is white, whatever says so; maps -> levels.

White and black are told apart at 128. Files that hold numbers of classes, and not greys, are
read as such where they can mean one thing only, and refused in one line where not: read as
greys they would be black all over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding import as_plain, read_array, read_stored, row_strips
from blurmapper.errors import DatasetError, ImageError
from blurmapper.locations import Location, open_file

UNDECIDED = 128
"""The grey of pixels that nobody could decide, where a data set has such."""

_LOSSY = ("JPEG", "MPO", "WEBP")
_NOISE = 32
"""Levels by which a lossy file may miss black, or its channels each other."""

_MOST_CLASSES = 32
"""Of which the lowest occurs where pictures hold classes; 21 are usual, and 19 of streets."""


def read_mask(path: Path) -> npt.NDArray[np.uint8]:
    """Read a mask.

    Returns
    -------
    ndarray
        uint8 (H, W), 255 = white. Class numbers 0 and 1, also in a palette or in more bits, are
        0 and 255; 16 bits are reduced to 8.

    Raises
    ------
    DatasetError
        If the file cannot be read, or what is white in it cannot be told: class numbers beyond
        0 and 1, also one of what to ignore, colours, transparency, or nothing brighter than dark
        grey.
    """
    try:
        with open_file(path) as stream:
            picture = read_stored(stream, str(path))
    except ImageError as error:
        raise DatasetError(f"{path}: the mask cannot be read; fetch it again") from error
    return _read(picture, path)


def read_levels(
    stream: BinaryIO, path: Location, *, allow_colours: bool = True
) -> npt.NDArray[Any]:
    """Return what a map's file stores: an .npy file's array, or a picture's greys in its own depth.

    Colours are turned to grey, in 8 bits, or else refused.

    Raises
    ------
    ImageError
        If there is neither, or a picture has more than 16 bits, or a sign, and so no known white,
        or parts of it are transparent.
    """
    # Of `.npy`, which is all ending, pathlib finds no suffix.
    if path.name.lower().endswith(".npy"):
        return np.asarray(as_plain(read_array(stream, str(path)), str(path)))
    picture = read_stored(stream, str(path))
    if _is_transparent(picture):
        raise ImageError(
            f"{path}: parts of it are transparent; "
            "write the map as grey, 0 for black and 255 for white"
        )
    if not allow_colours and is_colourful(picture):
        raise ImageError(f"{path}: not a blur map, for it is in colours; give a grey PNG")
    if picture.mode == "I":
        raise ImageError(
            f"{path}: integers with a sign or more than 16 bits; save it with 8 or 16, unsigned"
        )
    if picture.mode in ("L", "F") or picture.mode.startswith("I;16"):
        grey = np.asarray(picture)
        return grey.astype(grey.dtype.newbyteorder("="), copy=False)
    return np.asarray(picture.convert("L"))


def is_colourful(picture: PIL.Image.Image) -> bool:
    """Say whether an image's channels differ, by more than a lossy format makes them."""
    if picture.mode in ("1", "L", "LA", "F") or picture.mode.startswith("I"):
        return False
    colours = np.asarray(picture.convert("RGB")).astype(np.int16)
    return bool(np.ptp(colours, axis=2).max() > _slack_of(picture))


def has_undecided(mask: npt.NDArray[np.uint8]) -> bool:
    """Say whether a mask's 128 mean that nobody could decide: there is but 0, 128 and 255."""
    counts = np.bincount(mask.ravel(), minlength=256)
    return bool(counts[UNDECIDED]) and int(counts[[0, UNDECIDED, 255]].sum()) == mask.size


def check_size(mask: npt.NDArray[Any], path: Path, image: npt.NDArray[Any], photo: Path) -> None:
    """Raise `DatasetError`, which names the files of both, unless a mask has its photo's size."""
    if mask.shape[:2] != image.shape[:2]:
        raise DatasetError(f"{path}: of another size than {photo}; replace one")


def _is_transparent(picture: PIL.Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    if picture.mode.startswith("I"):
        # Pillow makes no alpha of a grey of 16 bits that is to be clear.
        return bool((np.asarray(picture) == picture.info["transparency"]).any())
    return bool(np.asarray(picture.convert("RGBA"))[..., 3].min() < 255)


def _slack_of(picture: PIL.Image.Image) -> int:
    return _NOISE if picture.format in _LOSSY else 0


def _read(picture: PIL.Image.Image, path: Path) -> npt.NDArray[np.uint8]:
    slack = _slack_of(picture)
    if picture.mode == "P" and picture.getextrema() in ((0, 1), (1, 1)) and not _is_grey(picture):
        return _from_numbers(np.asarray(picture), path)
    if _is_transparent(picture):
        raise _refused(path, "parts of it are transparent")
    if picture.mode in ("L", "1"):
        return _from_numbers(np.asarray(picture.convert("L")), path, slack)
    if picture.mode.startswith(("I", "F")):
        return _from_numbers(np.asarray(picture), path)
    if is_colourful(picture):
        raise _refused(path, "it is in colours")
    return _from_numbers(np.asarray(picture.convert("L")), path, slack)


def _is_grey(picture: PIL.Image.Image) -> bool:
    """Say whether a palette's first two colours are the black and the white of a picture."""
    two = np.reshape((picture.getpalette("RGB") or [])[:6], (-1, 3))
    return not np.ptp(two, axis=1).any() and bool(two.min() < UNDECIDED <= two.max())


def _from_numbers(numbers: npt.NDArray[Any], path: Path, slack: int = 0) -> npt.NDArray[np.uint8]:
    """Return greys for numbers of any type: of 8 or 16 bits, from 0 to 1, or classes 0 and 1."""
    low, high = numbers.min(), numbers.max()
    if not (low >= 0 and high <= 65535):
        raise _refused(path, f"its values go from {low} to {high}")
    if numbers.dtype.kind == "f":
        if high > 1:
            raise _refused(path, f"its values go up to {high} and not to 1")
        return np.asarray(np.rint(255 * numbers), np.uint8)
    if high == 1 and not slack:
        return (255 * numbers).astype(np.uint8)
    bright = 32768 if numbers.dtype.itemsize > 1 else 128
    if slack < high < bright:
        raise _refused(path, f"its brightest value is {high}, which is not white")
    if not slack and _are_classes(numbers, bright):
        raise _refused(path, f"its {high} may be white, or what to ignore beside classes")
    if bright > 128:
        return (numbers.astype(np.uint32) >> 8).astype(np.uint8)
    return numbers.astype(np.uint8, copy=False)


def _are_classes(numbers: npt.NDArray[Any], bright: int) -> bool:
    """Say whether what is not white may be classes: soft masks have greys beside white too."""
    if not ((numbers > 0) & (numbers < _MOST_CLASSES)).any():
        return False
    # Not the whole mask at a time, of which NumPy makes numbers of 64 bits.
    counts = np.zeros(65536, np.int64)
    for rows in row_strips(*numbers.shape):
        counts += np.bincount(numbers[rows].ravel(), minlength=65536)
    *_, second, high = np.flatnonzero(counts)
    return bool(second < bright and 2 * second < high)


def _refused(path: Path, reason: str) -> DatasetError:
    return DatasetError(f"{path}: {reason}; write the mask as grey, 0 for black and 255 for white")
