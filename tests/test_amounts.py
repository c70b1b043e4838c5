"""The width of blur in a photo's own pixels, and what is said of the whole photo."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper import BlurMapper, amounts
from blurmapper.amounts import BlurAmounts, measure_amounts
from blurmapper.applications.light import disc_kernel, encode_light, gaussian_kernel
from blurmapper.training.compositing import apply_kernel, motion_kernel
from blurmapper.training.leaves import draw_leaves

Image = npt.NDArray[np.uint8]


@cache
def scene() -> npt.NDArray[np.float32]:
    """Return the light of a scene of shapes, sharp to the last pixel."""
    return draw_leaves(512, np.random.default_rng(7))


def taken(kernel: npt.NDArray[np.float32] | None = None) -> Image:
    """Return the scene as a photo with a little noise."""
    light = scene() if kernel is None else apply_kernel(scene(), kernel)
    noise = np.random.default_rng(0).normal(0, 0.5, light.shape)
    photo = encode_light(light, np.dtype(np.uint8)) + noise
    return np.rint(photo).clip(0, 255).astype(np.uint8)


def median(measured: BlurAmounts) -> float:
    assert np.isfinite(measured.sigma).mean() > 0.1
    return float(np.nanmedian(measured.sigma))


def spread(kernel: npt.NDArray[np.float32]) -> float:
    """Return a kernel's own sigma: drawn in pixels, a disc of 1 has 1.06."""
    away = np.arange(kernel.shape[1]) - kernel.shape[1] // 2
    return float(np.sqrt((kernel.sum(axis=0) * away**2).sum() / kernel.sum()))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("lens", ["disc", "gaussian"])
def test_sigma_is_that_of_the_lens(lens: str, sigma: float) -> None:
    kernel = disc_kernel(2 * sigma) if lens == "disc" else gaussian_kernel(sigma)
    assert median(measure_amounts(taken(kernel))) == pytest.approx(spread(kernel), rel=0.2)


def test_a_sharp_photo_has_a_sigma_below_a_pixel() -> None:
    assert median(measure_amounts(taken())) < 0.7


def test_a_photo_halved_has_half_the_sigma() -> None:
    photo = taken(gaussian_kernel(5.0))
    halved = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    whole, half = (median(measure_amounts(each)) for each in (photo, np.asarray(halved, np.uint8)))
    assert half == pytest.approx(whole / 2, rel=0.15)


@pytest.mark.parametrize("angle", [0.0, 35.0, 90.0, 150.0])
def test_a_movement_has_its_length_and_angle(angle: float) -> None:
    measured = measure_amounts(taken(motion_kernel(16.0, -np.radians(angle), 0.0)))
    moved = measured.length > 0
    assert moved.mean() > 0.1
    turned = (measured.angle[moved] - angle + 90) % 180 - 90
    assert np.median(np.abs(turned)) < 10
    assert np.median(measured.length[moved]) == pytest.approx(16.0, rel=0.25)


def test_what_a_lens_blurs_has_no_path() -> None:
    measured = measure_amounts(taken(disc_kernel(6.0)))
    known = np.isfinite(measured.sigma)
    assert (measured.length[known] > 0).mean() < 0.05
    assert np.isnan(measured.length[~known]).all()
    assert np.array_equal(np.isnan(measured.angle), ~(measured.length > 0))


@pytest.mark.parametrize("level", [2, 20, 128, 250])
@pytest.mark.parametrize("noise", [0.0, 2.0, 15.0])
def test_nothing_flat_gets_a_figure(level: int, noise: float) -> None:
    rng = np.random.default_rng(level)
    wall = level + np.linspace(-15, 15, 400)[:, np.newaxis, np.newaxis]
    noisy = (wall + rng.normal(0, noise, (400, 400, 3))).clip(0, 255).astype(np.uint8)
    assert np.isfinite(measure_amounts(noisy).sigma).mean() < 0.01


@pytest.mark.parametrize("noise", [0.0, 1.5])
@pytest.mark.parametrize("shade", ["ramp", "vignette"])
def test_light_that_fades_is_no_blur(shade: str, noise: float) -> None:
    rows, columns = (400, 600) if shade == "ramp" else (600, 900)
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    grey = 127.5 * (1 + x) if shade == "ramp" else 230 - 75 * (x**2 + y**2)
    grey = grey + np.random.default_rng(0).normal(0, 1, grey.shape) * noise
    photo = np.repeat(np.rint(grey).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert np.isnan(measure_amounts(photo).sigma).all()


def test_a_faint_edge_that_is_wide_is_seen() -> None:
    photo = np.full((512, 512, 3), 110, np.uint8)
    photo[:, 256:] = 140
    for sigma in (5.0, 10.0):
        measured = measure_amounts(cv2.GaussianBlur(photo, (0, 0), sigma)).sigma[8:-8, 15:17]
        assert np.nanmedian(measured) == pytest.approx(sigma, rel=0.2)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 3.0, 8.0])
def test_a_plain_area_gets_no_figure_from_the_edges_around_it(sigma: float) -> None:
    light = scene().copy()
    light[:, 256:] = 0.3
    light = apply_kernel(light, gaussian_kernel(sigma)) if sigma else light
    noise = np.random.default_rng(0).normal(0, 0.5, light.shape)
    photo = np.rint(encode_light(light, np.dtype(np.uint8)) + noise).clip(0, 255).astype(np.uint8)
    known = np.isfinite(measure_amounts(photo).sigma)
    reach = -(-(256 + 32 + 2 * int(sigma)) // 16)
    assert known[:, :16].mean() > 0.3
    assert known[:, reach:].mean() < 0.02


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (100, 33), (16, 900), (513, 511)])
def test_cells_cover_photos_of_any_size(size: tuple[int, int]) -> None:
    photo = np.resize(taken(), (*size, 3))
    shape = -(-size[0] // 16), -(-size[1] // 16)
    assert {grid.shape for grid in measure_amounts(photo)} == {shape}
    assert {grid.dtype for grid in measure_amounts(photo)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_depth_does_not_matter(dtype: type) -> None:
    photo = taken(disc_kernel(4.0))
    deep = photo * np.uint16(257) if dtype is np.uint16 else photo.astype(np.float32) / 255
    one, other = measure_amounts(photo).sigma, measure_amounts(deep.astype(dtype)).sigma
    both = np.isfinite(one) & np.isfinite(other)
    assert both.sum() > 0.9 * np.isfinite(one).sum()
    difference = np.abs(other[both] / one[both] - 1)
    assert np.median(difference) < 0.02
    assert (difference < 0.15).mean() > 0.9


def test_tiles_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = taken(disc_kernel(3.0))
    whole = measure_amounts(photo).sigma
    monkeypatch.setattr(amounts, "_TILE", 128)
    cut = measure_amounts(photo).sigma
    both = np.isfinite(whole) & np.isfinite(cut)
    assert both.sum() > 0.9 * np.isfinite(whole).sum()
    assert np.median(np.abs(cut[both] / whole[both] - 1)) < 0.02


def test_a_mapper_measures_whatever_it_maps() -> None:
    photo = taken(disc_kernel(4.0))
    _, png = cv2.imencode(".png", photo[..., ::-1])
    measured = BlurMapper().map_amount(png.tobytes())
    assert np.array_equal(measured.sigma, measure_amounts(photo).sigma, equal_nan=True)
