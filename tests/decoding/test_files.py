"""Files that are turned, read in part, animated or cut short."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.decoding import decode_photo
from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import encode, make_scene

AsHeld = Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
Image = npt.NDArray[np.uint8]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "AVIF", "MPO"])
def test_lossy_files_are_turned_upright(orientation: int, kind: str, as_held: AsHeld) -> None:
    upright = make_scene(48, 64)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    held = PIL.Image.fromarray(as_held(upright, orientation))
    pixels = read_image(encode(held, kind, quality=100, exif=exif.tobytes()))
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("odd", [b"XX", b"\0\0"])
def test_odd_exif_costs_no_avif_photo(odd: bytes) -> None:
    exif = PIL.Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    file = encode(PIL.Image.fromarray(make_scene(48, 64)), "AVIF", exif=exif.tobytes())
    place = file.index(b"MM\0*")
    damaged = file[:place] + odd + file[place + 2 :]
    np.testing.assert_array_equal(read_image(damaged), read_image(file))


@pytest.mark.parametrize(("least", "part"), [(1, 8), (1200, 4), (3000, 2), (4801, 1), (10**9, 1)])
def test_a_jpeg_is_read_in_the_least_part_that_is_enough(least: int, part: int) -> None:
    scene = make_scene(120, 160)
    photo = decode_photo(
        io.BytesIO(encode(PIL.Image.fromarray(scene), "JPEG", quality=95)), "x", least
    )
    assert photo.image.shape == (
        120 // part if part < 8 else 30,
        160 // part if part < 8 else 40,
        3,
    )
    assert (photo.height, photo.width) == (120, 160)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 6, 3])
def test_a_part_shows_what_the_whole_shows(mode: str, orientation: int, as_held: AsHeld) -> None:
    held = PIL.Image.fromarray(as_held(make_scene(120, 161), orientation)).convert(mode)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    file = encode(held, "JPEG", quality=95, exif=exif.tobytes())
    part, whole = decode_photo(io.BytesIO(file), "x", 4000), decode_photo(io.BytesIO(file), "x")
    assert (part.height, part.width) == (120, 161)
    half = PIL.Image.fromarray(whole.image).resize(
        part.image.shape[1::-1], PIL.Image.Resampling.BOX
    )
    assert np.abs(np.asarray(half).astype(int) - part.image).mean() < 2


def test_other_formats_are_read_whole() -> None:
    file = encode(PIL.Image.fromarray(make_scene(120, 160)), "PNG")
    assert decode_photo(io.BytesIO(file), "x", 1).image.shape == (120, 160, 3)


def test_a_truncated_jpeg_is_refused_in_part_too() -> None:
    file = encode(PIL.Image.fromarray(make_scene(120, 160)), "JPEG")
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode_photo(io.BytesIO(file[: len(file) // 2]), "x", 1)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_heic_photo_is_refused(share: float) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
    buffer = io.BytesIO()
    heif.from_pillow(PIL.Image.fromarray(make_scene(96, 128))).save(buffer)
    with pytest.raises(ImageError):
        read_image(buffer.getvalue()[: int(share * len(buffer.getvalue()))])


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF", "AVIF"])
def test_of_an_animation_the_first_frame_is_read(kind: str) -> None:
    frames = [PIL.Image.new("RGB", (32, 32), colour) for colour in ((200, 30, 40), (0, 0, 255))]
    file = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(read_image(file)[0, 0], (200, 30, 40), atol=8)
