"""What holds of every classical method alike."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.evaluation.scores import average_precision, image_counts
from blurmapper.methods import METHODS, BlurMethod, get_method

RECORD = runpy.run_path(str(Path(__file__).with_name("record.py")))
PHOTOS: dict[str, npt.NDArray[np.uint8]] = RECORD["make_photos"]()
RECORDED: dict[str, Any] = json.loads(RECORD["RECORDED"].read_text())

SIZES = [(1, 1), (1, 40), (40, 1), (2, 3), (16, 16), (41, 67)]
WHITES = {np.uint8: 255, np.uint16: 65535, np.float32: 1}

Photo = npt.NDArray[Any]


@pytest.fixture(params=[name for name, row in METHODS.items() if row.kind == "baseline"])
def name(request: pytest.FixtureRequest) -> str:
    """The name of each classical method in turn."""
    return str(request.param)


@pytest.fixture
def method(name: str) -> BlurMethod:
    """Each classical method in turn."""
    return get_method(name)


@pytest.fixture
def photo() -> Photo:
    """A part of the photo with a half out of focus, uint8 (48, 64, 3), about the border."""
    return PHOTOS["defocus"][20:68, 32:96].copy()


def assert_is_map(blur_map: npt.NDArray[Any], size: tuple[int, int]) -> None:
    assert blur_map.dtype == np.float32
    assert blur_map.shape == size
    assert np.isfinite(blur_map).all()
    assert 0 <= blur_map.min() and blur_map.max() <= 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_map_has_its_photos_size(method: BlurMethod, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert_is_map(method(noise), size)


@pytest.mark.parametrize("share", [0, 0.5, 1])
@pytest.mark.parametrize("dtype", WHITES, ids=lambda dtype: dtype.__name__)
def test_a_constant_photo_has_a_map(method: BlurMethod, dtype: type, share: float) -> None:
    constant = np.full((24, 31, 3), share * WHITES[dtype]).astype(dtype)
    assert_is_map(method(constant), (24, 31))


def test_a_single_bright_pixel_is_no_trouble(method: BlurMethod) -> None:
    night = np.zeros((40, 40, 3), np.uint8)
    night[20, 20] = 255
    assert_is_map(method(night), (40, 40))


def test_what_is_too_small_to_reckon_with_is_no_error(method: BlurMethod, photo: Photo) -> None:
    with np.errstate(all="raise"):
        blur_map = method(photo.astype(np.float32) * np.float32(1e-30))
    assert_is_map(blur_map, (48, 64))


def test_the_dtype_decides_the_scale_and_nothing_else(method: BlurMethod, photo: Photo) -> None:
    """Float32 holds k / 255 to 6e-8 only, which a method that reckons in float64 notices."""
    deep = photo.astype(np.uint16) * 257
    unit = photo.astype(np.float32) / np.float32(255)
    blur_map = method(photo)
    np.testing.assert_array_equal(method(deep), blur_map)
    np.testing.assert_allclose(method(unit), blur_map, rtol=0, atol=1e-6)


def test_the_same_photo_has_the_same_map(method: BlurMethod, photo: Photo) -> None:
    assert method(photo).tobytes() == method(photo).tobytes()


def test_a_photo_is_left_as_it_was(method: BlurMethod, photo: Photo) -> None:
    for dtype, white in WHITES.items():
        given = (photo * np.float64(white / 255)).astype(dtype)
        before = given.copy()
        method(given)
        np.testing.assert_array_equal(given, before)


def test_a_view_is_as_good_as_a_copy(method: BlurMethod, photo: Photo) -> None:
    mirrored = photo[::-1, ::-1]
    np.testing.assert_array_equal(method(mirrored), method(mirrored.copy()))


@pytest.mark.parametrize("kind", PHOTOS)
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_textured_content_is_told_better_than_by_chance(
    method: BlurMethod, kind: str, *, grey: bool
) -> None:
    photo = PHOTOS[kind]
    if grey:
        photo = photo.mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
    ground_truth = np.zeros(photo.shape[:2], bool)
    ground_truth[:, photo.shape[1] // 2 :] = True
    precision = average_precision([image_counts(method(photo), ground_truth)])
    assert precision > ground_truth.mean() + 0.1


@pytest.mark.parametrize("kind", PHOTOS)
def test_a_method_answers_as_recorded(name: str, method: BlurMethod, kind: str) -> None:
    """Rounding differs between processors, and may turn a pixel or two at a threshold.

    A pixel is 1/256 of a block, so 0.01 lets two turn wholly and no more.
    """
    found = RECORD["block_means"](method(PHOTOS[kind]))
    np.testing.assert_allclose(found, RECORDED[name][kind], atol=0.01)


def test_what_is_recorded_is_of_these_methods() -> None:
    assert list(RECORDED) == RECORD["BASELINES"]


def test_the_paper_is_cited_with_its_year(name: str, method: BlurMethod) -> None:
    cited = sys.modules[method.__module__].__doc__ or ""
    assert re.search(r"\b20\d\d\b", cited), name
