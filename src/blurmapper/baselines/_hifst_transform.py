"""The smallest high-frequency magnitudes round every pixel: what HiFST spends its time on.

Each is a coefficient C(u, v) of a 2-D cosine transform, and there are 2,660 of them at every pixel,
in windows of up to 63 x 63. They are got without transforming a window twice:

- Along rows, a product with the cosines of v, shared by all windows with the same columns.
- Down columns, by the cosines' own recurrence. With theta = pi u / M, and a window one row further
  down, C(y+1) = 2 cos(theta) C(y) - C(y-1) + gain * (what left and what came). That is exact, costs
  three operations a coefficient whatever the window's size, and starts from the zeros that the
  image is padded with. It is done in double precision: single precision drifts down a photo.
- Of the 2,660 magnitudes only those up to a limit, a little above the 117th smallest of the pixel
  above, are gathered and sorted. Too low a limit is noticed and the pixel done without one.

Sorting follows a fixed network, so that neighbouring columns are sorted at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numba
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import Floats

SIDES = (7, 15, 31, 63)
"""M of the windows, in pixels."""

LAYERS = 1 + sum(SIDES)
"""How many of the smallest magnitudes are kept: M of each side, and one more."""

LANES = 32
"""Columns that are worked on side by side."""

REACH = max(SIDES) // 2

# A power of two that holds the layers.
_BATCH = 128
_HEADROOM = 1.5

Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})


@dataclass(frozen=True, eq=False)
class _Tables:
    """What the recurrence needs of each coefficient, and the sorting networks.

    Attributes
    ----------
    waves : list of ndarray
        Cosines (M, M) of each side: orthonormal, row v.
    wave, parity : ndarray, shape (2660,)
        The coefficient's v among those of all sides, and u modulo 2.
    turn, gain : ndarray, shape (2660,)
        Its 2 cos(theta), and its weight of what leaves and comes.
    reach : ndarray, shape (116,)
        Half the side of each v's window.
    sorting, merging : ndarray, shape (n, 2)
        Rows to compare and exchange: Batcher's odd-even merge sort of 128, and the bitonic merge.
    """

    waves: list[Floats]
    wave: Integers
    parity: Integers
    turn: Doubles
    gain: Doubles
    reach: Integers
    sorting: Integers
    merging: Integers


def smallest_magnitudes(gradient: Floats, left: int) -> Floats:
    """Return the smallest magnitudes, ascending, at each pixel of `LANES` columns.

    Parameters
    ----------
    gradient : ndarray
        float32 (H, W); zeros are taken to lie around it.
    left : int
        The first column.

    Returns
    -------
    ndarray
        float32 (117, H, LANES), or fewer columns at the right border.
    """
    tables = _tables()
    height, width = gradient.shape
    padded = np.zeros((height, LANES + 2 * REACH), np.float32)
    first, last = max(left - REACH, 0), min(left + LANES + REACH, width)
    offset = first - (left - REACH)
    padded[:, offset : offset + last - first] = gradient[:, first:last]
    layers = np.empty((LAYERS, height, LANES), np.float32)
    rows = _transform_rows(padded, tables)
    coefficients = (tables.wave, tables.parity, tables.turn, tables.gain, tables.reach)
    _sweep(rows, *coefficients, tables.sorting, tables.merging, layers)
    return layers[:, :, : width - left]


@cache
def _tables() -> _Tables:
    waves, wave, parity, turn, gain = [], [], [], [], []
    for side in SIDES:
        scale = np.full(side, np.sqrt(2 / side))
        scale[0] = np.sqrt(1 / side)
        middles = np.arange(side) + 0.5
        cosines = np.cos(np.pi / side * np.outer(np.arange(side), middles))
        waves.append((scale[:, np.newaxis] * cosines).astype(np.float32))
        v, u = np.nonzero(np.add.outer(np.arange(side), np.arange(side)) >= side - 1)
        theta = np.pi * u / side
        wave.append(v + sum(SIDES[: SIDES.index(side)]))
        parity.append(u % 2)
        turn.append(2 * np.cos(theta))
        gain.append(scale[u] * np.cos(theta / 2))
    return _Tables(
        waves,
        np.concatenate(wave).astype(np.int64),
        np.concatenate(parity).astype(np.int64),
        np.concatenate(turn),
        np.concatenate(gain),
        np.repeat(SIDES, SIDES) // 2,
        _sorting_network(),
        _merging_network(),
    )


def _sorting_network() -> Integers:
    """Return Batcher's odd-even merge sort (1968) of `_BATCH` rows."""
    pairs: list[tuple[int, int]] = []
    span = 1
    while span < _BATCH:
        step = span
        while step:
            for start in range(step % span, _BATCH - step, 2 * step):
                rows = range(start, start + step)
                same = (i for i in rows if i // (2 * span) == (i + step) // (2 * span))
                pairs.extend((i, i + step) for i in same)
            step //= 2
        span *= 2
    return np.array(pairs, np.int64)


def _merging_network() -> Integers:
    """Return the merge that sorts `_BATCH` rows which first rise and then fall, or vice versa."""
    steps = [_BATCH >> k for k in range(1, _BATCH.bit_length())]
    return np.array([(i, i + s) for s in steps for i in range(_BATCH) if not i & s], np.int64)


def _transform_rows(padded: Floats, tables: _Tables) -> Floats:
    """Return the transform along rows (116, H + 3 REACH + 2, LANES), zeros above and below."""
    height = len(padded)
    rows = np.zeros((sum(SIDES), height + 3 * REACH + 2, LANES), np.float32)
    first = 0
    for side, waves in zip(SIDES, tables.waves, strict=True):
        left = REACH - side // 2
        taps = [padded[:, left + k : left + k + LANES] for k in range(side)]
        product = waves @ np.stack(taps).reshape(side, -1)
        inner = rows[first : first + side, 2 * REACH + 2 : 2 * REACH + 2 + height]
        inner[:] = product.reshape(inner.shape)
        first += side
    return rows


@_jit
def _sweep(  # noqa: PLR0913, PLR0917 - numba takes arrays, not objects
    rows: Floats,
    wave: Integers,
    parity: Integers,
    turn: Doubles,
    gain: Doubles,
    reach: Integers,
    sorting: Integers,
    merging: Integers,
    layers: Floats,
) -> None:
    """Move the windows down, a row at a time from where they touch the image, and sort."""
    now = np.zeros((len(turn), LANES))
    before = np.zeros((len(turn), LANES))
    borders = np.empty((len(reach), 2, LANES))
    found = np.empty((len(turn) + _BATCH, LANES), np.float32)
    smallest = np.empty((_BATCH, LANES), np.float32)
    counts = np.empty(LANES, np.int64)
    limits = np.full(LANES, np.float32(np.inf))
    for y in range(-REACH, layers.shape[1]):
        _cross_borders(rows, y + 2 * REACH + 2, reach, borders)
        _advance(now, before, borders, wave, parity, turn, gain)
        now, before = before, now
        if y < 0:
            continue
        if _gather(now, limits, found, counts) < LAYERS:
            limits[:] = np.inf
            _gather(now, limits, found, counts)
        _select(found, counts, smallest, sorting, merging)
        for k in range(LAYERS):
            for lane in range(LANES):
                layers[k, y, lane] = smallest[k, lane]
        for lane in range(LANES):
            limits[lane] = np.float32(_HEADROOM) * smallest[LAYERS - 1, lane]


@_jit
def _cross_borders(rows: Floats, y: int, reach: Integers, borders: Doubles) -> None:
    """Fill in what leaves and what comes as windows move to row y: for even u, and for odd."""
    for k in range(len(reach)):
        top, bottom = y - reach[k], y + reach[k]
        for lane in range(LANES):
            left = np.float64(rows[k, top - 2, lane]) - np.float64(rows[k, top - 1, lane])
            came = np.float64(rows[k, bottom, lane]) - np.float64(rows[k, bottom - 1, lane])
            borders[k, 0, lane] = left + came
            borders[k, 1, lane] = left - came


@_jit
def _advance(  # noqa: PLR0913, PLR0917 - numba takes arrays, not objects
    now: Doubles,
    before: Doubles,
    borders: Doubles,
    wave: Integers,
    parity: Integers,
    turn: Doubles,
    gain: Doubles,
) -> None:
    """Write the coefficients of the next row over those of the row before."""
    for c in range(len(turn)):
        k, odd, turning, weight = wave[c], parity[c], turn[c], gain[c]
        for lane in range(LANES):
            come = weight * borders[k, odd, lane]
            before[c, lane] = turning * now[c, lane] - before[c, lane] + come


@_jit
def _gather(coefficients: Doubles, limits: Floats, found: Floats, counts: Integers) -> int:
    """Gather the magnitudes up to each lane's limit, and return the fewest of a lane."""
    for lane in range(LANES):
        limit = limits[lane]
        count = 0
        for c in range(len(coefficients)):
            magnitude = np.float32(abs(coefficients[c, lane]))
            found[count, lane] = magnitude
            count += magnitude <= limit
        # Below a limit of zero all are zeros: a batch of them says it.
        counts[lane] = count if limit > 0 else min(count, _BATCH)
    return int(counts.min())


@_jit
def _select(
    found: Floats, counts: Integers, smallest: Floats, sorting: Integers, merging: Integers
) -> None:
    """Sort batch by batch, and keep the smallest of both at each merge."""
    batches = (counts.max() + _BATCH - 1) // _BATCH
    for lane in range(LANES):
        found[counts[lane] : batches * _BATCH, lane] = np.inf
    for start in range(0, batches * _BATCH, _BATCH):
        _exchange(found, start, sorting)
        if start == 0:
            smallest[:] = found[:_BATCH]
            continue
        for i in range(_BATCH):
            for lane in range(LANES):
                one, other = smallest[i, lane], found[start + _BATCH - 1 - i, lane]
                smallest[i, lane] = min(one, other)
        _exchange(smallest, 0, merging)


@_jit
def _exchange(values: Floats, start: int, network: Integers) -> None:
    """Put the smaller of each two rows of a network first."""
    for k in range(len(network)):
        i, j = start + network[k, 0], start + network[k, 1]
        for lane in range(LANES):
            one, other = values[i, lane], values[j, lane]
            values[i, lane] = min(one, other)
            values[j, lane] = max(one, other)
