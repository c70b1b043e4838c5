"""Finished maps of any tool, found by a photo's name and read without rounding."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Polarity, find_pictures
from blurmapper.errors import DatasetError, ImageError
from blurmapper.images import PHOTO_SUFFIXES
from blurmapper.locations import open_file
from blurmapper.masks import read_levels

MAP_SUFFIXES = (*PHOTO_SUFFIXES, ".npy")
MAP_ENDING = ".blur"
"""What `blurmapper map` adds to a photo's name."""


def find_maps(folder: str | Path, names: list[str]) -> dict[str, Path]:
    """Return the map file of each photo: ``NAME.png``, ``NAME.jpg.blur.png`` or another suffix.

    Parameters
    ----------
    folder : str or Path
        Where the maps are; those of a name ``set/photo`` are in its folder ``set``.
    names : list of str
        Of the photos, without suffix.

    Raises
    ------
    DatasetError
        If a folder or map is missing, of which the line names the first and counts the others, or
        there are two of a photo.
    """
    wanted = set(map(PurePath, names))
    files: dict[PurePath, Path] = {}
    for parent in sorted({name.parent for name in wanted}):
        for stem, path in find_pictures(Path(folder, parent), MAP_SUFFIXES).items():
            name = parent / _photo_name(stem)
            if name in wanted and name in files:
                raise DatasetError(f"{path}: {files[name].name} is of the same photo; keep one")
            files[name] = path
    missing = [name for name in names if PurePath(name) not in files]
    if missing:
        others = f" nor of {len(missing) - 1} other photos" if len(missing) > 1 else ""
        raise DatasetError(f"{folder}: holds no map of {missing[0]}{others}; add what is missing")
    return {name: files[PurePath(name)] for name in names}


def _photo_name(stem: str) -> str:
    """Return a photo's name from its map's, both without suffix; ours have the photo's whole."""
    name = PurePath(stem.removesuffix(MAP_ENDING))
    is_whole = stem.endswith(MAP_ENDING) and name.suffix.lower() in PHOTO_SUFFIXES
    return name.stem if is_whole else name.name


def read_any_map(path: Path, white: Polarity = "blurred") -> npt.NDArray[Any]:
    """Read a map as its own dtype, so that turning and stretching it stay exact.

    Parameters
    ----------
    path : Path
        A grey image of 8 or 16 bits or floats; colour is turned to grey. Or an .npy file.
    white : {"blurred", "sharp"}
        What white, or 1, means in the file.

    Returns
    -------
    ndarray of uint8, uint16 or float, shape (H, W)
        White, or 1, = blurred. `blurmapper.images.read_map` gives float32 instead, of which
        one minus a level is no longer exactly a level.

    Raises
    ------
    ImageError
        If the file cannot be read or is no map.
    """
    with open_file(path) as stream:
        blur_map = read_levels(stream, path)
    known = blur_map.dtype in (np.uint8, np.uint16) or blur_map.dtype.kind == "f"
    if blur_map.ndim != 2 or blur_map.size == 0 or not known:
        raise ImageError(
            f"{path}: {blur_map.dtype} of shape {blur_map.shape} is no map; "
            "give uint8, uint16 or floats (height, width)"
        )
    if white == "blurred":
        return blur_map
    top = 1 if blur_map.dtype.kind == "f" else np.iinfo(blur_map.dtype).max
    return (top - blur_map).astype(blur_map.dtype, copy=False)


def resize_map(blur_map: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """Resize a map to its mask's size, bilinearly; dtype kept, but of floats OpenCV's are given."""
    import cv2

    if blur_map.dtype.kind == "f":
        # It knows those of 32 and 64 bits alone.
        blur_map = blur_map.astype(np.float64 if blur_map.itemsize > 4 else np.float32, copy=False)
    return cv2.resize(blur_map, (width, height), interpolation=cv2.INTER_LINEAR)
