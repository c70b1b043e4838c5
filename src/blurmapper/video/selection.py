"""The sharpest frames of a clip, not all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.ranking.records import Word, find_tier
from blurmapper.sharpest import SharpestPart

By = Literal["focus", "s"]
"""What frames are compared by: how wide the blur is where they are meant to be sharp, and S where
that cannot be measured; or S alone."""

NEIGHBOURS = 5
"""Frames on either side that a frame is compared with."""

BLURRIER = 0.05
"""A frame is blurrier than its neighbours if S is above their median by more than this."""

WIDER = 1.25
"""Or if its blur is wider than the median of theirs by more than this factor."""

MOST_APART = 1.0
"""Seconds between two chosen frames, unless asked for otherwise or the clip is too short."""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What was measured of a frame.

    Attributes
    ----------
    number : int
        Counted from 0.
    seconds : float
        When it is shown, after the clip's start.
    blur_degree : float
        S, the mean of the frame's own map, in [0, 1].
    share_blurred : float
        Share of the frame with a probability of at least 0.5, in [0, 1].
    shot : int
        Frames between two cuts have the same.
    focus : SharpestPart or None
        Where it is sharpest of what is meant to be sharp; None where that is not known.
    verdict : str or None
        In a word, as `rank` gives it to photos; None where nothing was measured.
    """

    number: int
    seconds: float
    blur_degree: float
    share_blurred: float
    shot: int = 0
    focus: SharpestPart | None = None
    verdict: Word | None = None


def choose_sharpest(
    frames: Sequence[FrameResult], number: int, apart: float | None = None, *, by: By = "focus"
) -> list[FrameResult]:
    """Return the sharpest frames, the sharpest first, spread apart in time.

    Parameters
    ----------
    frames : sequence of FrameResult
    number : int
        How many; fewer come back where no more are as far apart as is given.
    apart : float, optional
        Seconds between any two; unless given, 1, or what lets so many fit into the clip.
    by : {"focus", "s"}
        What is compared.

    Examples
    --------
    >>> frames = [FrameResult(n, n / 10, s, s) for n, s in enumerate([0.4, 0.1, 0.2, 0.9, 0.3])]
    >>> [frame.number for frame in choose_sharpest(frames, 2, apart=0.2)]
    [1, 4]
    """
    length = frames[-1].seconds - frames[0].seconds if frames else 0.0
    # A chosen frame rules out as much on either side, so half its share fits at an even rate.
    spread = min(MOST_APART, length / (2 * number)) if apart is None else apart
    figures = _compare(frames, by)
    seconds = np.array([frame.seconds for frame in frames])
    while True:
        chosen, left = list[FrameResult](), np.arange(len(frames))
        while left.size and len(chosen) < number:
            best = _find_best(figures, left)
            chosen.append(frames[best])
            # Times are sums of fractions: frames 0.2 s apart may be 0.1999999 s apart.
            is_far = np.abs(seconds[left] - seconds[best]) >= spread - 1e-6
            left = left[is_far & (left != best)]
        if apart is not None or len(chosen) == min(number, len(frames)):
            return chosen
        # Where the rate varies most may lie in a part of the clip.
        spread /= 2


def choose_best_of(
    frames: Sequence[FrameResult], number: int, *, by: By = "focus"
) -> list[FrameResult]:
    """Return of every so many frames, counted from the first, the sharpest.

    Examples
    --------
    >>> frames = [FrameResult(n, n / 10, s, s) for n, s in enumerate([0.4, 0.1, 0.2, 0.9, 0.3])]
    >>> [frame.number for frame in choose_best_of(frames, 2)]
    [1, 2, 4]
    """
    groups: dict[int, list[FrameResult]] = {}
    for frame in frames:
        groups.setdefault(frame.number // number, []).append(frame)
    return [find_best(group, by) for group in groups.values()]


def find_best(frames: Sequence[FrameResult], by: By) -> FrameResult:
    """Return the sharpest of some frames, the first of those that are equally sharp.

    By focus they go first by what their verdicts are worth, and then by sigma. A sigma is known to
    about a tenth, so that those within a quarter of the least are compared by S.
    """
    return frames[_find_best(_compare(frames, by), np.arange(len(frames)))]


class _Figures(NamedTuple):
    """What frames are compared by, (N,) each; sigma is infinite where it is not known."""

    tier: npt.NDArray[np.int64]
    sigma: npt.NDArray[np.float64]
    place: npt.NDArray[np.int64]
    """By S, the first of equal ones first."""


def _compare(frames: Sequence[FrameResult], by: By) -> _Figures:
    by_s = sorted(range(len(frames)), key=lambda n: (frames[n].blur_degree, frames[n].number))
    place = np.argsort(by_s)
    if by == "s":
        return _Figures(np.zeros_like(place), np.full(len(frames), np.inf), place)
    tiers = [find_tier(frame.verdict or "cannot tell") for frame in frames]
    sigma = [frame.focus.sigma if frame.focus else np.inf for frame in frames]
    return _Figures(np.array(tiers, np.int64), np.array(sigma), place)


def _find_best(figures: _Figures, left: npt.NDArray[np.int64]) -> int:
    tiers = figures.tier[left]
    left = left[tiers == tiers.min()]
    sigma = figures.sigma[left]
    left = left[sigma <= WIDER * sigma.min()]
    return int(left[figures.place[left].argmin()])


def drop_blurry(frames: Sequence[FrameResult], *, by: By = "focus") -> list[FrameResult]:
    """Return the frames that are not blurrier than their neighbours in the same shot.

    Of single frames of one scene small differences mean something: one is dropped if its blur is
    wider than the median of the 5 before and the 5 after it by more than a quarter. By S, or where
    it or most of them cannot be measured, it is if its S is above theirs by more than 0.05.

    Examples
    --------
    >>> frames = [FrameResult(n, n / 10, s, s) for n, s in enumerate([0.2, 0.21, 0.4, 0.2])]
    >>> [frame.number for frame in drop_blurry(frames)]
    [0, 1, 3]
    """
    kept = []
    for place, frame in enumerate(frames):
        near = [*frames[max(0, place - NEIGHBOURS) : place]]
        near += frames[place + 1 : place + 1 + NEIGHBOURS]
        near = [other for other in near if other.shot == frame.shot]
        if not near or not _is_blurrier(frame, near, by):
            kept.append(frame)
    return kept


def _is_blurrier(frame: FrameResult, near: Sequence[FrameResult], by: By) -> bool:
    sigmas = [other.focus.sigma for other in near if other.focus is not None]
    if by == "focus" and frame.focus is not None and 2 * len(sigmas) > len(near):
        return frame.focus.sigma > WIDER * median(sigmas)
    return frame.blur_degree > median(other.blur_degree for other in near) + BLURRIER
