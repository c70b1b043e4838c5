"""Frames of one burst, and its best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from blurmapper.locations import Location
from blurmapper.ranking.frames import Frame
from blurmapper.ranking.records import PhotoRecord, find_tier

LONGEST_GAP = 2.0
"""Seconds between frames of a burst, at most; many cameras write whole seconds only."""

MOST_DIFFERING_BITS = 10
"""Of the 64 bits of the fingerprints of frames that follow each other, at most."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The burst that a photo is of, and the photo's place in it: both from 1 on, the best first.

    Files of one exposure have one place.
    """

    number: int
    place: int

    @property
    def is_best(self) -> bool:
        """Whether the photo is the best of its burst."""
        return self.place == 1


def group_bursts(ranked: Sequence[PhotoRecord]) -> dict[Location, Burst]:
    """Return the burst of each photo that is of one; other photos are left out.

    A burst holds each photo that one of it follows or that follows one of it, whatever was taken
    between: within 2 seconds, by one camera, and with at most 10 of 64 bits of their fingerprints
    differing (`blurmapper.ranking.frames.fingerprint`). Files of one exposure, such as RAW and
    JPEG, hold one place and are no burst by themselves. Those that are to be kept come first, and
    of these the one of most detail (`blurmapper.ranking.frames.measure_detail`), of equals the
    first in the ranking. Bursts are numbered by camera, then by time. A photo without a time of
    taking is of no burst.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `order_photos`, the sharpest first.
    """
    framed = [(record.frame, record) for record in ranked if record.frame is not None]
    framed.sort(key=lambda pair: (pair[0].camera, pair[0].taken, str(pair[1].photo)))
    places = {record.photo: place for place, record in enumerate(ranked)}

    def worth(pair: tuple[Frame, PhotoRecord]) -> tuple[int, float, int]:
        frame, record = pair
        return find_tier(record.verdict.word), -frame.detail, places[record.photo]

    bursts: dict[Location, Burst] = {}
    number = 1
    for run in _join_frames(framed):
        exposures: dict[tuple[str, datetime | None], list[Location]] = {}
        for _, record in sorted(run, key=worth):
            exposures.setdefault(exposure_of(record), []).append(record.photo)
        if len(exposures) > 1:
            for place, files in enumerate(exposures.values(), start=1):
                bursts |= dict.fromkeys(files, Burst(number, place))
            number += 1
    return bursts


def _join_frames(
    framed: Sequence[tuple[Frame, PhotoRecord]],
) -> Iterable[list[tuple[Frame, PhotoRecord]]]:
    """Return what belongs together of photos by camera and time, be it by way of others."""
    # Thousands may have one time, such as scans, so that these are compared all at once.
    prints = np.array([frame.fingerprint for frame, _ in framed], np.uint64)
    run_of = np.arange(len(framed))
    exposures: dict[tuple[str, datetime | None], int] = {}
    start = 0
    for at, (frame, record) in enumerate(framed):
        while not _is_soon_after(framed[start][0], frame):
            start += 1
        same = exposures.setdefault(exposure_of(record), at)
        alike = _count_bits(prints[start:at] ^ prints[at]) <= MOST_DIFFERING_BITS
        near = np.append(run_of[start:at][alike], run_of[same])
        run_of[at] = first = near.min()
        while (near := near[near != first]).size:
            # A run is called after its first photo.
            since = run_of[near[0] : at + 1]
            since[since == near[0]] = first
            near = near[near != near[0]]
    runs: dict[int, list[tuple[Frame, PhotoRecord]]] = {}
    for run, pair in zip(run_of.tolist(), framed, strict=True):
        runs.setdefault(run, []).append(pair)
    return runs.values()


def _count_bits(prints: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return how many bits of each are set, as `numpy.bitwise_count` of NumPy 2 does."""
    pairs = prints - ((prints >> 1) & 0x5555555555555555)
    fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    eights = (fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F
    sums: npt.NDArray[np.uint64] = (eights * 0x0101010101010101) >> 56
    return sums


def exposure_of(record: PhotoRecord) -> tuple[str, datetime | None]:
    """Return what the files of one exposure share: their name but for its suffix, and the time."""
    if record.frame is None:
        return str(record.photo), None
    return str(record.photo).removesuffix(record.photo.suffix), record.frame.taken


def order_within_bursts(
    ranked: Sequence[PhotoRecord], bursts: Mapping[Location, Burst]
) -> list[PhotoRecord]:
    """Return the photos with those of each burst in its own order at the ranks that they hold.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `order_photos` by focus, the sharpest first.
    bursts : mapping of Path or Address to Burst
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


def _is_soon_after(before: Frame, frame: Frame) -> bool:
    gap = (frame.taken - before.taken).total_seconds()
    return frame.camera == before.camera and gap <= LONGEST_GAP
