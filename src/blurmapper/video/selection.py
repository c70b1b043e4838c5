"""The sharpest frames of a clip, not all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """

    number: int
    seconds: float
    blur_degree: float
    share_blurred: float


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
