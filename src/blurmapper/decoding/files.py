"""Image files and Pillow images -> RGB arrays, upright and in sRGB."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ExifTags

from blurmapper.decoding.arrays import MIN_SIDE, check_size, from_array, row_strips, turn
from blurmapper.decoding.colour import deep_to_srgb, is_srgb, to_srgb_array
from blurmapper.decoding.raw import RawPhoto, is_bare_raw, is_raw_tiff, read_raw, starts_like_raw
from blurmapper.errors import BlurMapperError, ImageError, MissingExtraError

# Pillow can also open formats that run a program (EPS) or that no camera writes.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "PPM", "JPEG2000")

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

LARGE_PIXELS = 100_000_000
"""A file may claim so many pixels whatever it holds; they and their map fit into 2 GB."""

MOST_PIXELS_A_BYTE = 200
"""Of a larger photo. The sample photos, enlarged four times, have at most 49 as JPEG of quality 10
and 150 as AVIF of quality 20."""

MOST_SCANS = 100
"""Of a progressive JPEG, each of which goes over the whole photo; libjpeg itself writes ten."""

_OPENING = threading.Lock()
_HEAD = 32
_SCAN = b"\xff\xda"  # which stands in no scan's own data
_MOST_SIDE = 1_000_000  # for OpenCV


class Photo(NamedTuple):
    """RGB (h, w, 3), and the (height, width) that the photo itself has."""

    image: npt.NDArray[Any]
    height: int
    width: int


def decode_stream(stream: BinaryIO, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of an image file, whole; see `decode_photo`."""
    return decode_photo(stream, name).image


def decode_photo(stream: BinaryIO, name: str, least_pixels: int | None = None) -> Photo:
    """Return an image file's RGB array and the photo's size; `name` stands for it in errors.

    Parameters
    ----------
    stream : file
        Readable and seekable.
    name : str
    least_pixels : int, optional
        A JPEG may come reduced to a half, quarter or eighth of its sides, if that leaves so
        many pixels: its decoder then computes no more than those. A RAW photo likewise.

    Raises
    ------
    ImageError
        If the file is empty, no image, damaged, truncated, too small or too large. A
        truncated photo is refused even where a part could be decoded: the grey rest would
        count as blurred.
    MissingExtraError
        If the file is HEIC or RAW and what reads it is not installed.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    if not head:
        raise ImageError(f"{name}: the file is empty (0 bytes); copy or download it again")
    with _one_line_errors(name):
        if starts_like_raw(head) or is_bare_raw(stream, head):
            return _decode_raw(read_raw(stream, name, least_pixels), name, least_pixels)
        with _open(stream, head, name) as photo:
            if is_raw_tiff(photo):
                stream.seek(0)
                return _decode_raw(read_raw(stream, name, least_pixels), name, least_pixels)
            return _decode_photo(stream, head, photo, name, least_pixels)


def from_pillow(photo: PIL.Image.Image, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of a Pillow image: turned, over white, in sRGB.

    Samples of 16 bits stay 16 bits and floats stay floats; all else becomes 8 bits.
    """
    with _one_line_errors(name):
        check_size(photo.height, photo.width, name)
        photo.load()
        return turn(_samples(photo, name), _orientation(photo))


def open_pillow(stream: BinaryIO) -> PIL.Image.Image:
    """Open an image file lazily, past Pillow's own limit of 179 megapixels."""
    # That limit is a global and has no other switch; plugins check it only while opening.
    with _OPENING:
        limit, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
        try:
            return PIL.Image.open(stream, formats=FORMATS)
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = limit


def read_size(stream: BinaryIO) -> tuple[int, int] | None:
    """Return the (height, width) in an image file's header, or None where Pillow finds none."""
    # Whatever is wrong with it, reading the photo will say.
    with suppress(Exception), open_pillow(stream) as photo:
        return photo.height, photo.width
    return None


@contextmanager
def _one_line_errors(name: str) -> Iterator[None]:
    """Turn what a decoder raises for a damaged file, nearly anything, into `ImageError`."""
    try:
        yield
    except BlurMapperError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: not an image file that can be read; convert it to JPEG, PNG or TIFF"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(
            f"{name}: damaged or cut short ({reason}); copy or download it again"
        ) from error


def _open(stream: BinaryIO, head: bytes, name: str) -> PIL.Image.Image:
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS and b"avif" not in head:
        try:
            import pillow_heif
        except ImportError as error:
            raise MissingExtraError(
                f"{name}: HEIC photos need pip install 'blurmapper[photo]'"
            ) from error
        heif: PIL.Image.Image = pillow_heif.open_heif(stream).to_pillow()
        return heif
    return open_pillow(stream)


def _decode_photo(
    stream: BinaryIO, head: bytes, photo: PIL.Image.Image, name: str, least_pixels: int | None
) -> Photo:
    check_size(photo.height, photo.width, name)
    _check_content(stream, photo, name)
    width, height = photo.size
    if least_pixels is not None:
        _draft(photo, least_pixels)
    is_reduced = photo.size != (width, height)
    # Loading turns a TIFF file, and then its orientation is 1.
    photo.load()
    orientation = _orientation(photo)
    is_deep = _is_deep(photo, head)
    image = turn(
        _decode_deep(stream, photo, name) if is_deep else _samples(photo, name), orientation
    )
    if not is_reduced:
        return Photo(image, *image.shape[:2])
    return Photo(image, *((width, height) if orientation in (5, 6, 7, 8) else (height, width)))


def _check_content(stream: BinaryIO, photo: PIL.Image.Image, name: str) -> None:
    """Refuse a file made to take memory or time: much from hardly anything, or over and over."""
    place = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    scans = 0
    if photo.info.get("progressive"):
        stream.seek(0)
        scans = stream.read().count(_SCAN)
    stream.seek(place)
    if scans > MOST_SCANS:
        raise ImageError(f"{name}: a JPEG of {scans:,} scans is no photo; save it anew")
    pixels = photo.height * photo.width
    if pixels > LARGE_PIXELS and pixels > MOST_PIXELS_A_BYTE * size:
        raise ImageError(
            f"{name}: {photo.width} x {photo.height} pixels in {size:,} bytes is no photo; "
            f"reduce it to {LARGE_PIXELS // 1_000_000} megapixels if it is meant to be one"
        )


def _decode_raw(raw: RawPhoto, name: str, least_pixels: int | None) -> Photo:
    check_size(raw.height, raw.width, name)
    if raw.jpeg is None:
        assert raw.developed is not None
        return Photo(from_array(raw.developed, name), raw.height, raw.width)
    with open_pillow(io.BytesIO(raw.jpeg)) as preview:
        if least_pixels is not None:
            _draft(preview, least_pixels)
        preview.load()
        image = turn(_samples(preview, name), raw.orientation)
    return Photo(image, raw.height, raw.width)


def _draft(photo: PIL.Image.Image, least_pixels: int) -> None:
    """Let a JPEG be decoded at the least of 1, 1/2, 1/4, 1/8 of its sides that is enough."""
    for part in (8, 4, 2):
        height, width = photo.height // part, photo.width // part
        if height * width >= least_pixels and min(height, width) >= MIN_SIDE:
            # Other formats than JPEG have nothing to draft, and stay as they are.
            photo.draft(None, (width, height))
            return


def _samples(photo: PIL.Image.Image, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of a loaded Pillow image as it is stored, before turning."""
    if photo.mode == "F" or photo.mode.startswith("I;16"):
        return from_array(np.asarray(photo), name)
    if photo.mode == "I":
        # Pillow widens 16-bit PGM to 32 bits; other 32-bit integers have no known white.
        if photo.format != "PPM":
            raise ImageError(f"{name}: 32-bit integer samples; save it with 8 or 16 bits")
        return from_array(np.asarray(photo).astype(np.uint16), name)
    return to_srgb_array(photo)


def _is_deep(photo: PIL.Image.Image, head: bytes) -> bool:
    """Say whether a loaded photo is 16-bit colour, which Pillow has cut to 8 bits."""
    if max(photo.size) > _MOST_SIDE:
        return False
    if photo.format == "PNG":
        return head[24] == 16 and head[25] in (2, 6)
    bits = getattr(photo, "tag_v2", {}).get(ExifTags.Base.BitsPerSample, ())
    return photo.mode in ("RGB", "RGBA") and bits[:3] == (16, 16, 16)


def _decode_deep(stream: BinaryIO, photo: PIL.Image.Image, name: str) -> npt.NDArray[Any]:
    """Return 16-bit colour as it is stored, and close the photo.

    With a profile other than sRGB's it comes converted, and with 8 bits; so it does where OpenCV
    cannot decode it.
    """
    import cv2

    stream.seek(0)
    content = stream.read()
    size, profile = photo.size, photo.info.get("icc_profile")
    # OpenCV takes twice the photo's own memory for a while; Pillow's pixels need not be beside it.
    photo.close()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[:2] != size[::-1]:
        with open_pillow(io.BytesIO(content)) as again:
            again.load()
            return _samples(again, name)
    # In strips, for a copy of 100 megapixels would have 800 MB.
    for rows in row_strips(*pixels.shape[:2]):
        pixels[rows, :, :3] = pixels[rows, :, 2::-1]
    deep = pixels.astype(np.uint16, copy=False)
    if profile is None or is_srgb(profile):
        return from_array(deep, name)
    return deep_to_srgb(deep, profile)


def _orientation(photo: PIL.Image.Image) -> int:
    # Broken EXIF raises anything; every viewer shows such a photo as it is stored.
    with suppress(Exception):
        return int(photo.getexif().get(ExifTags.Base.Orientation, 1))
    return 1
