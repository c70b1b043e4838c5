"""The sharpest frames of a clip."""

from __future__ import annotations

import numpy as np
import pytest

from blurmapper.ranking.records import Word
from blurmapper.sharpest import SharpestPart
from blurmapper.video.selection import FrameResult, choose_sharpest, find_best

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")


def rows(*degrees: float) -> list[FrameResult]:
    return [FrameResult(n, n / 25, degree, degree) for n, degree in enumerate(degrees)]


def test_the_sharpest_are_first_and_equal_ones_in_the_order_of_time() -> None:
    chosen = choose_sharpest(rows(0.5, 0.1, 0.3, 0.1), 3, apart=0)
    assert [frame.number for frame in chosen] == [1, 3, 2]


@pytest.mark.parametrize("number", [1, 2, 5, 10])
def test_as_many_as_were_asked_for_fit_in_unless_said_otherwise(number: int) -> None:
    frames = rows(*np.linspace(0, 1, 40))
    chosen = choose_sharpest(frames, number)
    assert len(chosen) == number
    gaps = np.diff(sorted(frame.number for frame in chosen))
    assert number == 1 or gaps.min() >= 39 / (2 * number)


@pytest.mark.parametrize("number", [2, 5, 10, 11])
def test_they_fit_in_too_where_nearly_all_frames_are_at_one_end(number: int) -> None:
    times = [*np.arange(9) / 25, 10]
    frames = [FrameResult(n, time, 0.5, 0.5) for n, time in enumerate(times)]
    chosen = {frame.number for frame in choose_sharpest(frames, number)}
    assert len(chosen) == min(number, 10)


def test_those_near_the_sharpest_are_compared_by_s_whichever_are_left() -> None:
    rng = np.random.default_rng(0)
    words: list[Word] = ["sharp", "soft", "cannot tell"]
    frames = [
        FrameResult(
            number,
            number / 25,
            round(float(degree), 1),
            0.0,
            focus=None if number % 7 == 0 else SharpestPart(round(float(sigma), 1), 0, 0),
            verdict=words[int(rng.integers(3))],
        )
        for number, (degree, sigma) in enumerate(zip(rng.random(300), rng.random(300), strict=True))
    ]
    chosen, left = [], list(frames)
    while left and len(chosen) < 12:
        best = find_best(left, "focus")
        chosen.append(best)
        left = [frame for frame in left if abs(frame.number - best.number) >= 20]
    assert choose_sharpest(frames, 12, apart=0.8) == chosen
    assert {frame.verdict for frame in chosen[:3]} == {"sharp"}


def test_in_a_long_clip_a_second_is_enough() -> None:
    frames = rows(*np.linspace(0, 1, 25 * 60))
    assert [frame.seconds for frame in choose_sharpest(frames, 3)] == [0, 1, 2]


def test_fewer_are_chosen_where_no_more_are_so_far_apart() -> None:
    assert len(choose_sharpest(rows(*[0.5] * 50), 5, apart=1)) == 2
