"""JPEG files by their markers: how many scans they have, where they end, how they are coded."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from blurmapper.decoding.arrays import MOST_BYTES
from blurmapper.errors import ImageError

START, END = b"\xff\xd8", b"\xff\xd9"

MOST_SCANS = 100
"""Of a JPEG file, each of which goes over the whole photo; libjpeg itself writes ten."""

MOST_SEGMENTS = 10_000
"""Of a JPEG file, beside its scans; profiles and depth maps of phones take some hundreds."""

MOST_EXIF_SEGMENTS = 100
"""Of a JPEG file, which Pillow joins one by one; cameras write one."""

MOST_STRAY_BYTES = 200_000
"""Between the segments, which Pillow goes through one by one."""

_STEP = 16_000_000
_HEADER_STEP = 65_536
# Noise and its complement, both without FF, which would end them; with the marks at which decoders
# begin anew, as they pass over what is before the one that they wait for.
_NOISE = bytes(1 + (i * i * 37 + i * 101 + 84) % 254 for i in range(1024))
_RESTARTS = [bytes((0xFF, kind)) for kind in range(0xD0, 0xD8)]
_FILLERS = tuple(
    b"".join(noise + mark for mark in _RESTARTS) + noise
    for noise in (_NOISE, bytes(255 - value for value in _NOISE))
)
_LEAST_PADDING = 16
# Within a scan's data FF stands before 00 and before restart marks; other marks end the data.
_MARK = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_ALONE = {0x01, *range(0xD0, 0xD9)}
_CODINGS = {
    0xC3: "lossless coding",
    0xC5: "hierarchical coding",
    0xC6: "hierarchical coding",
    0xC7: "hierarchical coding",
    0xC9: "arithmetic coding",
    0xCA: "arithmetic coding",
    0xCB: "lossless arithmetic coding",
    0xF7: "the coding of JPEG-LS",
}
_FRAMES = {0xC0, 0xC1, 0xC2, *_CODINGS}
_SCAN, _END, _APP1 = 0xDA, 0xD9, 0xE1
# What JFIF, a part of a profile, and Adobe's mark have at least.
_LEAST_BYTES = {0xE0: 14, 0xE2: 14, 0xEE: 12}


@dataclass(slots=True)
class Walk:
    """What the markers of a JPEG file say, up to its end mark.

    Attributes
    ----------
    scans : int
        Counted to one more than `MOST_SCANS` at most.
    ended : bool
        Whether there is an end mark.
    coding : int
        The marker of the frame, which says how it is coded.
    bits : int
        Of a sample.
    size : tuple of int
        Height and width.
    missing : dict
        By component, how many bits each of its 64 coefficients still lacks; all bits first.
    length, segments, exif, stray : int
        Bytes of what was gone through, segments that are no scans, those of EXIF, and bytes
        between those that come before the first scan.
    """

    scans: int = 0
    ended: bool = False
    coding: int = 0
    bits: int = 8
    size: tuple[int, int] = (0, 0)
    missing: dict[int, list[int]] = field(default_factory=dict)
    length: int = 0
    segments: int = 0
    exif: int = 0
    stray: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether scans for every bit of every coefficient have begun."""
        return bool(self.missing) and not any(map(any, self.missing.values()))


def walk(content: bytes, most_scans: int = MOST_SCANS) -> Walk:
    """Go from marker to marker, not from FF DA to FF DA: those may stand in texts and videos."""
    found, place = Walk(length=len(content)), len(START)
    while found.scans <= most_scans and found.segments <= MOST_SEGMENTS:
        mark = _MARK.search(content, place)
        if not found.scans:
            found.stray += max(0, (mark.start() if mark else len(content)) - place)
        if mark is None:
            return found
        kind, place = content[mark.end() - 1], mark.end()
        if kind == _END:
            found.ended = True
            return found
        found.segments += kind != _SCAN
        if kind in _ALONE:
            continue
        length = int.from_bytes(content[place : place + 2])
        segment = content[place + 2 : place + length]
        place += max(2, length)
        found.exif += kind == _APP1 and segment.startswith(b"Exif\0\0")
        if kind in _FRAMES and len(segment) >= 6:
            found.coding, found.bits = kind, segment[0]
            found.size = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5])
            found.missing = {component: [99] * 64 for component in segment[6::3]}
        elif kind == _SCAN:
            found.scans += 1
            _take_scan(found, segment)
    return found


def _take_scan(found: Walk, segment: bytes) -> None:
    if len(segment) < 4:
        return
    components, (first, last, depth) = segment[1:-3:2], segment[-3:]
    if found.coding not in (0xC2, 0xCA):
        first, last, depth = 0, 63, 0
    for component in components:
        if component in found.missing:
            for k in range(first, min(last, 63) + 1):
                found.missing[component][k] = depth & 15


def without_odd_parts(content: bytes) -> bytes:
    """Return a file without what libjpeg skips and Pillow falls over.

    That is metadata too short to be what they begin as, and bytes between the segments.
    """
    parts, place = [START], len(START)
    while (mark := _MARK.search(content, place)) is not None:
        start, place = mark.end() - 2, mark.end()
        kind = content[start + 1]
        if kind in (_SCAN, _END):
            parts.append(content[start:])
            break
        if kind in _ALONE:
            continue
        end = place + max(2, int.from_bytes(content[place : place + 2]))
        if end - place - 2 >= _LEAST_BYTES.get(kind, 0):
            parts.append(content[start:end])
        place = end
    return b"".join(parts)


def read(stream: BinaryIO) -> tuple[bytes, Walk]:
    """Return a file, but no more of it than is needed to find its end mark, and what marks say."""
    return _read(stream, _STEP, MOST_SCANS)


def read_header(stream: BinaryIO) -> Walk:
    """Return what a file's markers say up to its first scan, as far as Pillow goes to open it."""
    return _read(stream, _HEADER_STEP, 0)[1]


def _read(stream: BinaryIO, step: int, most_scans: int) -> tuple[bytes, Walk]:
    buffer, found = io.BytesIO(), Walk()
    while piece := stream.read(max(step, buffer.tell())):
        buffer.write(piece)
        found = walk(buffer.getvalue(), most_scans)
        if found.ended or found.scans > most_scans or find_excess(found):
            break
    return buffer.getvalue(), found


def find_excess(found: Walk) -> str | None:
    """Return what a file has too much of to be a photo, or None."""
    if found.scans > MOST_SCANS:
        return f"over {MOST_SCANS} scans"
    if found.length > MOST_BYTES and not found.ended:
        return f"over {MOST_BYTES:,} bytes"
    if found.segments > MOST_SEGMENTS:
        return f"over {MOST_SEGMENTS:,} segments"
    if found.exif > MOST_EXIF_SEGMENTS:
        return f"over {MOST_EXIF_SEGMENTS:,} segments of EXIF"
    if found.stray > MOST_STRAY_BYTES:
        return f"over {MOST_STRAY_BYTES:,} bytes between its segments"
    return None


def check(found: Walk, name: str) -> None:
    """Refuse a file that would take minutes or all memory.

    Raises
    ------
    ImageError
        If it has too much of something.
    """
    if excess := find_excess(found):
        raise ImageError(f"{name}: a JPEG of {excess} is no photo; save it anew")


def with_ends(content: bytes) -> list[bytes]:
    """Return a file that lacks its end mark with two ends that differ.

    A whole photo looks the same with either: no decoder needs what is put between its last
    pixel and its end mark. Where pixels are missing they are made of it, and differ.
    """
    data = content.rstrip(b"\0")
    if len(content) - len(data) < _LEAST_PADDING:
        data = content
    elif data.endswith(b"\xff"):
        data += b"\0"
    return [data + filler + END for filler in _FILLERS]


def name_coding(found: Walk) -> str | None:
    """Return what a decoder would have to know to read a file, if it is not what all know."""
    if found.coding and found.bits != 8 and found.coding != 0xF7:
        return f"JPEG of {found.bits} bits a sample"
    return _CODINGS.get(found.coding)
