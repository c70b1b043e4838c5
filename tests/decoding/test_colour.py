"""Colour profiles of screens, cameras and presses, embedded in files of every kind."""

from __future__ import annotations

import io
import struct

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ImageCms

from blurmapper.images import read_image

from .making import encode
from .making_profiles import ADOBE_RGB, DISPLAY_P3, make_cmyk_profile, make_rgb_profile, to_srgb


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE_RGB, 563 / 256), (DISPLAY_P3, 2.2)])
def test_profiles_of_cameras_and_phones_become_srgb(
    kind: str, primaries: npt.NDArray[np.float64], gamma: float
) -> None:
    colour = (180, 90, 100)
    picture = PIL.Image.new("RGB", (32, 32), colour)
    file = encode(picture, kind, icc_profile=make_rgb_profile(primaries, gamma), quality=100)
    expected = to_srgb(colour, primaries, gamma)
    assert np.abs(expected - colour).max() > 5
    np.testing.assert_allclose(read_image(file)[16, 16], expected, atol=3)


def test_the_profile_of_a_press_is_obeyed() -> None:
    cyan = PIL.Image.new("CMYK", (32, 32), (255, 0, 0, 0))
    plain = read_image(encode(cyan, "TIFF"))[16, 16]
    by_profile = read_image(encode(cyan, "TIFF", icc_profile=make_cmyk_profile()))[16, 16]
    assert plain[2] > 200
    assert by_profile[1] > by_profile[2] + 30


def test_a_profile_of_another_colour_model_is_ignored() -> None:
    picture = PIL.Image.new("RGB", (20, 20), (200, 30, 40))
    file = encode(picture, "PNG", icc_profile=make_cmyk_profile())
    assert read_image(file)[0, 0].tolist() == [200, 30, 40]


def test_sixteen_bits_of_another_profile_stay_and_become_srgb() -> None:
    import cv2

    colour = (180, 90, 100)
    deep = np.full((20, 20, 3), np.array(colour) * 257, np.uint16)
    png = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    with_profile = io.BytesIO()
    PIL.Image.new("RGB", (20, 20)).save(
        with_profile, "PNG", icc_profile=make_rgb_profile(ADOBE_RGB, 563 / 256)
    )
    start = with_profile.getvalue().index(b"iCCP") - 4
    (length,) = struct.unpack(">I", with_profile.getvalue()[start : start + 4])
    chunk = with_profile.getvalue()[start : start + 12 + length]
    pixels = read_image(png[:33] + chunk + png[33:])
    assert pixels.dtype == np.uint16
    expected = to_srgb(colour, ADOBE_RGB, 563 / 256)
    np.testing.assert_allclose(pixels[0, 0] / 257, expected, atol=0.1)


def test_sixteen_bits_with_the_profile_of_srgb_stay() -> None:
    import cv2

    deep = np.full((20, 20, 3), 12345, np.uint16)
    png = cv2.imencode(".png", deep)[1].tobytes()
    buffer = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PIL.Image.new("RGB", (20, 20)).save(buffer, "PNG", icc_profile=profile)
    start = buffer.getvalue().index(b"iCCP") - 4
    (length,) = struct.unpack(">I", buffer.getvalue()[start : start + 4])
    chunk = buffer.getvalue()[start : start + 12 + length]
    assert (read_image(png[:33] + chunk + png[33:]) == 12345).all()


def test_lab_becomes_rgb() -> None:
    grey = PIL.Image.new("LAB", (20, 20), (255, 128, 128))
    assert read_image(encode(grey, "TIFF")).min() > 250


def test_a_heic_photo_of_a_phone_becomes_srgb() -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
    colour = (180, 90, 100)
    picture = PIL.Image.new("RGB", (64, 64), colour)
    buffer = io.BytesIO()
    profile = make_rgb_profile(DISPLAY_P3, 2.2)
    heif.from_pillow(picture).save(buffer, quality=100, icc_profile=profile)
    expected = to_srgb(colour, DISPLAY_P3, 2.2)
    np.testing.assert_allclose(read_image(buffer.getvalue())[32, 32], expected, atol=4)
