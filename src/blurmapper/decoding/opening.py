"""Image files as Pillow opens them, whatever a program has set, and how the camera was held."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

import PIL.Image

from blurmapper.decoding import boxes, jpeg, jpeg2000, png
from blurmapper.decoding.arrays import MOST_BYTES, check_packing, check_size, cut_short
from blurmapper.decoding.orientation import without_xmp
from blurmapper.decoding.settings import ignore_warnings, own_settings
from blurmapper.errors import BlurMapperError, ImageError, needing, one_line

if TYPE_CHECKING:
    from pillow_heif import HeifFile

# Pillow can also open formats that run a program (EPS) or that no camera writes.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "PPM", "JPEG2000")

Content = bytes | bytearray | memoryview
"""What may hold a file's content."""


class OpenFile(Protocol):
    """A file that somebody opened, of whatever kind."""

    def read(self) -> bytes:
        """Return what is left of its content."""
        ...


HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

_HEAD = 32
_STARTS = {
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "PNG": re.compile(re.escape(png.SIGNATURE)),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]"),
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "HEIF": re.compile(rb"....ftypmi[fa]", re.DOTALL),
    "WebP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "GIF": re.compile(rb"GIF8"),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
}

_NETPBM = re.compile(rb"P[0-6fy]")
_COMMENT = rb"#[^\r\n]*+[\r\n]?+"
_NUMBER = rb"(?:\s|%b)*+[^\s#](?:[^\s#]|%b)*+\s" % (_COMMENT, _COMMENT)
_NETPBM_HEADER = re.compile(rb"P(?:[14]\s(?:%b){2}|\S{1,5}?\s?(?:%b){3})" % (_NUMBER, _NUMBER))
_MOST_HEADER_BYTES = 65_536
# Runs of a BMP file Pillow unpacks byte by byte, which keeps all other threads waiting.
_RUNS, _MOST_RUN = (1, 2), 4_000_000


def read_head(stream: BinaryIO) -> bytes:
    """Return a file's first 32 bytes, by which its kind is told; it is then at its start."""
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    return head


def open_pillow(stream: BinaryIO) -> PIL.Image.Image:
    """Open an image file lazily, past Pillow's own limits of pixels and of texts in PNG files."""
    head = read_head(stream)
    if head.startswith(png.SIGNATURE):
        stream = io.BytesIO(png.read_chunks(stream).picture)
    elif head.startswith(jpeg.START):
        if excess := jpeg.find_excess(jpeg.read_header(stream)):
            raise ValueError(f"a JPEG of {excess}")
    elif name_kind(head) in ("WebP", "AVIF"):
        stream = boxes.without_tail(stream, head)
    elif _NETPBM.match(head):
        stream = _without_comments(stream, head)
    stream.seek(0)
    with own_settings():
        if name_kind(head) == "AVIF":
            with suppress(ValueError, PIL.UnidentifiedImageError):
                return PIL.Image.open(stream, formats=FORMATS)
            stream = boxes.without_exif(stream)
        return PIL.Image.open(stream, formats=FORMATS)


def _without_comments(stream: BinaryIO, head: bytes) -> BinaryIO:
    """Return a PBM, PGM or PPM file without what takes Pillow long.

    It goes through a header byte by byte, and copies a megabyte for each comment in plain ones.
    """
    if head.startswith((b"P1", b"P2", b"P3")):
        stream = io.BytesIO(re.sub(_COMMENT, b"", stream.read(MOST_BYTES)))
    start = stream.read(_MOST_HEADER_BYTES)
    if len(start) == _MOST_HEADER_BYTES and not _NETPBM_HEADER.match(start):
        raise ValueError(f"over {_MOST_HEADER_BYTES:,} bytes before its pixels")
    return stream


def open_jpeg(content: bytes) -> PIL.Image.Image:
    """Open a JPEG lazily, also one with metadata that Pillow falls over."""
    try:
        return open_pillow(io.BytesIO(content))
    except PIL.UnidentifiedImageError:
        return open_pillow(io.BytesIO(jpeg.without_odd_parts(content)))


def read_header_size(stream: BinaryIO) -> tuple[int, int] | None:
    """Return the (height, width) in an image file's header, or None where there is none.

    PNG and WebP files may be large, and Pillow would hold all of them; of JPEG 2000 it knows some.
    """
    # Whatever is wrong with it, reading the photo will say.
    with suppress(Exception):
        head = read_head(stream)
        if head.startswith(png.SIGNATURE):
            width, height = struct.unpack_from(">II", head, 16)
            return height, width
        if name_kind(head) == "WebP":
            return _read_webp_size(head)
        if name_kind(head) == "JPEG 2000":
            return jpeg2000.read_size(stream)
        if is_heif(head):
            width, height = _open_heif(stream, head).size
            return height, width
        with open_pillow(stream) as photo:
            return photo.height, photo.width
    return None


def _read_webp_size(head: bytes) -> tuple[int, int]:
    """Return the (height, width) in a WebP file's first 32 bytes, by its kind."""
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[27:30], "little"), 1 + int.from_bytes(head[24:27], "little")
    if kind == b"VP8L":
        sides = int.from_bytes(head[21:25], "little")
        return 1 + (sides >> 14 & 0x3FFF), 1 + (sides & 0x3FFF)
    width, height = struct.unpack_from("<HH", head, 26)
    return height & 0x3FFF, width & 0x3FFF


def is_heif(head: bytes) -> bool:
    """Say whether a file's first 32 bytes are those of one that libheif reads, and not Pillow."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS and b"avif" not in head


def open_other(stream: BinaryIO, head: bytes, name: str) -> PIL.Image.Image:
    """Open an image file by its first bytes: HEIF by libheif, all else by Pillow.

    Raises
    ------
    ImageError
        If a HEIF file holds no picture that libheif decodes, or JPEG 2000 endless parts.
    MissingExtraError
        If the file is HEIF and what reads it is not installed.
    PIL.UnidentifiedImageError
        If Pillow does not open it.
    """
    if is_heif(head):
        with needing("photo", f"{name}: HEIC photos need"):
            pictures = _open_heif(stream, head)
        if not len(pictures):
            raise ImageError(
                f"{name}: holds no picture in HEVC, or a damaged one; save it as JPEG or PNG"
            )
        # It is decoded at once.
        check_content(stream, pictures, name)
        heif: PIL.Image.Image = pictures.to_pillow()
        return heif
    if name_kind(head) == "JPEG 2000":
        jpeg2000.check_parts(stream, name)
    return open_pillow(stream)


def _open_heif(stream: BinaryIO, head: bytes) -> HeifFile:
    """Open a HEIF file without decoding it."""
    import pillow_heif

    return pillow_heif.open_heif(boxes.without_tail(stream, head))


def name_kind(head: bytes) -> str | None:
    """Return what a file's first bytes say that it is, or None where they may be of anything."""
    return next((kind for kind, start in _STARTS.items() if start.match(head)), None)


def read_open_file(source: OpenFile) -> tuple[BinaryIO, str]:
    """Return the content of what somebody opened, and its name for errors.

    Whole, as a pipe or an archive's member cannot go back in itself; and as Pillow does, from its
    start where it can.

    Raises
    ------
    ImageError
        If it gives no bytes, or fails.
    """
    name = getattr(source, "name", None)
    name = name if isinstance(name, str) and name else "the open file"
    try:
        with suppress(AttributeError, OSError, ValueError):
            source.seek(0)  # type: ignore[attr-defined]
        content: bytes | str | None = source.read()
    except Exception as error:  # archives raise anything
        raise ImageError(f"{name}: cannot be read ({one_line(error)}); open it anew") from error
    if not isinstance(content, Content):
        raise ImageError(f"{name}: gives no bytes; open it with mode 'rb'")
    return io.BytesIO(content), name


def check_content(stream: BinaryIO, photo: PIL.Image.Image | HeifFile, name: str) -> None:
    """Refuse a file of too few or too many pixels, or made to take memory: many from hardly any."""
    width, height = photo.size
    check_size(height, width, name)
    place = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(place)
    check_packing(height, width, size, name)
    is_bmp = isinstance(photo, PIL.Image.Image) and photo.format == "BMP"
    if is_bmp and photo.info.get("compression") in _RUNS and width * height > _MOST_RUN:
        raise ImageError(f"{name}: a BMP packed in runs of so many pixels; save it as PNG")


def load_pillow(photo: PIL.Image.Image) -> None:
    """Decode a Pillow image, which turns a TIFF file; an orientation in XMP turns nothing."""
    with without_xmp(photo):
        try:
            photo.load()
        except (AssertionError, AttributeError) as error:
            # After its `with` block Pillow trips over the file that it let go of.
            if getattr(photo, "fp", photo) is None:
                raise ValueError("closed file") from error
            raise


Decoded = TypeVar("Decoded")

_NOT_BUILT_IN = re.compile(
    r"unsupported|not (implemented|supported)|no (codec|decoder)", re.IGNORECASE
)
_CLOSED = re.compile(r"closed (image|file)")
_PYTHONS_OWN = (ArithmeticError, AttributeError, LookupError, TypeError, struct.error)
"""Errors whose words are about a program, not about a file."""


def decode_safely(decode: Callable[[], Decoded], name: str) -> Decoded:
    """Decode whatever the program has set; what a damaged file raises becomes an `ImageError`."""
    with own_settings():
        try:
            try:
                return decode()
            except Warning:
                # Pillow warns of odd metadata in photos that it reads well.
                ignore_warnings()
                return decode()
        except BlurMapperError:
            raise
        except PIL.UnidentifiedImageError as error:
            raise ImageError(
                f"{name}: not an image file that can be read; convert it to JPEG, PNG or TIFF"
            ) from error
        except MemoryError as error:
            mend = "reduce it, or work on fewer at a time"
            raise ImageError(f"{name}: asks for more memory than is free; {mend}") from error
        except _PYTHONS_OWN as error:
            raise ImageError(cut_short(name, "what it says of itself cannot be")) from error
        except Exception as error:
            reason = one_line(error)
            if _CLOSED.search(reason):
                line = f"{name}: closed before it was read; read it while it is open"
                raise ImageError(line) from error
            if _NOT_BUILT_IN.search(reason):
                raise ImageError(
                    f"{name}: of a kind that is not built in ({reason}); save it as JPEG or PNG"
                ) from error
            raise ImageError(cut_short(name, reason)) from error
