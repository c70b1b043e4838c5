"""What is to be said of a photo's sharpness in a word and a sentence, with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from blurmapper.amounts import BlurAmounts, Grid
from blurmapper.images import BlurMap
from blurmapper.ranking.records import Verdict
from blurmapper.sharpest import (
    FEWEST_CELLS,
    NOTHING,
    SharpestPart,
    cells_of,
    find_limit,
    find_sharp_cells,
    find_sharpest_inside,
    is_seen,
)

_BLURRED = 0.5
_WHOLE = 0.8
_PART = 0.2
_MOTION = 0.8
_MIDDLE = (0.3, 0.7)
_LITTLE, _MUCH, _LOW = 0.15, 0.2, 0.62
_HALF, _RIM = 0.5, 0.6


def judge(
    blur_map: BlurMap,
    amounts: BlurAmounts,
    focus: SharpestPart | None,
    *,
    motion: float | None = None,
    find_moving: Callable[[], Grid | None] = lambda: None,
) -> Verdict:
    """Return the verdict on a photo.

    Parameters
    ----------
    blur_map : ndarray
        float32 (H, W) in [0, 1], 1 = blurred, at the photo's own size.
    amounts : BlurAmounts
        Of the same photo.
    focus : SharpestPart or None
        From `find_sharpest`.
    motion : float, optional
        The part of the map that is motion, in [0, 1], where the method tells.
    find_moving : callable, optional
        Returns how likely each cell moved, in [0, 1], where the method tells; asked only where the
        middle may have.

    Returns
    -------
    Verdict
        Blur behind or before something sharp is taken to be meant, unless what is in the middle
        is blurred and what is around it sharp.
    """
    sigma = amounts.sigma
    if np.isfinite(sigma).sum() < FEWEST_CELLS:
        return Verdict("cannot tell", "There is too little detail in it to measure.")
    height, width = blur_map.shape
    sharp = find_sharp_cells(blur_map, sigma, (height, width))
    share = float(sharp.mean())
    limit = find_limit(max(height, width))
    if share < NOTHING or (focus is not None and focus.sigma > limit):
        return _judge_soft(amounts, focus, motion, limit if share < NOTHING else None)
    how = "as far as a small view tells" if focus is None else f"to {focus.sigma:.1f} px"
    rows, columns = sigma.shape
    middle = (slice(*_within(rows)), slice(*_within(columns)))
    inside = BlurAmounts(*(grid[middle] for grid in amounts))
    # On both sides, for else the subject is at one of them.
    sides = (sharp[:, : middle[1].start], sharp[:, middle[1].stop :])
    if _is_framed(sharp, middle, sides) and _has_moved(find_moving(), sharp, middle, inside, limit):
        return _describe_moved(_find_path(inside, 0))
    between = all(side.size and side.mean() > _MUCH for side in sides)
    # Plain ground between two subjects is called blurred too, but is not measured so.
    if sharp[middle].mean() < _LITTLE and between and _is_wide(inside.sigma, limit):
        return _judge_middle(sharp, inside, how)
    if share >= _WHOLE:
        return Verdict("sharp", f"Sharp {how}, {share:.0%} of it.")
    return Verdict("subject sharp", f"Sharp {how}, {share:.0%} of it; the rest is soft.")


def judge_box(
    blur_map: BlurMap, amounts: BlurAmounts, focus: SharpestPart | None, inside: tuple[slice, slice]
) -> tuple[Verdict, SharpestPart | None]:
    """Return the verdict on a part of a photo that is meant to be sharp, and its focus.

    Parameters
    ----------
    blur_map, amounts, focus
        Of the photo, as `judge` takes them.
    inside : tuple of slice
        The part's rows and columns, in pixels of the photo.
    """
    part = BlurAmounts(*(grid[cells_of(inside)] for grid in amounts))
    found = find_sharpest_inside(amounts, inside)
    if found is None or 0 in blur_map[inside].shape:
        return Verdict("cannot tell", "There is too little detail in it to measure."), None
    sigma, limit = found.sigma, find_limit(max(blur_map.shape))
    if sigma <= limit:
        return Verdict("sharp", f"Sharp to {sigma:.1f} px."), found
    if blur_map[inside].mean() < _BLURRED and is_seen(sigma, max(blur_map.shape)):
        return Verdict("cannot tell", "It is measured soft, and seen sharp."), None
    if focus is None or focus.sigma > limit:
        return _judge_soft(part, found, None), found
    path = _find_path(part, _HALF)
    if path is not None:
        return Verdict("subject moved", f"It moved by about {path:.0f} px; the rest stood."), found
    before = focus.row >= inside[0].stop
    words = ("focus before", "before") if before else ("focus behind", "elsewhere")
    reason = f"It is {sigma:.1f} px wide; what is {words[1]} is sharp to {focus.sigma:.1f} px."
    return Verdict(words[0], reason), found  # type: ignore[arg-type]


def _judge_soft(
    amounts: BlurAmounts,
    focus: SharpestPart | None,
    motion: float | None,
    limit: float | None = None,
) -> Verdict:
    """Tell a photo that was shaken from one that is soft; with a limit, all is seen blurred."""
    path = _find_path(amounts, 0.4)
    if path is not None:
        return Verdict("shaken", f"All of it moved, by about {path:.0f} px.")
    if limit is not None and focus is not None and focus.sigma <= limit:
        return Verdict("cannot tell", "It is seen blurred, and measured sharp.")
    wide = f"it is {float(np.nanmedian(amounts.sigma)):.1f} px wide"
    if limit is None and focus is not None:
        wide = f"its sharpest part is {focus.sigma:.1f} px wide"
    if motion is not None and motion > _MOTION:
        return Verdict("shaken", f"All of it moved; {wide}.")
    return Verdict("soft", f"Nothing in it is in focus; {wide}.")


def _find_path(amounts: BlurAmounts, least_share: float) -> float | None:
    """Return the length of the path, in pixels, by which more than a share moved, or None."""
    known = np.isfinite(amounts.sigma)
    moved = known & (np.nan_to_num(amounts.length) > 0)
    many = moved.sum() > least_share * known.sum()
    return float(np.median(amounts.length[moved])) if many else None


def _judge_middle(sharp: Any, inside: BlurAmounts, how: str) -> Verdict:
    """Say why what is in the middle is blurred where what is around it is not."""
    path = _find_path(inside, _HALF)
    if path is not None:
        return _describe_moved(path)
    at = float(np.nonzero(sharp)[0].mean()) / max(1, sharp.shape[0] - 1)
    if at > _LOW:
        return Verdict("focus before", f"The middle is soft; what is before it is sharp {how}.")
    return Verdict("focus behind", f"The middle is soft; what is behind it is sharp {how}.")


def _is_framed(sharp: Any, middle: tuple[slice, slice], sides: tuple[Any, ...]) -> bool:
    """Say whether most of the middle is blurred, and most of what is around it sharp."""
    rim = np.concatenate([sharp[0], sharp[-1], sharp[:, 0], sharp[:, -1]])
    around = all(side.size and side.mean() > _HALF for side in sides)
    return bool(sharp[middle].mean() < _HALF and rim.mean() > _RIM and around)


def _has_moved(
    moving: Grid | None, sharp: Any, middle: tuple[slice, slice], inside: BlurAmounts, limit: float
) -> bool:
    """Say whether most of the middle moved, and what of that can be measured is not sharp."""
    if moving is None:
        return False
    moved = (~sharp & (moving > _HALF))[middle]
    known = moved & np.isfinite(inside.sigma)
    if moved.mean() <= _HALF:
        return False
    return not known.any() or float(np.median(inside.sigma[known])) > limit


def _describe_moved(path: float | None) -> Verdict:
    by = "" if path is None else f" by about {path:.0f} px"
    return Verdict("subject moved", f"What is in the middle moved{by}; the rest stood.")


def _is_wide(sigma: Grid, limit: float) -> bool:
    """Say whether what can be measured in a part is out of focus, and is enough of it."""
    known = np.isfinite(sigma)
    return bool(known.mean() > _PART) and float(np.median(sigma[known])) > limit


def _within(side: int) -> tuple[int, int]:
    low, high = (round(side * share) for share in _MIDDLE)
    return low, max(low + 1, high)
