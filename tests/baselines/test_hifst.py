"""HiFST: the authors' own maps, the book, and the transform that is done without transforming."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from scipy.fft import dctn

from blurmapper.baselines import hifst
from blurmapper.baselines._hifst_transform import LANES, LAYERS, SIDES, smallest_magnitudes
from blurmapper.baselines.hifst import map_hifst
from blurmapper.images import read_image

BOOK = Path(__file__).parents[2] / "benchmarks" / "baselines" / "hifst.py"
PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "validation" / "cuhk3"
PHOTOS = ("motion0138.jpg", "out_of_focus0011.jpg", "out_of_focus0080.JPG")

Photo = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def book() -> dict[str, Any]:
    return runpy.run_path(str(BOOK))


@pytest.fixture
def scene() -> Photo:
    """Texture, uint8 (80, 90, 3), whose right half is out of focus; black along the bottom."""
    rng = np.random.default_rng(4)
    photo = cv2.GaussianBlur(rng.integers(0, 256, (80, 90, 3)).astype(np.float32), (0, 0), 0.7)
    photo[:, 45:] = cv2.GaussianBlur(photo, (0, 0), 3)[:, 45:]
    photo[70:] = 0
    return photo.astype(np.uint8)


def magnitudes_by_definition(gradient: npt.NDArray[np.float32], y: int, x: int) -> Any:
    """Return the 117 smallest magnitudes at a pixel, from transforms of its four windows."""
    padded = np.pad(gradient.astype(np.float64), 31)
    values = []
    for side in SIDES:
        top, left = y + 31 - side // 2, x + 31 - side // 2
        transform = dctn(padded[top : top + side, left : left + side], norm="ortho")
        values.append(np.abs(transform[np.add.outer(range(side), range(side)) >= side - 1]))
    return np.sort(np.concatenate(values))[:LAYERS]


@pytest.mark.slow
@pytest.mark.parametrize("name", PHOTOS)
def test_the_map_is_the_authors_own(name: str) -> None:
    if not PUBLISHED.is_dir():
        pytest.skip("needs the authors' maps in ../shared/data/validation/cuhk3")
    with PIL.Image.open(PUBLISHED / "hifst" / f"{Path(name).stem}.png") as picture:
        sharp = np.asarray(picture.convert("L"), np.float64) / 255
    blur_map = map_hifst(read_image(PUBLISHED / "images" / name))
    assert np.corrcoef(1 - blur_map.ravel(), sharp.ravel())[0, 1] > 0.9998
    assert np.mean(1 - blur_map) == pytest.approx(sharp.mean(), abs=0.002)


def test_the_map_is_the_books(scene: Photo, book: dict[str, Any]) -> None:
    """Up to single precision, which entropy magnifies where a value is between two levels."""
    photo = scene[40:, 20:70]
    blur_map, expected = map_hifst(photo), book["by_the_book"](photo)
    np.testing.assert_allclose(blur_map, expected, atol=0.01)
    assert np.corrcoef(blur_map.ravel(), expected.ravel())[0, 1] > 0.99999


@pytest.mark.parametrize("pixel", [(0, 0), (31, 40), (149, 33), (75, 63)])
def test_the_magnitudes_are_those_of_the_windows(pixel: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).random((150, 70)).astype(np.float32)
    gradient = cv2.GaussianBlur(noise, (0, 0), 1) * 200
    y, x = pixel
    layers = smallest_magnitudes(gradient, x // LANES * LANES)
    expected = magnitudes_by_definition(gradient, y, x)
    np.testing.assert_allclose(layers[:, y, x % LANES], expected, atol=2e-5)


def test_the_recurrence_does_not_drift_down_a_tall_photo() -> None:
    rng = np.random.default_rng(1)
    gradient = rng.random((3000, LANES)).astype(np.float32) * 200
    expected = magnitudes_by_definition(gradient, 2990, 5)
    layers = smallest_magnitudes(gradient, 0)
    np.testing.assert_allclose(layers[:, 2990, 5], expected, atol=5e-5)


def test_a_limit_that_turns_out_too_low_leaves_no_gap() -> None:
    """Texture after flatness: the limit of the row above finds too little."""
    gradient = np.zeros((200, LANES), np.float32)
    gradient[110:] = np.random.default_rng(2).random((90, LANES)) * 1000
    layers = smallest_magnitudes(gradient, 0)
    for y in (78, 79, 80, 107, 150):
        expected = magnitudes_by_definition(gradient, y, 9)
        np.testing.assert_allclose(layers[:, y, 9], expected, atol=1e-3)


def test_layers_rise() -> None:
    gradient = np.random.default_rng(3).random((40, 40)).astype(np.float32)
    assert (np.diff(smallest_magnitudes(gradient, 32), axis=0) >= 0).all()


def test_layers_that_are_not_kept_give_the_same_map(
    scene: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = map_hifst(scene)
    monkeypatch.setattr(hifst, "KEPT_BYTES", 0)
    np.testing.assert_array_equal(map_hifst(scene), kept)


def test_the_blurred_half_is_higher(scene: Photo) -> None:
    blur_map = map_hifst(scene)
    assert blur_map[:70, 60:].mean() > blur_map[:70, :30].mean() + 0.4


@pytest.mark.parametrize("level", [0, 200])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (40, 33)])
def test_a_constant_photo_is_blurred_all_over(level: int, size: tuple[int, int]) -> None:
    assert (map_hifst(np.full((*size, 3), level, np.uint8)) == 1).all()


def test_sixteen_bits_of_the_same_photo_give_the_same_map(scene: Photo) -> None:
    deep = scene.astype(np.uint16) * np.uint16(257)
    np.testing.assert_array_equal(map_hifst(deep), map_hifst(scene))


def test_entropy_is_that_of_the_definition(book: dict[str, Any]) -> None:
    levels = np.random.default_rng(5).integers(100, 108, (23, 31)).astype(np.uint8)
    levels[:9] = 7
    entropy = hifst._entropy(levels)
    np.testing.assert_allclose(entropy, book["entropy"](levels), atol=1e-6)
    assert (entropy[:6] == 0).all()
