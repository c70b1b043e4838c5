"""How wide the blur is, in the photo's own pixels: a small network looks at native tiles.

A blur map says which parts of a photo are blurred, from a view of it a few hundred pixels wide.
What is lost in that view, whether an eye is sharp at 100 %, is measured here.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.devices import count_cores
from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE
from blurmapper.weights import read_card, verify

CELL = 16
"""Side in pixels of the cells of the photo that are measured."""

LEVELS = 4
"""The photo is looked at at full size, and halved this many times less one: each time twice the
blur is as wide as what the network was trained on."""

LARGEST_DOUBT = 0.2
"""What is known worse than by this share is left out: flat, dark, or nothing but noise."""

SMALLEST_PATH = 4.0
"""Shorter paths are hardly told from a soft lens, and have neither length nor angle."""

BUNDLED = Path(__file__).parent / "assets" / "amount"
"""The folder of the network and its card."""

_TILE, _MARGIN = 768, 32
_FINER = 0.1  # Preference of log doubt for each level nearer to full size: its cells are smaller.
_NARROWEST, _WIDEST = 0.7, 4.0  # Sigmas that a level can tell, in its own pixels.
_COARSE_SIGMA = 1.6  # From which a level is finer than it need be, in its own pixels.
_STRAIGHT = 0.4  # Anisotropy from which a blur is a movement's; a lens has next to none.

Grid = npt.NDArray[np.float32]
Cells = npt.NDArray[np.float32]
"""(h, w, 4): what the network says of each cell."""


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


@np.errstate(under="ignore")
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
    """
    pyramid = _build_pyramid(image)
    best = np.zeros((0, 0, 4), np.float32)
    # Two tiles at a time take less processor time than one by two threads that wait for each other.
    with ThreadPoolExecutor(threads or count_cores()) as pool:
        for level in reversed(range(LEVELS)):
            coarser = np.repeat(np.repeat(best, 2, axis=0), 2, axis=1)
            best = _refine(coarser, _run_level(pool, pyramid[level], level, coarser))
    height, width = (-(-side // CELL) for side in image.shape[:2])
    return _describe(best[:height, :width])


@cache
def identify_network() -> str:
    """Return what tells the weights that measure from any others, read off their card."""
    return read_card(BUNDLED / "amount.json").sha256[:16]


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


def _refine(coarser: Cells, answer: Cells) -> Cells:
    """Return the surer of two levels in each cell; the coarsest has nothing above it."""
    if not coarser.size:
        return answer
    coarser = coarser[: answer.shape[0], : answer.shape[1]]
    return np.where((answer[..., 1] < coarser[..., 1])[..., np.newaxis], answer, coarser)


def _run_level(
    pool: ThreadPoolExecutor, grey: npt.NDArray[Any], level: int, coarser: Cells
) -> Cells:
    """Return log sigma in pixels of the photo, log doubt, and anisotropy in x and y, (h, w, 4).

    What the level above, `coarser`, has seen to be blurred widely is left at infinite doubt.
    """
    rows, columns = (-(-side // CELL) for side in grey.shape)
    below = rows * CELL - grey.shape[0], columns * CELL - grey.shape[1]
    margins = ((_MARGIN, _MARGIN + below[0]), (_MARGIN, _MARGIN + below[1]))
    padded = np.pad(grey, margins, mode="symmetric")
    answer = np.full((rows, columns, 4), np.inf, np.float32)
    needed = np.ones((rows, columns), bool)
    if coarser.size:
        seen = coarser[:rows, :columns]
        wide = seen[..., 0] > np.log(2 * _COARSE_SIGMA * 2**level)
        needed = ~(wide & (seen[..., 1] < np.log(LARGEST_DOUBT)))

    def measure(part: tuple[slice, slice]) -> None:
        down, across = (slice(side.start * CELL, side.stop * CELL + 2 * _MARGIN) for side in part)
        answer[part] = _open_network().run(padded[down, across])

    list(pool.map(measure, _cut_tiles(needed)))
    # Near its ends a level knows no more than that blur is narrower, or wider, than it can tell.
    too_narrow = (answer[..., 0] < np.log(_NARROWEST)) & (level > 0)
    too_wide = answer[..., 0] > np.log(_WIDEST)
    answer[too_narrow | too_wide, 1] = np.inf
    answer[..., 0] += np.log(2.0**level)
    answer[..., 1] += _FINER * level
    return answer


def _cut_tiles(needed: npt.NDArray[np.bool_]) -> list[tuple[slice, slice]]:
    """Return tiles of cells, cut down to those needed."""
    parts = []
    step = _TILE // CELL
    for top in range(0, needed.shape[0], step):
        for left in range(0, needed.shape[1], step):
            tile = needed[top : top + step, left : left + step]
            if tile.any():
                rows, columns = (np.flatnonzero(tile.any(axis=axis)) for axis in (1, 0))
                parts.append(
                    (
                        slice(top + int(rows[0]), top + int(rows[-1]) + 1),
                        slice(left + int(columns[0]), left + int(columns[-1]) + 1),
                    )
                )
    return parts


class _Network(NamedTuple):
    session: Any
    mean: np.float32
    scale: np.float32

    def run(self, tile: npt.NDArray[Any]) -> Cells:
        """Return the answers for the cells of a tile, but for its margin, (h, w, 4)."""
        image = self._normalise(tile)
        (cells,) = self.session.run(["cells"], {"image": image[np.newaxis, np.newaxis]})
        margin = _MARGIN // CELL
        inner = cells[0, :, margin:-margin, margin:-margin]
        return np.asarray(inner.transpose(1, 2, 0), np.float32)

    def _normalise(self, tile: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        import cv2

        if tile.dtype == np.uint8:
            # As Preprocessing does it: a table takes less time, and gives the same numbers.
            table = (np.arange(256, dtype=np.float32) - self.mean) * self.scale
            return np.asarray(cv2.LUT(tile, table), np.float32)
        return np.asarray((tile - self.mean) * self.scale, np.float32)


@cache
def _open_network() -> _Network:
    from blurmapper.backends import open_session

    card = read_card(BUNDLED / "amount.json")
    grey = card.preprocessing
    session = open_session(verify(card, BUNDLED), threads=1)
    return _Network(session, np.float32(grey.mean[0]), np.float32(grey.scale[0]))


def _describe(cells: Cells) -> BlurAmounts:
    known = cells[..., 1] < np.log(LARGEST_DOUBT)
    sigma = np.where(known, np.exp(np.where(known, cells[..., 0], 0)), np.nan)
    across, along = np.where(known, cells[..., 2], 0), np.where(known, cells[..., 3], 0)
    anisotropy = np.hypot(across, along).clip(0, 1)
    # The variances along and across a path of length L differ by L^2 / 12.
    length = np.sqrt(24 * anisotropy) * sigma
    moved = known & (anisotropy > _STRAIGHT) & (length >= SMALLEST_PATH)
    # The image's rows run downwards, angles are told as an eye sees them.
    angle = np.where(moved, np.degrees(-np.arctan2(along, across) / 2) % 180, np.nan)
    length = np.where(moved, length, np.where(known, 0, np.nan))
    return BlurAmounts(*(grid.astype(np.float32) for grid in (sigma, length, angle)))
