"""Photos cut into pieces where far longer than high, and gathered into batches; their maps."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from blurmapper.decoding import MIN_SIDE, as_plain, describe
from blurmapper.errors import ConfigError
from blurmapper.images import BlurMap, ImageArray
from blurmapper.preprocessing import Preprocessing

MOST_ASPECT = 8
"""Long side to short side of a piece. A longer one would be reduced, to the area that a network
sees, until its few rows show nothing that is blurred."""

OVERLAP = 4
"""The part of a piece that it shares with the next."""

MOST_PIECES = 24
"""Of a photo, which bounds the time that a thread of pixels can take."""


def map_in_pieces(
    image: ImageArray, seen_pixels: int, map_piece: Callable[[ImageArray], tuple[BlurMap, ...]]
) -> tuple[BlurMap, ...]:
    """Map a photo as a whole, or, where it is far longer than high, piece by piece.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3).
    seen_pixels : int
        How many a network sees. A photo of fewer is not reduced, and never cut.
    map_piece : callable
        From an image to maps of its size.

    Returns
    -------
    tuple of ndarray
        float32 (H, W) each; where pieces overlap, one fades into the next.
    """
    axis = 0 if image.shape[0] > image.shape[1] else 1
    short, long = sorted(image.shape[:2])
    length = max(MOST_ASPECT * short, seen_pixels // short, -(-2 * long // MOST_PIECES))
    if long <= length:
        return map_piece(image)
    sums: list[BlurMap] = []
    weights = np.zeros(long, np.float32)
    for piece in _cut(long, length):
        cut = image[piece] if axis == 0 else image[:, piece]
        maps = map_piece(np.ascontiguousarray(cut))
        sums = sums or [np.zeros(image.shape[:2], np.float32) for _ in maps]
        places = np.arange(1, piece.stop - piece.start + 1, dtype=np.float32)
        fade = np.minimum(places, places[::-1]).clip(max=length // OVERLAP)
        weights[piece] += fade
        for total, blur_map in zip(sums, maps, strict=True):
            part = total[piece] if axis == 0 else total[:, piece]
            part += blur_map * (fade[:, np.newaxis] if axis == 0 else fade)
    shares = weights[:, np.newaxis] if axis == 0 else weights
    return tuple(np.clip(np.divide(total, shares, out=total), 0, 1, out=total) for total in sums)


def reduce_image(image: ImageArray, preprocessing: Preprocessing) -> ImageArray:
    """Return an image (H, W, 3) as the network is to see it, with the rows that it needs."""
    height, width = preprocessing.working_size(*image.shape[:2])
    if min(height, width) >= MIN_SIDE:
        return preprocessing.resize(image)
    # Beyond 1 : 1,000 the area rule leaves fewer rows than a network can take, so there
    # alone the aspect gives way: the rows are kept and the columns still bounded.
    import cv2

    most = preprocessing.working_side**2 // MIN_SIDE
    size = (min(max(width, MIN_SIDE), most), min(max(height, MIN_SIDE), most))
    reduced: ImageArray = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return reduced


def take_maps(
    backend: object, batch: npt.NDArray[np.float32], outputs: Any, count: int = 1
) -> list[list[BlurMap]]:
    """Return what a backend gave for a batch (N, 3, h, w), checked.

    Parameters
    ----------
    backend : Backend
    batch : ndarray
    outputs : sequence of ndarray
        Floats (N, 1, h, w).
    count : int
        How many of these there have to be.

    Returns
    -------
    list of list of ndarray
        Of each output the N maps, float32 (h, w) in [0, 1].

    Raises
    ------
    ConfigError
        If it gave anything else, or NaN.
    """
    name, shape = f"backend {type(backend).__name__}", (len(batch), 1, *batch.shape[2:])
    if not isinstance(outputs, tuple | list) or len(outputs) != count:
        raise ConfigError(f"{name}: gave {describe(outputs)}; give {count} arrays of floats")
    taken = []
    for output in outputs:
        maps = as_plain(output, name)
        if not isinstance(maps, np.ndarray) or maps.shape != shape or maps.dtype.kind != "f":
            raise ConfigError(
                f"{name}: gave {describe(maps)} for photos {batch.shape}; give floats {shape}"
            )
        if not np.isfinite(maps).all():
            raise ConfigError(f"{name}: gave NaN or infinite values; give floats in [0, 1]")
        taken.append([one.astype(np.float32, copy=False).clip(0, 1) for one in maps[:, 0]])
    return taken


def _cut(long: int, length: int) -> list[slice]:
    """Cut a side into pieces of one length, each of which shares enough with the next."""
    step = length - length // OVERLAP
    count = 1 + -(-(long - length) // step)
    starts = np.linspace(0, long - length, count).round().astype(int)
    return [slice(int(start), int(start) + length) for start in starts]


Item = TypeVar("Item")


def in_batches(
    items: Iterable[Item], kind: Callable[[Item], Hashable], most: int
) -> Iterator[list[Item]]:
    """Yield items in their order, in lists of at most `most` that are of one kind.

    Items are taken as lists are asked for, and one at most beyond a list. What taking one raises
    comes after the list of those before it.

    Examples
    --------
    >>> list(in_batches([1, 3, 5, 2, 7], lambda number: number % 2, 2))
    [[1, 3], [5], [2], [7]]
    """
    batch: list[Item] = []
    try:
        for item in items:
            if batch and kind(item) != kind(batch[0]):
                yield batch
                batch = []
            batch.append(item)
            if len(batch) == most:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
