"""Arrays: what they must be; those of every kind -> RGB of a known scale, turned by EXIF."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.errors import ImageError
from blurmapper.preprocessing import WHITE

MIN_SIDE = 16
"""Fewest pixels on a side of a photo: the reach of the networks' coarsest stride."""

ROUNDING = 1e-5
"""By how much a value may be outside [0, 1]; more than that is another scale."""

CHANNELS = (1, 3, 4)
"""How many an array may have: grey, RGB, or RGB with alpha."""

MAX_PIXELS = 400_000_000
"""Most pixels of a photo: four times the largest that memory is tested with."""

LARGE_PIXELS = 100_000_000
"""A file may claim so many pixels whatever it holds; they and their map fit into 2 GB, but of JPEG
2000 and floats."""

MOST_PIXELS_A_BYTE = 200
"""Of a larger photo. The sample photos, enlarged four times, have at most 49 as JPEG of quality 10
and 150 as AVIF of quality 20."""

MOST_BYTES = 500_000_000
"""Of a file that has to be read whole."""


def from_array(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as RGB (H, W, 3).

    The dtype decides the scale: uint8, uint16, or floats in [0, 1], which become float32.
    A fourth channel is straight alpha, composited over white.
    """
    array = as_plain(array, name)
    array = array[..., np.newaxis] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in CHANNELS:
        raise ImageError(
            f"{name}: shape {array.shape} is not an image; use (H, W), (H, W, 3) or (H, W, 4)"
        )
    check_size(array.shape[0], array.shape[1], name)
    array = with_known_scale(array, name)
    if array.shape[2] == 4:
        out = np.empty((*array.shape[:2], 3), array.dtype)
        for rows in row_strips(*array.shape[:2]):
            out[rows] = composite(array[rows, :, :3], array[rows, :, 3:])
        array = out
    elif array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array)


def unshared(image: npt.NDArray[Any], source: object) -> npt.NDArray[Any]:
    """Return an image that stays as it is when the array that it came as is filled anew."""
    is_theirs = isinstance(source, np.ndarray) and np.may_share_memory(image, source)
    return image.copy() if is_theirs else image


def as_plain(value: Any, name: str) -> Any:
    """Return an array as NumPy's own kind, in this machine's byte order; all else as it is.

    What the classes that others make of arrays do when one indexes or multiplies them is their own.

    Raises
    ------
    ImageError
        If some of it is masked: what lies behind a mask can be anything.
    """
    if not isinstance(value, np.ndarray):
        return value
    if np.ma.is_masked(value):
        raise ImageError(f"{name}: holds masked values; fill them first, as by .filled(0)")
    return np.asarray(value, value.dtype.newbyteorder("="))


def check_size(height: int, width: int, name: str) -> None:
    """Refuse photos of too few pixels for a network, or of too many for a computer."""
    if min(height, width) < MIN_SIDE:
        raise ImageError(
            f"{name}: {width} x {height} pixels is too small; "
            f"a photo needs at least {MIN_SIDE} on each side"
        )
    check_area(height, width, name)


def check_area(height: int, width: int, name: str) -> None:
    """Refuse pictures of too many pixels for a computer."""
    if height * width > MAX_PIXELS:
        raise ImageError(
            f"{name}: {width} x {height} pixels is more than "
            f"{MAX_PIXELS // 1_000_000} megapixels; reduce it first"
        )


def check_packing(height: int, width: int, size: int, name: str, unpacked: int = 0) -> None:
    """Refuse a file of `size` bytes that is made to take memory: many pixels from hardly any.

    So are pixels of many bytes, which are `unpacked` in all; three each are usual.
    """
    pixels = max(height * width, unpacked // 3)
    if pixels <= LARGE_PIXELS or pixels <= MOST_PIXELS_A_BYTE * size:
        return
    deep = f", {unpacked:,} bytes," if pixels > height * width else ""
    mend = f"reduce it to {LARGE_PIXELS // 1_000_000} megapixels"
    raise ImageError(
        f"{name}: {width} x {height} pixels{deep} in {size:,} bytes is no photo; "
        f"{'save it with 8 bits in RGB' if deep else mend} if it is meant to be one"
    )


def cut_short(name: str, reason: str) -> str:
    """Return what is said of a file that does not hold all of its photo."""
    return f"{name}: damaged or cut short ({reason}); copy or download it again"


def turn(image: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn an image as its EXIF orientation (1 to 8) asks; others leave it alone."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def turn_back(image: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return an image that `turn` turned as it was."""
    return turn(image, {6: 8, 8: 6}.get(orientation, orientation))


def row_strips(height: int, width: int) -> list[slice]:
    """Cut an image into runs of rows small enough for a processor's cache."""
    step = max(1, 300_000 // width)
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def grey_strips(
    image: npt.NDArray[Any],
) -> Iterator[tuple[slice, npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Yield the rows of `row_strips`, a photo's pixels there from 0 to 255, and their luma."""
    for rows in row_strips(*image.shape[:2]):
        pixels = image[rows].astype(np.float32) * np.float32(255 / WHITE[image.dtype])
        yield rows, pixels, pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def with_known_scale(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return samples as uint8, uint16 or float32 in [0, 1], or raise `ImageError`."""
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind != "f":
        raise ImageError(
            f"{name}: dtype {array.dtype} has no known white; "
            "use uint8, uint16, or float32 in [0, 1]"
        )
    low, high = _limits(array)
    if not np.isfinite([low, high]).all():
        raise ImageError(f"{name}: holds NaN or infinite values; replace them first")
    if not _is_within_unit((low, high)):
        raise ImageError(
            f"{name}: floats from {low:.7g} to {high:.7g}; scale or clip them to [0, 1]"
        )
    return _clipped(array, (low, high))


def scale_bits(pixels: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """Return samples of any number of bits with those of their dtype, or 16 of more."""
    if pixels.dtype.kind == "f" or bits in (8, 16):
        return pixels
    dtype, white = (np.uint8, 255) if bits < 8 else (np.uint16, 65535)
    table = np.rint(np.arange(1 << min(bits, 16)) * (white / ((1 << bits) - 1))).astype(dtype)
    out = np.empty(pixels.shape, dtype)
    for rows in row_strips(*pixels.shape[:2]):
        strip = pixels[rows].astype(np.uint8) if bits == 1 else pixels[rows]
        out[rows] = strip >> (bits - 16) if bits > 16 else table[strip]
    return out


def to_eight_bits(samples: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return samples of a known scale as those of 8 bits."""
    if samples.dtype == np.uint8:
        return samples
    return np.rint(samples * np.float32(255 / WHITE[samples.dtype])).astype(np.uint8)


def composite(colour: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Lay pixels (h, w, 1 or 3) of straight alpha (h, w, 1) over white, in the colours' dtype."""
    white = np.float32(WHITE[colour.dtype])
    cover = alpha.astype(np.float32) / np.float32(WHITE[alpha.dtype])
    mixed = white + (colour - white) * cover
    return mixed if colour.dtype == np.float32 else np.rint(mixed).astype(colour.dtype)


def check_image(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an image, or raise `ImageError` unless it is what `blurmapper.read_image` returns."""
    image = as_plain(image, "the image")
    if not _is_array(image, 3) or image.shape[2] != 3 or image.dtype not in WHITE:
        raise ImageError(
            f"{describe(image)} is no image; give RGB (H, W, 3) of uint8, uint16 or float32, "
            "as read_image returns it"
        )
    if image.dtype != np.float32:
        return image
    limits = _limits(image)
    if not _is_within_unit(limits):
        raise ImageError("the image holds values outside [0, 1] or NaN; scale or clip it")
    return _clipped(image, limits)


def check_map(blur_map: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return a blur map as float32, or raise `ImageError` if an array is none."""
    blur_map = as_plain(blur_map, "the blur map")
    if not _is_array(blur_map, 2) or blur_map.dtype.kind != "f":
        raise ImageError(f"{describe(blur_map)} is not a blur map; give floats (H, W)")
    limits = _limits(blur_map)
    if not _is_within_unit(limits):
        raise ImageError("the blur map holds values outside [0, 1] or NaN; clip or mend it")
    return _clipped(blur_map, limits)


def check_pair(
    image: npt.NDArray[Any], blur_map: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
    """Return an image and its map, or raise `ImageError` unless they are, and of one size."""
    image, blur_map = check_image(image), check_map(blur_map)
    if image.shape[:2] != blur_map.shape:
        raise ImageError(
            f"the map is {blur_map.shape} and the photo {image.shape[:2]} pixels (height, width); "
            "give the map of this photo"
        )
    return image, blur_map


def is_one_photo(source: object) -> bool:
    """Say whether a source is a photo, and not several: a stack has a dimension more."""
    if isinstance(source, np.ndarray):
        return source.ndim == 2 or (source.ndim == 3 and source.shape[2] in CHANNELS)
    several = isinstance(source, Iterable) and not hasattr(source, "read")
    return not several or isinstance(source, str | bytes | bytearray | memoryview | os.PathLike)


def _is_array(value: object, dimensions: int) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == dimensions and value.size > 0


def _limits(values: npt.NDArray[Any]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _is_within_unit(limits: tuple[float, float]) -> bool:
    # Means, resizing and colours overshoot by rounding. Written so that NaN fails too.
    return limits[0] >= -ROUNDING and limits[1] <= 1 + ROUNDING


@contextmanager
def ignore_underflow() -> Iterator[None]:
    """Let numbers become 0 that are too small, whatever a program has set; also as a decorator.

    NumPy's own, as a decorator, keeps one state for all calls before NumPy 2: of two at a time,
    one within the other or in two threads, it puts back the wrong one.
    """
    with np.errstate(under="ignore"):
        yield


def _clipped(values: npt.NDArray[Any], limits: tuple[float, float]) -> npt.NDArray[np.float32]:
    with ignore_underflow():
        floats = values.astype(np.float32, copy=False)
    return floats.clip(0, 1) if limits[0] < 0 or limits[1] > 1 else floats


def describe(value: object) -> str:
    """Return what a value is, for errors."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {value.shape}"
    return f"a {type(value).__name__}"
