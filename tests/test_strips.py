"""Photos far longer than high: cut into pieces, mapped, and joined again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.strips import MOST_ASPECT, MOST_PIECES, OVERLAP, map_in_pieces

SEEN = 64 * 64
Array = npt.NDArray[Any]


class Recorder:
    """What maps a piece to its red, and remembers how large pieces were."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, piece: Array) -> tuple[Array, Array]:
        self.sizes.append((piece.shape[0], piece.shape[1]))
        red = piece[..., 0] / np.float32(255)
        return red, 1 - red


def noise(height: int, width: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("length", [1_201, 4_000, 9_000])
@pytest.mark.parametrize("upright", [False, True])
def test_pieces_are_joined_to_what_the_whole_shows(length: int, upright: bool) -> None:
    photo = noise(length, 100) if upright else noise(100, length)
    recorder = Recorder()
    red, rest = map_in_pieces(photo, SEEN, recorder)
    np.testing.assert_allclose(red, photo[..., 0] / np.float32(255), atol=1e-6)
    np.testing.assert_allclose(rest, 1 - red, atol=1e-6)
    assert len(recorder.sizes) > 1
    assert {max(size) / min(size) for size in recorder.sizes} == {MOST_ASPECT}


@pytest.mark.parametrize("size", [(100, 150), (100, 800), (800, 100), (16, 256)])
def test_a_photo_that_is_not_reduced_too_far_is_mapped_as_a_whole(size: tuple[int, int]) -> None:
    recorder = Recorder()
    map_in_pieces(noise(*size), SEEN, recorder)
    assert recorder.sizes == [size]


def test_a_thread_of_pixels_is_cut_into_so_many_pieces_at_most() -> None:
    recorder = Recorder()
    map_in_pieces(noise(16, 1_000_000), SEEN, recorder)
    assert len(recorder.sizes) <= MOST_PIECES


def test_one_piece_fades_into_the_next() -> None:
    calls = iter([0.0, 1.0] * 10)

    def map_piece(piece: Array) -> tuple[Array]:
        return (np.full(piece.shape[:2], next(calls), np.float32),)

    (joined,) = map_in_pieces(noise(100, 3_000), SEEN, map_piece)
    assert joined.min() == 0 and joined.max() == 1
    assert np.abs(np.diff(joined[0])).max() < 1.5 / (MOST_ASPECT * 100 / OVERLAP)
