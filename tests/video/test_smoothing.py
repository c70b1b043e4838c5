"""Maps of one frame after the other that do not flicker."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from blurmapper.images import read_image
from blurmapper.video.clips import Frame
from blurmapper.video.smoothing import MappedFrame, is_cut, reduce_colours, smooth_maps

from .making import SAMPLES

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")


def mapped(values: list[float], colours: list[float], shots: list[int]) -> list[MappedFrame]:
    """Return frames of one colour and one value of the map each, of 4 x 6 pixels."""
    image = np.zeros((4, 6, 3), np.uint8)
    return [
        MappedFrame(
            Frame(number, number, number / 25, image),
            shot,
            np.full((4, 6), value, np.float32),
            np.full((4, 6, 3), colour, np.float32),
        )
        for number, (value, colour, shot) in enumerate(zip(values, colours, shots, strict=True))
    ]


def smoothed(frames: list[MappedFrame], reach: int) -> list[float]:
    results = list(smooth_maps(iter(frames), reach))
    assert [frame.frame.number for frame, _ in results] == list(range(len(frames)))
    return [float(blur_map[0, 0]) for _, blur_map in results]


def test_flicker_is_evened_out() -> None:
    values = [0.45, 0.55] * 8
    after = smoothed(mapped(values, [0.5] * 16, [0] * 16), 2)
    assert np.ptp(after[2:-2]) < 0.05
    assert np.mean(after) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("reach", [0, 1, 2, 5, 30])
def test_a_steady_map_stays_as_it_is(reach: int) -> None:
    after = smoothed(mapped([0.3] * 7, [0.5] * 7, [0] * 7), reach)
    assert after == pytest.approx([0.3] * 7)


def test_without_smoothing_maps_are_left_alone() -> None:
    values = [0.1, 0.9, 0.4]
    assert smoothed(mapped(values, [0.5] * 3, [0] * 3), 0) == pytest.approx(values)


def test_no_map_crosses_a_cut() -> None:
    values = [0.3] * 4 + [0.36] * 4
    after = smoothed(mapped(values, [0.5] * 8, [0] * 4 + [1] * 4), 2)
    assert after == pytest.approx(values)


def test_nothing_trails_behind_what_moves() -> None:
    values, colours = [0.3] * 4 + [0.36] * 4, [0.2] * 4 + [0.6] * 4
    after = smoothed(mapped(values, colours, [0] * 8), 2)
    assert after == pytest.approx(values, abs=1e-3)


def test_a_shaken_frame_stays_blurred_and_its_neighbours_sharp() -> None:
    values = [0.1, 0.1, 0.9, 0.1, 0.1]
    after = smoothed(mapped(values, [0.5] * 5, [0] * 5), 2)
    assert after == pytest.approx(values, abs=1e-3)


def test_smoothing_holds_few_frames_at_a_time() -> None:
    given = 0

    def give() -> Iterator[MappedFrame]:
        nonlocal given
        for frame in mapped([0.5] * 40, [0.5] * 40, [0] * 40):
            given += 1
            yield frame

    for done, _ in enumerate(smooth_maps(give(), 3), 1):
        assert given <= done + 4


def test_a_cut_is_told_from_a_pan() -> None:
    samples = [read_image(SAMPLES / f"{name}.jpg") for name in ("cat", "coffee", "rocket")]
    cat, coffee, rocket = (reduce_colours(photo, 96, 128) for photo in samples)
    assert is_cut(cat, coffee) and is_cut(coffee, rocket)
    step = samples[1].shape[1] // 50
    before, after = (
        reduce_colours(np.ascontiguousarray(part), 96, 128)
        for part in (samples[1][:, :-step], samples[1][:, step:])
    )
    assert not is_cut(before, after)
