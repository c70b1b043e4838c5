"""Files made of boxes (HEIC, AVIF, CR3, JPEG 2000): the colours they tell of, and their ends."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import BinaryIO, NamedTuple

from blurmapper.decoding.arrays import MOST_BYTES

_MOST_BOXES = 10_000
_MOST_BOX_BYTES = 16_000_000
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = (b"JpgTiffExif->JP2", bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e"))
"""What ExifTool and digiKam, and Photoshop, call the box of EXIF in JPEG 2000."""

_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")


_FILM_HOLDERS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"cmov", b"mvex"),
    *(b"edts", b"udta", b"dinf", b"tref", b"sinf", b"schi", b"ipro", b"wave", b"ilst"),
}
"""In which FFmpeg looks for others, whether or not they belong there, to a depth of 10."""

_SAMPLE_COUNTS = (b"stsz", b"stz2", b"trun")
_MOST_SAMPLES = 10_000_000
"""Of a file: two days at 60 frames a second."""

_MOST_FILM_BOXES = 1_000_000


class Colours(NamedTuple):
    """An ICC profile, and a signal by its primaries and transfer of ITU-T H.273; or None."""

    profile: bytes | None
    signal: tuple[int, int] | None


def is_cut_short(stream: BinaryIO) -> bool:
    """Say whether the last of a file's outer boxes reaches beyond its end."""
    size = stream.seek(0, io.SEEK_END)
    return any(end > size for _, _, end in list(_outer_boxes(stream)))


def read_xmp(stream: BinaryIO) -> bytes:
    """Return the packet of XMP in an outer box of its own, as in JPEG 2000 and CR3, or nothing."""
    return _read_uuid(stream, _XMP)


def read_jp2_exif(stream: BinaryIO) -> bytes:
    """Return the EXIF of a JPEG 2000 file, or nothing."""
    return next(filter(None, (_read_uuid(stream, name) for name in _EXIF)), b"")


def read_cr3_exif(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Return the first directory of a CR3 file's EXIF and that of its details, each as TIFF."""
    names = [content for name, content in _boxes(_read_outer(stream, b"moov")) if name == b"uuid"]
    parts = dict(_boxes(next((each[16:] for each in names if each.startswith(_CANON)), b"")))
    return parts.get(b"CMT1", b""), parts.get(b"CMT2", b"")


def _read_uuid(stream: BinaryIO, wanted: bytes) -> bytes:
    for name, start, end in list(_outer_boxes(stream)):
        stream.seek(start)
        if name == b"uuid" and stream.read(len(wanted)) == wanted:
            return stream.read(min(end - start, _MOST_BOX_BYTES) - len(wanted))
    return b""


def read_colours(stream: BinaryIO, head: bytes) -> Colours:
    """Return what a file's boxes say of its colours, by its first bytes; nothing of other files."""
    if head[4:8] == b"ftyp":
        return _read_heif_colours(stream)
    if head[4:8] == b"jP  ":
        return _read_jp2_colours(stream)
    return Colours(None, None)


def _read_heif_colours(stream: BinaryIO) -> Colours:
    """Return the colours of the picture that a file of ISO/IEC 23008-12 shows first."""
    meta = _read_outer(stream, b"meta")[4:]
    inner = dict(_boxes(meta))
    properties = dict(_boxes(inner.get(b"iprp", b"")))
    holders = list(_boxes(properties.get(b"ipco", b"")))
    primary = _primary_item(inner.get(b"pitm", b""))
    chosen = _properties_of(primary, properties.get(b"ipma", b""))
    colours = [
        content
        for index, (name, content) in enumerate(holders, 1)
        if name == b"colr" and (index in chosen or not chosen)
    ]
    return _join(colours)


def _read_jp2_colours(stream: BinaryIO) -> Colours:
    """Return the colours of a JPEG 2000 file, of which the first box that says any counts."""
    return _join([content for name, content in read_jp2_header(stream) if name == b"colr"][:1])


def read_jp2_header(stream: BinaryIO) -> list[tuple[bytes, bytes]]:
    """Return the names and contents of the boxes that tell how a JPEG 2000 file looks."""
    return list(_boxes(_read_outer(stream, b"jp2h")))


def find_end(stream: BinaryIO) -> int:
    """Return where a file's last outer box ends: what lies behind it is no box."""
    return max([end for name, _, end in _outer_boxes(stream) if name != bytes(4)], default=0)


def without_tail(stream: BinaryIO, head: bytes) -> BinaryIO:
    """Return a file of RIFF or of boxes, which is read whole, as far as its picture may go."""
    is_riff = head.startswith(b"RIFF")
    end = 8 + int.from_bytes(head[4:8], "little") if is_riff else find_end(stream)
    size = stream.seek(0, io.SEEK_END)
    if min(end, size) > MOST_BYTES:
        raise ValueError(f"over {MOST_BYTES:,} bytes")
    stream.seek(0)
    return io.BytesIO(stream.read(end))


def without_exif(stream: BinaryIO) -> BinaryIO:
    """Return an AVIF file with its EXIF under a name that nobody knows: libavif refuses odd EXIF.

    How the photo is turned is said beside it.
    """
    start, end = find_outer(stream, b"meta")
    stream.seek(0)
    content = stream.read()
    named = content[start:end].replace(b"Exif", b"skip")
    return io.BytesIO(content[:start] + named + content[end:])


def claims_samples(stream: BinaryIO) -> bool:
    """Say whether a film lists more samples than any has: what reads it makes an object of each.

    Sound without packing has a sample for each moment, all of one size, and no object for each.
    Nobody looks through a film of too many boxes.
    """
    size, handler, samples = stream.seek(0, io.SEEK_END), b"", 0
    for number, (name, content) in enumerate(_film_boxes(stream, 0, size)):
        if name == b"hdlr" and content[4:8] != b"dhlr":  # which says where the data is
            handler = content[8:]
        if name in _SAMPLE_COUNTS and len(content) == 12:
            each, count = struct.unpack_from(">4xII", content)
            if name == b"trun":
                each, count = 0, each
            if not (handler == b"soun" and 0 < each * count <= size):
                samples += count
        if samples > _MOST_SAMPLES or number == _MOST_FILM_BOXES:
            return True
    return False


def _film_boxes(
    stream: BinaryIO, place: int, end: int, depth: int = 10
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name of each box of a film that holds no others, and how its content begins."""
    for name, start, stop in _find_boxes(stream, place, end) if depth else ():
        stream.seek(start)
        if name in _FILM_HOLDERS:
            yield from _film_boxes(stream, start, min(stop, end), depth - 1)
        elif name == b"cmvd":
            # What holds all of QuickTime's old films is packed.
            packed = stream.read(min(stop - start, _MOST_BOX_BYTES))[4:]
            with suppress(zlib.error):
                content = zlib.decompressobj().decompress(packed, _MOST_BOX_BYTES)
                yield from _film_boxes(io.BytesIO(content), 0, len(content), depth - 1)
        else:
            yield name, stream.read(12)


def find_outer(stream: BinaryIO, wanted: bytes) -> tuple[int, int]:
    """Return where an outer box's content starts and ends, or (0, 0) if there is none."""
    boxes = list(_outer_boxes(stream))
    return next(((start, end) for name, start, end in boxes if name == wanted), (0, 0))


def _join(contents: list[bytes]) -> Colours:
    profile, signal = None, None
    for content in contents:
        if content[:4] in (b"prof", b"rICC"):
            profile = profile or content[4:]
        elif content[:4] == b"nclx" and len(content) >= 8:
            signal = signal or struct.unpack_from(">HH", content, 4)
        elif content[:1] == b"\2":  # a profile in JPEG 2000
            profile = profile or content[3:]
    return Colours(profile, signal)


def _read_outer(stream: BinaryIO, wanted: bytes) -> bytes:
    """Return the content of an outer box, or nothing."""
    start, end = find_outer(stream, wanted)
    stream.seek(start)
    return stream.read(min(end - start, _MOST_BOX_BYTES))


def _outer_boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box of a file, where its content starts, and where it ends."""
    found = _find_boxes(stream, 0, stream.seek(0, io.SEEK_END))
    for name, start, end in islice(found, _MOST_BOXES):
        if not name.isascii():
            break
        yield name, start, end
    stream.seek(0)


def _find_boxes(stream: BinaryIO, place: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the same of the boxes between two places."""
    # What is no box at all may claim one of any size.
    while place < size:
        stream.seek(place)
        head = stream.read(min(16, size - place))
        if len(head) < 8:
            break
        length, name = struct.unpack_from(">I4s", head)
        start = 8
        if length == 1 and len(head) == 16:
            length, start = int.from_bytes(head[8:]), 16
        length = length or size - place
        if length < start:
            break
        yield name, place + start, place + length
        place += length


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        length = length or len(content) - place
        if length < 8:
            return
        yield name, content[place + 8 : place + length]
        place += length


def _primary_item(box: bytes) -> int:
    return int.from_bytes(box[4:8] if box[:1] == b"\1" else box[4:6])


def _properties_of(item: int, box: bytes) -> set[int]:
    """Return the numbers, from 1, of an item's properties: ISO/IEC 14496-12, 8.11.14."""
    if len(box) < 8:
        return set()
    id_bytes, wide = (4 if box[0] else 2), box[3] & 1
    (entries,) = struct.unpack_from(">I", box, 4)
    place = 8
    for _ in range(min(entries, _MOST_BOXES)):
        number = int.from_bytes(box[place : place + id_bytes])
        count = int.from_bytes(box[place + id_bytes : place + id_bytes + 1])
        place += id_bytes + 1
        step = 2 if wide else 1
        parts = [box[at : at + step] for at in range(place, place + count * step, step)]
        place += count * step
        if number == item:
            return {int.from_bytes(part) & (0x7FFF if wide else 0x7F) for part in parts}
    return set()
