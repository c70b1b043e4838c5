"""JPEG files by their markers: what lies behind their end, and what lacks it."""

from __future__ import annotations

import io
import re
import struct
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from blurmapper.decoding import decode_photo, read_metadata, read_size, read_stored
from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import COLOURS, encode, make_scene

KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "fine": {"quality": 95, "subsampling": 0},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
}
VIDEO = b"\0\0\0\x18ftypmp42" + b"\xff\xda\0\x0c" * 500 + bytes(range(256)) * 200


def jpeg(mode: str = "RGB", kind: str = "baseline") -> bytes:
    return encode(PIL.Image.fromarray(COLOURS).convert(mode), "JPEG", **KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", [VIDEO, b"\0" * 5000, jpeg()])
def test_what_lies_behind_the_end_is_no_part_of_the_photo(kind: str, tail: bytes) -> None:
    file = jpeg(kind=kind)
    np.testing.assert_array_equal(read_image(file + tail), read_image(file))


def test_marks_within_metadata_are_no_scans() -> None:
    file = jpeg(kind="progressive")
    notes = b"\xff\xe5" + struct.pack(">H", 60_002) + b"\xff\xda\xff\xd9" * 15_000
    np.testing.assert_array_equal(read_image(file[:2] + notes + file[2:]), read_image(file))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [b"", bytes(3000)])
def test_a_photo_that_lacks_its_end_mark_alone_is_whole(
    mode: str, kind: str, padding: bytes
) -> None:
    file = jpeg(mode, kind)
    np.testing.assert_array_equal(read_image(file[:-2] + padding), read_image(file))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [b"", bytes(200_000)])
@pytest.mark.parametrize("missing", [20, 300])
@pytest.mark.parametrize("least", [None, 1])
def test_a_photo_that_lacks_more_is_refused(
    mode: str, kind: str, padding: bytes, missing: int, least: int | None
) -> None:
    file = jpeg(mode, kind)[:-missing] + padding
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode_photo(io.BytesIO(file), "x.jpg", least)


@pytest.mark.parametrize("more", [0, 1])
def test_a_photo_that_ends_at_a_restart_mark_is_refused(more: int) -> None:
    file = jpeg(kind="restarts")
    marks = [mark.start() for mark in re.finditer(rb"\xff[\xd0-\xd7]", file)]
    assert len(marks) > 2
    for mark in marks:
        with pytest.raises(ImageError, match="damaged or cut short"):
            read_image(file[: mark + more])


def test_a_progressive_photo_without_its_last_scans_is_refused() -> None:
    file = jpeg(kind="progressive")
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(file[: file.rfind(b"\xff\xda")])


def test_scans_of_one_colour_each_are_counted_too() -> None:
    """A file that is not progressive can go over the photo again and again as well."""
    file = _in_three_scans()
    first, last = file.find(b"\xff\xda"), file.rfind(b"\xff\xda")
    assert first < last
    whole = read_image(file)
    assert read_image(file[:last] + file[last:-2] * 10 + file[-2:]).shape == whole.shape
    with pytest.raises(ImageError, match="a JPEG of over 100 scans is no photo"):
        read_image(file[:last] + file[last:-2] * 200 + file[-2:])


def _in_three_scans() -> bytes:
    """Return a grey photo as the three colours of one that is not interleaved."""
    grey = encode(PIL.Image.fromarray(make_scene(48, 64)).convert("L"), "JPEG")
    frame, scan = grey.find(b"\xff\xc0"), grey.find(b"\xff\xda")
    size = grey[frame + 5 : frame + 9]
    colours = b"".join(bytes((n, 0x11, 0)) for n in (1, 2, 3))
    length = struct.unpack(">H", grey[frame + 2 : frame + 4])[0]
    header = b"\xff\xc0" + struct.pack(">HB", 17, 8) + size + b"\3" + colours
    data = grey[scan + 10 : -2]
    scans = b"".join(
        b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, n, 0, 0, 63, 0) + data for n in (1, 2, 3)
    )
    return grey[:frame] + header + grey[frame + 2 + length : scan] + scans + b"\xff\xd9"


@pytest.mark.parametrize(
    ("frame", "bits", "what"),
    [(0xC3, 8, "lossless coding"), (0xC0, 12, "JPEG of 12 bits"), (0xF7, 8, "JPEG-LS")],
)
def test_a_coding_that_is_not_built_in_is_named(frame: int, bits: int, what: str) -> None:
    file = bytearray(jpeg())
    place = file.find(b"\xff\xc0")
    file[place + 1], file[place + 4] = frame, bits
    with pytest.raises(ImageError, match=f"{what}.* is not built in"):
        read_image(bytes(file))


def test_only_exif_turns_a_photo() -> None:
    xmp = b'<x:xmpmeta xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    scene = PIL.Image.fromarray(make_scene(48, 64))
    for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        options: dict[str, Any] = {"xmp": xmp} if kind != "TIFF" else {"tiffinfo": {700: xmp}}
        file = encode(scene, kind, **options)
        assert b"Orientation" in file or kind == "PNG"
        assert read_image(file).shape == (48, 64, 3), kind
        with PIL.Image.open(io.BytesIO(file)) as picture:
            assert read_image(picture).shape == (48, 64, 3), kind


ODD_PARTS = {
    "JFIF without a version": b"\xff\xe0\0\x07JFIF\0",
    "a profile without a number": b"\xff\xe2\0\x0eICC_PROFILE\0",
    "Adobe's mark alone": b"\xff\xee\0\x07Adobe",
    "zeros between segments": bytes(9),
    "letters between segments": b"abc",
}


@pytest.mark.parametrize("part", ODD_PARTS.values(), ids=list(ODD_PARTS))
def test_metadata_that_libjpeg_skips_cost_no_photo(part: bytes) -> None:
    whole = encode(COLOURS, "JPEG")
    odd = read_image(whole[:2] + part + whole[2:])
    np.testing.assert_array_equal(odd, read_image(whole))


def test_a_whole_file_of_jpeg_ls_is_named() -> None:
    with pytest.raises(ImageError, match="the coding of JPEG-LS is not built in"):
        read_image(bytes(imagecodecs.jpegls_encode(COLOURS)))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (b"\xff" * 300_000, "bytes between its segments"),
        (b"\0" * 300_000, "bytes between its segments"),
        (b"\xff\xfe\0\2" * 20_000, "segments"),
        (b"\xff\1" * 20_000, "segments"),
    ],
)
def test_what_pillow_would_go_through_for_long_is_refused(more: bytes, what: str) -> None:
    file = encode(make_scene(48, 64), "JPEG")
    padded = file[:2] + more + file[2:]
    for read in (decode_photo, read_stored):
        with pytest.raises(ImageError, match=f"^x: a JPEG of over [0-9,]+ {what} is no photo"):
            read(io.BytesIO(padded), "x")
    assert read_size(io.BytesIO(padded)) is None
    with pytest.raises(ValueError, match=what):
        read_metadata(io.BytesIO(padded))


def test_some_fill_bytes_and_many_segments_are_read() -> None:
    file = encode(make_scene(48, 64), "JPEG")
    more = b"\xff" * 60_000 + b"\xff\xfe\0\2" * 5_000
    np.testing.assert_array_equal(read_image(file[:2] + more + file[2:]), read_image(file))
