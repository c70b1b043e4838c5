"""Choosing photos of a ranking: its ends, or those beyond a threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from blurmapper.locations import Location
from blurmapper.ranking.bursts import Burst, exposure_of
from blurmapper.ranking.records import Measure, PhotoRecord, Word

End = Literal["sharpest", "blurriest"]
"""Of which end of the ranking photos are chosen."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which photos of a ranking are chosen; what is None chooses nothing less.

    Attributes
    ----------
    below, above : float or None
        What the photos are ranked by is less than this, or at least that.
    end : {"sharpest", "blurriest"}
        Which come first.
    number : int or None
        How many at most.
    verdicts : frozenset of str
        The words of verdicts; all where it is empty.
    """

    below: float | None = None
    above: float | None = None
    end: End = "sharpest"
    number: int | None = None
    verdicts: frozenset[str] = frozenset()


def _is_between(low: float, blur: float | None, high: float) -> bool:
    """Say whether a figure is within limits; what is unknown is beyond any that is set."""
    if blur is None:
        return math.isinf(low) and math.isinf(high)
    return low <= blur < high


def select_photos(
    ranked: Sequence[PhotoRecord],
    selection: Selection,
    bursts: Mapping[Location, Burst] | None = None,
    *,
    by: Measure = "s",
) -> list[PhotoRecord]:
    """Return the photos that a selection chooses, the sharpest or the blurriest first.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `order_photos`, the sharpest first.
    selection : Selection
    bursts : mapping of Path or Address to Burst, optional
        From `group_bursts`. With it a number is one of exposures, of which all files are chosen;
        the sharpest hold of a burst its best at most, and the blurriest none that is the best.
    by : {"focus", "s", "region"}
        What the photos are ranked by.
    """
    low = -math.inf if selection.above is None else selection.above
    high = math.inf if selection.below is None else selection.below
    words = selection.verdicts or get_args(Word)
    chosen = [
        record
        for record in ranked
        if record.verdict.word in words and _is_between(low, record.blur(by), high)
    ]
    if selection.end == "blurriest":
        chosen.reverse()
    if selection.number is None or bursts is None:
        return chosen[: selection.number]
    best = selection.end == "sharpest"
    chosen = [r for r in chosen if r.photo not in bursts or bursts[r.photo].is_best is best]
    exposures = list(map(exposure_of, chosen))
    counted = set(list(dict.fromkeys(exposures))[: selection.number])
    return [r for r, exposure in zip(chosen, exposures, strict=True) if exposure in counted]
