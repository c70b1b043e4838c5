"""Maps, images and overlays, written and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper import (
    blur_degree,
    cut_out,
    find_sharpest,
    magnify_blur,
    refine_map,
    segment_blur,
)
from blurmapper.decoding import check_map
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
    "function",
    [
        *(blur_degree, cut_out, draw_overlay, find_sharpest),
        *(magnify_blur, refine_map, segment_blur, write_map),
    ],
)
def test_what_takes_a_map_has_a_hint_that_lets_in_floats_of_any_size(function: Any) -> None:
    hints = get_type_hints(function, localns={"Shape": str, "BlurAmounts": object})
    name = "coarse_map" if function is refine_map else "blur_map"
    assert hints[name] == npt.NDArray[np.floating[Any]]


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


@pytest.mark.parametrize("name", ["npy", "png", "a.b/png", "a.png "])
def test_a_map_without_an_ending_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageError, match=r"maps are written as \.png"):
        write_map(np.zeros((20, 20), np.float32), name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [".npy", ".png", ".NPY"])
def test_a_map_whose_name_is_all_ending_is_read_as_it_was_written(
    name: str, tmp_path: Path
) -> None:
    blur_map = np.eye(20, dtype=np.float32)
    write_map(blur_map, tmp_path / name)
    np.testing.assert_array_equal(read_map(tmp_path / name), blur_map)


def test_a_map_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_text("no map")
    with pytest.raises(ImageError, match=r"m\.png: not an image file"):
        read_map(path)


@pytest.mark.parametrize(
    "kind", ["L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "jpg", "npy", "u1", "u2"]
)
def test_grey_images_of_every_kind_are_maps(kind: str, tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    path = tmp_path / "m.tif"
    if kind == "npy":
        np.save(path := tmp_path / "m.npy", levels / 255)
    elif kind in ("u1", "u2"):
        np.save(
            path := tmp_path / "m.npy", levels * np.dtype(kind).type(1 if kind == "u1" else 257)
        )
    elif kind == "I;16":
        PIL.Image.fromarray(levels * np.uint16(257)).save(path)
    elif kind == "I":
        PIL.Image.fromarray(levels * np.int32(257)).save(path := tmp_path / "m.pgm")
    elif kind == "F":
        PIL.Image.fromarray((levels / 255).astype(np.float32)).save(path)
    elif kind == "jpg":
        PIL.Image.fromarray(levels).convert("RGB").save(path := tmp_path / "m.jpg", quality=95)
    else:
        PIL.Image.fromarray(levels).convert(kind).save(path)
    blur_map = read_map(path)
    assert blur_map.dtype == np.float32
    np.testing.assert_allclose(blur_map, levels / 255, atol=0.02 if kind == "jpg" else 1e-6)


@pytest.mark.parametrize("kind", ["RGB", "P"])
def test_a_photo_is_no_map(kind: str, tmp_path: Path, sharp_photo: Photo) -> None:
    colours = sharp_photo // np.uint8([1, 2, 3])
    PIL.Image.fromarray(colours).convert(kind).save(tmp_path / "m.png")
    with pytest.raises(ImageError, match=r"m\.png: .* in colours; give a grey PNG"):
        read_map(tmp_path / "m.png")


@pytest.mark.parametrize("name", ["m.tif", "m.npy"])
def test_a_map_out_of_range_is_named(name: str, tmp_path: Path) -> None:
    levels = np.full((16, 16), 2, np.float32)
    if name == "m.npy":
        np.save(tmp_path / name, levels)
    else:
        PIL.Image.fromarray(levels).save(tmp_path / name)
    with pytest.raises(ImageError, match=rf"{name}: the blur map holds values outside \[0, 1\]"):
        read_map(tmp_path / name)


def test_an_image_is_written_with_eight_bits(tmp_path: Path) -> None:
    write_image(np.full((20, 20, 3), 32768, np.uint16), tmp_path / "i.png")
    assert (read_image(tmp_path / "i.png") == 128).all()


def test_an_image_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"i\.xyz: no image format"):
        write_image(np.zeros((20, 20, 3), np.uint8), tmp_path / "i.xyz")


@pytest.mark.parametrize(
    ("name", "line"),
    [(f"i.{kind}", "no image format has that suffix") for kind in ("psd", "ico", "icns")]
    + [("i.xbm", "use .jpg, .png or .webp")],
)
def test_a_format_that_takes_no_photo_is_refused(name: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=rf"{name}: .*{line}"):
        write_image(np.zeros((20, 20, 3), np.uint8), tmp_path / name)


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


def test_overlays_and_maps_are_made_whatever_numpy_is_told_to_raise() -> None:
    image = np.full((20, 20, 3), 1e-42, np.float32)
    with np.errstate(all="raise"):
        overlay = draw_overlay(image, image[..., 0])
        found = check_map(np.full((20, 20), 1e-300))
    assert not overlay.any()
    assert not found.any()


def test_a_map_of_another_photo_is_refused(sharp_photo: Photo) -> None:
    with pytest.raises(ImageError, match="give the map of this photo"):
        draw_overlay(sharp_photo, np.zeros((96, 96), np.float32))
