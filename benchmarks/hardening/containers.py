"""Image files as the pieces that they are made of, so that a mutation gets past the first check."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise

PNG = b"\x89PNG\r\n\x1a\n"

_FIXED = {
    b"GIF8": [(6, "<H"), (8, "<H"), (10, "B"), (12, "B")],
    b"BM": [(10, "<I"), (14, "<I"), (18, "<i"), (22, "<i"), (28, "<H"), (30, "<I"), (46, "<I")],
    b"RIFF": [(4, "<I"), (16, "<I"), (20, "<I"), (23, "<H"), (24, "<I"), (26, "<H"), (28, "<H")],
}
"""Formats whose header has its numbers always in the same places."""


def split(content: bytes) -> list[bytes]:
    """Cut a file into its chunks, segments, boxes or blocks; joined they are the file again."""
    for is_kind, cuts in _KINDS:
        if is_kind(content):
            places = [0, *_ascending(cuts(content), len(content)), len(content)]
            return [content[a:b] for a, b in pairwise(places)]
    step = max(1, len(content) // 16)
    return [content[place : place + step] for place in range(0, len(content), step)]


def repair(content: bytes) -> bytes:
    """Give the chunks of a PNG file the check sums of what they now hold."""
    if not content.startswith(PNG):
        return content
    return b"".join(
        piece[:-4] + struct.pack(">I", zlib.crc32(piece[4:-4])) if number and len(piece) > 11
        else piece
        for number, piece in enumerate(split(content))
    )  # fmt: skip


def fields(content: bytes) -> list[tuple[int, str]]:
    """Return place and format (as `struct` has it) of the numbers that say how large things are."""
    if content.startswith(PNG):
        names = [(12, ">I"), (16, ">I"), (20, ">I"), (24, "B"), (25, "B"), (28, "B")]
        return names + [(place, ">I") for place in _png_chunks(content)]
    if content.startswith((b"II", b"MM")):
        return list(_tiff_fields(content))
    if content.startswith(b"\xff\xd8"):
        return list(_jpeg_fields(content))
    for signature, places in _FIXED.items():
        if content.startswith(signature):
            return places
    boxes = (b"ispe", b"ihdr", b"iloc", b"ipma", b"pixi", b"colr", b"hvcC", b"av1C", b"\xff\x51")
    found = [place for box in boxes if (place := content.find(box)) >= 0]
    return [(place + i, ">I") for place in found for i in (-4, 4, 8, 12)] or [(0, "B")]


def _ascending(places: Iterator[int], end: int) -> Iterator[int]:
    last = 0
    for place in places:
        if last < place < end:
            last = place
            yield place


def _png_chunks(content: bytes) -> Iterator[int]:
    place = 8
    while place + 12 <= len(content):
        yield place
        place += 12 + int.from_bytes(content[place : place + 4], "big")


def _jpeg_segments(content: bytes) -> Iterator[int]:
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        yield place
        is_scan = content[place + 1] == 0xDA
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        while is_scan and place + 1 < len(content):
            if content[place] == 0xFF and content[place + 1] not in (0, *range(0xD0, 0xD8)):
                break
            place += 1


def _jpeg_fields(content: bytes) -> Iterator[tuple[int, str]]:
    for place in _jpeg_segments(content):
        yield place + 2, ">H"
        if content[place + 1] in (0xC0, 0xC1, 0xC2):
            yield from ((place + 4, "B"), (place + 5, ">H"), (place + 7, ">H"), (place + 9, "B"))
            yield from ((place + i, "B") for i in (10, 11, 12, 14, 17))
        elif content[place + 1] in (0xC4, 0xDA, 0xDB, 0xDD):
            yield from ((place + i, "B") for i in (4, 5, 6, 7, 8))


def _tiff_fields(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield each number of the entries of the first directory, of TIFF and BigTIFF alike."""
    order = "<" if content[0] == 0x49 else ">"
    is_big = content[2:4] in (b"+\0", b"\0+")
    word, step, at = ("Q", 20, 8) if is_big else ("I", 12, 4)
    yield at, order + word
    if len(content) < 16:
        return
    start = struct.unpack_from(order + word, content, at)[0]
    yield start, order + ("Q" if is_big else "H")
    size = 8 if is_big else 2
    if start + size > len(content):
        return
    count = int.from_bytes(content[start : start + size], "little" if order == "<" else "big")
    for entry in range(start + size, start + size + step * min(count, 40), step):
        yield from ((entry, order + "H"), (entry + 2, order + "H"), (entry + 4, order + word))
        yield entry + step - (8 if is_big else 4), order + word


def _riff_chunks(content: bytes) -> Iterator[int]:
    place = 12
    while place + 8 <= len(content):
        yield place
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        place += 8 + size + size % 2


def _boxes(content: bytes) -> Iterator[int]:
    """Yield where boxes of an ISO file begin, and those inside the boxes that hold others."""
    place = 0
    while place + 8 <= len(content):
        yield place
        size, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 :][:4]
        if kind in (b"meta", b"iprp", b"ipco", b"jp2h"):
            place += 12 if kind == b"meta" else 8
        else:
            place += size if size >= 8 else len(content)


def _gif_blocks(content: bytes) -> Iterator[int]:
    place = 13 + (3 << (content[10] % 8 + 1) if len(content) > 10 and content[10] & 128 else 0)
    while place < len(content):
        yield place
        if content[place] == 0x2C and place + 10 < len(content):
            flags = content[place + 9]
            place += 11 + (3 << (flags % 8 + 1) if flags & 128 else 0)
        else:
            place += 2
        while place < len(content) and content[place]:
            place += 1 + content[place]
        place += 1


_KINDS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[int]]], ...] = (
    (lambda content: content.startswith(PNG), _png_chunks),
    (lambda content: content.startswith(b"\xff\xd8"), _jpeg_segments),
    (lambda content: content.startswith(b"RIFF"), _riff_chunks),
    (lambda content: content.startswith(b"GIF8"), _gif_blocks),
    (lambda content: content[4:8] in (b"ftyp", b"jP  "), _boxes),
)
