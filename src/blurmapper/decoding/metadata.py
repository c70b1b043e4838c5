"""EXIF and XMP of image files, whole; how a photo is turned is asked in ``orientation``."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import PIL.Image
from PIL import ExifTags

from blurmapper.decoding import boxes, jpeg, png, tiff
from blurmapper.decoding.opening import (
    is_heif,
    name_kind,
    open_jpeg,
    open_pillow,
    read_head,
)
from blurmapper.decoding.orientation import read_orientation
from blurmapper.decoding.raw import MRW_START, RAF_START, TIFF_LIKE, read_mrw_tiff, read_raf_parts

_TIFF_XMP = 700


class Metadata(NamedTuple):
    """EXIF, which may read on in the file, and a packet of XMP; empty where there is none."""

    exif: PIL.Image.Exif
    xmp: bytes


def read_metadata(stream: BinaryIO) -> Metadata:
    """Return what an image file of any kind that is read says; CRW and X3F are not understood.

    Metadata are as broken as files can be, and then raise anything.
    """
    head = read_head(stream)
    if head.startswith(RAF_START):
        (start, size), *_ = read_raf_parts(stream)
        stream.seek(start)
        stream = io.BytesIO(stream.read(size))
    if head.startswith(MRW_START):
        stream = io.BytesIO(read_mrw_tiff(stream))
    if head.startswith(png.SIGNATURE):
        # Asked itself, Pillow would unpack the whole picture to look for them behind it.
        file = png.read_chunks(stream)
        return Metadata(_load_exif(file.chunks.get(b"eXIf")), png.read_xmp(file))
    if is_heif(head):
        import pillow_heif

        info = pillow_heif.open_heif(boxes.without_tail(stream, head)).info
        return Metadata(_load_exif(info.get("exif")), info.get("xmp") or b"")
    if head[4:8] == b"jP  " or head[4:12] == b"ftypcrx ":
        return Metadata(_read_boxes(stream, head), boxes.read_xmp(stream))
    try:
        # Not closed, for that would close the file.
        return _ask(open_pillow(stream))
    except PIL.UnidentifiedImageError:
        stream.seek(0)
        if head.startswith((*tiff.PREFIXES, *TIFF_LIKE, MRW_START)):
            # The first picture of a RAW file need not be one that Pillow reads.
            return _read_directory(stream)
        return _ask(open_jpeg(jpeg.read(stream)[0]))


def is_turned_webp(photo: Path) -> bool:
    """Say whether a file is a WebP photo that EXIF turns, which browsers do not."""
    # Whatever is wrong with it, reading the photo will say.
    with suppress(Exception), photo.open("rb") as stream:
        if name_kind(read_head(stream)) == "WebP":
            return read_orientation(open_pillow(stream)) in range(2, 9)
    return False


def _ask(opened: PIL.Image.Image) -> Metadata:
    return Metadata(opened.getexif(), opened.info.get("xmp") or b"")


def _read_directory(stream: BinaryIO) -> Metadata:
    """Return what the first directory of a file that is built as TIFF says."""
    exif = PIL.Image.Exif()
    head, offset = stream.read(8), None
    if head.startswith(TIFF_LIKE):
        # Pillow knows none of these by its first bytes.
        exif.endian = "<" if head.startswith(b"II") else ">"
        (offset,) = struct.unpack(f"{exif.endian}I", head[4:])
    stream.seek(0)
    exif.load_from_fp(stream, offset)
    return Metadata(exif, exif.get(_TIFF_XMP, b""))


def _read_boxes(stream: BinaryIO, head: bytes) -> PIL.Image.Exif:
    """Return the EXIF of a JPEG 2000 or CR3 file."""
    if head[4:8] == b"jP  ":
        return _load_exif(boxes.read_jp2_exif(stream))
    first, details = boxes.read_cr3_exif(stream)
    exif = _load_exif(first)
    exif.get_ifd(ExifTags.IFD.Exif).update(_load_exif(details))
    return exif


def _load_exif(content: bytes | None) -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif.load(content or b"")
    return exif
