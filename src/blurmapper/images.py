"""Photos, blur maps and overlays: files and bytes <-> arrays."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding import (
    RAW_SUFFIXES,
    Content,
    OpenFile,
    Photo,
    check_image,
    check_map,
    check_pair,
    decode_photo,
    from_array,
    from_pillow,
    grey_strips,
    ignore_underflow,
    read_open_file,
    row_strips,
    to_eight_bits,
)
from blurmapper.encoding import encode_grey, enlarge
from blurmapper.errors import ImageError
from blurmapper.files import replacing
from blurmapper.locations import AnyPath, Location, find_location, open_file, suffix_of
from blurmapper.masks import read_levels
from blurmapper.preprocessing import WHITE

ImageArray = npt.NDArray[Any]
"""RGB (H, W, 3): uint8, uint16, or float32 in [0, 1]."""

BlurMap = npt.NDArray[np.float32]
"""(H, W) in [0, 1]: the probability that a pixel is blurred."""
AnyMap = npt.NDArray[np.floating[Any]]
"""The same in floats of any size, which all that takes a map takes."""

ImageSource = AnyPath | Content | OpenFile | PIL.Image.Image | npt.NDArray[Any]
"""What `read_image` takes."""

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff", ".webp", ".avif"),
    *(".gif", ".bmp", ".ppm", ".pgm", ".pnm", ".jp2", ".heic", ".heif", ".hif", *RAW_SUFFIXES),
)
"""Names of files that are taken for photos when a folder is searched."""

LONGEST_ANYWHERE = 16_383
"""Pixels of a side that every format of photos takes; WebP takes no more."""

OVERLAY_TINT = (124, 58, 237)
"""Violet, the colour that photos hold least of: skin, wood and evening light hid an orange."""


def read_image(source: ImageSource) -> ImageArray:
    """Read a photo as an RGB array, whatever it comes as.

    Parameters
    ----------
    source : path, bytes-like, open file, PIL.Image.Image or ndarray
        A file's path, address or content, a file open for reading bytes (read from its start, and
        left open), a Pillow image, or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8,
        uint16, or floats in [0, 1].

    Returns
    -------
    ndarray
        RGB (H, W, 3) of uint8, uint16 or float32 in [0, 1]. The dtype decides the scale,
        never the content: a dark photo stays dark.

    Raises
    ------
    ImageError
        If there is no whole image of 16 pixels a side to 400 megapixels, or an array has another
        shape, dtype or range. The line names source and mend.
    MissingExtraError
        If the photo is HEIC or RAW and ``blurmapper[photo]`` is not installed.

    Notes
    -----
    The photo is turned upright by its EXIF orientation, in sRGB, over white; of an animation it
    is the first frame. PNG, TIFF, JPEG 2000 and grey files of 16 bits keep them, but under a
    profile of tables. A RAW photo is read by the JPEG within if that is as large, or developed.
    """
    if isinstance(source, np.ndarray):
        return from_array(source, "the array")
    if isinstance(source, PIL.Image.Image):
        return from_pillow(source, str(getattr(source, "filename", "")) or "the Pillow image")
    if isinstance(source, Content):
        return decode_photo(io.BytesIO(bytes(source)), "the image bytes").image
    if isinstance(source, str | os.PathLike):
        return read_photo(source).image
    if hasattr(source, "read"):
        return decode_photo(*read_open_file(source)).image
    raise ImageError(
        f"a {type(source).__name__} is not a photo; "
        "give a path, bytes, an open file, a Pillow image or an array"
    )


def read_photo(
    source: AnyPath | bytes | BinaryIO,
    *,
    least_pixels: int | None = None,
    name: str | None = None,
) -> Photo:
    """Read a photo's file, or its content, with no more pixels than are needed.

    Parameters
    ----------
    source : path, address, bytes or file
        A file that is open is one to seek in.
    least_pixels : int, optional
        A JPEG may come reduced to a half, quarter or eighth of its sides if that leaves so many
        pixels, which its decoder does in a fraction of the time; a RAW photo likewise. Other
        files come as they are.
    name : str, optional
        What errors call the photo; its path unless given.

    Returns
    -------
    Photo
        ``image``, RGB (h, w, 3), the upright photo's own ``height`` and ``width``, and the EXIF
        ``orientation`` that it was turned by. Errors are as those of `read_image`.
    """
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not isinstance(source, str | os.PathLike):
        return decode_photo(source, name or "the image bytes", least_pixels)
    location = find_location(source)
    with open_file(location) as stream:
        return decode_photo(stream, name or str(location), least_pixels)


def write_image(image: ImageArray, path: AnyPath) -> None:
    """Write an RGB image (H, W, 3) with 8 bits a sample, in the format of the suffix.

    Raises
    ------
    ImageError
        If the image is none, the suffix names no format, or the file cannot be written.
    """
    location = find_location(path)
    _write(encode_image(image, str(location)), location)


def encode_image(image: ImageArray, name: str | Path) -> bytes:
    """Return an RGB image (H, W, 3) as a file's content, in the format of the name's suffix.

    Raises
    ------
    ImageError
        If the image is none, the suffix names no format, or the image is too long for the format.
    """
    eight_bits = to_eight_bits(check_image(image))
    file_format = PIL.Image.registered_extensions().get(suffix_of(name))
    if file_format not in PIL.Image.SAVE or file_format in ("ICO", "ICNS"):  # of few sizes
        raise ImageError(f"{name}: no image format has that suffix; use .jpg, .png or .webp")
    buffer = io.BytesIO()
    try:
        PIL.Image.fromarray(eight_bits).save(buffer, format=file_format, quality=92)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        height, width = eight_bits.shape[:2]
        is_long = max(height, width) > LONGEST_ANYWHERE
        mend = "reduce the photo first" if is_long else "use .jpg, .png or .webp"
        raise ImageError(
            f"{name}: {file_format} takes no {width} x {height} pixels; {mend}"
        ) from error
    return buffer.getvalue()


def encode_cutout(rgba: npt.NDArray[Any]) -> bytes:
    """Return RGBA (H, W, 4) as a PNG of the array's own depth; floats get 16 bits."""
    import cv2

    if rgba.dtype.kind == "f":
        rgba = np.rint(rgba * 65535).astype(np.uint16)
        rgba[rgba[..., 3] == 0] = 0  # also colour of which alpha is rounded to nothing
    return cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1].tobytes()


def write_map(blur_map: AnyMap, path: AnyPath, *, bits: Literal[8, 16] = 8) -> None:
    """Write a blur map as a grey PNG (white = blurred) or as .npy, by the suffix.

    The file appears whole or not at all. A map is never stretched: 0 is black, 1 is white.

    Parameters
    ----------
    blur_map : ndarray
        float (H, W) in [0, 1], 1 = blurred.
    path : path or address
        A name that ends in ``.png`` or ``.npy`` (float32).
    bits : {8, 16}
        Depth of a PNG.

    Raises
    ------
    ImageError
        If the map has another shape or range, the suffix is another, or the file cannot be
        written.
    """
    location = find_location(path)
    _write(encode_map(blur_map, str(location), bits=bits), location)


def encode_map(
    blur_map: AnyMap,
    name: str | Path,
    *,
    bits: Literal[8, 16] = 8,
    size: tuple[int, int] | None = None,
) -> bytes:
    """Return the content of the file that `write_map` writes, in the format of the name's suffix.

    With `size`, (height, width), that of the map enlarged bilinearly; in a PNG this may be off by
    one level.

    Raises
    ------
    ImageError
        If the map has another shape or range, or the suffix is another.
    """
    blur_map = check_map(blur_map)
    suffix = suffix_of(name)
    if suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, enlarge(blur_map, size))
        return buffer.getvalue()
    if suffix != ".png" or bits not in (8, 16):
        raise ImageError(f"{name}: maps are written as .png of 8 or 16 bits, or as .npy")
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    grey = np.empty(blur_map.shape, dtype)
    for rows in row_strips(*blur_map.shape):
        grey[rows] = np.rint(blur_map[rows] * np.float32(WHITE[dtype]))
    # Levels take a quarter of the time and of the memory that numbers take to be enlarged.
    return encode_grey(enlarge(grey, size))


def read_map(path: AnyPath) -> BlurMap:
    """Read a blur map that `write_map` wrote, or any grey image, as float32 (H, W).

    A grey image may be of 8 or 16 bits or of floats in [0, 1], and stored as colours that are grey.
    Like a photo it is turned upright by its EXIF orientation, where it has one.

    Raises
    ------
    ImageError
        If the file cannot be read, is no grey image, is transparent in part, or leaves [0, 1].
    """
    location = find_location(path)
    with open_file(location) as stream:
        levels = read_levels(stream, location, allow_colours=False)
    try:
        if levels.dtype.kind == "u" and levels.dtype in WHITE:
            levels = levels.astype(np.float32) / np.float32(WHITE[levels.dtype])
        return check_map(levels)
    except ImageError as error:
        raise ImageError(f"{location}: {error}") from error


@ignore_underflow()
def draw_overlay(image: ImageArray, blur_map: AnyMap) -> npt.NDArray[np.uint8]:
    """Draw a blur map over its photo: sharp in full colour, blurred grey and tinted violet.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16 or float32 in [0, 1].
    blur_map : ndarray
        float (H, W) in [0, 1], 1 = blurred.

    Returns
    -------
    ndarray
        uint8 RGB (H, W, 3).

    Raises
    ------
    ImageError
        If the sizes differ, or image or map are none.
    """
    image, blur_map = check_pair(image, blur_map)
    overlay = np.empty(image.shape, np.uint8)
    tint = np.array(OVERLAY_TINT, np.float32)
    for rows, pixels, luma in grey_strips(image):
        tinted = 0.5 * luma[..., np.newaxis] + 0.5 * tint
        overlay[rows] = np.rint(pixels + (tinted - pixels) * blur_map[rows, :, np.newaxis])
    return overlay


def _write(content: bytes, location: Location) -> None:
    with replacing(location) as stream:
        stream.write(content)
