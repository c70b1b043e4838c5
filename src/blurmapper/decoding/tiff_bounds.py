"""TIFF files that would take all memory, or hours: refused before anything is unpacked."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import PIL.Image

from blurmapper.decoding import boxes, jpeg, jpeg2000
from blurmapper.decoding.arrays import check_packing
from blurmapper.decoding.settings import own_settings
from blurmapper.decoding.tiff_samples import refuse
from blurmapper.errors import ImageError

if TYPE_CHECKING:
    from tifffile import TiffPage

MOST_PAGES = 64
"""Of a file, which are searched for the photo if the first is a thumbnail; and below each."""

MOST_NUMBERS = 4_000_000
"""In all lists of a file; 400 megapixels in tiles of 16 x 16 have 1,600,000 places and sizes."""

LOSSY_DNG = 34892

_TEXTS, _LISTS = (270, 305, 347), (273, 279, 324, 325)  # those that are read with a directory
_SUBFILES, _MOST_ENTRIES = 330, 4096
_BYTES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), 1)) | {16: 8, 17: 8, 18: 8}
"""Of a number of each type."""

_LEAST_TILE = 1_000_000
_SPARE_BYTES = 4096
_MARGIN = 64
_JPEGS = (6, 7, 99, 33007, LOSSY_DNG)
_JPEG_XL = (50002, 52546)
_FORMATS = {
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG2000"),
    **dict.fromkeys((34927, 50001), "WEBP"),
    34933: "PNG",
}
_UNBOUNDED = (22610, 34887, 34934, 48124)
"""JPEG XR, LERC and Jetraw, which unpack to whatever size they say."""


_Entry = tuple[int, int, int, bytes]
"""Code, type, length, and what holds the numbers or says where they are."""


class _Layout(NamedTuple):
    """How a file writes the number of a directory's entries, an entry, and a place."""

    number: struct.Struct
    entry: struct.Struct
    place: struct.Struct


def check_directories(stream: BinaryIO, name: str) -> None:
    """Refuse a file whose directories list more than any photo has.

    A list of strips may be as long as the file, in each of its pictures, and one of pictures may
    name the same a million times; what reads them makes an object of each.
    """
    numbers, size = 0, stream.seek(0, io.SEEK_END)
    for code, kind, length, _ in _walk(stream):
        # What does not fit into the file is not read.
        if length * _BYTES.get(kind, size + 1) > size:
            continue
        is_text = _BYTES[kind] == 1 and code not in _LISTS
        numbers += 1 + (length // 16 * (code in _TEXTS) if is_text else length)
        if numbers > MOST_NUMBERS or (code == _SUBFILES and length > MOST_PAGES):
            raise ImageError(f"{name}: lists more parts than a photo has; save it anew")


def _walk(stream: BinaryIO) -> Iterator[_Entry]:
    """Yield the entries of each picture's directory, and of those below it."""
    stream.seek(0)
    head = stream.read(16)
    order, is_big = "<" if head[:1] == b"I" else ">", b"+" in head[2:4]
    kinds = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    layout = _Layout(*(struct.Struct(order + kind) for kind in kinds))
    ((place,),) = _unpack(layout.place, head[8:] if is_big else head[4:8]) or [(0,)]
    for _ in range(MOST_PAGES):
        if not place:
            return
        entries, place = _read_directory(stream, place, layout)
        yield from entries
        for entry in (each for each in entries if each[0] == _SUBFILES):
            for below in _read_places(stream, entry, layout):
                yield from _read_directory(stream, below, layout)[0]


def _read_places(stream: BinaryIO, entry: _Entry, layout: _Layout) -> list[int]:
    _, kind, length, held = entry
    each = struct.Struct(layout.place.format[0] + ("Q" if _BYTES.get(kind) == 8 else "I"))
    if each.size * length > layout.place.size:
        (place,) = layout.place.unpack(held)
        held = _read_at(stream, place, each.size * min(length, MOST_PAGES))
    return [place for (place,) in _unpack(each, held)][:length]


def _read_directory(stream: BinaryIO, place: int, layout: _Layout) -> tuple[list[_Entry], int]:
    """Return a directory's entries, as far as they are there, and where the next directory is."""
    ((count,),) = _unpack(layout.number, _read_at(stream, place, layout.number.size)) or [(0,)]
    if count > _MOST_ENTRIES:
        return [], 0  # no directory, as tifffile sees it too
    listed = stream.read(layout.entry.size * count)
    ((following,),) = _unpack(layout.place, stream.read(layout.place.size)) or [(0,)]
    return _unpack(layout.entry, listed), following


def _read_at(stream: BinaryIO, place: int, size: int) -> bytes:
    try:
        stream.seek(place)
    except (OSError, OverflowError, ValueError):
        return b""  # no place at all
    return stream.read(size)


def _unpack(each: struct.Struct, content: bytes) -> list[tuple[Any, ...]]:
    return list(each.iter_unpack(content[: len(content) // each.size * each.size]))


def check_parts(page: TiffPage, size: int, name: str) -> None:
    """Refuse a picture of which too many pixels come from too few bytes, or from the same ones."""
    if page.dtype is not None:
        check_packing(page.imagelength, page.imagewidth, size, name, page.nbytes)
    parts = zip(page.dataoffsets, page.databytecounts, strict=False)
    held = sum(length for start, length in parts if start + length <= size)
    if page.compression != 1 and held > size + _SPARE_BYTES * len(page.dataoffsets):
        raise ImageError(f"{name}: unpacks the same bytes again and again; save it anew")
    pixels = page.imagelength * page.imagewidth
    if page.is_tiled and page.tilelength * page.tilewidth > 4 * pixels + _LEAST_TILE:
        raise refuse(name, f"tiles of {page.tilewidth} x {page.tilelength} pixels")


def check_segments(page: TiffPage, name: str) -> None:
    """Refuse strips and tiles that are files of their own, of another size or of endless scans."""
    packing = int(page.compression)
    if packing in _UNBOUNDED:
        raise refuse(name, f"packing by {getattr(page.compression, 'name', packing)}")
    if packing not in (*_JPEGS, *_JPEG_XL, *_FORMATS):
        return
    height = page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength)
    width = page.tilewidth if page.is_tiled else page.imagewidth
    file = page.parent.filehandle
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=False):
        file.seek(start)
        rows, columns = _read_segment_size(file.read(length), packing, name)
        if rows > height + _MARGIN or columns > width + _MARGIN:
            raise refuse(name, f"parts of {columns} x {rows} pixels for {width} x {height}")


def _read_segment_size(segment: bytes, packing: int, name: str) -> tuple[int, int]:
    """Return the (height, width) that the packed pixels say to have."""
    if packing in _JPEGS:
        found = jpeg.walk(segment)
        jpeg.check(found, name)
        return found.size
    if packing in _JPEG_XL:
        return _read_jpeg_xl_size(segment)
    stream = io.BytesIO(segment)
    jpeg2000.check_parts(stream, name)
    with own_settings(), PIL.Image.open(stream, formats=[_FORMATS[packing]]) as image:
        return image.height, image.width


def _read_jpeg_xl_size(segment: bytes) -> tuple[int, int]:
    """Return the (height, width) of ISO/IEC 18181-1, SizeHeader, in the bits behind FF 0A.

    The codestream is bare, or in a box, or its first part is, behind the part's number.
    """
    whole, part = (boxes.find_outer(io.BytesIO(segment), box)[0] for box in (b"jxlc", b"jxlp"))
    start = 0 if segment.startswith(b"\xff\x0a") else whole or part + 4
    if segment[start : start + 2] != b"\xff\x0a":
        raise ValueError("no codestream of JPEG XL")
    bits, place = int.from_bytes(segment[start + 2 : start + 16], "little"), 0

    def take(count: int) -> int:
        nonlocal place
        place += count
        return bits >> (place - count) & ((1 << count) - 1)

    def take_side(is_small: int) -> int:
        return 8 * (1 + take(5)) if is_small else 1 + take((9, 13, 18, 30)[take(2)])

    is_small = take(1)
    height = take_side(is_small)
    ratio = take(3)
    shares = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
    if not ratio:
        return height, take_side(is_small)
    across, down = shares[ratio - 1]
    return height, height * across // down
