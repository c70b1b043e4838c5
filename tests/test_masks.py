"""Masks of every kind of file: read as they mean, or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.datasets import Sample, read_pair, read_truth
from blurmapper.errors import DatasetError
from blurmapper.masks import read_mask

WHITE = np.array([[True, True, False, False]] * 3)
BLACK_AND_RED = [0, 0, 0, 128, 0, 0]


def save(path: Path, pixels: npt.NDArray[Any], mode: str | None = None) -> Path:
    picture = PIL.Image.fromarray(pixels)
    (picture if mode is None else picture.convert(mode)).save(path)
    return path


def save_palette(path: Path, numbers: npt.NDArray[Any], palette: list[int]) -> Path:
    picture = PIL.Image.fromarray(numbers.astype(np.uint8))
    picture.putpalette(palette)
    picture.save(path)
    return path


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA", "P"])
def test_black_and_white_of_any_mode_is_read(mode: str, tmp_path: Path) -> None:
    path = save(tmp_path / "mask.png", (255 * WHITE).astype(np.uint8), mode)
    np.testing.assert_array_equal(read_mask(path), 255 * WHITE)


@pytest.mark.parametrize(
    ("dtype", "high", "suffix"),
    [
        (np.uint8, 1, "png"),
        (np.uint16, 1, "png"),
        (np.uint16, 65535, "png"),
        (np.int32, 1, "tif"),
        (np.float32, 1, "tif"),
    ],
)
def test_numbers_of_classes_and_other_ranges_are_read(
    dtype: Any, high: int, suffix: str, tmp_path: Path
) -> None:
    path = save(tmp_path / f"mask.{suffix}", (high * WHITE).astype(dtype))
    np.testing.assert_array_equal(read_mask(path), 255 * WHITE)


@pytest.mark.parametrize("palette", [BLACK_AND_RED, [0, 0, 0, 0, 255, 0], [9, 9, 9, 90, 90, 90]])
def test_a_palettes_colours_are_classes(palette: list[int], tmp_path: Path) -> None:
    path = save_palette(tmp_path / "mask.png", WHITE, palette)
    np.testing.assert_array_equal(read_mask(path), 255 * WHITE)


def test_a_palette_of_white_and_black_is_read_by_what_is_seen(tmp_path: Path) -> None:
    path = save_palette(tmp_path / "mask.png", ~WHITE, [255, 255, 255, 0, 0, 0])
    np.testing.assert_array_equal(read_mask(path), 255 * WHITE)


def test_soft_edges_stay(tmp_path: Path) -> None:
    pixels = np.array([[0, 60, 127, 128, 200, 255]], np.uint8)
    np.testing.assert_array_equal(read_mask(save(tmp_path / "mask.png", pixels)), pixels)


@pytest.mark.parametrize(
    "levels",
    [
        [0, 128, 255],
        [0, 127, 255],
        [0, 64, 255],
        [0, 85, 170, 255],
        [0, 1, 254, 255],
        [0, 1, 128, 129],
        list(range(129)),
        list(range(0, 136, 8)),
        [1, 64, 192, 255],
    ],
)
def test_greys_of_few_levels_are_no_classes(levels: list[int], tmp_path: Path) -> None:
    pixels = np.array([levels], np.uint8)
    np.testing.assert_array_equal(read_mask(save(tmp_path / "mask.png", pixels)), pixels)
    save(tmp_path / "deep.png", pixels * np.uint16(257))
    np.testing.assert_array_equal(read_mask(tmp_path / "deep.png"), pixels)


def test_black_of_a_lossy_mask_is_no_class(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:8], pixels[8:, 8:] = 1, 255
    path = tmp_path / "mask.jpg"
    PIL.Image.fromarray(pixels).save(path, quality=100)
    assert np.count_nonzero(read_mask(path) > 127) == 64


@pytest.mark.parametrize("value", [0, 255])
def test_a_mask_of_one_value_is_whole(value: int, tmp_path: Path) -> None:
    path = save(tmp_path / "mask.png", np.full((4, 5), value, np.uint8))
    assert (read_mask(path) == value).all()


def test_the_noise_of_jpeg_is_no_class(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[::2] = 1
    path = tmp_path / "mask.jpg"
    PIL.Image.fromarray(pixels).save(path, quality=100)
    assert read_mask(path).max() < 128


@pytest.mark.parametrize(
    ("pixels", "suffix", "reason"),
    [
        (np.uint8([[0, 1, 2]]), "png", "brightest value is 2"),
        (np.uint8([[0, 38]]), "png", "brightest value is 38"),
        (np.uint8([[0, 1, 255]]), "png", "its 255 may be white, or what to ignore"),
        (np.uint8([[1, 255]]), "png", "its 255 may be white, or what to ignore"),
        (np.uint8([[0, 1, 2, 255]]), "png", "its 255 may be white, or what to ignore"),
        (np.uint8([[0, 15, 255]]), "png", "its 255 may be white, or what to ignore"),
        (np.uint8([[3, 44, 90, 255]]), "png", "its 255 may be white, or what to ignore"),
        (np.uint8([[0, 1, 128]]), "png", "its 128 may be white, or what to ignore"),
        (np.uint16([[0, 1, 65535]]), "png", "its 65535 may be white, or what to ignore"),
        (np.uint8([[[0] * 3, [1] * 3, [255] * 3]]), "png", "its 255 may be white"),
        (np.int32([[0, 1, 65535]]), "tif", "its 65535 may be white, or what to ignore"),
        (np.uint16([[0, 255]]), "png", "brightest value is 255"),
        (np.int32([[-1, 255]]), "tif", "values go from -1 to 255"),
        (np.int32([[0, 70000]]), "tif", "values go from 0 to 70000"),
        (np.float32([[0, 255]]), "tif", "values go up to 255"),
        (np.float32([[0, np.nan]]), "tif", "values go from nan to nan"),
        (np.uint8([[[255, 0, 0], [0, 0, 0]]]), "png", "is in colours"),
        (np.uint8([[[255, 255, 255, 0], [255, 255, 255, 255]]]), "png", "are transparent"),
    ],
)
def test_what_may_mean_several_things_is_refused(
    pixels: npt.NDArray[Any], suffix: str, reason: str, tmp_path: Path
) -> None:
    path = save(tmp_path / f"mask.{suffix}", pixels)
    with pytest.raises(DatasetError, match=rf"mask\.{suffix}: .*{reason}.*; write the mask as"):
        read_mask(path)


def test_a_palette_of_many_classes_is_refused(tmp_path: Path) -> None:
    numbers = np.array([[0, 1, 2]])
    path = save_palette(tmp_path / "mask.png", numbers, [*BLACK_AND_RED, 0, 128, 0])
    with pytest.raises(DatasetError, match=r"mask\.png: it is in colours"):
        read_mask(path)


def test_128_of_a_plain_pair_is_undecided(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.array([[0, 128, 255]], np.uint8))
    sample = read_pair(None, tmp_path)[0]
    ground_truth, valid = read_truth(sample)
    assert valid is not None
    assert (ground_truth & valid).tolist() == [[False, False, True]]
    assert valid.tolist() == [[True, False, True]]


def test_128_of_a_soft_edge_is_none(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.array([[0, 128, 129, 255]], np.uint8))
    assert read_truth(Sample("a", None, path, undecided=None))[1] is None
