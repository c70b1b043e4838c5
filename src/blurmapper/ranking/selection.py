"""Choosing photos of a ranking: the sharpest, the blurriest, those beyond a threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import Measure, PhotoRecord

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

    def takes(self, record: PhotoRecord) -> bool:
        """Say whether a photo's verdict is among those that are chosen."""
        return not self.verdicts or record.verdict.word in self.verdicts


def _is_between(low: float, blur: float | None, high: float) -> bool:
    """Say whether a figure is within limits; what is unknown is beyond any that is set."""
    if blur is None:
        return math.isinf(low) and math.isinf(high)
    return low <= blur < high


def select_photos(
    ranked: Sequence[PhotoRecord],
    selection: Selection,
    bursts: Mapping[Path, Burst] | None = None,
    *,
    by: Measure = "s",
) -> list[PhotoRecord]:
    """Return the photos that a selection chooses, the sharpest or the blurriest first.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `order_photos`, the sharpest first.
    selection : Selection
    bursts : mapping of Path to Burst, optional
        From `group_bursts`. With it, where a number is chosen, the sharpest hold at most one
        photo of a burst, its best, and the blurriest none that is the best of a burst.
    by : {"focus", "s", "region"}
        What the photos are ranked by.
    """
    low = -math.inf if selection.above is None else selection.above
    high = math.inf if selection.below is None else selection.below
    chosen = [
        record
        for record in ranked
        if selection.takes(record) and _is_between(low, record.blur(by), high)
    ]
    if selection.number is not None:
        best = selection.end == "sharpest"
        bursts = bursts or {}
        chosen = [r for r in chosen if r.photo not in bursts or bursts[r.photo].is_best is best]
    if selection.end == "blurriest":
        chosen.reverse()
    return chosen[: selection.number]
