"""What is kept of a map once it has been compared with its ground truth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from blurmapper.decoding.arrays import ROUNDING, as_plain

Numbers = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LEVELS = 256
THRESHOLDS = np.arange(LEVELS) / (LEVELS - 1)
"""The 256 thresholds k/255 at which every map is read."""

# Halves of a level, so that 0.5 = 255/510, the threshold of protocol dbd, is one of the edges.
_HALF_LEVELS = 2 * LEVELS - 1
_EDGES = (np.arange(_HALF_LEVELS) / (_HALF_LEVELS - 1)).astype(np.float32)
_WHITE = {np.dtype(np.uint8): np.float32(255), np.dtype(np.uint16): np.float32(65535)}
_MOST_LEVELS = 65536
_POSITIVE, _INVALID = 1, 2


class JsonReady:
    """A dataclass of numbers and of curves, which are arrays of int64 with 256 numbers."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from what `to_dict` returned, also after a round trip through JSON."""
        known = {k: np.array(v, np.int64) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**known)


@dataclass(frozen=True, eq=False)
class ImageCounts(JsonReady):
    """Counts of one map against its ground truth, from which every score follows.

    Attributes
    ----------
    true_positives, detections : ndarray of int64, shape (256,)
        Blurred pixels, and pixels of either kind, whose value reaches the threshold k/255.
    true_positives_half, detections_half : int
        The same at the threshold 0.5, which is none of the 256.
    positives, pixels : int
        Blurred pixels in the ground truth, and all pixels that are decided.
    probability, positive_probability : float
        Sum of the map over the decided pixels, and over the blurred ones among them.
    """

    true_positives: npt.NDArray[np.int64]
    detections: npt.NDArray[np.int64]
    true_positives_half: int
    detections_half: int
    positives: int
    pixels: int
    probability: float
    positive_probability: float


def image_counts(blur_map: Numbers, ground_truth: Mask, valid: Mask | None = None) -> ImageCounts:
    """Count detections and true positives of one map at the thresholds k/255.

    Parameters
    ----------
    blur_map : ndarray, shape (H, W)
        1 (or white) = blurred. Floats in [0, 1]; uint8 and uint16 are shares of white, so the
        dtype decides the scale. Nothing is stretched: see `stretch_map`.
    ground_truth : ndarray of bool, shape (H, W)
        True = blurred.
    valid : ndarray of bool, shape (H, W), optional
        False where the truth is undecided: such pixels count nowhere.

    Raises
    ------
    ValueError
        If the shapes differ, or a float is outside [0, 1] or not a number.
    ImageError
        If some of the map or of the truth is masked.

    Notes
    -----
    A pixel is detected when its value >= the threshold. Both are compared as float32, so that
    ``np.float32(k / 255)`` reaches threshold k exactly, as the 8-bit value k does. The pixels
    are read once: one histogram of values for blurred, sharp and undecided pixels.
    """
    blur_map, ground_truth, valid = (
        as_plain(each, "the map or its truth") for each in (blur_map, ground_truth, valid)
    )
    kinds = _pixel_kinds(blur_map, ground_truth, valid)
    values = _values(blur_map)
    cells = _half_levels(values) + np.int16(_HALF_LEVELS) * kinds
    histogram = np.bincount(cells.ravel(), minlength=3 * _HALF_LEVELS)
    sharp, blurred, _ = histogram.reshape(3, _HALF_LEVELS)
    true_positives = blurred[::-1].cumsum()[::-1]
    detections = true_positives + sharp[::-1].cumsum()[::-1]
    positive_sum = _row_sums(values, kinds == _POSITIVE)
    decided_sum = _row_sums(values, kinds != _INVALID)
    half = _HALF_LEVELS // 2
    return ImageCounts(
        true_positives=true_positives[::2],
        detections=detections[::2],
        true_positives_half=int(true_positives[half]),
        detections_half=int(detections[half]),
        positives=int(true_positives[0]),
        pixels=int(detections[0]),
        probability=float(decided_sum.sum(dtype=np.float64)),
        positive_probability=float(positive_sum.sum(dtype=np.float64)),
    )


def map_levels(blur_map: Numbers) -> npt.NDArray[np.uint8]:
    """Return for each pixel of a map the number k of the last threshold k/255 that it reaches."""
    return (_half_levels(_values(blur_map)) // 2).astype(np.uint8)


def stretch_map(blur_map: Numbers) -> Floats:
    """Stretch a map's own range to [0, 1], as most authors of classical methods do.

    Parameters
    ----------
    blur_map : ndarray, shape (H, W)
        Any range. Integers are stretched as integers, so that the result is exact. A map of
        one value is returned as zeros.

    Raises
    ------
    ValueError
        If a value is infinite or not a number, so that there is no range.
    """
    blur_map = as_plain(blur_map, "the map")
    low, high = blur_map.min().item(), blur_map.max().item()
    if not math.isfinite(high - low):
        raise ValueError(
            "the map has values that are infinite or not a number, and no range to stretch: "
            "give every pixel a number"
        )
    scale = max(high - low, np.finfo(np.float64).tiny)
    # More levels than these would take more memory as a table than as a map.
    if blur_map.dtype.kind == "u" and high - low < _MOST_LEVELS:
        table = (np.arange(high - low + 1) / scale).astype(np.float32)
        levels: Floats = table.take(blur_map - blur_map.dtype.type(low))
        return levels
    stretched: npt.NDArray[np.float64] = (blur_map.astype(np.float64) - low) / scale
    return stretched.astype(np.float32)


@dataclass(frozen=True, eq=False)
class CountTable:
    """The counts of a set of photos, one a row; the fields are those of `ImageCounts`."""

    true_positives: npt.NDArray[np.int64]
    detections: npt.NDArray[np.int64]
    true_positives_half: npt.NDArray[np.int64]
    detections_half: npt.NDArray[np.int64]
    positives: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    positive_probability: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.pixels)


Counts = Iterable[ImageCounts] | CountTable
"""What every score takes: the counts of each photo, or their table."""


def stack_counts(counts: Counts) -> CountTable:
    """Return the counts of a set of photos as one table; a table is returned as it is.

    Raises
    ------
    ValueError
        If there is not a single photo to score.
    """
    if isinstance(counts, CountTable):
        return counts
    rows = list(counts)
    if not rows:
        raise ValueError("no photo to score: the set is empty")
    return CountTable(
        **{f.name: np.stack([getattr(row, f.name) for row in rows]) for f in fields(CountTable)}
    )


def _pixel_kinds(
    blur_map: Numbers, ground_truth: Mask, valid: Mask | None
) -> npt.NDArray[np.uint8]:
    """Return 0 for a sharp pixel, 1 for a blurred and 2 for an undecided one."""
    undecided_shape = ground_truth.shape if valid is None else valid.shape
    if not blur_map.shape == ground_truth.shape == undecided_shape or blur_map.ndim != 2:
        raise ValueError(
            f"the map is {blur_map.shape} but its ground truth is {ground_truth.shape}: "
            "both must be (height, width) of the same size"
        )
    kinds = ground_truth.astype(bool, copy=False).view(np.uint8)
    return kinds if valid is None else np.where(valid, kinds, np.uint8(_INVALID))


def _values(blur_map: Numbers) -> Floats:
    """Return the map as float32 in [0, 1]; the rounded k/255 is the same however it was stored."""
    if blur_map.dtype in _WHITE:
        return blur_map.astype(np.float32) / _WHITE[blur_map.dtype]
    if blur_map.dtype.kind != "f":
        raise ValueError(f"a map of {blur_map.dtype} has no scale: use uint8, uint16 or float")
    values = blur_map.astype(np.float32, copy=False)
    low, high = values.min(initial=0.0), values.max(initial=0.0)
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise ValueError("the map has values outside [0, 1] or not a number: stretch it first")
    return values if low >= 0 and high <= 1 else values.clip(0, 1)


def _row_sums(values: Floats, chosen: Mask) -> Floats:
    """Return the sum of the chosen values of each row (H,): float32 adds up a row, not a photo."""
    # np.vecdot would say it, from NumPy 2 on.
    sums: Floats = values[:, None] @ chosen.astype(np.float32)[..., None]
    return sums[:, 0, 0]


def _half_levels(values: Floats) -> npt.NDArray[np.int16]:
    """Return the index of the last edge j/510 that each value reaches."""
    # The nearest edge is found by a rounded product, then the exact comparison decides.
    nearest = (values * np.float32(_HALF_LEVELS - 1) + np.float32(0.5)).astype(np.int16)
    nearest -= values < np.take(_EDGES, nearest, mode="clip")
    return nearest
