"""Frames of one burst, and choosing photos of a ranking: its ends, or those beyond a threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from blurmapper.ranking.frames import Frame
from blurmapper.ranking.records import Measure, PhotoRecord, find_tier

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


LONGEST_GAP = 2.0
"""Seconds between frames of a burst, at most; many cameras write whole seconds only."""

MOST_DIFFERING_BITS = 10
"""Of the 64 bits of the fingerprints of frames that follow each other, at most."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The burst that a photo is of, and the photo's place in it: both from 1 on, the best first."""

    number: int
    place: int

    @property
    def is_best(self) -> bool:
        """Whether the photo is the best of its burst."""
        return self.place == 1


def group_bursts(ranked: Sequence[PhotoRecord]) -> dict[Path, Burst]:
    """Return the burst of each photo that is of one; other photos are left out.

    Photos of one camera are gone through in the order in which they were taken, and a burst
    goes on while each is within 2 seconds of the one before and differs from it by at most 10
    of 64 bits of their fingerprints (`blurmapper.ranking.frames.fingerprint`). Those that are to
    be kept come first, and of these the one of most detail
    (`blurmapper.ranking.frames.measure_detail`), of equals the first in the ranking. Bursts are
    numbered by camera, then by time. A photo without a time of taking is of no burst.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `order_photos`, the sharpest first.
    """
    framed = [(record.frame, record) for record in ranked if record.frame is not None]
    framed.sort(key=lambda pair: (pair[0].camera, pair[0].taken, str(pair[1].photo)))
    runs: list[list[PhotoRecord]] = [[record] for _, record in framed[:1]]
    for (before, _), (frame, record) in pairwise(framed):
        if _follows(before, frame):
            runs[-1].append(record)
        else:
            runs.append([record])
    places = {record.photo: place for place, record in enumerate(ranked)}

    def worth(record: PhotoRecord) -> tuple[int, float, int]:
        detail = record.frame.detail if record.frame else 0.0
        return find_tier(record.verdict.word), -detail, places[record.photo]

    bursts: dict[Path, Burst] = {}
    for number, run in enumerate((run for run in runs if len(run) > 1), start=1):
        run.sort(key=worth)
        bursts |= {record.photo: Burst(number, place) for place, record in enumerate(run, start=1)}
    return bursts


def order_within_bursts(
    ranked: Sequence[PhotoRecord], bursts: Mapping[Path, Burst]
) -> list[PhotoRecord]:
    """Return the photos with those of each burst in its own order at the ranks that they hold.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `order_photos` by focus, the sharpest first.
    bursts : mapping of Path to Burst
        From `group_bursts` of these photos.
    """
    held = [rank for rank, record in enumerate(ranked) if record.photo in bursts]
    burst_at = {rank: bursts[ranked[rank].photo] for rank in held}
    ordered = list(ranked)
    by_rank = sorted(held, key=lambda rank: burst_at[rank].number)
    by_place = sorted(held, key=lambda rank: (burst_at[rank].number, burst_at[rank].place))
    for rank, taken_from in zip(by_rank, by_place, strict=True):
        ordered[rank] = ranked[taken_from]
    return ordered


def _follows(before: Frame, frame: Frame) -> bool:
    gap = (frame.taken - before.taken).total_seconds()
    return (
        frame.camera == before.camera
        and gap <= LONGEST_GAP
        and frame.differing_bits(before) <= MOST_DIFFERING_BITS
    )
