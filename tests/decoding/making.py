"""Small files of every kind, and what they must be read as."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import tifffile

Array = npt.NDArray[Any]


def make_scene(height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return a photo, uint8 (height, width, 3), bright in its upper left and soft elsewhere."""
    coarse = np.random.default_rng(0).integers(0, 120, (6, 8, 3), np.uint8)
    picture = PIL.Image.fromarray(coarse).resize((width, height), PIL.Image.Resampling.BICUBIC)
    scene = np.array(picture)
    scene[: height // 4, : width // 4] = 250
    return scene


def make_colours() -> npt.NDArray[np.uint8]:
    """Return a photo, uint8 (61, 97, 3), with all hues from dark to light."""
    levels = np.random.default_rng(3).integers(0, 256, (7, 11, 3), np.uint8)
    picture = PIL.Image.fromarray(levels).resize((97, 61), PIL.Image.Resampling.BICUBIC)
    return np.array(picture)


COLOURS = make_colours()
GREY = np.asarray(PIL.Image.fromarray(COLOURS).convert("L"))
COVER = np.linspace(0, 1, 97)[np.newaxis, :, np.newaxis].repeat(61, axis=0)
"""Alpha (61, 97, 1) in [0, 1]."""


def levels(image: Array) -> npt.NDArray[np.float64]:
    """Return an image of any dtype in levels of 255."""
    white = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[image.dtype.type]
    return image.astype(np.float64) * (255 / white)


def with_depth(values: Array, dtype: str) -> Array:
    """Return values in [0, 1] as samples of a dtype, of its whole range."""
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    most = int(np.iinfo(dtype).max)
    return np.minimum(np.rint(values * float(most)), float(most - most % 256 + 255)).astype(dtype)


def as_rgb(grey: Array) -> Array:
    """Return (h, w) or (h, w, 1) as (h, w, 3)."""
    return np.broadcast_to(grey.reshape(*grey.shape[:2], 1), (*grey.shape[:2], 3))


def encode(photo: Array | PIL.Image.Image, kind: str, **options: Any) -> bytes:
    """Return a photo as the bytes of a file."""
    buffer = io.BytesIO()
    picture = photo if isinstance(photo, PIL.Image.Image) else PIL.Image.fromarray(photo)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(
    pixels: Array, *, big_endian: bool = False, separate: bool = False, **options: Any
) -> bytes:
    """Return pixels (h, w) or (h, w, samples) as a TIFF file."""
    buffer = io.BytesIO()
    if separate:
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
        options["planarconfig"] = "separate"
    with tifffile.TiffWriter(buffer, byteorder=">" if big_endian else "<") as writer:
        writer.write(pixels, metadata=None, **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels: Array, bits: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return samples (h, w, 1 to 4) of 1 to 16 bits as a PNG file; one with PLTE has a palette."""
    height, width, channels = pixels.shape
    colour = 3 if b"PLTE" in before else {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + pack(row, bits) for row in pixels.reshape(height, -1))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + data + after + chunk(b"IEND", b"")
    )


def pack(row: Array, bits: int) -> bytes:
    """Return a row of samples, the first bit first and its end filled up to a byte."""
    shifts = np.arange(bits - 1, -1, -1)
    return np.packbits(((row.astype(int)[:, np.newaxis] >> shifts) & 1).astype(np.uint8)).tobytes()


def plain_tiff(tags: dict[int, tuple[int, ...]], data: bytes, order: str = "<") -> bytes:
    """Return a TIFF file of one strip, whose place is filled in, of such numbers as tags say."""
    tags = dict(sorted({**tags, 273: (0,), 279: (len(data),)}.items()))
    wide = (256, 257, 273, 278, 279)
    packed = {
        tag: struct.pack(f"{order}{len(values)}{'I' if tag in wide else 'H'}", *values)
        for tag, values in tags.items()
    }
    beyond = 8 + 2 + 12 * len(tags) + 4
    extra = b"".join(content for content in packed.values() if len(content) > 4)
    packed[273] = struct.pack(f"{order}I", beyond + len(extra))
    entries, place = b"", beyond
    for tag, content in packed.items():
        entries += struct.pack(f"{order}HHI", tag, 4 if tag in wide else 3, len(tags[tag]))
        entries += content.ljust(4, b"\0") if len(content) <= 4 else struct.pack(f"{order}I", place)
        place += len(content) if len(content) > 4 else 0
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags))
    return head + entries + bytes(4) + extra + data
