"""RAW photos: the JPEG that the camera put into them, or what its sensor saw, developed."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.decoding import boxes, jpeg, tiff
from blurmapper.decoding.arrays import cut_short
from blurmapper.decoding.opening import open_pillow, read_head
from blurmapper.decoding.orientation import read_orientation
from blurmapper.errors import ImageError, needing

RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos"),
    *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw"),
    ".x3f",
)

FULL_SHARE = 0.9
"""An embedded JPEG with at least this share of the sensor's rows and columns is the photo."""

LIKE = 0.02
"""By what share the aspect of an embedded JPEG may differ from that of the sensor."""

RAF_START, MRW_START = b"FUJIFILM", b"\0MRM"
TIFF_LIKE = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
"""What ORF and RW2 begin with, which are built as TIFF otherwise."""

_MAGIC = (b"FUJIFILMCCD-RAW", *TIFF_LIKE, b"FOVb", MRW_START)
_MOST_MRW_BYTES = 1 << 20
_TURNS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}
"""What LibRaw calls a turn -> what EXIF does."""


class RawPhoto(NamedTuple):
    """What a RAW file gave: an embedded JPEG or developed RGB, how it is to be turned, its size.

    The developed photo is upright, and ``height`` and ``width`` are those of the upright photo.
    """

    jpeg: bytes | None
    developed: npt.NDArray[np.uint8] | None
    orientation: int
    height: int
    width: int


def starts_like_raw(head: bytes) -> bool:
    """Say whether a file's first 32 bytes are those of a RAW photo that is no TIFF file."""
    is_cr2 = head.startswith(b"II*\0\x10\0\0\0CR\x02")
    is_canon = head[4:12] == b"ftypcrx " or is_cr2 or head[6:10] == b"HEAP"
    return is_canon or head.startswith(_MAGIC)


def is_cut_short(stream: BinaryIO, head: bytes) -> bool:
    """Say whether a RAW file says that it goes on beyond its end, of which LibRaw makes black."""
    # Whatever is wrong with it otherwise, reading it will say.
    with suppress(Exception):
        if head[4:8] == b"ftyp":
            return boxes.is_cut_short(stream)
        if head.startswith(RAF_START):
            parts = read_raf_parts(stream)
            return max(map(sum, parts)) > stream.seek(0, io.SEEK_END)
        return tiff.is_cut_short(stream)
    return False


def read_raf_parts(stream: BinaryIO) -> list[tuple[int, int]]:
    """Return where a RAF file's JPEG, headers and pixels start, and how many bytes they have."""
    stream.seek(0x54)
    return list(struct.iter_unpack(">II", stream.read(24)))


def read_mrw_tiff(stream: BinaryIO) -> bytes:
    """Return the part of an MRW file that is a TIFF file without pixels."""
    stream.seek(4)
    (size,) = struct.unpack(">I", stream.read(4))
    content = stream.read(min(size, _MOST_MRW_BYTES))
    return content[content.index(b"\0TTW") + 8 :]


def read_raw(stream: BinaryIO, name: str, least_pixels: int | None) -> RawPhoto:
    """Read a RAW photo by its embedded JPEG where that has pixels enough, or develop it.

    Developing takes the camera's white balance and leaves the brightness as it is.

    Raises
    ------
    ImageError
        If the file is cut short, or LibRaw does not read it.
    MissingExtraError
        If ``rawpy`` is not installed.
    """
    with needing("photo", f"{name}: RAW photos need"):
        import rawpy
    head = read_head(stream)
    if is_cut_short(stream, head):
        raise ImageError(cut_short(name, "pixels lie beyond its end"))
    if head.startswith(tiff.PREFIXES):
        tiff.check_lossy(stream, name)
    stream.seek(0)
    try:
        with rawpy.imread(stream) as raw:
            return _read(raw, rawpy, least_pixels)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else type(error).__name__
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ImageError(
            f"{name}: a RAW photo that LibRaw does not read ({text}); "
            "copy it again, or export it as JPEG"
        ) from error


def _read(raw: Any, rawpy: Any, least_pixels: int | None) -> RawPhoto:
    height, width = raw.sizes.height, raw.sizes.width
    turn = _TURNS.get(raw.sizes.flip, 1)
    if turn in (5, 6, 7, 8):
        height, width = width, height
    preview = _read_preview(raw, rawpy)
    if preview is not None:
        content, (rows, columns), orientation = preview
        orientation = orientation or turn
        if orientation in (5, 6, 7, 8):
            rows, columns = columns, rows
        if min(rows / height, columns / width) >= FULL_SHARE:
            return RawPhoto(content, None, orientation, rows, columns)
        is_like = abs(rows * width / (columns * height) - 1) < LIKE
        if is_like and least_pixels is not None and rows * columns >= least_pixels:
            return RawPhoto(content, None, orientation, height, width)
    is_half_enough = least_pixels is not None and height * width >= 4 * least_pixels
    developed = raw.postprocess(use_camera_wb=True, no_auto_bright=True, half_size=is_half_enough)
    if not is_half_enough:
        height, width = developed.shape[:2]
    return RawPhoto(None, developed, 1, height, width)


def _read_preview(raw: Any, rawpy: Any) -> tuple[bytes, tuple[int, int], int | None] | None:
    """Return the embedded JPEG, its (height, width) as stored and its own EXIF orientation."""
    try:
        thumbnail = raw.extract_thumb()
    except (rawpy.LibRawError, NotImplementedError, OSError):
        # NotImplementedError where it is no JPEG, but HEVC or JPEG XL.
        return None
    if thumbnail.format != rawpy.ThumbFormat.JPEG:
        return None
    if jpeg.find_excess(jpeg.read(io.BytesIO(thumbnail.data))[1]):
        return None
    try:
        with open_pillow(io.BytesIO(thumbnail.data)) as preview:
            turned = read_orientation(preview)
            return thumbnail.data, (preview.height, preview.width), turned if turned != 1 else None
    except (OSError, SyntaxError, ValueError):
        return None
