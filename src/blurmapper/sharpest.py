"""How sharp the sharpest part of a photo is, of what is meant to be sharp, and where it is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.amounts import CELL, BlurAmounts, Grid
from blurmapper.decoding import LIKE, MIN_SIDE, check_map, describe
from blurmapper.errors import ImageError
from blurmapper.images import AnyMap, BlurMap
from blurmapper.preprocessing import reduce_area

FEWEST_CELLS = 6
"""Cells that must be measurable for a figure to be given."""

SHARPEST_SHARE = 0.05
"""Of what is meant to be sharp, its sharpest part."""

NOTHING = 0.02
"""Share of a photo up to which what the map calls sharp is nothing."""

SHARP_SIGMA = 1.2
"""Sigma in pixels of a small photo up to which the sharpest part counts as sharp."""

SHARP_SHARE = 1 / 2500
"""The same in parts of a large photo's longer side: what is seen on a screen."""

FEW = 0.15
"""Share of what the map calls sharp that must be measurable to say that it is soft: fine hair and
fur cannot be measured, and what can be there are a few soft edges of something else."""

_MUCH = 0.2
_SHARP, _SURELY = 0.5, 0.25
_LITTLE, _HALF = 0.1, 0.5
_MAP_SIDE, _SEEN = 432, 1.5  # Pixels of a side at which maps are made, and a sigma seen there.


class SharpestPart(NamedTuple):
    """The sharpest part of what is meant to be sharp.

    Attributes
    ----------
    sigma : float
        Of the Gaussian of equal spread, in pixels of the photo.
    row, column : int
        A place that is so sharp, in pixels of the photo after its EXIF turn.
    """

    sigma: float
    row: int
    column: int


def find_sharpest(
    amounts: BlurAmounts, blur_map: AnyMap, *, size: tuple[int, int] | None = None
) -> SharpestPart | None:
    """Return how sharp the sharpest part is of what is meant to be sharp, or None if unknown.

    What is meant is what the map calls sharp, however small: then the figure is that of its
    sharpest twentieth. Where that is nothing all was meant, and the figure is in the middle. The
    map is believed, and there is no figure, where it calls much sharp that is measured so wide that
    it would have seen it, and where little of what it calls sharp is measured, and that as soft.

    Parameters
    ----------
    amounts : BlurAmounts
        Of a photo.
    blur_map : ndarray
        float (H, W) in [0, 1], 1 = blurred, of the same photo.
    size : tuple of int, optional
        (height, width) of the photo, if the map is of a smaller copy.

    Raises
    ------
    ImageError
        If the map is none or of another shape than the photo, the amounts are none or of a photo
        of another size, or `size` is none.
    """
    blur_map = check_map(blur_map)
    if size is not None and (np.shape(size) != (2,) or np.asarray(size).dtype.kind not in "uif"):
        raise ImageError(f"size is {size!r}; give (height, width)")
    height, width = map(int, blur_map.shape if size is None else size)
    check_amounts(amounts, height, width)
    _check_shape(blur_map, height, width)
    sharp = find_sharp_cells(blur_map, amounts.sigma, (height, width))
    meant, share = np.isfinite(amounts.sigma), 0.5
    if sharp.mean() >= NOTHING:
        meant, share = meant & sharp, SHARPEST_SHARE
    if np.count_nonzero(meant) < FEWEST_CELLS:
        return None
    everywhere = slice(0, height), slice(0, width)
    found = _take_part(amounts.sigma, meant, share, everywhere)
    if np.count_nonzero(meant) < FEW * np.count_nonzero(sharp):
        return None if found.sigma > find_limit(max(height, width)) else found
    return None if sharp.mean() > _MUCH and is_seen(found.sigma, max(height, width)) else found


def check_amounts(amounts: BlurAmounts, height: int, width: int) -> None:
    """Raise `ImageError` unless amounts can be of a photo of this size."""
    _check_grids(amounts)
    rows, columns = amounts.sigma.shape
    if (rows, columns) != (-(-height // CELL), -(-width // CELL)):
        raise ImageError(
            f"the amounts are of {rows} x {columns} cells and the photo of {height} x {width} "
            "pixels (height x width); give the amounts of this photo"
        )


def _check_grids(amounts: Any) -> None:
    sigma = amounts.sigma if isinstance(amounts, BlurAmounts) else None
    if not isinstance(sigma, np.ndarray) or sigma.ndim != 2:
        raise ImageError(f"{describe(amounts)} is not what map_amount returns; give BlurAmounts")


def _check_shape(blur_map: BlurMap, height: int, width: int) -> None:
    """Refuse a map that is neither of a photo of this size nor of a smaller copy of it."""
    rows, columns = blur_map.shape
    # A copy's sides are rounded, and a camera's own small one may be cut a little.
    most = height + width + LIKE * height * columns
    is_copy = min(rows, columns) >= MIN_SIDE and abs(rows * width - columns * height) <= most
    if blur_map.shape != (height, width) and not is_copy:
        raise ImageError(
            f"the map is {blur_map.shape} and the photo {(height, width)} pixels (height, width); "
            "give the map of this photo, or of a smaller copy"
        )


def compare_amounts(one: BlurAmounts, other: BlurAmounts) -> float | None:
    """Return how many times as wide the blur of a frame is as that of another of the same scene.

    Cell by cell, where both are known, of which the median counts: below one the first frame is the
    sharper.

    Parameters
    ----------
    one, other : BlurAmounts
        Of two frames of one size.

    Returns
    -------
    float or None
        None where hardly anything is known in both.

    Raises
    ------
    ImageError
        If the frames are of two sizes, or what is given are no amounts.
    """
    _check_grids(one)
    _check_grids(other)
    if one.sigma.shape != other.sigma.shape:
        sizes = " and ".join(
            f"{rows} x {columns}" for rows, columns in (one[0].shape, other[0].shape)
        )
        raise ImageError(f"amounts of {sizes} cells: compare frames of one size")
    both = np.isfinite(one.sigma) & np.isfinite(other.sigma)
    if np.count_nonzero(both) < FEWEST_CELLS:
        return None
    return float(np.median(one.sigma[both] / other.sigma[both]))


def find_sharpest_inside(amounts: BlurAmounts, inside: tuple[slice, slice]) -> SharpestPart | None:
    """Return the same of a part that is meant to be sharp all over, or None if unknown.

    Parameters
    ----------
    amounts : BlurAmounts
        Of the photo.
    inside : tuple of slice
        The part's rows and columns, in pixels of the photo.
    """
    meant = np.zeros(amounts.sigma.shape, bool)
    meant[cells_of(inside)] = True
    meant &= np.isfinite(amounts.sigma)
    return _take_part(amounts.sigma, meant, SHARPEST_SHARE, inside) if meant.any() else None


def find_limit(longer_side: int) -> float:
    """Return up to which sigma, in pixels, a photo of that size is sharp where it is meant to be.

    Examples
    --------
    >>> find_limit(1000), find_limit(6000)
    (1.2, 2.4)
    """
    return max(SHARP_SIGMA, SHARP_SHARE * longer_side)


def reduce_to_cells(blur_map: BlurMap, height: int, width: int) -> Grid:
    """Return the mean in each cell of a map of a photo of this size, or of a smaller copy of it.

    Where the last cells reach beyond the photo the map goes on as it ends.
    """
    cells = -(-height // CELL), -(-width // CELL)
    below, beside = (
        round(side * (count * CELL / whole - 1))
        for side, count, whole in zip(blur_map.shape, cells, (height, width), strict=True)
    )
    padded = np.pad(blur_map, ((0, below), (0, beside)), "edge") if below or beside else blur_map
    return np.asarray(reduce_area(padded, *cells), np.float32)


def find_sharp_cells(
    blur_map: BlurMap, sigma: Grid, size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return which cells of a photo of this size the map calls sharp, of the shape of `sigma`.

    None are where it is but little, hardly sure of it, and nothing can be measured there while
    most of the rest is: so noise looks in a photo that is soft all over, and no subject.
    """
    blurred = reduce_to_cells(np.asarray(blur_map, np.float32), *size)
    sharp, known = np.asarray(blurred < _SHARP), np.isfinite(sigma)
    if not 0 < sharp.mean() < _LITTLE or (blurred[sharp] < _SURELY).mean() > _HALF:
        return sharp
    is_noise = known[sharp].mean() < FEW and known[~sharp].mean() > _HALF
    return np.zeros_like(sharp) if is_noise else sharp


def cells_of(inside: tuple[slice, slice]) -> tuple[slice, slice]:
    """Return the rows and columns of the cells that a part of a photo touches."""
    rows, columns = (slice(each.start // CELL, -(-each.stop // CELL)) for each in inside)
    return rows, columns


def is_seen(sigma: float, longer_side: int) -> bool:
    """Say whether blur is so wide that the map sees it too, small as it sees a photo."""
    return sigma * min(1.0, _MAP_SIDE / longer_side) > _SEEN


def _take_part(sigma: Grid, meant: Any, share: float, inside: tuple[slice, slice]) -> SharpestPart:
    """Return the cell that this share of what is meant is sharper than."""
    places = np.argwhere(meant)
    place = places[np.argsort(sigma[meant], kind="stable")[int(share * (len(places) - 1))]]
    row, column = (
        min(max(int(cell) * CELL + CELL // 2, side.start), side.stop - 1)
        for cell, side in zip(place, inside, strict=True)
    )
    return SharpestPart(float(sigma[tuple(place)]), row, column)
