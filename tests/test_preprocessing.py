"""What a network sees of a photo."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blurmapper.preprocessing import EFFICIENTNET_LITE, VGG16, Preprocessing, reduce_area

sides = st.integers(16, 50_000)


@given(height=sides, width=sides)
def test_a_photo_is_never_enlarged_nor_larger_than_the_working_area(
    height: int, width: int
) -> None:
    small = VGG16.working_size(height, width)
    assert small[0] <= height and small[1] <= width
    assert small[0] * small[1] <= VGG16.working_side**2 + max(small)


def test_the_aspect_is_kept() -> None:
    height, width = VGG16.working_size(3000, 4000)
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_a_small_photo_is_left_alone(sharp_photo: npt.NDArray[np.uint8]) -> None:
    assert VGG16.resize(sharp_photo) is sharp_photo


@pytest.mark.parametrize("size", [(1600, 1280), (1501, 999)])
def test_what_is_halved_on_the_way_has_the_means_of_its_areas(size: tuple[int, int]) -> None:
    blur_map = np.random.default_rng(0).random(size, np.float32)
    direct = cv2.resize(blur_map, (64, 80), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(reduce_area(blur_map, 80, 64), direct, atol=0.03)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_resize_keeps_the_dtype_and_the_mean(dtype: Any) -> None:
    photo = np.random.default_rng(0).integers(0, 2, (700, 900, 3)).astype(dtype)
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    small = VGG16.resize(photo * dtype(white))
    assert small.dtype == dtype
    assert small.mean() / white == pytest.approx(photo.mean(), abs=0.01)


@pytest.mark.parametrize(("height", "width"), [(1_800, 2_400), (1_237, 3_001)])
def test_halving_first_moves_noise_by_less_than_a_level_on_average(height: int, width: int) -> None:
    texture = np.random.default_rng(0).integers(0, 256, (height // 3, width // 3, 3), np.uint8)
    photo = cv2.resize(texture, (width, height), interpolation=cv2.INTER_CUBIC)
    small = Preprocessing(128, (0.0,) * 3, (1.0,) * 3, "rgb").resize(photo)
    exact = cv2.resize(photo, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    moved = np.abs(small.astype(int) - exact)
    assert 0 < moved.mean() < 1


@pytest.mark.parametrize("preprocessing", [VGG16, EFFICIENTNET_LITE])
def test_the_dtype_decides_the_scale(
    preprocessing: Preprocessing, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    expected = preprocessing.normalise(sharp_photo)
    for same in (sharp_photo * np.uint16(257), sharp_photo / np.float32(255)):
        np.testing.assert_allclose(preprocessing.normalise(same), expected, atol=1e-3)


def test_a_dark_photo_stays_dark() -> None:
    white_as_uint8 = np.full((16, 16, 3), 255, np.uint8)
    dark_as_uint16 = np.full((16, 16, 3), 255, np.uint16)
    assert (EFFICIENTNET_LITE.normalise(white_as_uint8) == 1).all()
    assert (EFFICIENTNET_LITE.normalise(dark_as_uint16) < -0.98).all()


def test_vgg16_sees_blue_first_less_its_mean() -> None:
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 2] = 255
    batch = VGG16.normalise(blue)
    assert batch.shape == (1, 3, 16, 16)
    np.testing.assert_allclose(batch[0, :, 0, 0], [255 - 103.939, -116.779, -123.68], rtol=1e-5)


@pytest.mark.parametrize("preprocessing", [VGG16, EFFICIENTNET_LITE])
def test_json_gives_back_the_same(preprocessing: Preprocessing) -> None:
    fields = json.loads(json.dumps(preprocessing.to_dict()))
    assert Preprocessing.from_dict(fields) == preprocessing
