"""Colours told by numbers: cICP, gAMA and cHRM of PNG files, nclx of AVIF and HEIC files."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import COLOURS, Array, chunk, encode, levels, png
from .making_profiles import DISPLAY_P3, SRGB, SRGB_CURVE, light_to_srgb, make_rgb_profile

DEPTHS = {8: COLOURS, 16: COLOURS * np.uint16(257)}
SRGB_LIGHT = np.where(
    COLOURS / 255 <= 0.04045, COLOURS / 255 / 12.92, ((COLOURS / 255 + 0.055) / 1.055) ** 2.4
)
P3_NUMBERS = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def check(file: bytes, expected: Array, most: float = 1) -> None:
    """Compare a file, and what Pillow opens of it, with what it shows, in levels of 255."""
    np.testing.assert_allclose(levels(read_image(file)), expected, rtol=0, atol=most)
    if b"avif" in file[:12] or file.startswith(b"\x89PNG"):
        with PIL.Image.open(io.BytesIO(file)) as picture:
            shown = levels(read_image(picture))
        np.testing.assert_allclose(shown, expected, rtol=0, atol=most)


def cicp(primaries: int, transfer: int) -> bytes:
    """Return a chunk that says what signal the samples are."""
    return chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def gamma(value: float) -> bytes:
    """Return a chunk with the gamma of the samples."""
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


@pytest.mark.parametrize("bits", DEPTHS)
def test_the_signal_of_a_phones_screen_is_its_profile(bits: int) -> None:
    check(png(DEPTHS[bits], bits, before=cicp(12, 13)), light_to_srgb(SRGB_LIGHT, DISPLAY_P3))


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize("transfer", [1, 2, 6, 13])
def test_the_signal_of_srgb_changes_nothing(bits: int, transfer: int) -> None:
    check(png(DEPTHS[bits], bits, before=cicp(1, transfer)), COLOURS, 0)


@pytest.mark.parametrize("bits", DEPTHS)
def test_a_signal_goes_before_a_profile(bits: int) -> None:
    profile = make_rgb_profile(DISPLAY_P3, SRGB_CURVE)
    packed = chunk(b"iCCP", b"n\0\0" + zlib.compress(profile))
    check(png(DEPTHS[bits], bits, before=packed + cicp(1, 13)), COLOURS, 0)


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_signal_of_high_dynamic_range_is_refused_in_one_line(
    bits: int, transfer: int, name: str
) -> None:
    with pytest.raises(ImageError, match=rf"high dynamic range \({name}\); save it as") as raised:
        read_image(png(DEPTHS[bits], bits, before=cicp(9, transfer)))
    assert "\n" not in str(raised.value)
    with (
        PIL.Image.open(io.BytesIO(png(DEPTHS[bits], bits, before=cicp(9, transfer)))) as picture,
        pytest.raises(ImageError, match=rf"high dynamic range \({name}\); save it as"),
    ):
        read_image(picture)


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize("value", [1.0, 1 / 1.8, 1 / 3])
def test_gamma_is_obeyed(bits: int, value: float) -> None:
    expected = light_to_srgb((COLOURS / 255) ** (1 / value), SRGB)
    check(png(DEPTHS[bits], bits, before=gamma(value)), expected)


@pytest.mark.parametrize("bits", DEPTHS)
@pytest.mark.parametrize(
    "before", [gamma(1 / 2.2), chunk(b"sRGB", b"\0") + gamma(1.0), gamma(0), gamma(40_000)]
)
def test_gamma_of_every_screen_of_none_and_beside_srgb_changes_nothing(
    before: bytes, bits: int
) -> None:
    check(png(DEPTHS[bits], bits, before=before), COLOURS, 0)


def test_gamma_and_primaries_are_obeyed_after_a_picture_is_loaded() -> None:
    before = gamma(1.0) + chunk(b"cHRM", struct.pack(">8I", *P3_NUMBERS))
    with PIL.Image.open(io.BytesIO(png(COLOURS, 8, before=before))) as picture:
        picture.load()
    expected = light_to_srgb(COLOURS / 255, DISPLAY_P3)
    np.testing.assert_allclose(read_image(picture), expected, rtol=0, atol=1)
    np.testing.assert_allclose(read_image(picture.copy()), expected, rtol=0, atol=1)


def test_what_was_read_of_a_picture_can_be_used_on() -> None:
    with PIL.Image.open(io.BytesIO(png(COLOURS, 8, before=cicp(12, 13)))) as picture:
        read_image(picture)
        np.testing.assert_array_equal(np.asarray(picture), COLOURS)


@pytest.mark.parametrize("bits", DEPTHS)
def test_primaries_are_obeyed(bits: int) -> None:
    before = gamma(1.0) + chunk(b"cHRM", struct.pack(">8I", *P3_NUMBERS))
    check(png(DEPTHS[bits], bits, before=before), light_to_srgb(COLOURS / 255, DISPLAY_P3))


@pytest.mark.parametrize("numbers", [(0,) * 8, (33_000,) * 8, (2**31,) * 8])
def test_primaries_that_no_screen_has_are_ignored(numbers: tuple[int, ...]) -> None:
    check(png(COLOURS, 8, before=chunk(b"cHRM", struct.pack(">8I", *numbers))), COLOURS, 0)


def test_gamma_of_a_palette_is_obeyed() -> None:
    few = PIL.Image.fromarray(COLOURS).quantize(32)
    palette = few.getpalette()
    assert palette is not None
    before = gamma(1.0) + chunk(b"PLTE", bytes(palette[:96]))
    expected = light_to_srgb(np.asarray(few.convert("RGB")) / 255, SRGB)
    check(png(np.asarray(few)[..., np.newaxis], 8, before=before), expected)


def boxed(kind: str) -> bytes:
    """Return the colours as an AVIF or HEIC file that says it is sRGB by numbers."""
    soft = PIL.Image.fromarray(COLOURS).resize((96, 64))
    if kind == "AVIF":
        return encode(soft, "AVIF", quality=100, subsampling="4:4:4")
    heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
    buffer = io.BytesIO()
    # Up to 1.4, pillow-heif writes the box only when asked.
    numbers = {"color_primaries": 1, "transfer_characteristics": 13, "matrix_coefficients": 6}
    heif.from_pillow(soft).save(buffer, quality=100, chroma=444, full_range_flag=1, **numbers)
    return buffer.getvalue()


def with_signal(file: bytes, primaries: int, transfer: int) -> bytes:
    """Return a file whose box of colours has other numbers."""
    place = file.index(b"colrnclx") + 8
    return file[:place] + struct.pack(">HH", primaries, transfer) + file[place + 4 :]


@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
def test_the_numbers_of_a_box_are_obeyed(kind: str) -> None:
    file = with_signal(boxed(kind), 1, 13)
    stored = levels(read_image(file))
    light = np.where(
        stored / 255 <= 0.04045, stored / 255 / 12.92, ((stored / 255 + 0.055) / 1.055) ** 2.4
    )
    check(with_signal(file, 12, 13), light_to_srgb(light, DISPLAY_P3), 1)


def test_the_numbers_are_those_of_what_opens_heic_for_pillow() -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
    file = with_signal(boxed("HEIC"), 12, 13)
    with heif.HeifImageFile(io.BytesIO(file)) as photo:
        np.testing.assert_array_equal(read_image(photo), read_image(file))
    with (
        heif.HeifImageFile(io.BytesIO(with_signal(file, 9, 16))) as photo,
        pytest.raises(ImageError, match="high dynamic range"),
    ):
        read_image(photo)


@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_box_of_high_dynamic_range_is_refused(kind: str, transfer: int, name: str) -> None:
    with pytest.raises(ImageError, match=rf"high dynamic range \({name}\)"):
        read_image(with_signal(boxed(kind), 9, transfer))
