"""TIFF files of many kinds: each read as what it shows, or refused in one line."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from blurmapper.decoding import read_size
from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import COLOURS, COVER, GREY, Array, as_rgb, levels, pack, plain_tiff, tiff, with_depth

LAYOUTS: dict[str, dict[str, Any]] = {
    "one strip": {},
    "odd strips": {"rowsperstrip": 7},
    "tiles": {"tile": (32, 16)},
    "zipped": {"compression": "zlib"},
    "zipped tiles": {"compression": "zlib", "tile": (32, 16)},
    "zipped differences": {"compression": "zlib", "predictor": True, "rowsperstrip": 7},
    "LZW": {"compression": "lzw", "rowsperstrip": 7},
    "LZW differences": {"compression": "lzw", "predictor": True},
    "packed bytes": {"compression": "packbits"},
    "zstandard": {"compression": "zstd"},
}
DEEP = ["u2", "u4", "f2", "f4", "f8"]


def check(file: bytes, expected: Array, most: float = 1) -> None:
    """Compare a file with what it shows, in levels of 255."""
    np.testing.assert_allclose(levels(read_image(file)), expected, rtol=0, atol=most)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("dtype", ["u1", *DEEP])
def test_rgb_is_read_however_it_is_laid_out(
    layout: str, separate: bool, big_endian: bool, dtype: str
) -> None:
    pixels = with_depth(COLOURS / 255, dtype)
    file = tiff(
        pixels, separate=separate, big_endian=big_endian, photometric="rgb", **LAYOUTS[layout]
    )
    check(file, COLOURS)


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("u2", np.uint16), ("u4", np.uint16), ("f2", np.float32), ("f8", np.float32)],
)
def test_depth_is_kept_as_far_as_images_have_it(dtype: str, kept: Any) -> None:
    assert read_image(tiff(with_depth(COLOURS / 255, dtype), photometric="rgb")).dtype == kept


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("layout", ["one strip", "tiles", "LZW"])
@pytest.mark.parametrize("dtype", ["u1", *DEEP])
def test_white_may_be_zero(dtype: str, layout: str, big_endian: bool) -> None:
    pixels = with_depth(1 - GREY / 255, dtype)
    file = tiff(pixels, big_endian=big_endian, photometric="miniswhite", **LAYOUTS[layout])
    check(file, as_rgb(GREY))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_white_may_be_zero_where_pillow_opened_the_file(dtype: str) -> None:
    file = tiff(with_depth(1 - GREY / 255, dtype), photometric="miniswhite")
    with PIL.Image.open(io.BytesIO(file)) as picture:
        np.testing.assert_array_equal(read_image(picture), read_image(file))


@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha", "unspecified"])
@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_alpha_is_what_says_so_and_multiplied_once(
    dtype: str, colours: int, separate: bool, more: int, kind: str
) -> None:
    shown = (COLOURS if colours == 3 else GREY[..., np.newaxis]) / 255
    samples = [shown * COVER if kind == "assocalpha" else shown, COVER, *[1 - COVER] * more]
    file = tiff(
        with_depth(np.concatenate(samples, axis=2), dtype),
        separate=separate,
        photometric="rgb" if colours == 3 else "minisblack",
        extrasamples=[kind] + ["unspecified"] * more,
    )
    over_white = shown if kind == "unspecified" else 1 + (shown - 1) * COVER
    check(file, np.broadcast_to(255 * over_white, COLOURS.shape), 2.5 if dtype == "u1" else 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("colours", [1, 3])
def test_samples_of_any_number_of_bits_reach_white(bits: int, colours: int, order: str) -> None:
    white = 2**bits - 1
    shown = COLOURS if colours == 3 else GREY[..., np.newaxis]
    samples = np.rint(shown / 255 * white)
    data = b"".join(pack(row, bits) for row in samples.reshape(61, -1))
    tags = {256: (97,), 257: (61,), 258: (bits,) * colours, 259: (1,), 277: (colours,), 278: (61,)}
    file = plain_tiff({**tags, 262: (2 if colours == 3 else 1,)}, data, order)
    check(file, np.broadcast_to(samples / white * 255, COLOURS.shape))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("big_endian", [False, True])
def test_a_palette_has_sixteen_bits_a_colour(dtype: str, big_endian: bool) -> None:
    few = PIL.Image.fromarray(COLOURS).quantize(64)
    palette = few.getpalette()
    assert palette is not None
    table = np.zeros((3, 256 if dtype == "u1" else 65536), np.uint16)
    table[:, :64] = np.array(palette[:192]).reshape(64, 3).T * 257
    indices = np.asarray(few).astype(dtype)
    file = tiff(indices, big_endian=big_endian, photometric="palette", colormap=table)
    check(file, np.asarray(few.convert("RGB")))


def test_a_palette_of_eight_bits_a_colour_is_not_black() -> None:
    few = PIL.Image.fromarray(COLOURS).quantize(64)
    palette = few.getpalette()
    assert palette is not None
    table = np.zeros((3, 256), np.uint16)
    table[:, :64] = np.array(palette[:192]).reshape(64, 3).T
    file = tiff(np.asarray(few), photometric="palette", colormap=table)
    check(file, np.asarray(few.convert("RGB")))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f2", "f4"])
@pytest.mark.parametrize("separate", [False, True])
def test_inks_of_any_depth_are_colours(dtype: str, separate: bool) -> None:
    inks = PIL.Image.fromarray(COLOURS).convert("CMYK")
    pixels = with_depth(np.asarray(inks) / 255, dtype)
    check(tiff(pixels, separate=separate, photometric="separated"), np.asarray(inks.convert("RGB")))


def test_what_pillow_has_no_mode_for_is_read_behind_a_thumbnail_too() -> None:
    pixels = np.concatenate([COLOURS, COLOURS, COLOURS[..., :1]], axis=2)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(COLOURS[::3, ::3], photometric="rgb", subfiletype=1)
        writer.write(pixels, photometric="rgb", extrasamples=["unspecified"] * 4)
    check(buffer.getvalue(), COLOURS)


@pytest.mark.parametrize("big_endian", [False, True])
def test_lab_of_sixteen_bits_is_that_of_eight(big_endian: bool) -> None:
    eight = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    eight[..., 1:] = eight[..., 1:] // 8 + 240  # a and b have signs: from -16 to 15
    eight[..., 0] = 90 + eight[..., 0] // 3  # where sRGB has all of these
    buffer = io.BytesIO()
    PIL.Image.frombytes("LAB", (30, 20), eight.tobytes()).save(buffer, "TIFF")
    deep = np.stack(
        [eight[..., 0] * np.uint16(257), *(eight[..., i] * np.uint16(256) for i in (1, 2))], axis=2
    )
    expected = read_image(buffer.getvalue())
    assert expected.std() > 15
    check(tiff(deep, photometric="cielab", big_endian=big_endian), expected, 4)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_the_photo_is_the_first_picture_that_is_no_thumbnail(dtype: str) -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(COLOURS[::3, ::3], photometric="rgb", subfiletype=1)
        writer.write(with_depth(COLOURS / 255, dtype), photometric="rgb", subfiletype=0)
        writer.write(COLOURS[:20, :20], photometric="rgb", subfiletype=0)
    check(buffer.getvalue(), COLOURS)


def test_the_size_is_that_of_the_picture_that_is_read() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(COLOURS[::3, ::3], photometric="rgb", subfiletype=1)
        writer.write(COLOURS, photometric="rgb")
    assert read_size(buffer) == COLOURS.shape[:2]
    assert (
        read_size(io.BytesIO(tiff(COLOURS / np.float32(255), photometric="rgb")))
        == (COLOURS.shape[:2])
    )


def test_reading_leaves_nothing_in_the_log_of_tifffile() -> None:
    handlers = []
    for _ in range(2):
        check(tiff(COLOURS, photometric="rgb"), COLOURS)
        handlers.append(len(logging.getLogger("tifffile").handlers))
    assert handlers[0] == handlers[1]


@pytest.mark.parametrize("turns", [(6, 6), (6,), b"six"])
def test_an_odd_orientation_turns_as_much_at_every_depth(turns: Any) -> None:
    code, count = ("s", 0) if isinstance(turns, bytes) else ("H", len(turns))
    tag = (274, code, count, turns if isinstance(turns, bytes) or count > 1 else turns[0], True)
    eight, sixteen = (
        read_image(tiff(with_depth(COLOURS / 255, dtype), photometric="rgb", extratags=[tag]))
        for dtype in ("u1", "u2")
    )
    np.testing.assert_allclose(levels(sixteen), levels(eight), rtol=0, atol=1)


def test_colours_that_spell_canon_s_mark_are_a_photo() -> None:
    pixels = COLOURS.copy()
    pixels[0, 0] = (67, 82, 2)
    file = b"II*\0" + struct.pack("<I", 8 + pixels.size) + pixels.tobytes()
    height, width = pixels.shape[:2]
    entries = {
        256: width,
        257: height,
        259: 1,
        262: 2,
        273: 8,
        277: 3,
        278: height,
        279: pixels.size,
    }
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    beyond = len(file) + 2 + 12 * 9 + 4
    bits = struct.pack("<HHII", 258, 3, 3, beyond)
    place = 12 * 2
    listed = listed[:place] + bits + listed[place:]
    file += struct.pack("<H", 9) + listed + bytes(4) + struct.pack("<HHH", 8, 8, 8)
    check(file, pixels)
    # Where the bits of a sample, which stand last, are cut off, they are not taken for one.
    for missing in range(1, 7):
        with pytest.raises(ImageError, match="damaged or cut short"):
            read_image(file[:-missing])


def test_a_thumbnail_alone_is_read() -> None:
    check(tiff(COLOURS, photometric="rgb", subfiletype=1), COLOURS)


@pytest.mark.parametrize("codec", ["webp", "jpeg2000"])
def test_what_pillow_does_not_unpack_is_unpacked(codec: str) -> None:
    soft = np.asarray(PIL.Image.fromarray(COLOURS).resize((20, 20)).resize((64, 48)))
    check(tiff(soft, photometric="rgb", compression=codec), soft, 40)


def test_what_nothing_unpacks_is_named() -> None:
    file = bytearray(tiff(COLOURS, photometric="rgb"))
    place = file.find(struct.pack("<HHII", 259, 3, 1, 1)) + 8
    file[place : place + 2] = struct.pack("<H", 34676)
    with pytest.raises(ImageError, match=r"what packs its pixels \(SGILOG\) is not built in"):
        read_image(bytes(file))


@pytest.mark.parametrize(
    ("pixels", "fault"),
    [
        (COLOURS.astype("i2"), "16-bit signed integers"),
        (COLOURS.astype("c8"), "complex"),
        (COLOURS.astype("f4"), "scale or clip"),
        (np.repeat(COLOURS, 4, axis=2).astype("u2"), "12 samples a pixel"),
    ],
)
def test_what_no_photo_is_made_of_is_refused(pixels: Array, fault: str) -> None:
    photometric = "rgb" if pixels.shape[2] == 3 else "minisblack"
    options = {"planarconfig": "contig"} if pixels.shape[2] != 3 else {}
    with pytest.raises(ImageError, match=fault):
        read_image(tiff(pixels, photometric=photometric, **options))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_deep_file_that_is_cut_short_is_refused(
    layout: str, separate: bool, share: float
) -> None:
    pixels = with_depth(COLOURS / 255, "u2")
    file = tiff(pixels, separate=separate, photometric="rgb", **LAYOUTS[layout])
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(file[: int(share * len(file))])


def test_a_strip_that_unpacks_to_less_than_its_rows_is_refused() -> None:
    few = zlib.compress(bytes(97 * 3 * 2 * 30))
    tags = {256: (97,), 257: (61,), 258: (16,) * 3, 259: (8,), 262: (2,), 277: (3,), 278: (61,)}
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(plain_tiff(tags, few))


def test_colours_in_blocks_are_named() -> None:
    tags = {256: (96,), 257: (60,), 258: (8,) * 3, 259: (1,), 262: (6,), 277: (3,), 278: (60,)}
    with pytest.raises(ImageError, match="YCbCr in a TIFF file cannot be read"):
        read_image(plain_tiff({**tags, 530: (2, 2)}, bytes(96 * 60 * 3 // 2)))
