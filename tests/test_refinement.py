"""Coarse maps that follow the photo's edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper import blur_degree, decoding, magnify_blur, refinement, segment_blur
from blurmapper.amounts import measure_amounts
from blurmapper.errors import ConfigError, ImageError
from blurmapper.refinement import Guide, enlarge_map, refine_map

BlurMap = npt.NDArray[np.float32]

GUIDES: tuple[Guide, ...] = ("luma", "colour")


@pytest.fixture
def scene() -> tuple[npt.NDArray[np.uint8], BlurMap]:
    """A dark disc on a bright ground, uint8 (300, 400, 3), and its mask: 1 on the ground."""
    mask = np.ones((300, 400), np.float32)
    cv2.circle(mask, (190, 140), 90, 0, -1)
    noise = np.random.default_rng(0).normal(0, 5, (300, 400, 3))
    photo = (60 + 120 * mask[..., np.newaxis] + noise).clip(0, 255).astype(np.uint8)
    return photo, mask


@pytest.mark.parametrize("guide", GUIDES)
def test_the_map_gets_closer_to_the_photos_edge(
    scene: tuple[npt.NDArray[np.uint8], BlurMap], guide: Guide
) -> None:
    photo, mask = scene
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    refined_error = np.abs(refine_map(photo, coarse, radius=3, guide=guide) - mask).mean()
    enlarged_error = np.abs(enlarge_map(coarse, 300, 400) - mask).mean()
    assert refined_error < 0.6 * enlarged_error


def test_colour_sees_an_edge_that_brightness_does_not() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[:, 30:] = 1
    red, green = (150, 20, 20), (20, 86, 20)
    photo = np.where(mask[..., np.newaxis] > 0, np.uint8(red), np.uint8(green))
    assert np.ptp(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)) <= 1
    coarse = cv2.resize(mask, (16, 16), interpolation=cv2.INTER_AREA)
    errors = {
        guide: np.abs(refine_map(photo, coarse, radius=2, guide=guide) - mask).mean()
        for guide in GUIDES
    }
    assert errors["colour"] < 0.5 * errors["luma"]


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_an_even_map_stays_as_it_is(
    scene: tuple[npt.NDArray[np.uint8], BlurMap], guide: Guide, value: float
) -> None:
    coarse = np.full((38, 50), value, np.float32)
    np.testing.assert_allclose(refine_map(scene[0], coarse, guide=guide), value, atol=1e-4)


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("grey", [0, 255])
def test_a_photo_without_edges_gives_a_finite_map(guide: Guide, grey: int) -> None:
    photo = np.full((100, 90, 3), grey, np.uint8)
    coarse = np.random.default_rng(0).random((25, 20), np.float32)
    refined = refine_map(photo, coarse, epsilon=1e-6, guide=guide)
    assert np.isfinite(refined).all()
    assert 0 <= refined.min() and refined.max() <= 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_dtype_decides_the_scale(
    scene: tuple[npt.NDArray[np.uint8], BlurMap], dtype: Any
) -> None:
    photo, mask = scene
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    same = photo * np.uint16(257) if dtype == np.uint16 else photo / np.float32(255)
    np.testing.assert_allclose(refine_map(same, coarse), refine_map(photo, coarse), atol=1e-2)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (97, 61), (16, 3000), (300, 401)])
def test_any_size_is_met(height: int, width: int) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    coarse = np.random.default_rng(0).random((min(height, 16), min(width, 77)), np.float32)
    refined = refine_map(photo, coarse)
    assert refined.shape == (height, width)
    assert refined.dtype == np.float32


def test_strips_leave_no_seam(
    scene: tuple[npt.NDArray[np.uint8], BlurMap], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, mask = scene
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    whole = refine_map(photo, coarse)
    in_strips = [slice(top, min(top + 7, 300)) for top in range(0, 300, 7)]
    monkeypatch.setattr("blurmapper.refinement.row_strips", lambda height, width: in_strips)
    assert decoding.row_strips(300, 400) != in_strips
    np.testing.assert_allclose(refine_map(photo, coarse), whole, atol=1e-5)


def test_without_edges_it_is_the_smoothed_map_enlarged_bilinearly() -> None:
    photo = np.full((301, 203, 3), 90, np.uint8)
    coarse = np.random.default_rng(0).random((38, 26), np.float32)
    refined = refine_map(photo, coarse, radius=1)
    smoothed = cv2.boxFilter(coarse, -1, (3, 3), borderType=cv2.BORDER_REFLECT)
    smoothed = cv2.boxFilter(smoothed, -1, (3, 3), borderType=cv2.BORDER_REFLECT)
    np.testing.assert_allclose(refined, enlarge_map(smoothed, 301, 203), atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(300, 400), (299, 401)])
def test_a_large_photo_is_followed_at_half_its_size(
    scene: tuple[npt.NDArray[np.uint8], BlurMap],
    height: int,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo, mask = (cv2.resize(layer, (width, height)) for layer in scene)
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    whole = refine_map(photo, coarse, radius=3)
    monkeypatch.setattr(refinement, "MOST_PIXELS", height * width - 1)
    halved = refine_map(photo, coarse, radius=3)
    assert halved.shape == (height, width)
    assert 0 < np.abs(halved - whole).mean() < 0.02
    assert (
        np.abs(halved - mask).mean()
        < 0.6 * np.abs(enlarge_map(coarse, height, width) - mask).mean()
    )


def test_a_photo_reduced_beforehand_gives_the_same_map(
    scene: tuple[npt.NDArray[np.uint8], BlurMap],
) -> None:
    photo, mask = scene
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    reduced = cv2.resize(photo, (50, 38), interpolation=cv2.INTER_AREA)
    expected = refine_map(photo, coarse)
    np.testing.assert_array_equal(refine_map(photo, coarse, reduced=reduced), expected)


@pytest.mark.parametrize(
    ("numbers", "bounds"),
    [
        *(({"radius": each}, r"^radius is .*; use 0 to 40000$") for each in (-1, 40_001, np.inf)),
        *(
            ({"epsilon": each}, r"^epsilon is .*; use 1e-06 to 1\.0$")
            for each in (0, 1e-7, 2, np.inf, np.nan)
        ),
    ],
)
def test_a_filter_out_of_range_is_refused(
    numbers: dict[str, Any], bounds: str, scene: tuple[npt.NDArray[np.uint8], BlurMap]
) -> None:
    with pytest.raises(ConfigError, match=bounds):
        refine_map(*scene, **numbers)


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("epsilon", [refinement.LEAST_EPSILON, refinement.MOST_EPSILON])
def test_the_ends_of_the_range_of_epsilon_give_maps(epsilon: float, guide: Guide) -> None:
    # Channels that are alike, of the widest variance that there is: a sum of float32 is coarsest.
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[::2, ::2] = photo[1::2, 1::2] = 255
    coarse = np.random.default_rng(0).random((64, 64), np.float32)
    refined = refine_map(photo, coarse, epsilon=epsilon, guide=guide)
    assert 0 <= refined.min() and refined.max() <= 1
    assert refined.mean() == pytest.approx(coarse.mean(), abs=0.01)


def test_the_widest_window_is_as_good_as_the_whole_map(
    scene: tuple[npt.NDArray[np.uint8], BlurMap],
) -> None:
    photo, mask = scene
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    widest = refine_map(photo, coarse, radius=refinement.MOST_RADIUS)
    np.testing.assert_allclose(widest, refine_map(photo, coarse, radius=2000), atol=0.01)


@pytest.mark.parametrize("reduced", ["of another size", "of another dtype", "grey"])
def test_a_photo_reduced_otherwise_is_reduced_anew(
    reduced: str, scene: tuple[npt.NDArray[np.uint8], BlurMap]
) -> None:
    photo, mask = scene
    coarse = cv2.resize(mask, (50, 38), interpolation=cv2.INTER_AREA)
    small = cv2.resize(photo, (50, 38), interpolation=cv2.INTER_AREA)
    given = {
        "of another size": photo[:40, :40],
        "of another dtype": small / np.float32(255),
        "grey": small[..., 0],
    }[reduced]
    found = refine_map(photo, coarse, reduced=given)
    np.testing.assert_array_equal(found, refine_map(photo, coarse))


def test_a_map_larger_than_its_photo_is_refused(
    scene: tuple[npt.NDArray[np.uint8], BlurMap],
) -> None:
    photo, mask = scene
    for larger in (mask.T, np.pad(mask, ((0, 1), (0, 0)))):
        with pytest.raises(ImageError, match="give a map of this photo that is no larger"):
            refine_map(photo, np.ascontiguousarray(larger))


@pytest.mark.parametrize(
    "use",
    [
        refine_map,
        segment_blur,
        magnify_blur,
        lambda image, blur_map: blur_degree(blur_map, weighting="saliency", image=image),
        lambda image, _: measure_amounts(image),
    ],
    ids=["refine_map", "segment_blur", "magnify_blur", "blur_degree", "measure_amounts"],
)
def test_what_is_too_small_to_reckon_with_is_no_error(
    use: Callable[[npt.NDArray[np.float32], BlurMap], object],
    scene: tuple[npt.NDArray[np.uint8], BlurMap],
) -> None:
    photo, mask = scene
    with np.errstate(all="raise"):
        use(photo.astype(np.float32) * np.float32(1e-30), mask)
