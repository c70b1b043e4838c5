"""EXIF and XMP of image files, whole; how a photo is turned is asked in ``opening``."""

from __future__ import annotations

import io
from typing import BinaryIO, NamedTuple

import PIL.Image

from blurmapper.decoding import boxes, jpeg, png, tiff
from blurmapper.decoding.opening import is_heif, open_jpeg, open_pillow
from blurmapper.decoding.raw import RAF_START, read_raf_parts

_HEAD = 32
_TIFF_XMP = 700


class Metadata(NamedTuple):
    """EXIF, which may read on in the file, and a packet of XMP; empty where there is none."""

    exif: PIL.Image.Exif
    xmp: bytes


def read_metadata(stream: BinaryIO) -> Metadata:
    """Return what an image file of any kind that is read says; some RAW files are not understood.

    Metadata are as broken as files can be, and then raise anything.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith(RAF_START):
        (start, size), *_ = read_raf_parts(stream)
        stream.seek(start)
        stream = io.BytesIO(stream.read(size))
    if head.startswith(png.SIGNATURE):
        # Asked itself, Pillow would unpack the whole picture to look for them behind it.
        file = png.read_chunks(stream)
        return Metadata(_load_exif(file.chunks.get(b"eXIf")), png.read_xmp(file))
    if is_heif(head):
        import pillow_heif

        info = pillow_heif.open_heif(boxes.without_tail(stream, head)).info
        return Metadata(_load_exif(info.get("exif")), info.get("xmp") or b"")
    if head[4:8] == b"jP  " or head[4:12] == b"ftypcrx ":
        return Metadata(PIL.Image.Exif(), boxes.read_xmp(stream))
    try:
        # Not closed, for that would close the file.
        return _ask(open_pillow(stream))
    except PIL.UnidentifiedImageError:
        stream.seek(0)
        if head.startswith(tiff.PREFIXES):
            # The first picture of a RAW file need not be one that Pillow reads.
            exif = PIL.Image.Exif()
            exif.load_from_fp(stream)
            return Metadata(exif, exif.get(_TIFF_XMP, b""))
        return _ask(open_jpeg(jpeg.read(stream)[0]))


def _ask(opened: PIL.Image.Image) -> Metadata:
    return Metadata(opened.getexif(), opened.info.get("xmp") or b"")


def _load_exif(content: bytes | None) -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif.load(content or b"")
    return exif
