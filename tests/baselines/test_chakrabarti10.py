"""Claims on likelihoods of motion, along rows and down columns."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from blurmapper.baselines._features import to_grey
from blurmapper.baselines.chakrabarti10 import largest_gain, map_chakrabarti10

BOOK = runpy.run_path(
    str(Path(__file__).parents[2] / "benchmarks" / "baselines" / "chakrabarti10.py")
)
Photo = npt.NDArray[np.uint8]


def moved(length: int, *, down: bool, size: tuple[int, int] = (160, 160)) -> Photo:
    """A photo of 1/f texture, as photos have, its right or lower half moved so many pixels."""
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, np.newaxis], np.fft.rfftfreq(size[1]))
    frequency[0, 0] = np.inf
    phases = np.exp(2j * np.pi * np.random.default_rng(5).random(frequency.shape))
    sharp = np.fft.irfft2(phases / frequency, size)
    sharp = 128 + 35 * sharp / sharp.std()
    blurred = ndimage.uniform_filter1d(sharp, length, axis=0 if down else 1)
    part = np.s_[80:] if down else np.s_[:, 80:]
    sharp[part] = blurred[part]
    return np.repeat(sharp.clip(0, 255).round().astype(np.uint8)[..., np.newaxis], 3, axis=2)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("length", [5, 11, 23])
def test_what_moved_is_higher(length: int, down: bool) -> None:
    blur_map = map_chakrabarti10(moved(length, down=down))
    along = blur_map.T if down else blur_map
    assert np.median(along[:, 110:]) > np.median(along[:, :50]) + 0.2


@pytest.mark.parametrize("down", [False, True])
def test_the_direction_of_a_movement_gains_and_the_other_does_not(down: bool) -> None:
    grey = to_grey(moved(11, down=down))
    along, across = (largest_gain(plane) for plane in ((grey.T, grey) if down else (grey, grey.T)))
    assert np.median(along[:, 110:]) > 0 > np.median(along[:, :50])
    assert np.median(across[110:, :]) < 0


def test_a_photo_on_its_side_gives_its_map_on_its_side() -> None:
    photo = moved(9, down=False)
    turned = map_chakrabarti10(np.ascontiguousarray(photo.swapaxes(0, 1)))
    np.testing.assert_allclose(turned.T, map_chakrabarti10(photo), atol=1e-3)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_flat_photo_is_blurred(level: int) -> None:
    assert (map_chakrabarti10(np.full((20, 31, 3), level, np.uint8)) == 1).all()


def test_a_lone_dot_in_black_is_a_cross_of_the_windows_size() -> None:
    photo = np.zeros((101, 141, 3), np.uint8)
    photo[50, 70] = 200
    dark = map_chakrabarti10(photo) < 0.9
    assert set(np.flatnonzero(dark[50])) >= set(range(42, 100))
    assert dark[50].sum() <= 64 and dark[:, 70].sum() <= 64
    assert not dark[:45, :65].any()


def test_the_map_is_that_of_a_search_pixel_by_pixel() -> None:
    photo = moved(7, down=False)[40:47, 76:85]
    np.testing.assert_allclose(map_chakrabarti10(photo), BOOK["by_the_book"](photo), atol=1e-3)


@pytest.mark.parametrize("processors", [1, 3])
def test_how_rows_are_shared_out_changes_nothing(
    processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = moved(7, down=True, size=(64, 50))
    whole = map_chakrabarti10(photo)
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    np.testing.assert_array_equal(map_chakrabarti10(photo), whole)
