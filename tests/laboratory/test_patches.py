"""Patches and their low-level statistics, against values that are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset, read_truth
from blurmapper.errors import DatasetError
from blurmapper.laboratory.patches import (
    STATISTICS,
    cut_patches,
    differences,
    measure,
    radial_power,
)

SIDE = 32


def test_patches_of_a_photo_of_another_size_than_its_mask_are_not_cut(toy_benchmark: Path) -> None:
    sample = read_dataset(toy_benchmark)[0]
    PIL.Image.new("L", (48, 32)).save(sample.truth)
    with pytest.raises(DatasetError, match=r"truth/.*\.png: of another size than"):
        cut_patches(sample, 8, 3, np.random.default_rng(0))


def made_patches(slope: float, count: int = 20) -> np.ndarray:
    """Return patches cut from noise whose power falls as 1 / frequency ** slope."""
    size = 8 * SIDE
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size)] * 2))
    radius[0, 0] = np.inf
    white = np.fft.fft2(np.random.default_rng(0).normal(size=(count, size, size)))
    noise = np.fft.ifft2(white * radius ** (-slope / 2)).real
    noise *= 0.2 / noise.std()
    return noise[:, :SIDE, :SIDE]


@pytest.mark.parametrize("slope", [1.0, 2.0, 2.5])
def test_the_slope_of_a_known_spectrum_is_found(slope: float) -> None:
    found = measure(made_patches(slope))["spectrum slope"].mean()
    assert found == pytest.approx(slope, abs=0.25)


@pytest.mark.parametrize("name", [s for s in STATISTICS if s != "gradient tails"])
def test_more_blur_means_more_of_a_statistic(name: str) -> None:
    patches = made_patches(2.0)
    blurred = np.stack([cv2.GaussianBlur(patch, (0, 0), 2) for patch in patches])
    assert (measure(blurred)[name] > measure(patches)[name]).all()


def test_tails_of_gaussian_differences_are_those_of_a_gaussian() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (50, SIDE, SIDE))
    assert np.exp(-measure(noise)["gradient tails"]).mean() == pytest.approx(3, abs=0.05)


def test_an_edge_alone_has_heavier_tails_than_noise() -> None:
    edge = np.zeros((1, SIDE, SIDE))
    edge[:, :, SIDE // 2 :] = 1
    noise = np.random.default_rng(0).normal(0, 0.1, (1, SIDE, SIDE))
    assert measure(edge)["gradient tails"] < measure(noise)["gradient tails"]


def test_a_patch_of_one_colour_has_finite_numbers() -> None:
    for values in measure(np.full((1, SIDE, SIDE), 0.5)).values():
        assert np.isfinite(values).all()


def test_differences_are_to_the_right_and_below() -> None:
    ramp = np.add.outer(2.0 * np.arange(4), np.arange(4.0))[None]
    across, down = differences(ramp)
    assert across.shape == down.shape == (1, 3, 3)
    assert (across == 1).all()
    assert (down == 2).all()


def test_a_wave_has_its_power_at_its_frequency() -> None:
    wave = np.sin(2 * np.pi * 8 / SIDE * np.arange(SIDE)) * np.ones((1, SIDE, 1))
    frequency, power = radial_power(wave)
    assert frequency[power[0].argmax()] == 8 / SIDE


def test_patches_are_blurred_or_sharp_all_over(toy_benchmark: Path) -> None:
    for sample in read_dataset(toy_benchmark):
        places, patches = cut_patches(sample, 8, 50, np.random.default_rng(0))
        truth = read_truth(sample)[0]
        assert {place.blurred for place in places} == {False, True}
        assert patches.shape == (len(places), 8, 8)
        for place in places:
            part = truth[place.top : place.top + 8, place.left : place.left + 8]
            assert (part == place.blurred).all()


def test_no_more_are_cut_than_are_asked_for(toy_benchmark: Path) -> None:
    sample = read_dataset(toy_benchmark)[0]
    places, _ = cut_patches(sample, 8, 3, np.random.default_rng(0))
    assert [place.blurred for place in places] == [False] * 3 + [True] * 3


def test_undecided_pixels_are_in_no_patch(toy_benchmark: Path) -> None:
    sample = read_dataset(toy_benchmark)[0]
    mask = np.full((64, 96), 128, np.uint8)
    mask[:8, :8] = 255
    cv2.imwrite(str(sample.truth), mask)
    places, _ = cut_patches(sample, 8, 50, np.random.default_rng(0))
    assert all((place.top, place.left) == (0, 0) for place in places)
