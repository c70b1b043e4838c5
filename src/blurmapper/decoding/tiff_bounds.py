"""TIFF files that would take all memory, or hours: refused before anything is unpacked."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from blurmapper.decoding import jpeg, jpeg2000
from blurmapper.decoding.arrays import check_packing, cut_short
from blurmapper.decoding.opening import read_header_size
from blurmapper.decoding.tiff_samples import refuse, refuse_packing
from blurmapper.errors import ImageError

if TYPE_CHECKING:
    from tifffile import TiffPage

MOST_PAGES = 64
"""Of a file, which are searched for the photo if the first is a thumbnail; and below each."""

MOST_NUMBERS = 4_000_000
"""In all lists of a file; 400 megapixels in tiles of 16 x 16 have 1,600,000 places and sizes."""

LOSSY_DNG = 34892

_SUBFILES, _MOST_ENTRIES, _TEXTS = 330, 4096, (2, 7)
_BYTES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), 1)) | {16: 8, 17: 8, 18: 8}
"""Of a number of each type."""

_NEEDED = (258, 273, 279, 320, 324, 325)
"""Bits of a sample, the palette, places and sizes of parts: taken for the usual where they lack."""

_LEAST_TILE = 1_000_000
_SPARE_BYTES = 4096
_MARGIN = 64
_JPEGS = (6, 7, 99, 33007, LOSSY_DNG)
_PICTURES = (33003, 33004, 33005, 34712, 34927, 34933, 50001)
"""JPEG 2000, WebP and PNG."""

_UNBOUNDED = (22610, 34887, 34934, 48124, 50002, 52546)
"""JPEG XR, LERC, Jetraw and JPEG XL, of whose sizes or layers nothing here tells before all memory
or hours are gone. RAW photos packed so are LibRaw's."""

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
    from tifffile import TIFF

    numbers, size = 0, stream.seek(0, io.SEEK_END)
    for _, (code, kind, length, _), _ in _walk(stream):
        numbers += 1
        # All else, and what does not fit into the file, is not read with the directory.
        if code in TIFF.TAG_LOAD and length * _BYTES.get(kind, size + 1) <= size:
            numbers += length // 16 if kind in _TEXTS else length
        if numbers > MOST_NUMBERS or (code == _SUBFILES and length > MOST_PAGES):
            raise ImageError(f"{name}: lists more parts than a photo has; save it anew")


def check_lists(stream: BinaryIO, at: int, name: str) -> None:
    """Refuse a file whose picture at a place lists what lies beyond the file's end.

    What reads it would take the usual for that, such as one bit a sample.
    """
    size = stream.seek(0, io.SEEK_END)
    for page, (code, kind, length, held), layout in _walk(stream):
        needed = length * _BYTES.get(kind, 0)
        if page == at and code in _NEEDED and needed > layout.place.size:
            (place,) = layout.place.unpack(held)
            if place + needed > size:
                raise ImageError(cut_short(name, "what it lists lies beyond its end"))


def _walk(stream: BinaryIO) -> Iterator[tuple[int, _Entry, _Layout]]:
    """Yield the entries of each picture's directory with its place, and of those below it, -1."""
    stream.seek(0)
    head = stream.read(16)
    order, is_big = "<" if head[:1] == b"I" else ">", b"+" in head[2:4]
    kinds = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    layout = _Layout(*(struct.Struct(order + kind) for kind in kinds))
    ((place,),) = _unpack(layout.place, head[8:] if is_big else head[4:8]) or [(0,)]
    for page in range(MOST_PAGES):
        if not place:
            return
        entries, place = _read_directory(stream, place, layout)
        yield from ((page, entry, layout) for entry in entries)
        for entry in (each for each in entries if each[0] == _SUBFILES):
            for below in _read_places(stream, entry, layout):
                entries, _ = _read_directory(stream, below, layout)
                yield from ((page, entry, layout) for entry in entries)


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
    check_overlap([page], size, name)
    pixels = page.imagelength * page.imagewidth
    if page.is_tiled and page.tilelength * page.tilewidth > 4 * pixels + _LEAST_TILE:
        raise refuse(name, f"tiles of {page.tilewidth} x {page.tilelength} pixels")


def check_overlap(pages: Iterable[TiffPage], size: int, name: str) -> None:
    """Refuse pictures whose strips or tiles lie over each other in the file."""
    held = spare = 0
    for page in (each for each in pages if each.compression != 1):
        parts = zip(page.dataoffsets, page.databytecounts, strict=False)
        held += sum(min(length, max(0, size - start)) for start, length in parts)
        spare += _SPARE_BYTES * len(page.dataoffsets)
    if held > size + spare:
        raise ImageError(f"{name}: unpacks the same bytes again and again; save it anew")


def check_segments(page: TiffPage, name: str) -> None:
    """Refuse strips and tiles that are files of their own, of another size or of endless scans."""
    packing = int(page.compression)
    if packing in _UNBOUNDED:
        raise refuse_packing(page, name)
    if packing not in (*_JPEGS, *_PICTURES):
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
    stream = io.BytesIO(segment)
    jpeg2000.check_parts(stream, name)
    size = read_header_size(stream)
    if size is None:
        raise ValueError("pixels in an unknown packing")
    return size
