"""RAW photos: the JPEG that the camera put into them, or what its sensor saw, developed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.errors import MissingExtraError

if TYPE_CHECKING:
    import PIL.Image

RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos"),
    *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw"),
    ".x3f",
)

FULL_SHARE = 0.9
"""An embedded JPEG with at least this share of the sensor's rows and columns is the photo."""

_MAGIC = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
_TURNS = {0: 1, 3: 3, 5: 8, 6: 6}
_SUBFILE, _DNG_VERSION, _ORIENTATION, _PHOTOMETRIC = 254, 50706, 274, 262
_SENSOR = (32803, 34892)  # a mosaic of colours, or all of them at each place


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
    is_canon = head[4:12] == b"ftypcrx " or head[8:10] == b"CR" or head[6:10] == b"HEAP"
    return is_canon or head.startswith(_MAGIC)


def is_raw_tiff(photo: PIL.Image.Image) -> bool:
    """Say whether what Pillow takes for a TIFF file is a RAW photo's thumbnail.

    DNG, NEF, ARW and PEF files are TIFF files, of which Pillow reads the first picture: for a
    camera, a thumbnail that says so, and for all others the photo.
    """
    tags = getattr(photo, "tag_v2", {})
    return photo.format == "TIFF" and (_DNG_VERSION in tags or bool(tags.get(_SUBFILE, 0) & 1))


def is_bare_raw(stream: BinaryIO, head: bytes) -> bool:
    """Say whether the first picture in a TIFF file is what a sensor saw, as in DNG files of phones.

    Pillow does not open such a file; those of most cameras begin with a thumbnail.
    """
    from PIL import TiffImagePlugin

    if head[:4] not in (b"II*\0", b"MM\0*"):
        return False
    # Whatever is wrong with the file, reading it as TIFF will say.
    with suppress(Exception):
        directory = TiffImagePlugin.ImageFileDirectory_v2(head[:8])
        stream.seek(directory.next)
        directory.load(stream)
        stream.seek(0)
        return directory.get(_PHOTOMETRIC) in _SENSOR
    stream.seek(0)
    return False


def read_raw(stream: BinaryIO, name: str, least_pixels: int | None) -> RawPhoto:
    """Read a RAW photo by its embedded JPEG where that has pixels enough, or develop it.

    Developing takes the camera's white balance and leaves the brightness as it is.

    Raises
    ------
    MissingExtraError
        If ``rawpy`` is not installed.
    """
    try:
        import rawpy
    except ImportError as error:
        raise MissingExtraError(
            f"{name}: RAW photos need pip install 'blurmapper[photo]'"
        ) from error
    with rawpy.imread(stream) as raw:
        height, width = raw.sizes.height, raw.sizes.width
        turn = _TURNS.get(raw.sizes.flip, 1)
        if turn in (6, 8):
            height, width = width, height
        preview = _read_preview(raw, rawpy)
        if preview is not None:
            jpeg, (rows, columns), orientation = preview
            orientation = orientation or turn
            if orientation in (5, 6, 7, 8):
                rows, columns = columns, rows
            if min(rows / height, columns / width) >= FULL_SHARE:
                return RawPhoto(jpeg, None, orientation, rows, columns)
            like = abs(rows * width / (columns * height) - 1) < 0.02
            if like and least_pixels is not None and rows * columns >= least_pixels:
                return RawPhoto(jpeg, None, orientation, height, width)
        is_half_enough = least_pixels is not None and height * width >= 4 * least_pixels
        developed = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, half_size=is_half_enough
        )
        if not is_half_enough:
            height, width = developed.shape[:2]
        return RawPhoto(None, developed, 1, height, width)


def _read_preview(raw: Any, rawpy: Any) -> tuple[bytes, tuple[int, int], int | None] | None:
    """Return the embedded JPEG, its (height, width) as stored and its own EXIF orientation."""
    import io

    import PIL.Image

    try:
        thumbnail = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    if thumbnail.format != rawpy.ThumbFormat.JPEG:
        return None
    try:
        with PIL.Image.open(io.BytesIO(thumbnail.data), formats=("JPEG",)) as preview:
            orientation = preview.getexif().get(_ORIENTATION)
            return thumbnail.data, (preview.height, preview.width), orientation
    except (OSError, SyntaxError, ValueError):
        return None
