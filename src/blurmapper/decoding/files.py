"""Image files and Pillow images -> RGB arrays, upright and in sRGB."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding import boxes, jpeg, jpeg2000, netpbm, png, tiff
from blurmapper.decoding.arrays import (
    MIN_SIDE,
    check_size,
    cut_short,
    from_array,
    to_eight_bits,
    turn,
    with_known_scale,
)
from blurmapper.decoding.colour import deep_to_srgb, to_srgb_array
from blurmapper.decoding.conversions import Conversion, picture_of
from blurmapper.decoding.opening import (
    check_content,
    decode_safely,
    load_pillow,
    name_kind,
    open_jpeg,
    open_other,
    open_pillow,
    read_head,
)
from blurmapper.decoding.orientation import read_orientation, without_xmp
from blurmapper.decoding.raw import RawPhoto, read_raw, starts_like_raw
from blurmapper.decoding.tiff_samples import NO_MODE, invert
from blurmapper.errors import BlurMapperError, ImageError


class Photo(NamedTuple):
    """RGB (h, w, 3), the (height, width) that the photo itself has, and the EXIF turn it got.

    Of HEIC and RAW files the turn is 1: whatever reads them turns them, as their formats ask.
    """

    image: npt.NDArray[Any]
    height: int
    width: int
    orientation: int = 1


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
    return decode_safely(lambda: _decode_any(stream, name, least_pixels), name)


def from_pillow(photo: PIL.Image.Image, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of a Pillow image: turned, over white, in sRGB.

    Samples of 16 bits stay 16 bits and floats stay floats; all else becomes 8 bits.
    """

    def load() -> npt.NDArray[Any]:
        check_size(photo.height, photo.width, name)
        image = _load(photo, name, png.find_conversion(photo, name))
        return turn(image, read_orientation(photo))

    return decode_safely(load, name)


def _decode_any(stream: BinaryIO, name: str, least_pixels: int | None) -> Photo:
    head = read_head(stream)
    if not head:
        raise ImageError(f"{name}: the file is empty (0 bytes); copy or download it again")
    try:
        return _decode_by_head(stream, head, name, least_pixels)
    except PIL.UnidentifiedImageError as error:
        kind = name_kind(head)
        if kind is None:
            raise
        raise ImageError(
            f"{name}: begins as {kind}, but is damaged or of an unknown kind; "
            "copy it again, or save it as JPEG or PNG"
        ) from error


def _decode_by_head(stream: BinaryIO, head: bytes, name: str, least_pixels: int | None) -> Photo:
    if starts_like_raw(head):
        return _decode_raw(read_raw(stream, name, least_pixels), name, least_pixels)
    if head.startswith(tiff.PREFIXES):
        return _decode_tiff(stream, name, least_pixels)
    if head.startswith(png.SIGNATURE):
        return _decode_png(stream, name)
    if head.startswith(jpeg.START):
        return _decode_jpeg(*jpeg.read(stream), name, least_pixels)
    return _decode_other(stream, head, name)


def _decode_tiff(stream: BinaryIO, name: str, least_pixels: int | None) -> Photo:
    try:
        choice = tiff.choose_picture(stream, name)
    except (ArithmeticError, LookupError, ValueError, struct.error):
        return _decode_odd_tiff(stream, name)
    stream.seek(0)
    if choice.is_raw:
        return _decode_raw(read_raw(stream, name, least_pixels), name, least_pixels)
    if choice.is_for_pillow:
        # Pillow does not open what it has no mode for, such as 4 bits a colour.
        with suppress(*NO_MODE), open_pillow(stream) as photo:
            photo.seek(choice.at)
            check_content(stream, photo, name)
            return _load_tiff(photo, name)
    samples = tiff.read_samples(stream, choice.at, name)
    convert = _convert_inks if samples.model == "CMYK" else deep_to_srgb
    image = convert(samples.pixels, samples.profile)
    return _whole(turn(image, samples.orientation), samples.orientation)


def _decode_odd_tiff(stream: BinaryIO, name: str) -> Photo:
    """Read a TIFF file of a structure that only Pillow overlooks, if it can be trusted with it."""
    with open_pillow(stream) as photo:
        check_content(stream, photo, name)
        if tiff.is_deep(photo):
            raise ValueError("a TIFF file of an odd structure")
        return _load_tiff(photo, name)


def _load_tiff(photo: PIL.Image.Image, name: str) -> Photo:
    # Loading turns a TIFF file.
    with without_xmp(photo):
        orientation = read_orientation(photo)
    load_pillow(photo)
    return _whole(_samples(photo, name), orientation)


def _convert_inks(samples: npt.NDArray[np.uint8], profile: bytes | None) -> npt.NDArray[Any]:
    inks = picture_of(samples, "CMYK")
    inks.info["icc_profile"] = profile
    return to_srgb_array(inks)


def _decode_png(stream: BinaryIO, name: str) -> Photo:
    file = png.read_chunks(stream)
    with PIL.Image.open(io.BytesIO(file.picture), formats=("PNG",)) as photo:
        check_content(stream, photo, name)
        # Asked itself, Pillow would unpack the whole picture to look for EXIF behind it.
        photo.info["exif"] = file.chunks.get(b"eXIf", b"")
        orientation = read_orientation(photo)
        profile, conversion = png.read_colours(file, name)
        if max(photo.size) <= png.MOST_SIDE:
            image = deep_to_srgb(png.read_samples(file), profile, conversion)
        else:
            load_pillow(photo)
            photo.info["icc_profile"] = profile
            image = _samples(photo, name, conversion)
    return _whole(turn(image, orientation), orientation)


def _decode_jpeg(content: bytes, found: jpeg.Walk, name: str, least_pixels: int | None) -> Photo:
    jpeg.check(found, name)
    try:
        if found.coding and not found.ended:
            return _decode_endless(content, found, name)
        return _decode_drafted(content, name, least_pixels)
    except BlurMapperError:
        raise
    except Exception as error:
        coding = jpeg.name_coding(found)
        if coding is None:
            raise
        raise ImageError(
            f"{name}: {coding} is not built in; save it as an ordinary JPEG of 8 bits"
        ) from error


def _decode_endless(content: bytes, found: jpeg.Walk, name: str) -> Photo:
    """Read a JPEG that lacks its end mark, if it lacks nothing else."""
    if found.is_whole:
        first, second = (_decode_drafted(end, name, None) for end in jpeg.with_ends(content))
        if np.array_equal(first.image, second.image):
            return first
    raise ImageError(cut_short(name, "it ends before the photo does"))


def _decode_drafted(content: bytes, name: str, least_pixels: int | None) -> Photo:
    with open_jpeg(content) as photo:
        check_content(io.BytesIO(content), photo, name)
        width, height = photo.size
        if least_pixels is not None:
            _draft(photo, least_pixels)
        photo.load()
        orientation = read_orientation(photo)
        image = turn(_samples(photo, name), orientation)
    sides = (width, height) if orientation in (5, 6, 7, 8) else (height, width)
    return Photo(image, *sides, orientation)


def _decode_other(stream: BinaryIO, head: bytes, name: str) -> Photo:
    deep = netpbm.read_samples(stream, name)
    if deep is not None:
        return _whole(deep_to_srgb(deep, None), 1)
    colours = boxes.Colours(None, None)
    # Whatever is wrong with the boxes, reading what is in them will say.
    with suppress(Exception):
        colours = boxes.read_colours(stream, head)
    stream.seek(0)
    with open_other(stream, head, name) as photo:
        check_content(stream, photo, name)
        conversion = None
        if not photo.info.get("icc_profile"):
            photo.info["icc_profile"] = colours.profile
            if colours.signal and not colours.profile:
                conversion = png.signal_to_srgb(*colours.signal, name)
        image = _load(photo, name, conversion)
        orientation = read_orientation(photo)
        return _whole(turn(image, orientation), orientation)


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


def _whole(image: npt.NDArray[Any], orientation: int) -> Photo:
    height, width = image.shape[:2]
    return Photo(image, height, width, orientation)


def _draft(photo: PIL.Image.Image, least_pixels: int) -> None:
    """Let a JPEG be decoded at the least of 1, 1/2, 1/4, 1/8 of its sides that is enough."""
    for part in (8, 4, 2):
        height, width = photo.height // part, photo.width // part
        if height * width >= least_pixels and min(height, width) >= MIN_SIDE:
            photo.draft(None, (width, height))
            return


def _load(
    photo: PIL.Image.Image, name: str, conversion: Conversion | None = None
) -> npt.NDArray[Any]:
    """Return the RGB array of a Pillow image that may not be loaded yet, before turning."""
    deep = jpeg2000.read_deep(photo, name)
    if deep is None:
        load_pillow(photo)
        return _samples(photo, name, conversion)
    profile = photo.info.get("icc_profile")
    if photo.mode == "CMYK":
        return _convert_inks(to_eight_bits(deep), profile)
    return deep_to_srgb(deep, profile, conversion)


def _samples(
    photo: PIL.Image.Image, name: str, conversion: Conversion | None = None
) -> npt.NDArray[Any]:
    """Return the RGB array of a loaded Pillow image as it is stored, before turning."""
    if photo.mode == "I" and photo.format != "PPM":
        raise ImageError(f"{name}: 32-bit integer samples; save it with 8 or 16 bits")
    if photo.mode in ("F", "I") or photo.mode.startswith("I;16"):
        grey = np.asarray(photo)
        # Pillow widens 16-bit PGM to 32 bits.
        grey = with_known_scale(grey.astype(np.uint16) if photo.mode == "I" else grey, name)
        # Of TIFF files whose white is 0, it turns those of 8 bits alone.
        is_negative = getattr(photo, "tag_v2", {}).get(262) == 0
        grey = (invert(grey) if is_negative else grey)[..., np.newaxis]
        clear = photo.info.get("transparency")
        if isinstance(clear, int) and grey.dtype == np.uint16:
            grey = np.concatenate([grey, np.uint16(65535) * (grey != clear)], axis=2)
        return deep_to_srgb(grey, photo.info.get("icc_profile"), conversion)
    return to_srgb_array(photo, conversion)
