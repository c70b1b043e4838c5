"""What the weights in the package know of blur."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import blurmapper
from blurmapper.images import read_image
from blurmapper.mapper import BlurMapper
from blurmapper.weights import bundled_names, find_weights

Photo = npt.NDArray[np.uint8]

NAMES = ("dbm", "dbm-lite")
SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"


@cache
def mapper_of(name: str) -> BlurMapper:
    return BlurMapper(name)


@pytest.fixture(params=NAMES)
def mapper(request: pytest.FixtureRequest) -> BlurMapper:
    """Each bundled network in turn."""
    if request.param not in bundled_names():
        pytest.skip(f"the weights {request.param} are not in this checkout")
    return mapper_of(request.param)


@pytest.fixture(scope="session")
def pebbles() -> Photo:
    """A sharp picture, uint8 (256, 384, 3): shaded discs of all sizes that cover each other."""
    rng = np.random.default_rng(7)
    picture = np.full((256, 384, 3), 110, np.uint8)
    for radius in np.sort(rng.integers(3, 24, 700))[::-1]:
        centre = int(rng.integers(0, 384)), int(rng.integers(0, 256))
        colour = rng.integers(30, 226, 3)
        cv2.circle(picture, centre, int(radius), (colour * 0.6).tolist(), -1, cv2.LINE_AA)
        lit = centre[0] - int(radius) // 4, centre[1] - int(radius) // 4
        cv2.circle(picture, lit, int(radius * 0.7), colour.tolist(), -1, cv2.LINE_AA)
    return picture


def defocus(photo: Photo, sigma: float) -> Photo:
    """Blur a photo with a Gaussian of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma), np.uint8)


def test_a_long_strip_is_blurred_where_a_piece_of_it_is(mapper: BlurMapper, pebbles: Photo) -> None:
    strip = np.tile(pebbles, (1, 24, 1))
    middle = strip.shape[1] // 2
    strip[:, middle:] = defocus(strip[:, middle:], 5)
    for long in (strip, np.ascontiguousarray(strip.swapaxes(0, 1))):
        blur_map = mapper(long)
        sharp, blurred = np.array_split(blur_map, 2, axis=int(np.argmax(blur_map.shape)))
        assert blurred.mean() > 0.9 and sharp.mean() < 0.5


@pytest.fixture
def half_pebbles(pebbles: Photo) -> Photo:
    """The pebbles with their right half out of focus."""
    photo = pebbles.copy()
    photo[:, 192:] = defocus(pebbles, 5)[:, 192:]
    return photo


def test_the_file_is_the_one_on_its_card(mapper: BlurMapper) -> None:
    card, path = find_weights(mapper.card.name)
    assert path.stat().st_size == card.bytes


def test_more_blur_raises_the_blur_degree(mapper: BlurMapper, pebbles: Photo) -> None:
    # Beyond two pixels both networks are sure, and a probability of one cannot rise.
    degrees = [float(mapper(defocus(pebbles, sigma)).mean()) for sigma in (0.1, 0.8, 2)]
    assert degrees == sorted(degrees)
    assert degrees[-1] > degrees[0] + 0.3


def test_a_sharp_half_beside_a_blurred_half_is_split_right(
    mapper: BlurMapper, half_pebbles: Photo
) -> None:
    truth = np.zeros(half_pebbles.shape[:2], bool)
    truth[:, 192:] = True
    assert ((mapper(half_pebbles) >= 0.5) == truth).mean() > 0.85


def test_a_flip_of_the_photo_flips_the_map(mapper: BlurMapper) -> None:
    # A real photo: drawn discs, such as the pebbles, may pass for lights out of focus.
    photo = read_image(SAMPLES / "cat.jpg")
    flipped = mapper(photo[:, ::-1])[:, ::-1]
    assert np.abs(flipped - mapper(photo)).mean() < 0.05


@pytest.mark.parametrize(
    ("height", "width"), [(16, 16), (17, 31), (33, 129), (255, 257), (16, 2000), (999, 21)]
)
def test_any_size_gives_a_map_of_that_size(mapper: BlurMapper, height: int, width: int) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    blur_map = mapper(photo)
    assert blur_map.shape == (height, width)
    assert blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_photo_of_nothing_gives_a_finite_map(mapper: BlurMapper, grey: int) -> None:
    assert np.isfinite(mapper(np.full((64, 80, 3), grey, np.uint8))).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_dtype_decides_the_scale(mapper: BlurMapper, half_pebbles: Photo, dtype: Any) -> None:
    same = half_pebbles * np.uint16(257) if dtype == np.uint16 else half_pebbles / np.float32(255)
    np.testing.assert_allclose(mapper(same), mapper(half_pebbles), atol=1e-2)


def test_a_dark_photo_is_not_stretched(mapper: BlurMapper, half_pebbles: Photo) -> None:
    # Small enough not to be reduced, which rounds these thirty levels more in eight bits than in
    # sixteen; the refinement's luma still does.
    dark = half_pebbles[:, 96:288] // 8
    assert np.abs(mapper(dark * np.uint16(257)) - mapper(dark)).max() < 5e-3
    assert np.abs(mapper(dark) - mapper(dark * 8)).max() > 1e-2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_is_turned_as_the_photo(
    mapper: BlurMapper, half_pebbles: Photo, orientation: int, file_as_held: Callable[..., bytes]
) -> None:
    blur_map = mapper(file_as_held(half_pebbles, orientation))
    np.testing.assert_allclose(blur_map, mapper(half_pebbles), atol=1e-5)
