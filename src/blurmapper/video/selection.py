"""The sharpest frames of a clip, not all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

NEIGHBOURS = 5
"""Frames on either side that a frame is compared with."""

BLURRIER = 0.05
"""A frame is blurrier than its neighbours if S is above their median by more than this."""

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
    """

    number: int
    seconds: float
    blur_degree: float
    share_blurred: float
    shot: int = 0


def choose_sharpest(
    frames: Sequence[FrameResult], number: int, apart: float | None = None
) -> list[FrameResult]:
    """Return the frames with the least S, the sharpest first, spread apart in time.

    Parameters
    ----------
    frames : sequence of FrameResult
    number : int
        How many; fewer come back where no more are so far apart.
    apart : float, optional
        Seconds between any two; unless given, 1, or what lets so many fit into the clip.

    Examples
    --------
    >>> frames = [FrameResult(n, n / 10, s, s) for n, s in enumerate([0.4, 0.1, 0.2, 0.9, 0.3])]
    >>> [frame.number for frame in choose_sharpest(frames, 2, apart=0.2)]
    [1, 4]
    """
    if apart is None:
        # A chosen frame rules out as much on either side, so half its share always fits.
        length = frames[-1].seconds - frames[0].seconds if frames else 0.0
        apart = min(MOST_APART, length / (2 * number))
    chosen: list[FrameResult] = []
    for frame in sorted(frames, key=lambda frame: (frame.blur_degree, frame.number)):
        if len(chosen) == number:
            break
        # Times are sums of fractions: frames 0.2 s apart may be 0.1999999 s apart.
        if all(abs(frame.seconds - other.seconds) >= apart - 1e-6 for other in chosen):
            chosen.append(frame)
    return chosen


def choose_best_of(frames: Sequence[FrameResult], number: int) -> list[FrameResult]:
    """Return of every so many frames, counted from the first, the one with the least S.

    Examples
    --------
    >>> frames = [FrameResult(n, n / 10, s, s) for n, s in enumerate([0.4, 0.1, 0.2, 0.9, 0.3])]
    >>> [frame.number for frame in choose_best_of(frames, 2)]
    [1, 2, 4]
    """
    best: dict[int, FrameResult] = {}
    for frame in frames:
        group = frame.number // number
        if group not in best or frame.blur_degree < best[group].blur_degree:
            best[group] = frame
    return list(best.values())


def drop_blurry(frames: Sequence[FrameResult]) -> list[FrameResult]:
    """Return the frames that are not blurrier than their neighbours in the same shot.

    Of single frames of one scene small differences of S mean something: one is dropped if its S
    is above the median of the 5 before and the 5 after it by more than 0.05.

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
        degrees = [other.blur_degree for other in near if other.shot == frame.shot]
        if not degrees or frame.blur_degree <= median(degrees) + BLURRIER:
            kept.append(frame)
    return kept
