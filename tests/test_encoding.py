"""PNG files of our own making."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from blurmapper import encoding
from blurmapper.encoding import encode_grey
from blurmapper.images import encode_map


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (3, 1000), (700, 900), (2000, 1)])
def test_other_programs_read_the_same_levels(size: tuple[int, int], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, np.iinfo(dtype).max, size, dtype, endpoint=True)
    content = encode_grey(grey)
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, grey)
    with PIL.Image.open(io.BytesIO(content)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", size[::-1])
        np.testing.assert_array_equal(np.asarray(picture), grey)


def test_levels_of_any_layout_in_memory_are_written() -> None:
    grey = np.random.default_rng(0).integers(0, 65536, (40, 60), np.uint16)
    for same in (grey.T, grey[::2, ::-1], grey.astype(">u2")):
        content = encode_grey(same)
        read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(read, same)


def test_a_file_in_several_chunks_is_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_MOST_BYTES", 100)
    grey = np.random.default_rng(0).integers(0, 256, (50, 70), np.uint8)
    content = encode_grey(grey)
    assert content.count(b"IDAT") > 10
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, grey)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_map_enlarged_as_levels_is_that_enlarged_as_numbers_but_for_a_level(bits: Any) -> None:
    blur_map = np.random.default_rng(0).random((60, 80), np.float32)
    content = encode_map(blur_map, ".png", bits=bits, size=(123, 321))
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    large = (2**bits - 1) * cv2.resize(blur_map, (321, 123), interpolation=cv2.INTER_LINEAR)
    assert np.abs(read - np.rint(large)).max() <= 1


def test_a_map_of_numbers_is_enlarged_as_numbers() -> None:
    blur_map = np.random.default_rng(0).random((60, 80), np.float32)
    read = np.load(io.BytesIO(encode_map(blur_map, ".npy", size=(123, 321))))
    large = cv2.resize(blur_map, (321, 123), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(read, large)
