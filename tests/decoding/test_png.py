"""PNG files: depths, transparency, animations, and chunks that have nothing to do with pixels."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from blurmapper.decoding import read_size
from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import COLOURS, COVER, GREY, Array, as_rgb, chunk, levels, png

DEEP = COLOURS * np.uint16(257)


def check(file: bytes, expected: Array, most: float = 0.6) -> None:
    """Compare a file with what it shows, in levels of 255."""
    np.testing.assert_allclose(levels(read_image(file)), expected, rtol=0, atol=most)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_that_is_transparent_is_white(bits: int) -> None:
    white = 2**bits - 1
    grey = np.rint(GREY / 255 * white).astype(int)
    clear = int(grey[30, 40])
    shown = np.where(grey == clear, 255, grey / white * 255)
    assert 0 < (grey == clear).mean() < 1
    file = png(grey[..., np.newaxis], bits, before=chunk(b"tRNS", struct.pack(">H", clear)))
    check(file, as_rgb(shown))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_colour_that_is_transparent_is_white_and_its_neighbours_are_not(bits: int) -> None:
    pixels = (DEEP if bits == 16 else COLOURS).astype(int)
    clear = pixels[30, 40].copy()
    pixels[30, 41] = clear ^ [0, 0, 1]
    shown = pixels / (257 if bits == 16 else 1)
    shown[30, 40] = 255
    check(png(pixels, bits, before=chunk(b"tRNS", struct.pack(">3H", *clear))), shown)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_palette_may_be_partly_transparent(bits: int) -> None:
    few = PIL.Image.fromarray(COLOURS).quantize(16)
    palette = few.getpalette()
    assert palette is not None
    table = np.array(palette[:48]).reshape(16, 3)
    alpha = np.arange(16) * 17
    index = np.asarray(few)
    before = chunk(b"PLTE", bytes(palette[:48])) + chunk(b"tRNS", alpha.astype(np.uint8).tobytes())
    shown = 255 + (table[index] - 255.0) * (alpha[index] / 255)[..., np.newaxis]
    check(png(index[..., np.newaxis], bits, before=before), shown, 1)


@pytest.mark.parametrize("colours", [1, 3])
def test_a_transparent_colour_that_is_none_is_passed_over(colours: int) -> None:
    pixels = COLOURS if colours == 3 else GREY[..., np.newaxis]
    file = png(pixels, 8, before=chunk(b"tRNS", bytes(4)))
    check(file, np.broadcast_to(pixels, COLOURS.shape))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colours", [1, 3])
def test_alpha_is_laid_over_white(bits: int, colours: int) -> None:
    shown = COLOURS if colours == 3 else GREY[..., np.newaxis]
    white = 2**bits - 1
    samples = np.rint(np.concatenate([shown / 255, COVER], axis=2) * white).astype(int)
    expected = np.broadcast_to(255 + (shown - 255.0) * COVER, COLOURS.shape)
    check(png(samples, bits), expected, 1)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_of_an_animation_the_first_picture_is_read(bits: int, channels: int) -> None:
    rgba = np.concatenate([COLOURS, np.full((61, 97, 1), 255, np.uint8)], axis=2)
    pixels = rgba[..., :channels].astype(int) * (257 if bits == 16 else 1)
    other = png(255 - rgba[..., :channels], bits)
    data = other[other.index(b"IDAT") + 4 : -16]
    place = [chunk(b"fcTL", struct.pack(">5I2H2B", n, 97, 61, 0, 0, 1, 10, 0, 0)) for n in (0, 1)]
    file = png(
        pixels,
        bits,
        before=chunk(b"acTL", struct.pack(">II", 2, 0)) + place[0],
        after=place[1] + chunk(b"fdAT", struct.pack(">I", 2) + data),
    )
    check(file, as_rgb(COLOURS[..., 0]) if channels == 1 else COLOURS)


TEXT = {
    "tEXt": chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000),
    "zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(os.urandom(2_000_000))),
    "iTXt": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x/>" * 1_000_000)),
    "bomb": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000))),
    "broken": chunk(b"zTXt", b"Comment\0\0" + b"no zlib"),
    "many": 5_000 * chunk(b"tEXt", b"a\0b"),
}


@pytest.mark.parametrize("text", TEXT)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_photo_may_carry_any_text(text: str, bits: int, where: str) -> None:
    pixels = DEEP if bits == 16 else COLOURS
    check(png(pixels, bits, **{where: TEXT[text]}), COLOURS)


def test_the_size_of_a_photo_is_known_whatever_text_it_carries() -> None:
    assert read_size(io.BytesIO(png(COLOURS, 8, before=TEXT["iTXt"]))) == (61, 97)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "profile", [b"n\0\0" + zlib.compress(bytes(100_000_000)), b"n\0\0broken", b"nnn", b""]
)
def test_a_profile_that_is_none_is_ignored(profile: bytes, bits: int) -> None:
    pixels = DEEP if bits == 16 else COLOURS
    check(png(pixels, bits, before=chunk(b"iCCP", profile)), COLOURS)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_file_that_is_cut_short_is_refused(bits: int, share: float) -> None:
    file = png(DEEP if bits == 16 else COLOURS, bits)
    with pytest.raises(ImageError):
        read_image(file[: int(share * len(file))])


@pytest.mark.parametrize("bits", [8, 16])
def test_a_picture_of_fewer_rows_than_it_says_is_refused(bits: int) -> None:
    file = bytearray(png((DEEP if bits == 16 else COLOURS)[:40], bits))
    file[20:24] = struct.pack(">I", 61)
    file[29:33] = struct.pack(">I", zlib.crc32(file[12:29]))
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(bytes(file))


def test_a_picture_without_its_colours_is_refused_in_words_of_ours() -> None:
    # libpng's own are read from memory that it has let go of: any bytes, each time others.
    buffer = io.BytesIO()
    PIL.Image.new("P", (40, 40)).save(buffer, "PNG")
    before, _, after = buffer.getvalue().partition(b"PLTE")
    (size,) = struct.unpack(">I", before[-4:])
    with pytest.raises(ImageError, match=r"cut short \(libpng cannot decode it\); copy"):
        read_image(before[:-4] + after[size + 4 :])
