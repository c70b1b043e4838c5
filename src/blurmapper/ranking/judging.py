"""A photo and its map -> how wide its blur is, where it is sharpest, and the verdict."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from blurmapper.amounts import BlurAmounts, Grid, measure_amounts
from blurmapper.decoding import MIN_SIDE
from blurmapper.errors import KindsError
from blurmapper.images import BlurMap, ImageArray
from blurmapper.kinds import BlurKinds
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod
from blurmapper.preprocessing import reduce_within
from blurmapper.ranking.records import Verdict
from blurmapper.ranking.verdicts import judge
from blurmapper.sharpest import SharpestPart, find_sharpest, reduce_to_cells

KINDS_SIDE = 640
"""Pixels of the longer side at which it is asked whether a photo was shaken or what moved."""


class Judged(NamedTuple):
    """The verdict on a photo and what it is made from; `focus` is None where it is unknown."""

    verdict: Verdict
    focus: SharpestPart | None
    amounts: BlurAmounts


def judge_photo(
    method: BlurMethod, image: ImageArray, blur_map: BlurMap, *, threads: int | None = None
) -> Judged:
    """Measure how wide a photo's blur is, and judge it.

    Parameters
    ----------
    method : callable
        What made the map; if it tells motion from defocus, so does the verdict.
    image : ndarray
        RGB (H, W, 3), the photo whole: uint8, uint16, or float32 in [0, 1].
    blur_map : ndarray
        float32 (H, W) in [0, 1], 1 = blurred.
    threads : int, optional
        CPU threads, unless the method has its own; all cores unless given.
    """
    if isinstance(method, BlurMapper):
        amounts = method.map_amount(image)
    else:
        amounts = measure_amounts(image, threads=threads)
    focus = find_sharpest(amounts, blur_map)

    def find_moving() -> Grid | None:
        kinds = _map_kinds(method, image)
        return None if kinds is None else reduce_to_cells(kinds.motion, *image.shape[:2])

    verdict = judge(blur_map, amounts, focus, find_moving=find_moving)
    if verdict.word == "soft" and (kinds := _map_kinds(method, image)):
        defocus, motion = (float(part.mean()) for part in kinds)
        part = motion / max(1e-6, defocus + motion)
        verdict = judge(blur_map, amounts, focus, motion=part)
    return Judged(verdict, focus, amounts)


def _map_kinds(method: BlurMethod, image: ImageArray) -> BlurKinds | None:
    """Map a small copy of a photo by the kinds of blur, where the method tells them."""
    with suppress(KindsError):
        if isinstance(method, BlurMapper):
            return method.map_kinds(reduce_within(image, KINDS_SIDE, MIN_SIDE))
    return None
