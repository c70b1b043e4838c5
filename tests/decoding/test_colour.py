"""Colour profiles of screens, cameras and presses, embedded in files of every kind."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ImageCms

from blurmapper.images import read_image

# Primaries as the columns of a matrix to XYZ at D50, with Bradford's adaptation: B. Lindbloom,
# "RGB/XYZ Matrices", brucelindbloom.com.
SRGB = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
ADOBE_RGB = np.array(
    [
        [0.6097559, 0.2052401, 0.1492240],
        [0.3111242, 0.6256560, 0.0632197],
        [0.0194811, 0.0608902, 0.7448387],
    ]
)
DISPLAY_P3 = np.array(
    [
        [0.5151187, 0.2919778, 0.1571035],
        [0.2411892, 0.6922441, 0.0665668],
        [-0.0010505, 0.0418791, 0.7840713],
    ]
)
D50 = (0.9642, 1.0, 0.8249)


def encode(picture: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def make_profile(device: bytes, space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return an ICC profile, version 2, of these tags beside those that every one has."""
    white = b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(65536 * v)) for v in D50)
    name = b"a test's own\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": white,
        **tags,
    }
    table, content = struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(content), len(body))
        content += body + bytes(-len(body) % 4)
    illuminant = b"".join(struct.pack(">i", round(65536 * v)) for v in D50)
    connection = b"Lab " if b"A2B0" in tags else b"XYZ "
    head = struct.pack(
        ">I4sI4s4s4s", 128 + len(table + content), bytes(4), 0x02400000, device, space, connection
    )
    head += bytes(12) + b"acsp" + bytes(28) + illuminant
    return head.ljust(128, b"\0") + table + content


def make_rgb_profile(primaries: npt.NDArray[np.float64], gamma: float) -> bytes:
    """Return the profile of a screen with these primaries and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma))
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True):
        tags[tag] = (
            b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(65536 * v)) for v in column)
        )
    return make_profile(b"mntr", b"RGB ", tags)


def make_cmyk_profile() -> bytes:
    """Return the profile of a press whose cyan is green: ink takes away lightness, cyan also a*."""
    grid = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    nodes = b"".join(
        bytes((max(0, 255 - 100 * c - 50 * (m + y) - 255 * k), 128 - 80 * c, 128))
        for c, m, y, k in grid
    )
    ramp = bytes(range(256))
    identity = b"".join(struct.pack(">i", v) for v in (65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + 4 * ramp + nodes + 3 * ramp
    return make_profile(b"prtr", b"CMYK", {b"A2B0": lut})


def to_srgb(colour: tuple[int, int, int], primaries: npt.NDArray[np.float64], gamma: float) -> Any:
    """Return what a colour of 8 bits is in sRGB, by IEC 61966-2-1."""
    linear = np.linalg.inv(SRGB) @ primaries @ (np.array(colour) / 255) ** gamma
    linear = linear.clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return 255 * curved


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


def test_sixteen_bits_of_another_profile_become_eight_of_srgb() -> None:
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
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[0, 0], to_srgb(colour, ADOBE_RGB, 563 / 256), atol=3)


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
