from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.datasets import Polarity
from blurmapper.errors import DatasetError, ImageError
from blurmapper.evaluation.counts import image_counts
from blurmapper.evaluation.maps import find_maps, read_any_map, resize_map

LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
EXPECTED = list(range(256, 0, -1))


def reached(path: Path, white: Polarity = "blurred") -> Any:
    """Return how many pixels of a file reach each threshold."""
    blur_map = read_any_map(path, white)
    return image_counts(blur_map, np.ones(blur_map.shape, bool)).detections.tolist()


@pytest.mark.parametrize("white", ["blurred", "sharp"])
@pytest.mark.parametrize("name", ["8.png", "16.png", "8.webp", "8.tif", "f.npy", "8.npy", "16.npy"])
def test_every_kind_of_file_is_exact_in_both_polarities(
    tmp_path: Path, name: str, white: Polarity
) -> None:
    stored: npt.NDArray[Any] = LEVELS if white == "blurred" else 255 - LEVELS
    path = tmp_path / name
    if name.startswith("16"):
        stored = stored.astype(np.uint16) * 257
    if name == "f.npy":
        np.save(path, stored / 255)
    elif path.suffix == ".npy":
        np.save(path, stored)
    else:
        PIL.Image.fromarray(stored).save(path, lossless=True)
    assert reached(path, white) == EXPECTED


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_grey_in_colour_is_read_as_grey(tmp_path: Path, mode: str) -> None:
    PIL.Image.fromarray(LEVELS).convert(mode).save(tmp_path / "a.png")
    assert reached(tmp_path / "a.png") == EXPECTED


def test_maps_are_found_by_name_whatever_their_suffix(tmp_path: Path) -> None:
    for name in ("a.png", "b.blur.png", "c.npy", "set/d.webp", "e.JPG.blur.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_maps(tmp_path, ["a", "b", "c", "set/d", "e"])
    assert [path.name for path in found.values()] == [
        *("a.png", "b.blur.png", "c.npy", "d.webp", "e.JPG.blur.png")
    ]


@pytest.mark.parametrize("other", ["a.png", "a.blur.png", "a.png.blur.npy"])
def test_two_maps_of_one_photo_are_refused(tmp_path: Path, other: str) -> None:
    for name in ("a.jpg.blur.webp", other, "b.png"):
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match=r"/a\..*: a\..* is of the same photo; keep one"):
        find_maps(tmp_path, ["a", "b"])
    assert find_maps(tmp_path, ["b"]) == {"b": tmp_path / "b.png"}


@pytest.mark.parametrize("bits", ["e", "f", "d", "g"])
def test_maps_of_floats_of_every_width_are_resized(tmp_path: Path, bits: str) -> None:
    np.save(tmp_path / "a.npy", np.array([[0, 1]], bits))
    resized = resize_map(read_any_map(tmp_path / "a.npy"), 1, 4)
    assert resized.tolist() == [[0, 0.25, 0.75, 1]]


def test_missing_maps_are_named_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(DatasetError, match="no map of b nor of 1 other"):
        find_maps(tmp_path, ["a", "b", "c"])


@pytest.mark.parametrize("name", ["a.png", "a.npy"])
def test_a_damaged_map_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"neither")
    with pytest.raises(ImageError, match=f"{name}: (not an image file|damaged or cut)"):
        read_any_map(tmp_path / name)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 3)), np.zeros((2, 2), np.int64), np.zeros((0, 2))]
)
def test_an_array_that_is_no_map_is_refused(tmp_path: Path, array: npt.NDArray[Any]) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ImageError, match="is no map"):
        read_any_map(tmp_path / "a.npy")
