"""Maps, images and overlays, written and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.errors import ImageError
from blurmapper.images import draw_overlay, read_image, read_map, write_image, write_map

Photo = npt.NDArray[np.uint8]


@pytest.mark.parametrize(
    ("name", "bits", "error"), [("m.png", 8, 1 / 510), ("m.png", 16, 1 / 131070), ("m.npy", 8, 0)]
)
def test_a_map_is_read_as_it_was_written(
    name: str, bits: Any, error: float, tmp_path: Path
) -> None:
    blur_map = np.random.default_rng(0).random((20, 30), np.float32)
    write_map(blur_map, tmp_path / name, bits=bits)
    again = read_map(tmp_path / name)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, blur_map, rtol=0, atol=error * 1.001)


def test_a_map_is_written_unstretched(tmp_path: Path) -> None:
    write_map(np.full((20, 20), 0.2, np.float32), tmp_path / "m.png")
    with PIL.Image.open(tmp_path / "m.png") as picture:
        assert picture.getextrema() == (51, 51)


@pytest.mark.parametrize(
    "blur_map",
    [
        np.full((20, 20), 1.1),
        np.full((20, 20), np.nan),
        np.zeros((20, 20, 1)),
        np.ones((9, 9), int),
    ],
)
def test_what_is_no_map_is_not_written(blur_map: Any, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        write_map(blur_map, tmp_path / "m.png")
    assert not list(tmp_path.iterdir())


def test_a_map_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"m\.jpg: maps are written as \.png"):
        write_map(np.zeros((20, 20), np.float32), tmp_path / "m.jpg")


def test_a_map_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_text("no map")
    with pytest.raises(ImageError, match=r"m\.png: not a blur map"):
        read_map(path)


def test_an_image_is_written_with_eight_bits(tmp_path: Path) -> None:
    write_image(np.full((20, 20, 3), 32768, np.uint16), tmp_path / "i.png")
    assert (read_image(tmp_path / "i.png") == 128).all()


def test_an_image_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"i\.xyz: no image format"):
        write_image(np.zeros((20, 20, 3), np.uint8), tmp_path / "i.xyz")


def test_an_overlay_shows_sharp_as_it_is_and_blurred_in_violet(sharp_photo: Photo) -> None:
    blur_map = np.zeros(sharp_photo.shape[:2], np.float32)
    blur_map[:, 64:] = 1
    overlay = draw_overlay(sharp_photo, blur_map)
    np.testing.assert_array_equal(overlay[:, :64], sharp_photo[:, :64])
    assert (overlay[:, 64:, 2] > overlay[:, 64:, 1]).all()


def test_an_overlay_is_the_same_in_every_dtype(sharp_photo: Photo) -> None:
    blur_map = np.full(sharp_photo.shape[:2], 0.5, np.float32)
    overlay = draw_overlay(sharp_photo, blur_map)
    np.testing.assert_array_equal(draw_overlay(sharp_photo * np.uint16(257), blur_map), overlay)
    np.testing.assert_allclose(
        draw_overlay(sharp_photo / np.float32(255), blur_map), overlay, atol=1
    )


def test_a_map_of_another_photo_is_refused(sharp_photo: Photo) -> None:
    with pytest.raises(ImageError, match="give the map of this photo"):
        draw_overlay(sharp_photo, np.zeros((96, 96), np.float32))
