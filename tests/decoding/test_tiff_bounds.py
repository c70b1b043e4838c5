"""TIFF files that would take all memory, or hours, are refused before they are unpacked."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest

from blurmapper.decoding.tiff import check_lossy
from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import COLOURS, levels, tiff

START = 8
"""Where the pixels are in the files that are made here."""

WIDTH, HEIGHT, BITS, PACKING, COLOUR = 256, 257, 258, 259, 262
PLACES, SAMPLES, ROWS, SIZES, SUBFILES, DNG = 273, 277, 278, 279, 330, 50706
ZIPPED, JPEG, JPEG_2000, LERC, JPEG_XL, LOSSY_DNG = 8, 33007, 34712, 34887, 50002, 34892
PLAIN = {WIDTH: [64], HEIGHT: [64], ROWS: [64], PACKING: [1], PLACES: [START], SIZES: [12_288]}
FLAT = np.full((64, 64, 3), 77, np.uint8)


def make(pixels: bytes, tags: dict[int, list[int]], *, below: int = 0) -> bytes:
    """Return a TIFF file of one picture, which is `below` itself so many times."""
    tags = {BITS: [8] * 3, COLOUR: [2], SAMPLES: [3], **tags}
    if below:
        tags[SUBFILES] = [0] * below
    place = START + len(pixels) + sum(4 * len(values) for values in tags.values())
    content, entries = struct.pack("<2sHI", b"II", 42, place) + pixels, b""
    for code, values in sorted(tags.items()):
        numbers = [place] * below if below and code == SUBFILES else values
        held = numbers[0] if len(numbers) == 1 else len(content)
        entries += struct.pack("<HHII", code, 4, len(numbers), held)
        content += struct.pack(f"<{len(numbers)}I", *numbers)
    return content + struct.pack("<H", len(tags)) + entries + bytes(4)


def one_part(pixels: bytes, packing: int, side: int = 64) -> bytes:
    sizes = {WIDTH: [side], HEIGHT: [side], ROWS: [side], PACKING: [packing]}
    return make(pixels, {**sizes, PLACES: [START], SIZES: [len(pixels)]})


CODECS: dict[str, tuple[int, Any]] = {
    "JPEG": (JPEG, imagecodecs.jpeg8_encode),
    "JPEG 2000": (JPEG_2000, imagecodecs.jpeg2k_encode),
    "PNG": (34933, imagecodecs.png_encode),
    "WebP": (50001, imagecodecs.webp_encode),
}


@pytest.mark.parametrize("codec", CODECS)
def test_a_part_that_unpacks_to_more_than_itself_is_refused(codec: str) -> None:
    packing, encode = CODECS[codec]
    assert levels(read_image(one_part(encode(FLAT), packing))).mean() == pytest.approx(77, abs=2)
    large = one_part(encode(np.full((64, 300, 3), 77, np.uint8)), packing)
    with pytest.raises(ImageError, match="parts of 300 x 64 pixels for 64 x 64"):
        read_image(large)


@pytest.mark.parametrize(
    ("packing", "pixels"),
    [(LERC, imagecodecs.lerc_encode(FLAT)), (JPEG_XL, imagecodecs.jpegxl_encode(FLAT))],
)
def test_packings_of_which_nothing_counts_the_layers_are_refused(
    packing: int, pixels: bytes
) -> None:
    with pytest.raises(ImageError, match=r"what packs its pixels .* save it with another"):
        read_image(one_part(pixels, packing))


def test_jpeg_2000_may_have_more_samples_than_pillow_knows() -> None:
    samples = np.full((64, 64, 6), 77, np.uint8)
    codes = imagecodecs.jpeg2k_encode(samples, level=0, mct=False)
    tags = {SAMPLES: [6], BITS: [8] * 6, WIDTH: [64], HEIGHT: [64], ROWS: [64], 338: [0, 0, 0]}
    file = make(codes, {**tags, PACKING: [JPEG_2000], PLACES: [START], SIZES: [len(codes)]})
    assert np.array_equal(read_image(file), samples[..., :3])


def test_lossy_pictures_of_a_dng_file_do_not_lie_over_each_other() -> None:
    part = imagecodecs.jpeg8_encode(FLAT) + bytes(100_000)
    tags = {WIDTH: [64], HEIGHT: [6400], ROWS: [64], PACKING: [LOSSY_DNG], DNG: [0x401]}
    # They go on behind the file's end, as far as each says.
    file = make(part, {**tags, PLACES: [START] * 100, SIZES: [1_000_000_000] * 100})
    with pytest.raises(ImageError, match="unpacks the same bytes again"):
        check_lossy(io.BytesIO(file), "x")


def test_lists_that_nobody_asks_for_may_be_long() -> None:
    file = make(bytes(12_288), {**PLAIN, 65000: [0] * 4_000_001})
    assert read_image(file).shape == (64, 64, 3)


@pytest.mark.parametrize("bits", [8, 16])
def test_parts_that_are_each_the_whole_file_are_refused(bits: int) -> None:
    row = zlib.compress(bytes(64 * 3 * bits // 8)) + np.random.default_rng(0).bytes(100_000)
    tags = {WIDTH: [64], HEIGHT: [640], ROWS: [1], PACKING: [ZIPPED], BITS: [bits] * 3}
    file = make(row, {**tags, PLACES: [START] * 640, SIZES: [len(row)] * 640})
    with pytest.raises(ImageError, match="unpacks the same bytes again and again"):
        read_image(file)


def test_deep_pixels_from_next_to_nothing_are_refused() -> None:
    # 50 megapixels of 16 bits are as many bytes as 100 of 8.
    part = zlib.compress(bytes(1000 * 10_200 * 6))
    tags = {WIDTH: [10_200], HEIGHT: [5000], ROWS: [1000], PACKING: [ZIPPED], BITS: [16] * 3}
    file = make(part, {**tags, PLACES: [START] * 5, SIZES: [len(part)] * 5})
    with pytest.raises(
        ImageError,
        match=r"pixels, 306,000,000 bytes, in [0-9,]+ bytes is no photo; save",
    ):
        read_image(file)


@pytest.mark.parametrize("dng", [False, True])
@pytest.mark.parametrize("what", ["places", "bytes", "pictures", "places behind nothing"])
def test_lists_longer_than_any_photo_has_are_refused(what: str, dng: bool) -> None:
    tags = {**PLAIN, DNG: [0x401]} if dng else {**PLAIN}
    if what != "pictures":
        tags[PLACES] = [START] * 4_000_001
    if what == "places behind nothing":
        tags[SUBFILES] = [0xFFFFFFF0]
    file = make(bytes(12_288), tags, below=65 if what == "pictures" else 0)
    if what == "bytes":
        place = file.rindex(struct.pack("<HH", PLACES, 4))
        file = file[:place] + struct.pack("<HH", PLACES, 1) + file[place + 4 :]
    with pytest.raises(ImageError, match="lists more parts than a photo has"):
        read_image(file)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pictures_below_a_photo_do_no_harm(dtype: str) -> None:
    file = tiff(COLOURS.astype(dtype), photometric="rgb", subifds=2)
    assert levels(read_image(file)).shape == COLOURS.shape
