"""Claims on the matting Laplacian and on filling in along it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import diags_array
from scipy.sparse.linalg import spsolve

from blurmapper.baselines._matting import fill_along_colours, matting_laplacian

Photo = npt.NDArray[np.uint8]


@pytest.fixture
def photo() -> Photo:
    """A photo, uint8 (60, 80, 3), of soft shapes, a hard edge and a little noise."""
    rng = np.random.default_rng(0)
    shapes = cv2.GaussianBlur(rng.normal(128, 600, (60, 80, 3)), (0, 0), 4)
    shapes[:, 50:] *= 0.4
    return (shapes + rng.normal(0, 2, shapes.shape)).clip(0, 255).astype(np.uint8)


def anchor(shape: tuple[int, ...], share: float) -> npt.NDArray[np.bool_]:
    """Return a few pixels where something is known."""
    return np.random.default_rng(1).random(shape) < share


def test_the_laplacian_is_symmetric_and_semidefinite(photo: Photo) -> None:
    laplacian = matting_laplacian(photo[:12, 40:55]).toarray()
    np.testing.assert_allclose(laplacian, laplacian.T, atol=1e-12)
    assert np.linalg.eigvalsh(laplacian).min() > -1e-10


def test_what_is_linear_in_colour_costs_nothing(photo: Photo) -> None:
    image = photo.astype(np.float32) / np.float32(255)
    linear = 0.2 + image.astype(np.float64) @ np.array([0.5, -0.3, 0.1])
    energy = linear.ravel() @ (matting_laplacian(image) @ linear.ravel())
    noise = np.random.default_rng(0).normal(size=linear.size)
    assert energy < 2e-3
    assert noise @ (matting_laplacian(image) @ noise) > 1000


def test_a_dtype_changes_the_scale_alone(photo: Photo) -> None:
    wide = photo.astype(np.uint16) * np.uint16(257)
    difference = matting_laplacian(photo) - matting_laplacian(wide)
    assert np.abs(difference.data).max(initial=0) < 1e-9


@pytest.mark.parametrize("share", [0.1, 0.002])
def test_filling_in_solves_the_system(photo: Photo, share: float) -> None:
    where = anchor(photo.shape[:2], share)
    known = np.where(photo[..., 0] > 128, 3.0, 1.0).astype(np.float32)
    anchors = 0.001 * where.ravel()
    system = matting_laplacian(photo) + diags_array(anchors)
    exact = spsolve(system.tocsc(), anchors * known.ravel()).reshape(where.shape)
    filled = fill_along_colours(photo, known, where, 0.001)
    assert exact.min() + 0.5 < exact.max()
    assert np.abs(filled - exact).max() < 0.01 * 3


@pytest.mark.parametrize(("name", "value"), [("_MOST_DIRECT", 30), ("_TILE", 3), ("_TILE", 11)])
def test_how_the_grids_coarsen_does_not_tell(
    photo: Photo, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    where = anchor(photo.shape[:2], 0.05)
    known = np.where(photo[..., 0] > 128, 3.0, 1.0).astype(np.float32)
    usual = fill_along_colours(photo, known, where, 0.001)
    monkeypatch.setattr(f"blurmapper.baselines._matting.{name}", value)
    other = fill_along_colours(photo, known, where, 0.001)
    assert (usual != other).any()
    assert np.abs(usual - other).max() < 0.01 * 3


def test_values_spread_over_a_colour_and_stop_at_the_next() -> None:
    image = np.zeros((24, 40, 3), np.uint8)
    image[:, 20:] = (200, 60, 20)
    image += np.random.default_rng(0).integers(0, 3, image.shape, np.uint8)
    where = np.zeros((24, 40), np.bool_)
    where[5, 3] = where[18, 33] = True
    known = np.where(np.arange(40) < 20, 1.0, 2.0).astype(np.float32) + np.zeros(
        (24, 1), np.float32
    )
    np.testing.assert_allclose(fill_along_colours(image, known, where, 0.1), known, atol=0.1)


@pytest.mark.parametrize("shape", [(3, 3), (3, 50), (7, 4)])
@pytest.mark.parametrize("level", [0, 255])
def test_one_known_pixel_fills_a_flat_photo(shape: tuple[int, int], level: int) -> None:
    where = np.zeros(shape, np.bool_)
    where[1, 1] = True
    known = np.full(shape, 2.0, np.float32)
    filled = fill_along_colours(np.full((*shape, 3), level, np.uint8), known, where, 0.001)
    np.testing.assert_allclose(filled, 2.0, atol=1e-4)
