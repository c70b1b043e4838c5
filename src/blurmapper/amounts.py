"""How wide the blur is, in the photo's own pixels: a small network looks at native tiles.

A blur map says which parts of a photo are blurred, from a view of it a few hundred pixels wide.
What is lost in that view, whether an eye is sharp at 100 %, is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.decoding import check_image, ignore_underflow
from blurmapper.devices import check_threads, count_cores
from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE
from blurmapper.weights import WeightsCard, read_card, verify

CELL = 16
"""Side in pixels of the cells of the photo that are measured."""

LEVELS = 4
"""The photo is looked at at full size, and halved this many times less one: what is too wide to be
seen in one size shows in the next."""

LARGEST_DOUBT = 0.25
"""What is known worse than by this share is left out: flat, dark, or nothing but noise. Of less
than a pixel, what is known worse than by this part of a pixel."""

SMALLEST_PATH = 4.0
"""Shorter paths are hardly told from a soft lens, and have neither length nor angle."""

BUNDLED = Path(__file__).parent / "assets" / "amount"
"""The folder of the network, in two parts with a card each: `LOOK` and `WEIGH`."""

LOOK, WEIGH = "amount-look", "amount-weigh"
"""What notes of a tile what is in each cell, and what makes answers of the notes of all sizes."""

MARGIN = 32
"""Pixels about a tile that a look sees and does not answer for."""

_TILE = 768
_BAND, _AROUND = 64, 2  # Rows of cells that are weighed at a time, and cells that each looks at.
_WIDE, _LEAST_BEND, _NEAR = 4.0, 1.0, 4  # Pixels, grey levels, and pixels of the smallest size.
_STRAIGHT = 0.4  # Anisotropy from which a blur is a movement's; a lens has next to none.

Grid = npt.NDArray[np.float32]
Cells = npt.NDArray[np.float32]
"""(channels, h, w): what the network says of each cell."""


class BlurAmounts(NamedTuple):
    """The blur of cells of `CELL` x `CELL` pixels, float32 (ceil(H / 16), ceil(W / 16)) each.

    Attributes
    ----------
    sigma : ndarray
        Of the Gaussian of equal spread, in pixels of the photo; NaN where nothing can be measured.
        A disc of radius r counts r / 2, a straight movement of length L counts L / sqrt(24).
    length : ndarray
        Of the path that was moved along, in pixels of the photo: 0 where nothing moved, NaN where
        nothing can be measured.
    angle : ndarray
        Of that path in degrees from 0 to 180, counter-clockwise from the photo's rows; NaN where
        there is no path.
    """

    sigma: Grid
    length: Grid
    angle: Grid


@ignore_underflow()
def measure_amounts(image: ImageArray, *, threads: int | None = None) -> BlurAmounts:
    """Measure how wide the blur is in each cell of a photo.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].
    threads : int, optional
        CPU threads; all cores unless given.

    Returns
    -------
    BlurAmounts
        A grid of cells of `CELL` pixels.

    Raises
    ------
    ImageError
        If the image is none.
    ConfigError
        If `threads` is not from 1 to 1024.
    """
    check_threads(threads)
    image = check_image(image)
    pyramid = _build_pyramid(image)
    # Two tiles at a time take less processor time than one by two threads that wait for each other.
    with ThreadPoolExecutor(threads or count_cores()) as pool:
        looks = [_look(pool, grey) for grey in pyramid]
        cells = _weigh(pool, [np.concatenate(list(look), axis=1) for look in looks])
    return _describe(cells, _measure_bend(pyramid[-1]))


@cache
def identify_network() -> str:
    """Return what tells what measures from anything else: weights, by their cards, and rules."""
    weights = "".join(_read_card(name).sha256[:8] for name in (LOOK, WEIGH))
    return f"{weights}-{_LEAST_BEND:g}-{CELL}"


def _build_pyramid(image: ImageArray) -> list[npt.NDArray[Any]]:
    """Return the photo in grey, uint8 or float32 in [0, 255], halved again and again."""
    import cv2

    if image.dtype == np.uint16:
        image = image.astype(np.float32) / np.float32(WHITE[image.dtype])
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if grey.dtype != np.uint8:
        grey = grey.clip(0, 1) * np.float32(255)
    pyramid = [grey]
    for _ in range(LEVELS - 1):
        height, width = pyramid[-1].shape
        even = np.pad(pyramid[-1], ((0, height % 2), (0, width % 2)), mode="edge")
        size = (even.shape[1] // 2, even.shape[0] // 2)
        pyramid.append(cv2.resize(even, size, interpolation=cv2.INTER_AREA))
    return pyramid


def _look(pool: ThreadPoolExecutor, grey: npt.NDArray[Any]) -> Iterator[Cells]:
    """Begin to note what is in the cells of the photo at one of its sizes, some rows at a time."""
    rows, columns = (-(-side // CELL) for side in grey.shape)
    below = rows * CELL - grey.shape[0], columns * CELL - grey.shape[1]
    margins = ((MARGIN, MARGIN + below[0]), (MARGIN, MARGIN + below[1]))
    padded = np.pad(grey, margins, mode="reflect")
    step, around = _TILE // CELL, MARGIN // CELL

    def look(top: int) -> Cells:
        parts = []
        for left in range(0, columns, step):
            ends = min(top + step, rows), min(left + step, columns)
            down, across = (
                slice(start * CELL, (end + 2 * around) * CELL)
                for start, end in zip((top, left), ends, strict=True)
            )
            tile = _normalise(padded[down, across])
            (cells,) = _open_network(LOOK).run(["notes"], {"image": tile[np.newaxis, np.newaxis]})
            parts.append(cells[0, :, around:-around, around:-around])
        return np.concatenate(parts, axis=2)

    return pool.map(look, range(0, rows, step))


def _weigh(pool: ThreadPoolExecutor, levels: list[Cells]) -> Cells:
    """Return log sigma, log doubt, and anisotropy in x and y, (4, h, w), from all sizes' notes."""
    _, rows, columns = levels[0].shape
    # What is beyond the border is taken for what is at it.
    across = np.arange(-_AROUND, columns + _AROUND).clip(0, columns - 1)

    def weigh(top: int) -> Cells:
        down = np.arange(top - _AROUND, min(top + _BAND, rows) + _AROUND).clip(0, rows - 1)
        notes = np.concatenate(
            [level[:, down >> size][:, :, across >> size] for size, level in enumerate(levels)]
        )
        (answers,) = _open_network(WEIGH).run(["cells"], {"notes": notes[np.newaxis]})
        return np.asarray(answers[0, :, _AROUND:-_AROUND, _AROUND:-_AROUND], np.float32)

    return np.concatenate(list(pool.map(weigh, range(0, rows, _BAND))), axis=1)


def _normalise(tile: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    import cv2

    grey = _read_card(LOOK).preprocessing
    mean, scale = np.float32(grey.mean[0]), np.float32(grey.scale[0])
    if tile.dtype == np.uint8:
        # As Preprocessing does it: a table takes less time, and gives the same numbers.
        return np.asarray(cv2.LUT(tile, (np.arange(256, dtype=np.float32) - mean) * scale))
    return np.asarray((tile - mean) * scale, np.float32)


@cache
def _read_card(name: str) -> WeightsCard:
    return read_card(BUNDLED / f"{name}.json")


@cache
def _open_network(name: str) -> Any:
    from blurmapper.backends import open_session

    return open_session(verify(_read_card(name), BUNDLED), threads=1)


def _measure_bend(grey: npt.NDArray[Any]) -> Grid:
    """Return how far from straight the photo's light runs about each cell, in grey levels.

    It is the largest Laplacian near, of the photo's smallest size after a Gaussian of 1.5 of its
    pixels and in proportion to that (Lindeberg 1998). A wide edge bends; a wall that the light
    fades on, or a vignette, looks as soft and has none.
    """
    import cv2

    scale, margin = 1.5, 8
    # Beyond the border the light goes on as it comes: a fold there would be an edge.
    padded = np.pad(grey.astype(np.float32), margin, mode="reflect", reflect_type="odd")
    laplacian = cv2.Laplacian(cv2.GaussianBlur(padded, (0, 0), scale), cv2.CV_32F, ksize=1)
    bend = np.abs(laplacian[margin:-margin, margin:-margin]) * scale**2
    step = CELL >> (LEVELS - 1)
    near = np.ones((2 * _NEAR + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(bend, near)[::step, ::step], np.float32)


def _describe(cells: Cells, bend: Grid) -> BlurAmounts:
    known = cells[1] + np.minimum(cells[0], 0) < np.log(LARGEST_DOUBT)
    known &= (cells[0] < np.log(_WIDE)) | (bend >= _LEAST_BEND)
    sigma = np.where(known, np.exp(np.where(known, cells[0], 0)), np.nan)
    across, along = np.where(known, cells[2], 0), np.where(known, cells[3], 0)
    anisotropy = np.hypot(across, along).clip(0, 1)
    # The variances along and across a path of length L differ by L^2 / 12.
    length = np.sqrt(24 * anisotropy) * sigma
    moved = known & (anisotropy > _STRAIGHT) & (length >= SMALLEST_PATH)
    # The image's rows run downwards, angles are told as an eye sees them.
    angle = np.where(moved, np.degrees(-np.arctan2(along, across) / 2) % 180, np.nan)
    length = np.where(moved, length, np.where(known, 0, np.nan))
    return BlurAmounts(*(grid.astype(np.float32) for grid in (sigma, length, angle)))
