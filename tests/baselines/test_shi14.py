"""Shi14: four features of a patch, and what is fitted to them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.baselines import _shi14_features as features
from blurmapper.baselines._features import to_grey
from blurmapper.baselines._fitted import FITTED
from blurmapper.baselines.shi14 import WINDOWS, discriminants, fit_shi14, map_shi14

BOOK = Path(__file__).parents[2] / "benchmarks" / "baselines" / "shi14.py"
Floats = npt.NDArray[np.float32]
Photo = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def book() -> dict[str, Any]:
    return runpy.run_path(str(BOOK))


def scene(side: int, seed: int = 0) -> Photo:
    """Blocks of colour with thin lines and a little noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(40, 216, (side // 12 + 1, side // 12 + 1, 3), np.uint8)
    photo = blocks.repeat(12, 0).repeat(12, 1)[:side, :side].copy()
    for x, y in rng.integers(0, side, (side // 6, 2)):
        cv2.line(photo, (int(x), int(y)), (int(y), int(side - x)), (250, 250, 240), 1)
    noisy = photo + rng.normal(0, 1.5, photo.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def half_blurred(side: int, seed: int = 0) -> tuple[Photo, npt.NDArray[np.bool_]]:
    """A scene whose right half is blurred, and its ground truth."""
    photo = scene(side, seed)
    truth = np.zeros((side, side), np.bool_)
    truth[:, side // 2 :] = True
    photo[truth] = cv2.GaussianBlur(photo, (0, 0), 3)[truth]
    return photo, truth


@pytest.mark.parametrize("window", WINDOWS)
def test_features_agree_with_those_of_the_book(book: dict[str, Any], window: int) -> None:
    grey = to_grey(half_blurred(44)[0])
    filters = np.random.default_rng(1).normal(0, 1, (2, window, window)).astype(np.float32)
    found = features.patch_features(grey, filters)
    expected = book["patch_features"](grey.astype(np.float64), filters.reshape(2, -1))
    assert found.shape == expected.shape == (45 - window, 45 - window, 5)
    assert found[..., 0] == pytest.approx(expected[..., 0], abs=1e-4)
    assert np.quantile(np.abs(found[..., 1] / expected[..., 1] - 1), 0.98) < 5e-3
    assert found[..., 2] == pytest.approx(expected[..., 2], abs=1e-3)
    assert found[..., 3:] == pytest.approx(expected[..., 3:], abs=1e-3)


def test_the_map_agrees_with_that_of_the_book(book: dict[str, Any]) -> None:
    photo, _ = half_blurred(44)
    assert np.abs(map_shi14(photo) - book["by_the_book"](photo)).mean() < 2e-3


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "feature", [features.peakedness, features.gradient_span, features.spectral_power]
)
def test_a_wider_blur_gives_a_smaller_feature(feature: Any, window: int) -> None:
    grey = to_grey(scene(96))
    means = [
        feature(cv2.GaussianBlur(grey, (0, 0), sigma)[2:-2, 2:-2].copy(), window)[:-1, :-1].mean()
        for sigma in (0.3, 1.0, 2.0, 4.0)
    ]
    assert means == sorted(means, reverse=True)


def test_responses_are_cut_off_at_the_percentiles() -> None:
    grey = np.random.default_rng(0).random((60, 60), np.float32)
    filters = np.zeros((1, 11, 11), np.float32)
    filters[0, 5, 5] = 1.0
    (response,) = features.responses(grey, filters)
    inside = grey[5:-5, 5:-5]
    low, high = np.percentile(inside, [3, 97])
    assert response == pytest.approx(inside.clip(low, high), abs=1e-6)


@pytest.mark.parametrize("feature", [features.peakedness, features.spectral_power])
@pytest.mark.parametrize("level", [0.0, 0.03, 0.5, 1.0])
def test_a_flat_patch_gets_the_smallest_value_of_the_image(feature: Any, level: float) -> None:
    grey = to_grey(scene(64))
    grey[:, :40] = level
    values = feature(grey, 11)
    assert (values[:-1, :25] == values[:-1].min()).all()


@pytest.mark.parametrize("processors", [1, 3, 7])
def test_the_map_does_not_depend_on_how_rows_are_shared_out(
    processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, _ = half_blurred(70)
    expected = map_shi14(photo)
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    assert (map_shi14(photo) == expected).all()


def test_the_first_discriminant_finds_the_direction_that_separates() -> None:
    rng = np.random.default_rng(0)
    spread = np.diag([1.0, 5.0, 1.0, 3.0])
    sharp, blurred = (rng.normal(0, 1, (20_000, 4)) @ spread for _ in range(2))
    blurred += [1, 2, 0, 0]
    expected = np.array([1, 2 / 25, 0, 0]) / np.hypot(1, 2 / 25)
    assert discriminants(sharp, blurred)[0] == pytest.approx(expected, abs=0.04)


def test_the_second_discriminant_has_the_widest_answers_of_sharp_to_those_of_blurred() -> None:
    rng = np.random.default_rng(0)
    sharp, blurred = (rng.normal(0, 1, (500, 5)) @ rng.normal(0, 1, (5, 5)) for _ in range(2))
    _, second = discriminants(sharp, blurred)

    def ratio(direction: npt.NDArray[np.float64]) -> float:
        return float((sharp @ direction).var() / (blurred @ direction).var())

    others = [*rng.normal(0, 1, (300, 5)), *(second + 0.1 * rng.normal(0, 1, (300, 5)))]
    assert ratio(second) > max(map(ratio, others)) - 1e-3
    assert np.linalg.norm(second) == pytest.approx(1)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_second_of_the_shipped_filters_lets_high_frequencies_pass_alone(window: int) -> None:
    fitted = json.loads((FITTED / "shi14.json").read_text(encoding="utf-8"))["values"]["scales"]
    second = np.array(fitted[str(window)]["filters"][1]).reshape(window, window)
    power = np.abs(np.fft.fft2(second, (64, 64))) ** 2
    low = np.hypot(*np.meshgrid(*[np.fft.fftfreq(64)] * 2)) < 0.125
    assert power[low].sum() < 0.01 * power.sum()


def test_what_is_fitted_tells_blurred_from_sharp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs = [half_blurred(72, seed) for seed in range(1, 7)]
    values = fit_shi14([(photo, truth, np.ones_like(truth)) for photo, truth in pairs])
    kept: Any = json.loads(json.dumps(values))
    monkeypatch.setattr("blurmapper.baselines.shi14.read_fitted", lambda name: kept)
    blur_map = map_shi14(half_blurred(96)[0])
    assert blur_map[:, 64:].mean() > blur_map[:, :32].mean() + 0.4


def test_pixels_of_uncertain_truth_are_not_looked_at() -> None:
    photo, truth = half_blurred(64)
    certain = np.ones_like(truth)
    certain[:, 24:40] = False
    lied = truth ^ ~certain
    assert fit_shi14([(photo, truth, certain)]) == fit_shi14([(photo, lied, certain)])


def test_the_shipped_numbers_say_where_they_come_from() -> None:
    record = json.loads((FITTED / "shi14.json").read_text(encoding="utf-8"))
    assert record["method"] == "shi14"
    assert set(record["values"]["scales"]) == {str(window) for window in WINDOWS}
    assert record["origin"]["command"].startswith("blurmapper fit shi14 --photos")


@pytest.mark.parametrize("kind", ["defocus", "motion"])
def test_shipped_numbers_find_the_blurred_half(kind: str) -> None:
    photo = scene(120, 3)
    streak = np.full((1, 15), 1 / 15, np.float32)
    blurred = cv2.GaussianBlur(photo, (0, 0), 4) if kind == "defocus" else 0
    photo[:, 60:] = (blurred if kind == "defocus" else cv2.filter2D(photo, -1, streak))[:, 60:]
    blur_map = map_shi14(photo)
    assert blur_map[:, 75:].mean() > blur_map[:, :45].mean() + 0.3


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_constant_photo_has_a_map_of_numbers(value: int) -> None:
    blur_map = map_shi14(np.full((40, 30, 3), value, np.uint8))
    assert 0 <= blur_map.min() and blur_map.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 1), (16, 16), (27, 31)])
def test_small_and_odd_photos_have_maps_of_their_size(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    blur_map = map_shi14(photo)
    assert blur_map.shape == shape and blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1
