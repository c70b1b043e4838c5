"""JPEG 2000 files: too many parts, and over 8 bits a sample, of whose white Pillow makes black."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy.typing as npt
import PIL.Image

from blurmapper.decoding import boxes
from blurmapper.decoding.arrays import cut_short, row_strips, scale_bits
from blurmapper.errors import ImageError

_CODES = b"\xff\x4f\xff\x51"
_MOST_CHANNELS = 4
_COLOURS = (12, 16, 17, 18)
"""What colours are said to be: CMYK, sRGB, grey, and YCC of sRGB."""

_TILE, _DATA, _END, _STYLE, _CHANNEL_STYLE = 0xFF90, 0xFF93, 0xFFD9, 0xFF52, 0xFF53
_MOST_MARKERS = 100_000
_MOST_TILES = 65_536
_MOST_PARTS = 4_000_000
"""Blocks of a picture, and four times its precincts; 400 megapixels in colour have 1,600,000 blocks
of 32 x 32."""

_SRGB = b"\1\0\0" + struct.pack(">I", 16)
_PIECE = 1 << 20


class _Header(NamedTuple):
    """Of a codestream: where it starts and ends, its size, and each channel's depth and sign."""

    start: int
    end: int
    size: tuple[int, int]
    depths: bytes


def read_size(stream: BinaryIO) -> tuple[int, int]:
    """Return the (height, width) of a codestream, in boxes or without."""
    width, height = _read_header(stream).size
    return height, width


def check_parts(stream: BinaryIO, name: str) -> None:
    """Refuse a file of more tiles, precincts and blocks than photos have; a tile has each channel.

    OpenJPEG makes objects of them all, however few bytes there are. Other files pass.

    Raises
    ------
    ImageError
        If it has more.
    """
    tiles = parts = 0
    # Whatever else is wrong with it, OpenJPEG will say.
    with suppress(ArithmeticError, LookupError, ValueError, struct.error):
        header = _read_header(stream)
        stream.seek(header.start)
        if stream.read(len(_CODES)) != _CODES:
            return
        stream.seek(header.start + 8)
        right, bottom, *_, width, height, left, top = struct.unpack(">8I", stream.read(32))
        tiles = -(-(right - left) // width) * -(-(bottom - top) // height) * len(header.depths)
        sides = min(width, header.size[0]), min(height, header.size[1])
        for style in _read_styles(stream, header):
            parts = max(parts, tiles * _count_parts(sides, style))
    if tiles > _MOST_TILES or parts > _MOST_PARTS:
        raise ImageError(f"{name}: JPEG 2000 in more parts than a photo has; save it anew")


def _read_styles(stream: BinaryIO, header: _Header) -> Iterator[bytes]:
    """Yield how channels are coded, of all tiles or some: ISO/IEC 15444-1, A.6.1, from SPcod on."""
    place, tile_end = header.start + 2, header.end
    for _ in range(_MOST_MARKERS):
        stream.seek(place)
        head = stream.read(4)
        if len(head) < 4:
            return
        marker, length = struct.unpack(">HH", head)
        content = stream.read(max(0, min(length - 2, 64)))
        if marker == _TILE:
            (size,) = struct.unpack_from(">I", content, 2)
            tile_end = place + size if size else header.end
        if marker == _DATA:
            place = tile_end
            continue
        if marker == _END:
            return
        place += 2 + length
        start = {_STYLE: 5, _CHANNEL_STYLE: 2 if len(header.depths) < 257 else 3}.get(marker)
        if start is not None:
            has_precincts = content[0 if marker == _STYLE else start - 1] & 1
            yield content[start:] if has_precincts else content[start : start + 5]


def _count_parts(sides: tuple[int, int], style: bytes) -> int:
    """Return the blocks of a tile's channel, and four times its precincts, about."""
    levels, across, down = style[:3]
    parts = 0
    for level in range(levels + 1):
        width, height = (-(-side >> (levels - level)) for side in sides)
        precinct = style[5 + level] if len(style) > 5 + level else 0xFF
        precincts = (1 + (width >> (precinct & 15))) * (1 + (height >> (precinct >> 4)))
        blocks = (1 + (width >> (across + 2))) * (1 + (height >> (down + 2)))
        parts += 4 * precincts + max(blocks, precincts)
    return parts


def read_deep(photo: PIL.Image.Image, name: str) -> npt.NDArray[Any] | None:
    """Return the samples of a JPEG 2000 file that Pillow opened, if they have more than 8 bits.

    Pillow rounds those to 8 bits, and what it rounds up to 256 comes as 0.

    Parameters
    ----------
    photo : PIL.Image.Image
        Not loaded yet.
    name : str
        What errors call it.

    Returns
    -------
    ndarray or None
        (H, W, 1 to 4), of uint16 but for palettes of 8 bits: grey, RGB or inks, and straight alpha
        behind them. None of all other files.

    Raises
    ------
    ImageError
        If it is of a kind that no photo is of, or damaged.
    """
    stream: BinaryIO | None = getattr(photo, "fp", None)
    if photo.format != "JPEG2000" or not getattr(photo, "tile", None) or stream is None:
        return None
    header, parts = _read_header(stream), boxes.read_jp2_header(stream)
    palette = next((content for box, content in parts if box == b"pclr"), b"")
    inks = palette[3 : 3 + palette[2]] if len(palette) > 2 else b""
    # Of fewer bits than 8 Pillow's white is grey.
    if all(depth & 127 == 7 for depth in header.depths + inks):
        return None
    colours = next((content for box, content in parts if box == b"colr"), _SRGB)
    channels = inks or header.depths
    kind = int.from_bytes(colours[3:7]) if colours[:1] == b"\1" else 16
    if kind not in _COLOURS or len(set(channels)) > 1 or len(channels) > _MOST_CHANNELS:
        raise ImageError(
            f"{name}: JPEG 2000 of such colours or channels cannot be read; "
            "save it with 8 or 16 bits in RGB"
        )
    if header.size != photo.size or len(header.depths) > _MOST_CHANNELS:
        raise ImageError(cut_short(name, "it has two sizes"))
    # An ICC profile, which the decoder would apply, is for Little CMS.
    known = colours if colours[:1] == b"\1" else _SRGB
    parts = [part for part in parts if part[0] != b"colr"] + [(b"colr", known)]
    pixels = _decode(_rebuild(stream, header, parts))
    return _scale(pixels, channels[0])


def _read_header(stream: BinaryIO) -> _Header:
    stream.seek(0)
    start, end = 0, stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if stream.read(len(_CODES)) != _CODES:
        start, end = boxes.find_outer(stream, b"jp2c")
    stream.seek(start)
    marks = stream.read(42)
    right, bottom, left, top, channels = struct.unpack_from(">4I16xH", marks, 8)
    depths = stream.read(3 * channels)[::3]
    return _Header(start, end, (right - left, bottom - top), depths)


def _rebuild(stream: BinaryIO, header: _Header, parts: list[tuple[bytes, bytes]]) -> bytearray:
    """Return a file of these boxes and the codestream, or the codestream alone if it was so."""
    content = bytearray()
    if header.start:
        packed = b"".join(_box(name, part) for name, part in parts)
        content += _box(b"jP  ", b"\r\n\x87\n") + _box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        content += _box(b"jp2h", packed) + struct.pack(">I4s", 0, b"jp2c")
    stream.seek(header.start)
    # Packed, no picture has twice the bytes that it has unpacked: the rest is not its own.
    width, height = header.size
    left = min(header.end - header.start, _PIECE + 8 * width * height * len(header.depths))
    while piece := stream.read(min(left, _PIECE)):
        content += piece
        left -= len(piece)
    return content


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _decode(content: bytearray) -> npt.NDArray[Any]:
    import imagecodecs

    try:
        pixels: npt.NDArray[Any] = imagecodecs.jpeg2k_decode(content)
    except imagecodecs.Jpeg2kError as error:
        raise ValueError("OpenJPEG cannot decode it") from error
    return pixels.reshape(*pixels.shape[:2], -1)


def _scale(pixels: npt.NDArray[Any], depth: int) -> npt.NDArray[Any]:
    """Return samples, whose depth less one has a sign before it, as those of 8 or 16 bits."""
    bits = (depth & 127) + 1
    if depth & 128:
        # The least number is black, as if there were no sign.
        pixels = pixels.view(pixels.dtype.str.replace("i", "u"))
        for rows in row_strips(*pixels.shape[:2]):
            pixels[rows] += pixels.dtype.type(1 << (bits - 1))
    return scale_bits(pixels, bits)
