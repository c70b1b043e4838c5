"""Frames of one burst: taken within moments of each other, and much alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from blurmapper.ranking.frames import Frame
from blurmapper.ranking.records import PhotoRecord

LONGEST_GAP = 2.0
"""Seconds between frames of a burst, at most; many cameras write whole seconds only."""

MOST_DIFFERING_BITS = 10
"""Of the 64 bits of the fingerprints of frames that follow each other, at most."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The burst that a photo is of: its number from 1 on, and whether the photo is its best."""

    number: int
    is_best: bool


def group_bursts(ranked: Sequence[PhotoRecord]) -> dict[Path, Burst]:
    """Return the burst of each photo that is of one; other photos are left out.

    Photos of one camera are gone through in the order in which they were taken, and a burst
    goes on while each is within 2 seconds of the one before and differs from it by at most 10
    of 64 bits of their fingerprints (`blurmapper.ranking.frames.fingerprint`). The best is the
    one that is first in the ranking. Bursts are numbered by camera, then by time. A photo without
    a time of taking is of no burst.

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
    bursts: dict[Path, Burst] = {}
    for number, run in enumerate((run for run in runs if len(run) > 1), start=1):
        best = min(run, key=lambda record: places[record.photo])
        bursts |= {record.photo: Burst(number, record is best) for record in run}
    return bursts


def _follows(before: Frame, frame: Frame) -> bool:
    gap = (frame.taken - before.taken).total_seconds()
    return (
        frame.camera == before.camera
        and gap <= LONGEST_GAP
        and frame.differing_bits(before) <= MOST_DIFFERING_BITS
    )
