"""The sharpest frames of a clip, not all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

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
    while True:
        chosen, left = list[FrameResult](), list(frames)
        while left and len(chosen) < number:
            best = find_best(left, by)
            chosen.append(best)
            # Times are sums of fractions: frames 0.2 s apart may be 0.1999999 s apart.
            far = [frame for frame in left if abs(frame.seconds - best.seconds) >= spread - 1e-6]
            left = [frame for frame in far if frame is not best]
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
    if by == "focus":
        tiers = [find_tier(frame.verdict or "cannot tell") for frame in frames]
        frames = [frame for frame, tier in zip(frames, tiers, strict=True) if tier == min(tiers)]
        least = min((frame.focus.sigma for frame in frames if frame.focus), default=0.0)
        near = [frame for frame in frames if frame.focus and frame.focus.sigma <= WIDER * least]
        frames = near or frames
    return min(frames, key=lambda frame: (frame.blur_degree, frame.number))


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
