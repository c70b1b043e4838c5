"""More blur where there is blur, and none where there is not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.applications import _lens, magnify_blur
from blurmapper.applications.light import (
    Shape,
    decode_light,
    encode_light,
    lens_kernel,
    lens_radius,
)
from blurmapper.applications.magnification import MOST_STRENGTH
from blurmapper.errors import ConfigError, ImageError

Photo = npt.NDArray[np.uint8]
BlurMap = npt.NDArray[np.float32]

SHAPES: tuple[Shape, ...] = get_args(Shape)
METHODS = ("lens", "naive")


def as_dtype(photo: Photo, dtype: Any) -> npt.NDArray[Any]:
    """Return the same photo with samples of another dtype."""
    if dtype == np.uint16:
        return photo * np.uint16(257)
    return photo / np.float32(255) if dtype == np.float32 else photo


@pytest.fixture
def subject() -> tuple[Photo, BlurMap]:
    """A white, sharp square before a dark ground, uint8 (240, 320, 3), and its blur map."""
    photo = np.full((240, 320, 3), 40, np.uint8)
    blur_map = np.ones((240, 320), np.float32)
    photo[80:160, 100:200] = 255
    blur_map[80:160, 100:200] = 0
    return photo, blur_map


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_sharp_photo_comes_back_bit_for_bit(
    sharp_photo: Photo, dtype: Any, value: float, method: Any
) -> None:
    photo = as_dtype(sharp_photo, dtype)
    blur_map = np.full(photo.shape[:2], value, np.float32)
    magnified = magnify_blur(photo, blur_map, strength=4, method=method)
    assert magnified.dtype == photo.dtype
    np.testing.assert_array_equal(magnified, photo)
    assert not np.shares_memory(magnified, photo)


@pytest.mark.parametrize("method", METHODS)
def test_strength_0_changes_nothing(sharp_photo: Photo, method: Any) -> None:
    blurred = np.ones(sharp_photo.shape[:2], np.float32)
    magnified = magnify_blur(sharp_photo, blurred, strength=0, method=method)
    np.testing.assert_array_equal(magnified, sharp_photo)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_sharp_stays_bit_for_bit_beside_what_is_not(
    half_blurred_photo: Photo, method: Any
) -> None:
    blur_map = np.zeros(half_blurred_photo.shape[:2], np.float32)
    blur_map[:, 64:] = 1
    magnified = magnify_blur(half_blurred_photo, blur_map, strength=4, method=method)
    np.testing.assert_array_equal(magnified[:, :64], half_blurred_photo[:, :64])
    assert (magnified[:, 64:] != half_blurred_photo[:, 64:]).any()


def test_the_paper_starts_above_a_tenth_and_its_gaussian_is_one_for_all(
    sharp_photo: Photo,
) -> None:
    blur_map = np.full(sharp_photo.shape[:2], 0.1, np.float32)
    blur_map[40:] = 0.11
    magnified = magnify_blur(sharp_photo, blur_map, strength=2, method="naive")
    radius = 2 / 64 * (96 * 128) ** 0.5
    size = (2 * int(np.ceil(1.5 * radius)) + 1,) * 2
    blurred = cv2.GaussianBlur(sharp_photo, size, radius / 2, borderType=cv2.BORDER_REFLECT)
    np.testing.assert_array_equal(magnified[:40], sharp_photo[:40])
    np.testing.assert_array_equal(magnified[40:], blurred[40:])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bright_subject_does_not_bleed_into_a_dark_background(
    subject: tuple[Photo, BlurMap], shape: Shape
) -> None:
    photo, blur_map = subject
    magnified = magnify_blur(photo, blur_map, strength=4, shape=shape)
    np.testing.assert_array_equal(magnified, photo)


def test_nor_does_one_whose_outline_the_map_misses_by_a_pixel(
    subject: tuple[Photo, BlurMap],
) -> None:
    photo, blur_map = subject
    blur_map = cv2.dilate(blur_map, np.ones((3, 3), np.uint8))
    magnified = magnify_blur(photo, blur_map, strength=4)
    assert magnified[blur_map == 1].max() <= 42


def test_the_papers_way_bleeds(subject: tuple[Photo, BlurMap]) -> None:
    photo, blur_map = subject
    magnified = magnify_blur(photo, blur_map, strength=4, method="naive")
    assert magnified[75, 150, 0] > 80


def test_more_in_the_map_is_more_blur(sharp_photo: Photo) -> None:
    contrast = []
    for value in (0.1, 0.3, 0.5, 0.7, 0.9):
        blur_map = np.full(sharp_photo.shape[:2], value, np.float32)
        contrast.append(magnify_blur(sharp_photo, blur_map, strength=3).std())
    assert (np.diff(contrast) < 0).all()


def test_more_strength_is_more_blur(sharp_photo: Photo) -> None:
    blur_map = np.ones(sharp_photo.shape[:2], np.float32)
    contrast = [magnify_blur(sharp_photo, blur_map, strength=s).std() for s in (0, 0.5, 1, 2, 8)]
    assert (np.diff(contrast) < 0).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("grey", [0, 3, 128, 250, 255])
def test_an_even_photo_stays_even(grey: int, shape: Shape) -> None:
    photo = np.full((70, 90, 3), grey, np.uint8)
    blur_map = np.random.default_rng(0).random((70, 90), np.float32)
    magnified = magnify_blur(photo, blur_map, strength=5, shape=shape)
    assert np.abs(magnified.astype(int) - grey).max() <= 1


def test_a_light_becomes_a_disc_of_even_brightness() -> None:
    photo = np.zeros((512, 512, 3), np.uint8)
    photo[255:257, 255:257] = 255
    magnified = magnify_blur(photo, np.ones((512, 512), np.float32), strength=4)[..., 0]
    ys, xs = np.ogrid[:512, :512]
    distance = np.hypot(ys - 255.5, xs - 255.5)
    inside = magnified[distance < 27]
    assert inside.min() > 0
    assert np.ptp(inside.astype(int)) <= 2
    assert magnified[distance > 38].max() == 0


def test_a_light_that_was_clipped_outshines_one_that_was_not() -> None:
    photo = np.zeros((256, 256, 3), np.uint8)
    photo[64, 64], photo[192, 192] = 255, 200
    magnified = magnify_blur(photo, np.ones((256, 256), np.float32), strength=2)
    light = decode_light(magnified)[..., 0]
    clipped_before = decode_light(np.uint8([[[255], [200]]])).ravel()
    assert light[64, 64] / light[192, 192] > 2 * clipped_before[0] / clipped_before[1]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [0.01, 0.5, 1.0, 1.7, 6.75, 12.0])
def test_a_kernel_keeps_energy(shape: Shape, radius: float) -> None:
    kernel = lens_kernel(shape, radius)
    assert kernel.sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert kernel.min() >= 0
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sigma_has_its_radius_in_each_shape(shape: Shape) -> None:
    profile = lens_kernel(shape, lens_radius(shape, 6.0)).sum(axis=0)
    places = np.arange(len(profile)) - len(profile) // 2
    assert (profile * places**2).sum() ** 0.5 == pytest.approx(6, rel=0.02)


def test_disc_and_gaussian_have_one_variance() -> None:
    places = {shape: np.arange(len(lens_kernel(shape, 9.0))) for shape in ("disc", "gaussian")}
    variances = []
    for shape in ("disc", "gaussian"):
        profile = lens_kernel(shape, 9.0).sum(axis=0)
        middle = len(places[shape]) // 2
        variances.append(float((profile * (places[shape] - middle) ** 2).sum()))
    assert variances[0] == pytest.approx(81 / 4, rel=0.02)
    assert variances[1] == pytest.approx(variances[0], rel=0.04)


def test_reduced_size_and_full_size_agree(
    sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = cv2.resize(sharp_photo, (300, 225), interpolation=cv2.INTER_CUBIC)
    blur_map = cv2.resize(np.float32([[0, 1, 1], [0.3, 1, 0.6]]), (300, 225))
    fast = magnify_blur(photo, blur_map, strength=6)
    monkeypatch.setattr(_lens, "_FINEST", 1e6)
    assert _lens._reduction(24.0) == 1
    exact = magnify_blur(photo, blur_map, strength=6)
    assert (fast != exact).any()
    assert np.abs(fast.astype(int) - exact).mean() < 1


def test_tiles_leave_no_seam(sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = cv2.resize(sharp_photo, (301, 227), interpolation=cv2.INTER_CUBIC)
    blur_map = cv2.resize(np.float32([[0, 1, 1], [0.3, 1, 0.6]]), (301, 227))
    whole = magnify_blur(photo, blur_map, strength=4)
    monkeypatch.setattr(_lens, "TILE", 64)
    assert len(_lens.split(227, 301)) == 20
    in_tiles = magnify_blur(photo, blur_map, strength=4)
    assert np.abs(in_tiles.astype(int) - whole).max() <= 1


# In 8 bits OpenCV rounds the weights of a Gaussian too.
@pytest.mark.parametrize(("method", "levels"), [("lens", 1), ("naive", 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_dtype_is_kept_and_decides_the_scale(
    half_blurred_photo: Photo, dtype: Any, method: Any, levels: int
) -> None:
    blur_map = np.ones(half_blurred_photo.shape[:2], np.float32)
    photo = as_dtype(half_blurred_photo, dtype)
    magnified = magnify_blur(photo, blur_map, strength=2, method=method)
    assert magnified.dtype == photo.dtype
    eight_bits = magnify_blur(half_blurred_photo, blur_map, strength=2, method=method)
    white = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    np.testing.assert_allclose(magnified * (255 / white), eight_bits, atol=levels)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (600, 1), (16, 16), (33, 515)])
def test_any_size_is_met(height: int, width: int, shape: Shape) -> None:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    blur_map = rng.random((height, width), np.float32)
    for strength in (1, MOST_STRENGTH):
        magnified = magnify_blur(photo, blur_map, strength=strength, shape=shape)
        assert magnified.shape == photo.shape
        assert magnified.dtype == np.uint8


@pytest.mark.parametrize("method", METHODS)
def test_the_same_photo_gives_the_same_answer(half_blurred_photo: Photo, method: Any) -> None:
    blur_map = np.random.default_rng(0).random((96, 128), np.float32)
    first = magnify_blur(half_blurred_photo, blur_map, strength=3, method=method)
    second = magnify_blur(half_blurred_photo, blur_map, strength=3, method=method)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("strength", [-1, MOST_STRENGTH + 1, float("nan")])
def test_a_strength_out_of_range_is_refused(sharp_photo: Photo, strength: float) -> None:
    blur_map = np.ones(sharp_photo.shape[:2], np.float32)
    with pytest.raises(ConfigError, match=r"^strength is .*; use 0 to 8$"):
        magnify_blur(sharp_photo, blur_map, strength=strength)


def test_the_map_of_another_photo_is_refused(sharp_photo: Photo) -> None:
    with pytest.raises(ImageError, match="give the map of this photo"):
        magnify_blur(sharp_photo, np.ones((96, 127), np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_light_decoded_and_encoded_is_the_same(dtype: Any) -> None:
    every = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    values = np.stack([every] * 3, axis=-1)[np.newaxis]
    np.testing.assert_array_equal(encode_light(decode_light(values), np.dtype(dtype)), values)


def test_light_is_that_of_the_standard() -> None:
    grey = np.full((1, 1, 3), 188, np.uint8)
    np.testing.assert_allclose(decode_light(grey), 0.5029, atol=1e-4)


def test_importing_the_applications_loads_no_opencv() -> None:
    code = "import sys, blurmapper.applications; print('cv2' in sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)
    assert loaded.stdout == "False\n"
