"""Profiles by their primaries and curves, whatever they are called, at every depth."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from blurmapper.images import read_image

from .making import COLOURS, COVER, GREY, as_rgb, chunk, encode, levels, png, tiff, with_depth
from .making_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    SRGB_CURVE,
    formula_curve,
    gamma_curve,
    light_to_srgb,
    make_cmyk_profile,
    make_grey_profile,
    make_profile,
    make_rgb_profile,
    table_curve,
    to_srgb,
)

NAMES = (b"sRGB IEC61966-2.1", b"DCI-P3 D65 Gamut with sRGB Transfer", b"a test's own")
CURVES = {
    "gamma": (gamma_curve(2.2), lambda x: x ** (563 / 256)),
    "table": (table_curve(np.linspace(0, 1, 1024) ** 1.8), lambda x: x**1.8),
    "straight": (table_curve(np.array([])), lambda x: x),
    "formula 0": (formula_curve(0, 1.8), lambda x: x**1.8),
    "formula 1": (formula_curve(1, 2.0, 1.25, -0.25), lambda x: (1.25 * x - 0.25).clip(0) ** 2),
    # Black is shown as none at all.
    "formula 2": (
        formula_curve(2, 2.0, 0.8, 0.1, 0.04),
        lambda x: ((0.8 * x + 0.1) ** 2 - 0.01) / 0.95,
    ),
    "formula 3": (
        formula_curve(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
        lambda x: np.where(x < 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4),
    ),
    "formula 4": (
        formula_curve(4, 2.0, 1.0, 0.0, 0.5, 0.25, 0.0, 0.0),
        lambda x: np.where(x < 0.25, 0.5 * x, x**2),
    ),
}


def files(profile: bytes | None) -> dict[str, bytes]:
    """Return the colours with a profile in files of every depth."""
    packed = chunk(b"iCCP", b"n\0\0" + zlib.compress(profile)) if profile else b""
    deep = with_depth(COLOURS / 255, "u2")
    photo = PIL.Image.fromarray(COLOURS)
    return {
        "jpeg": encode(photo, "JPEG", icc_profile=profile, quality=100, subsampling=0),
        "png": png(COLOURS, 8, before=packed),
        "deep png": png(deep, 16, before=packed),
        "tiff": tiff(COLOURS, photometric="rgb", iccprofile=profile),
        "deep tiff": tiff(deep, photometric="rgb", iccprofile=profile, separate=True),
        "float tiff": tiff(with_depth(COLOURS / 255, "f4"), photometric="rgb", iccprofile=profile),
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB, PROPHOTO], ids=["P3", "Adobe", "Pro"])
def test_a_profile_is_obeyed_whatever_it_is_called(name: bytes, primaries: Any) -> None:
    plain = files(None)
    for kind, file in files(make_rgb_profile(primaries, 2.2, name)).items():
        expected = to_srgb(levels(read_image(plain[kind])), primaries, 563 / 256)
        assert np.abs(levels(read_image(file)) - expected).max() < 1.5, kind


@pytest.mark.parametrize("name", NAMES)
def test_the_profile_of_srgb_changes_nothing_whatever_it_is_called(name: bytes) -> None:
    plain = files(None)
    for kind, file in files(make_rgb_profile(SRGB, SRGB_CURVE, name)).items():
        np.testing.assert_array_equal(read_image(file), read_image(plain[kind]), kind)


@pytest.mark.parametrize("name", NAMES)
def test_a_linear_profile_is_obeyed_to_the_darkest_shades(name: bytes) -> None:
    shades = np.linspace(0, 0.02, 20 * 30 * 3).reshape(20, 30, 3)
    file = tiff(
        with_depth(shades, "u2"),
        photometric="rgb",
        iccprofile=make_rgb_profile(SRGB, 1.0, name),
    )
    np.testing.assert_allclose(levels(read_image(file)), light_to_srgb(shades, SRGB), atol=0.15)


@pytest.mark.parametrize("name", CURVES)
def test_every_kind_of_curve_is_read(name: str) -> None:
    curve, light = CURVES[name]
    file = files(make_rgb_profile(ADOBE_RGB, curve))["deep tiff"]
    expected = light_to_srgb(light(COLOURS / 255), ADOBE_RGB)
    np.testing.assert_allclose(levels(read_image(file)), expected, atol=0.3)


@pytest.mark.parametrize("name", ["gamma", "table", "formula 2"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_a_profile_of_grey_is_obeyed_at_every_depth(
    name: str, dtype: str, white_is_zero: bool
) -> None:
    curve, light = CURVES[name]
    stored = 1 - GREY / 255 if white_is_zero else GREY / 255
    file = tiff(
        with_depth(stored, dtype),
        photometric="miniswhite" if white_is_zero else "minisblack",
        iccprofile=make_grey_profile(curve, NAMES[0]),
    )
    expected = light_to_srgb(as_rgb(light(GREY / 255)), SRGB)
    assert np.abs(expected - as_rgb(GREY)).max() > 5
    np.testing.assert_allclose(levels(read_image(file)), expected, atol=1.5)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_profile_of_grey_is_obeyed_under_alpha(bits: int) -> None:
    white = 2**bits - 1
    samples = np.concatenate([GREY[..., np.newaxis] / 255, COVER], axis=2)
    packed = zlib.compress(make_grey_profile(gamma_curve(1.0)))
    file = png(np.rint(samples * white), bits, before=chunk(b"iCCP", b"n\0\0" + packed))
    colours = light_to_srgb(as_rgb(GREY / 255), SRGB)
    np.testing.assert_allclose(levels(read_image(file)), 255 + (colours - 255) * COVER, atol=1.5)


@pytest.mark.parametrize("bits", [8, 16])
def test_colours_are_converted_before_they_are_laid_over_white(bits: int) -> None:
    white = 2**bits - 1
    samples = np.concatenate([COLOURS / 255, COVER], axis=2)
    packed = zlib.compress(make_rgb_profile(ADOBE_RGB, 1.0))
    file = png(np.rint(samples * white), bits, before=chunk(b"iCCP", b"n\0\0" + packed))
    expected = 255 + (to_srgb(COLOURS, ADOBE_RGB, 1.0) - 255) * COVER
    np.testing.assert_allclose(levels(read_image(file)), expected, atol=1.5)


def test_grey_under_a_profile_of_colour_is_that_grey_of_its_colours() -> None:
    file = tiff(
        with_depth(GREY / 255, "u2"),
        photometric="minisblack",
        iccprofile=make_rgb_profile(ADOBE_RGB, 1.0),
    )
    expected = to_srgb(as_rgb(GREY), ADOBE_RGB, 1.0)
    np.testing.assert_allclose(levels(read_image(file)), expected, atol=0.3)


@pytest.mark.parametrize(
    "profile", [make_cmyk_profile(), make_grey_profile(gamma_curve(1.0)), b"", b"x" * 200]
)
def test_a_profile_for_another_kind_of_photo_is_ignored_at_every_depth(profile: bytes) -> None:
    plain = files(None)
    for kind, file in files(profile).items():
        np.testing.assert_array_equal(read_image(file), read_image(plain[kind]), kind)


def test_a_profile_of_tables_is_obeyed_with_eight_bits() -> None:
    """Its tables exchange red and blue: the corners of the cube, in Lab, by Little CMS."""
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    corners = [(b, g, r) for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    picture = PIL.Image.fromarray(np.array([corners], np.uint8))
    lab = ImageCms.applyTransform(picture, to_lab)
    assert lab is not None
    nodes = (np.asarray(lab) ^ np.array([0, 128, 128], np.uint8)).tobytes()
    identity = b"".join(n.to_bytes(4, "big") for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((3, 3, 2, 0)) + identity + 3 * ramp + nodes + 3 * ramp
    profile = make_profile(b"mntr", b"RGB ", {b"A2B0": table}, NAMES[0])
    red = np.full((20, 20, 3), (65535, 0, 0), np.uint16)
    pixels = read_image(tiff(red, photometric="rgb", iccprofile=profile))
    np.testing.assert_allclose(levels(pixels)[0, 0], (0, 0, 255), atol=8)


def test_a_profile_with_turned_bits_gives_a_photo_all_the_same() -> None:
    rng = np.random.default_rng(0)
    whole = make_rgb_profile(ADOBE_RGB, formula_curve(3, 2.4, 0.9, 0.1, 0.1, 0.1))
    for _ in range(60):
        broken = bytearray(whole)
        for place in rng.integers(0, len(broken), 4):
            broken[place] ^= 1 << int(rng.integers(8))
        file = tiff(with_depth(COLOURS / 255, "u2"), photometric="rgb", iccprofile=bytes(broken))
        assert read_image(file).shape == COLOURS.shape


def test_a_pillow_image_of_sixteen_bits_obeys_its_profile() -> None:
    picture = PIL.Image.fromarray(with_depth(GREY / 255, "u2"))
    picture.info["icc_profile"] = make_grey_profile(gamma_curve(1.0))
    expected = light_to_srgb(as_rgb(GREY / 255), SRGB)
    np.testing.assert_allclose(levels(read_image(picture)), expected, atol=0.3)


def test_the_profile_of_a_jpeg_2000_file_is_obeyed() -> None:
    profile = make_rgb_profile(ADOBE_RGB, 1.0)
    file = encode(PIL.Image.fromarray(COLOURS), "JPEG2000", irreversible=False)
    place = file.index(b"colr") - 4
    length = int.from_bytes(file[place : place + 4], "big")
    box = (11 + len(profile)).to_bytes(4, "big") + b"colr\2\0\0" + profile
    header = file.index(b"jp2h") - 4
    grown = int.from_bytes(file[header : header + 4], "big") + len(box) - length
    file = (
        file[:header]
        + grown.to_bytes(4, "big")
        + file[header + 4 : place]
        + box
        + (file[place + length :])
    )
    with PIL.Image.open(io.BytesIO(file)) as picture:
        assert np.array_equal(np.asarray(picture), COLOURS)
    np.testing.assert_allclose(read_image(file), to_srgb(COLOURS, ADOBE_RGB, 1.0), atol=1)


@pytest.mark.parametrize("steps", [2, 65])
def test_a_profile_of_endless_steps_is_none(steps: int) -> None:
    step = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    places = struct.pack(">II", 16 + 8 * steps, len(step)) * steps
    chain = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, steps) + places + step
    packed = zlib.compress(make_profile(b"mntr", b"RGB ", {b"D2B0": chain}))
    image = read_image(png(COLOURS, 8, before=chunk(b"iCCP", b"x\0\0" + packed)))
    assert np.array_equal(image, COLOURS) == (steps > 64)
