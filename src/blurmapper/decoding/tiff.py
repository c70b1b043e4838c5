"""TIFF files: which of their pictures is the photo, and those that Pillow reads wrongly or not."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.decoding.arrays import check_area, check_size, cut_short
from blurmapper.decoding.tiff_bounds import (
    LOSSY_DNG,
    MOST_PAGES,
    check_directories,
    check_lists,
    check_overlap,
    check_parts,
    check_segments,
)
from blurmapper.decoding.tiff_samples import (
    COLOURS,
    has_dim_palette,
    interpret,
    is_grey,
    refuse,
    refuse_packing,
    take_numbers,
)
from blurmapper.errors import ImageError

if TYPE_CHECKING:
    import PIL.Image
    from tifffile import TiffFile, TiffPage

PREFIXES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MOST_SAMPLES = 8
"""Of a pixel; files of measurements have more."""

SENSOR = (32803, 34892)
"""Kinds of picture: a mosaic of colours, or all of them at each place, as a sensor saw them."""

_REDUCED, _MASK = 1, 4
_BITS, _PLANES, _FORMAT = 258, 284, 339
_SUBFILES, _DNG_VERSION, _ORIENTATION, _PROFILE = 330, 50706, 274, 34675
_COLOUR_MODELS = {6: "YCbCr", 9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv"}
_PILLOWS_CODECS = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34925, 50000}
_ZSTANDARD, _PLAIN, _PALETTE = 50000, (0, 1, 2), 3
# It logs what is odd about a file; without a handler, and one that stays, Python would print that.
_SILENT = logging.NullHandler()


class Choice(NamedTuple):
    """Which picture of a TIFF file is the photo.

    Attributes
    ----------
    at : int
        The place of the picture among those that follow each other.
    is_raw : bool
        Whether the photo is what a sensor saw, and this a thumbnail of it at best.
    is_for_pillow : bool
        Whether Pillow reads it as it is: others it refuses, or cuts their samples to 8 bits.
    """

    at: int
    is_raw: bool
    is_for_pillow: bool


class Samples(NamedTuple):
    """A picture as it is stored, before it is turned and its colours are converted.

    Attributes
    ----------
    pixels : ndarray
        (H, W, 1 to 4) of uint8, uint16 or float32: grey, RGB, either with straight alpha; or inks
        (H, W, 4) of uint8.
    model : {"grey or RGB", "CMYK", "Lab"}
    profile : bytes or None
    orientation : int
    """

    pixels: npt.NDArray[Any]
    model: str
    profile: bytes | None
    orientation: int


def choose_picture(stream: BinaryIO, name: str) -> Choice:
    """Return which picture is the photo: the first that is none of another, smaller.

    Raises
    ------
    ImageError
        If it, or what the file lists, would take all memory or hours.
    """
    with _open(stream, name) as file:
        choice = _choose(file)
        if not choice.is_raw:
            check_lists(stream, choice.at, name)
            check_parts(_find_page(file, choice.at), file.filehandle.size, name)
        return choice


def read_size(stream: BinaryIO) -> tuple[int, int] | None:
    """Return the (height, width) of the picture that is the photo, or None of a RAW photo."""
    with _open(stream, "photo") as file:
        choice = _choose(file)
        page = _find_page(file, choice.at)
        return None if choice.is_raw else (page.imagelength, page.imagewidth)


def is_deep(photo: PIL.Image.Image) -> bool:
    """Say whether Pillow cuts the samples of a TIFF file that it opened, or mixes them up."""
    tags = getattr(photo, "tag_v2", {})
    bits, planes = tags.get(_BITS, (1,)), tags.get(_PLANES, 1)
    return max(bits) > 8 or planes != 1 or any(kind != 1 for kind in tags.get(_FORMAT, (1,)))


def is_cut_short(stream: BinaryIO) -> bool:
    """Say whether the largest picture of a TIFF file, or below one, has pixels beyond its end."""
    with _open(stream, "photo") as file:
        largest = max(_parts(file), key=lambda part: sum(part.databytecounts))
        pairs = zip(largest.dataoffsets, largest.databytecounts, strict=False)
        size = file.filehandle.size
        return any(offset + count > size for offset, count in pairs)


def check_lossy(stream: BinaryIO, name: str) -> None:
    """Refuse a DNG file whose pixels are JPEGs that would take minutes, as in `jpeg.check`."""
    # Whatever is wrong with it otherwise, LibRaw will say.
    with (
        suppress(ArithmeticError, LookupError, ValueError, struct.error),
        _open(stream, name) as file,
    ):
        lossy = [part for part in _parts(file) if part.compression == LOSSY_DNG]
        check_overlap(lossy, file.filehandle.size, name)
        for part in lossy:
            check_segments(part, name)


def read_samples(stream: BinaryIO, index: int, name: str) -> Samples:
    """Return a picture of a TIFF file as it is stored, whole.

    Raises
    ------
    ImageError
        If it is of a kind that no photo is of, or pixels are missing.
    """
    with _open(stream, name) as file:
        page = _find_page(file, index)
        check_size(page.imagelength, page.imagewidth, name)
        _check(page, file.filehandle.size, name)
        profile = page.tags.valueof(_PROFILE)
        pixels, model = interpret(page, _decode(page), name)
        return Samples(pixels, model, profile, _orientation_of(page))


def read_numbers(stream: BinaryIO, index: int, name: str) -> tuple[npt.NDArray[Any], int] | None:
    """Return a grey picture (H, W) as the numbers that are stored, black as 0, and its orientation.

    None of a picture that has colours or alpha.

    Raises
    ------
    ImageError
        If it is of a kind that cannot be read, or pixels are missing.
    """
    with _open(stream, name) as file:
        page = _find_page(file, index)
        if not is_grey(page):
            return None
        _check(page, file.filehandle.size, name, kinds="biuf")
        return take_numbers(page, _decode(page)[..., 0]), _orientation_of(page)


@contextmanager
def _open(stream: BinaryIO, name: str) -> Iterator[TiffFile]:
    import tifffile

    check_directories(stream, name)

    logging.getLogger("tifffile").addHandler(_SILENT)
    stream.seek(0)
    with tifffile.TiffFile(stream, name="photo", is_ome=False, is_ndpi=False) as file:
        yield file
    stream.seek(0)


def _pages(file: TiffFile) -> Iterator[TiffPage]:
    for index in range(MOST_PAGES):
        try:
            yield file.pages[index]  # type: ignore[misc]
        except IndexError:
            return


def _parts(file: TiffFile) -> list[TiffPage]:
    return [part for page in _pages(file) for part in (page, *(page.pages or ()))]


def _choose(file: TiffFile) -> Choice:
    first = file.pages.first
    if _DNG_VERSION in first.tags or first.photometric in SENSOR:
        return Choice(0, is_raw=True, is_for_pillow=False)
    if _is_aside(first):
        for index, page in enumerate(_pages(file)):
            if page.photometric in SENSOR:
                return Choice(index, is_raw=True, is_for_pillow=False)
            if not _is_aside(page):
                return Choice(index, is_raw=False, is_for_pillow=_is_for_pillow(page))
    is_raw = _is_aside(first) and _SUBFILES in first.tags
    return Choice(0, is_raw=is_raw, is_for_pillow=_is_for_pillow(first))


def _find_page(file: TiffFile, index: int) -> TiffPage:
    return next(page for at, page in enumerate(_pages(file)) if at == index)


def _orientation_of(page: TiffPage) -> int:
    value = page.tags.valueof(_ORIENTATION, 1)
    # Of several Pillow takes the first; what is none turns nothing.
    with suppress(IndexError, TypeError, ValueError):
        return int(value[0] if isinstance(value, tuple) else value)
    return 1


def _decode(page: TiffPage) -> npt.NDArray[Any]:
    """Return a picture's samples (H, W, samples a pixel) as they are stored."""
    # Whatever a decoder leaves out is black, and not what was in memory before.
    pixels = np.zeros(page.shaped, page.dtype)
    page.asarray(out=pixels, squeeze=False, maxworkers=1)
    planes = pixels[:, 0]
    return planes[0] if planes.shape[0] == 1 else np.moveaxis(planes[..., 0], 0, 2)


def _is_aside(page: TiffPage) -> bool:
    """Say whether a picture is a smaller one, or the mask, of another."""
    return bool(int(page.subfiletype) & (_REDUCED | _MASK))


def _is_for_pillow(page: TiffPage) -> bool:
    is_shallow = _deepest(page) <= 8 and page.sampleformat in (1, 4)
    # It does not know alpha in planes of its own; JPEG it takes from libtiff as colours.
    is_in_planes = page.planarconfig == 2 and page.compression not in (6, 7)
    is_tiled = page.is_tiled and page.photometric in _PLAIN
    is_in_blocks = page.compression == 1 and (page.is_subsampled or is_tiled)
    # Some programs write colours of 8 bits, of which it makes black.
    is_dim = page.photometric == _PALETTE and has_dim_palette(page)
    # Before version 12, its builds lack Zstandard.
    may_lack_codec = page.compression == _ZSTANDARD and page.photometric in _PLAIN
    is_plain = not (is_in_planes or is_in_blocks or may_lack_codec or is_dim)
    return is_shallow and is_plain and int(page.compression) in _PILLOWS_CODECS


def _deepest(page: TiffPage) -> int:
    # The library has an integer where all channels have the same number of bits.
    bits: Any = page.bitspersample
    return int(max(bits)) if isinstance(bits, tuple) else int(bits)


def _check(page: TiffPage, size: int, name: str, kinds: str = "buf") -> None:
    """Refuse a picture that cannot be read before memory is taken for it."""
    from tifffile import TIFF

    check_area(page.imagelength, page.imagewidth, name)
    model = page.photometric
    if page.compression != 1 and page.compression not in TIFF.DECOMPRESSORS:
        raise refuse_packing(page, name)
    if model not in COLOURS:
        colours = _COLOUR_MODELS.get(int(model), f"colours of kind {int(model)}")
        raise refuse(name, f"{colours} in a TIFF file")
    if page.dtype is None or page.dtype.kind not in kinds:
        words = {2: "signed ", 5: "complex ", 6: "complex "}
        kind = words.get(int(page.sampleformat), "")
        raise refuse(name, f"samples of {page.bitspersample}-bit {kind}integers")
    if page.imagedepth != 1 or not COLOURS[model] <= page.samplesperpixel <= MOST_SAMPLES:
        raise refuse(name, f"{page.samplesperpixel} samples a pixel")
    check_parts(page, size, name)
    if not _has_all_pixels(page, size):
        raise ImageError(cut_short(name, "pixels lie beyond its end"))
    check_segments(page, name)


def _has_all_pixels(page: TiffPage, size: int) -> bool:
    if page.is_contiguous:
        assert page.dtype is not None
        return bool(page.dataoffsets[0] + math.prod(page.shaped) * page.dtype.itemsize <= size)
    segments = math.prod(page.chunked)
    offsets, counts = page.dataoffsets[:segments], page.databytecounts[:segments]
    return len(offsets) == len(counts) == segments and all(
        offset > 0 and count > 0 and offset + count <= size
        for offset, count in zip(offsets, counts, strict=True)
    )
