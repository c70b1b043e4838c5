"""Claims on likelihoods of motion, and on the box they choose."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from blurmapper.baselines import chakrabarti10
from blurmapper.baselines._features import to_grey
from blurmapper.baselines.chakrabarti10 import LENGTHS, choose_box, map_chakrabarti10

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
@pytest.mark.parametrize("length", [7, 13, 23])
def test_the_direction_and_the_length_of_a_movement_are_found(length: int, down: bool) -> None:
    box = choose_box(to_grey(moved(length, down=down)))
    assert box.down == down
    assert abs(LENGTHS.index(box.length) - LENGTHS.index(length)) <= 1


@pytest.mark.parametrize("down", [False, True])
def test_what_moved_is_higher(down: bool) -> None:
    blur_map = map_chakrabarti10(moved(11, down=down))
    along = blur_map.T if down else blur_map
    assert np.median(along[:, 110:]) > 0.9
    assert np.median(along[:, :50]) < 0.1


def test_a_photo_on_its_side_gives_its_map_on_its_side() -> None:
    photo = moved(9, down=False)
    turned = map_chakrabarti10(np.ascontiguousarray(photo.swapaxes(0, 1)))
    np.testing.assert_allclose(turned.T, map_chakrabarti10(photo), atol=1e-3)


def test_a_flat_photo_says_nothing() -> None:
    blur_map = map_chakrabarti10(np.full((20, 31, 3), 90, np.uint8))
    np.testing.assert_allclose(blur_map, 0.5, atol=0.01)


def test_box_and_cue_are_those_of_a_search_pixel_by_pixel() -> None:
    photo = moved(7, down=False)[40:47, 76:85]
    box, gain = BOOK["by_the_book"](photo)
    assert choose_box(to_grey(photo)) == box
    grey = to_grey(photo).T if box.down else to_grey(photo)
    candidates = [0, LENGTHS.index(box.length) + 1]
    ((_, ours),) = chakrabarti10._gains(grey, candidates)
    np.testing.assert_allclose(ours[..., 0].T if box.down else ours[..., 0], gain, atol=0.2)


def test_the_strips_that_a_photo_is_cut_into_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = moved(7, down=True, size=(64, 50))
    whole = map_chakrabarti10(photo)
    monkeypatch.setattr(
        chakrabarti10,
        "row_strips",
        lambda height, _: [slice(top, min(top + 7, height)) for top in range(0, height, 7)],
    )
    np.testing.assert_array_equal(map_chakrabarti10(photo), whole)
