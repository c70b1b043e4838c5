"""Files of numbers, which maps and masks are -> what is stored in them, upright and black as 0."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding import jpeg, jpeg2000, png, tiff
from blurmapper.decoding.arrays import check_area, to_eight_bits, turn
from blurmapper.decoding.conversions import picture_of
from blurmapper.decoding.opening import (
    decode_safely,
    load_pillow,
    open_jpeg,
    open_other,
    open_pillow,
    read_head,
)
from blurmapper.decoding.orientation import read_orientation
from blurmapper.decoding.raw import starts_like_raw
from blurmapper.decoding.tiff_samples import NO_MODE
from blurmapper.errors import ImageError

_BRIDGES = {"LAB": "RGB", "La": "LA"}
"""Modes of which Pillow makes no grey, and through which others it does."""

_MODES = ("L", "LA", "RGB", "RGBA")
_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}


def read_stored(stream: BinaryIO, name: str) -> PIL.Image.Image:
    """Return a file's picture with its numbers as stored, loaded, and upright by its EXIF.

    They are no colours: no profile, gamma or alpha is applied to them. Yet black is 0 whatever the
    file calls it. Greys of 8 bits have the mode L, of 16 I;16, floats F, and those that have more
    bits, or a sign, I.

    Parameters
    ----------
    stream : file
        Readable and seekable.
    name : str
        What errors call it.

    Raises
    ------
    ImageError
        If there is no whole picture in it.
    MissingExtraError
        If the file is HEIC and what reads it is not installed.
    """

    def read() -> PIL.Image.Image:
        picture = _read(stream, name)
        if 0 in picture.size:
            raise ValueError("no pixels")
        return picture.convert(_BRIDGES[picture.mode]) if picture.mode in _BRIDGES else picture

    return decode_safely(read, name)


def read_array(stream: BinaryIO, name: str) -> npt.NDArray[Any]:
    """Return the array in an .npy file.

    Raises
    ------
    ImageError
        If there is none, or not all of it.
    """

    def read() -> npt.NDArray[Any]:
        # Of a broken header NumPy raises what the parsers of Python do, or asks for its memory.
        try:
            return np.lib.format.read_array(stream, allow_pickle=False)
        except MemoryError as error:
            raise ValueError(error) from error

    return decode_safely(read, name)


def _read(stream: BinaryIO, name: str) -> PIL.Image.Image:
    head = read_head(stream)
    if starts_like_raw(head):
        raise _raw(name)
    if head.startswith(tiff.PREFIXES):
        return _read_tiff(stream, name)
    is_jpeg = head.startswith(jpeg.START)
    with _open_jpeg(stream, name) if is_jpeg else open_other(stream, head, name) as picture:
        check_area(picture.height, picture.width, name)
        deep = jpeg2000.read_deep(picture, name)
        if deep is not None:
            return _picture_of_samples(turn(deep, read_orientation(picture)), picture.mode)
        load_pillow(picture)
        if picture.format == "PNG" and max(picture.size) <= png.MOST_SIDE:
            # Of rows that are missing Pillow makes black.
            png.read_samples(png.read_chunks(stream))
        if picture.mode == "I" and picture.format == "PPM":
            # Pillow widens 16-bit PGM to 32 bits.
            return PIL.Image.fromarray(np.asarray(picture).astype(np.uint16))
        turn_by = _TURNS.get(read_orientation(picture))
        if turn_by is None:
            return picture
        upright = picture.transpose(turn_by)
        upright.format = picture.format
        return upright


def _open_jpeg(stream: BinaryIO, name: str) -> PIL.Image.Image:
    content, found = jpeg.read(stream)
    jpeg.check(found, name)
    return open_jpeg(content)


def _read_tiff(stream: BinaryIO, name: str) -> PIL.Image.Image:
    try:
        choice = tiff.choose_picture(stream, name)
    except (ArithmeticError, LookupError, ValueError, struct.error):
        with open_pillow(stream) as picture:
            if tiff.is_deep(picture):
                raise ValueError("a TIFF file of an odd structure") from None
            return _load_tiff(picture, name)
    stream.seek(0)
    if choice.is_raw:
        raise _raw(name)
    if choice.is_for_pillow:
        # Pillow does not open what it has no mode for, such as 4 bits a colour.
        with suppress(*NO_MODE), open_pillow(stream) as picture:
            picture.seek(choice.at)
            return _load_tiff(picture, name)
    found = tiff.read_numbers(stream, choice.at, name)
    if found is not None:
        return _picture_of_numbers(turn(*found))
    samples = tiff.read_samples(stream, choice.at, name)
    return _picture_of_samples(turn(samples.pixels, samples.orientation), samples.model)


def _load_tiff(picture: PIL.Image.Image, name: str) -> PIL.Image.Image:
    check_area(picture.height, picture.width, name)
    # Loading turns a TIFF file.
    load_pillow(picture)
    return picture


def _raw(name: str) -> ImageError:
    return ImageError(f"{name}: a RAW photo holds no map or mask; give a PNG")


def _picture_of_samples(pixels: npt.NDArray[Any], model: str) -> PIL.Image.Image:
    channels = pixels.shape[2]
    if channels == 1:
        return _picture_of_numbers(pixels[..., 0])
    return picture_of(to_eight_bits(pixels), "CMYK" if model == "CMYK" else _MODES[channels - 1])


def _picture_of_numbers(numbers: npt.NDArray[Any]) -> PIL.Image.Image:
    if numbers.dtype.kind == "f":
        return PIL.Image.fromarray(numbers.astype(np.float32))
    if numbers.dtype in (np.uint8, np.uint16):
        return PIL.Image.fromarray(numbers)
    # What does not fit is refused as what nearly does not.
    limits = np.iinfo(np.int32)
    return PIL.Image.fromarray(
        numbers.astype(np.int64).clip(limits.min, limits.max).astype(np.int32)
    )
