"""What a program has set for its whole process: photos are read as ever, and it stays set."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ImageFile

from blurmapper.decoding.opening import own_settings
from blurmapper.errors import ImageError
from blurmapper.evaluation.maps import read_any_map
from blurmapper.images import read_image
from blurmapper.masks import read_mask

from .making import encode

Photo = npt.NDArray[np.uint8]

KINDS = ("JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP", "AVIF")


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Pillow refuse what has over 20 pixels."""
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_of_pixels_is_not_for_photos(sharp_photo: Photo, kind: str) -> None:
    assert read_image(encode(sharp_photo, kind)).shape == sharp_photo.shape
    assert PIL.Image.MAX_IMAGE_PIXELS == 10


def test_a_limit_of_pixels_is_not_for_pictures_that_are_open(
    sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PIL.Image.open(io.BytesIO(encode(sharp_photo, "TIFF"))) as picture:
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
        np.testing.assert_array_equal(read_image(picture), sharp_photo)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("read", [read_mask, lambda path: read_any_map(path, "blurred")])
def test_a_limit_of_pixels_is_not_for_masks_and_maps(read: object, tmp_path: Path) -> None:
    assert callable(read)
    path = tmp_path / "white.png"
    PIL.Image.new("L", (40, 30), 255).save(path)
    assert read(path).shape == (30, 40)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "AVIF"])
def test_half_a_photo_is_refused_where_a_program_takes_halves(
    sharp_photo: Photo, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = encode(sharp_photo, kind)
    with pytest.raises(ImageError):
        read_image(whole[: len(whole) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_warning_of_pillow_is_no_error_where_a_program_makes_it_one(sharp_photo: Photo) -> None:
    jpeg = encode(sharp_photo, "JPEG")
    index = b"MPF\0no index"
    odd = jpeg[:2] + b"\xff\xe2" + struct.pack(">H", 2 + len(index)) + index + jpeg[2:]
    with warnings.catch_warnings(action="error"):
        with pytest.raises(UserWarning, match="malformed MPO"):
            PIL.Image.open(io.BytesIO(odd))
        np.testing.assert_array_equal(read_image(odd), read_image(jpeg))


@pytest.mark.usefixtures("small_limit")
def test_the_last_of_those_that_read_takes_the_change_back() -> None:
    first, second = own_settings(), own_settings()
    with first:
        second.__enter__()
    assert PIL.Image.MAX_IMAGE_PIXELS is None
    second.__exit__(None, None, None)
    assert PIL.Image.MAX_IMAGE_PIXELS == 10
