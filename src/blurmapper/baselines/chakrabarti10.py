"""Chakrabarti10: how likely a box of motion makes each place, against no motion.

A. Chakrabarti, T. Zickler and W. T. Freeman, "Analyzing Spatially-Varying Blur", CVPR 2010,
doi:10.1109/CVPR.2010.5539954.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from blurmapper.baselines._features import Floats, share_rows, to_grey
from blurmapper.decoding import row_strips
from blurmapper.images import BlurMap, ImageArray

WINDOW = 61
"""Length of the filters, in pixels along the movement."""

LENGTHS = (3, 5, 7, 9, 11, 13, 16, 19, 23, 27)
"""Lengths of the boxes, in pixels: ours."""

NOISE = 0.002
"""Sigma of the photo's noise, for grey in [0, 1]: ours, half a level of 8 bits."""

VARIANCES = np.exp(np.linspace(np.log(1e-10), 0.0, 128))
"""The grid of s on which likelihood is evaluated: no gradient in [-1, 1] varies more than 1."""

STRIDE = 8
"""First every so many of `VARIANCES` are tried, then those between the best and its neighbours."""

FREQUENCY = np.arange(1, WINDOW // 2 + 1) / WINDOW
"""Of each filter, in cycles a pixel."""

_COARSE = VARIANCES.size // STRIDE
# Filters and two that stay silent: sums over whole registers run several times as fast.
_LANES = 32

Doubles = npt.NDArray[np.float64]
Tables = tuple[Floats, Floats, Floats, Floats]


class Box(NamedTuple):
    """A uniform movement: its length in pixels, along rows or down columns."""

    length: int
    down: bool


def map_chakrabarti10(image: ImageArray) -> BlurMap:
    """Map how likely the photo's one motion is at each pixel, against no motion.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred.

    Notes
    -----
    Gradients y along the movement pass windowed Fourier filters f_i. Under a kernel k their
    responses y_i are normal, of variance v_i = s sum |k * f_i|^2 + sigma_z^2 sum |grad * f_i|^2;
    log p(y | k) is the sum over i of log N(y_i; 0, v_i) at the s that makes it largest: the
    paper's equations, after its description. Certainty is medium for the model, low for
    `LENGTHS`, `NOISE` and the filters, which are rectangular: what they give of white gradients
    is then independent, as a sum of logarithms supposes.

    The original goes on to colour models and a graph cut. We stop at the cue, log p_box -
    log p_delta, and give the probability of the box that follows from it where either is as
    likely beforehand: flat places, which say nothing, stay near one half. Some thirty responses
    make it sure of itself nearly everywhere, so that it ranks places well (average precision)
    and its best threshold is often that which calls everything blurred.

    On a grid of s the reciprocals of v_i and the sums of their logarithms are known beforehand,
    so that a likelihood costs thirty products and no logarithm.
    """
    grey = to_grey(image)
    box = choose_box(grey)
    along = grey.T if box.down else grey
    candidate = LENGTHS.index(box.length) + 1
    probability = np.empty(along.shape, np.float32)
    for rows, gains in _gains(along, [0, candidate]):
        probability[rows] = expit(gains[..., 0])
    return np.asarray(probability.T if box.down else probability, np.float32)


def choose_box(grey: Floats) -> Box:
    """Return the box under which a photo is likeliest, where each pixel may also be at rest.

    Parameters
    ----------
    grey : ndarray
        float32 (H, W) in [0, 1].

    Returns
    -------
    Box
        That with the largest sum over pixels of ``max(log p_box, log p_delta)``. As the pixels'
        ``log p_delta`` are the same for all boxes, what the boxes gain over it is summed.
    """
    everything = list(range(len(LENGTHS) + 1))
    totals = np.zeros((2, len(LENGTHS)))
    for direction, along in enumerate((grey, grey.T)):
        for _, gains in _gains(along, everything):
            totals[direction] += np.maximum(gains, 0).sum(axis=(0, 1), dtype=np.float64)
    down, index = np.unravel_index(totals.argmax(), totals.shape)
    return Box(LENGTHS[index], bool(down))


def _gains(grey: Floats, candidates: list[int]) -> Iterator[tuple[slice, Floats]]:
    """Yield rows, and log p_box - log p_delta there of movement along them, (rows, W, boxes).

    Candidate 0, the first, is the delta; n is the n-th of `LENGTHS`.
    """
    turn = np.pad(np.exp(2j * np.pi * FREQUENCY), (0, _LANES - FREQUENCY.size))
    turns = np.stack([turn.real, turn.imag]).astype(np.float32)
    tables = _tables(candidates)
    half = WINDOW // 2
    for rows in row_strips(*grey.shape):
        # One column more before the first: each pixel's gradient is that to the one before it.
        padded = np.pad(grey[rows], [(0, 0), (half + 1, half)], "symmetric")
        gradient = np.diff(padded, axis=1)
        gains = np.empty((len(gradient), grey.shape[1], len(candidates) - 1), np.float32)
        work = partial(_fill_gains, gradient, turns, tables, gains)
        share_rows(work, len(gradient))
        yield rows, gains


@numba.njit(cache=True, nogil=True, fastmath=True)
def _fill_gains(
    gradient: Floats, turns: Floats, tables: Tables, gains: Floats, first: int, end: int
) -> None:
    """Fill in rows of gains from the gradients (rows, W + WINDOW - 1).

    The responses to the filters, but for a phase that their power does not know, follow the
    window: what was there turns by the frequency, one gradient comes and another goes.
    """
    coarse, coarse_sums, fine, sums = tables
    norm = np.float32(1 / np.sqrt(WINDOW))
    power = np.empty(_LANES, np.float32)
    costs = np.empty(coarse.shape[1], np.float32)
    for row in range(first, end):
        real, imaginary = np.zeros(_LANES, np.float32), np.zeros(_LANES, np.float32)
        for at in range(gradient.shape[1]):
            change = gradient[row, at] * norm
            if at >= WINDOW:
                change -= gradient[row, at - WINDOW] * norm
            for i in range(_LANES):
                turned = real[i] * turns[0, i] - imaginary[i] * turns[1, i]
                imaginary[i] = real[i] * turns[1, i] + imaginary[i] * turns[0, i]
                real[i] = turned + change
                power[i] = real[i] ** 2 + imaginary[i] ** 2
            column = at - WINDOW + 1
            if column >= 0:
                for j in range(costs.size):
                    costs[j] = coarse_sums[j]
                for i in range(_LANES):
                    for j in range(costs.size):
                        costs[j] += power[i] * coarse[i, j]
                delta = _least_cost(power, costs[:_COARSE], fine[0], sums[0])
                for box in range(gains.shape[2]):
                    tried = costs[(box + 1) * _COARSE : (box + 2) * _COARSE]
                    cost = _least_cost(power, tried, fine[box + 1], sums[box + 1])
                    gains[row, column, box] = delta - cost


@numba.njit(cache=True, nogil=True, fastmath=True)
def _least_cost(power: Floats, tried: Floats, fine: Floats, sums: Floats) -> Any:
    """Return the least of minus the log likelihood on the grid of s, some of which was tried."""
    best = 0
    for at in range(1, tried.size):
        if tried[at] < tried[best]:
            best = at
    least = tried[best]
    best *= STRIDE
    step = STRIDE // 2
    while step:
        middle = best
        for at in (middle - step, middle + step):
            if 0 <= at < sums.size:
                cost = sums[at]
                for i in range(_LANES):
                    cost += power[i] * fine[at, i]
                if cost < least:
                    best, least = at, cost
        step //= 2
    return least


def _tables(candidates: list[int]) -> Tables:
    """Return 1 / v_i, and the sum over i of log v_i, of candidates and s, each in two forms.

    For the s that are tried first of shapes (i, candidates and s) and (candidates and s): side by
    side, so that one loop runs through all. For every s (candidates, s, i) and (candidates, s).
    """
    position = np.arange(WINDOW)[:, np.newaxis]
    filters = np.exp(-2j * np.pi * position * FREQUENCY) / WINDOW**0.5
    noise = NOISE**2 * _energy(np.array([1.0, -1.0]), filters)
    lengths = [(1, *LENGTHS)[candidate] for candidate in candidates]
    signal = np.stack([_energy(np.full(length, 1 / length), filters) for length in lengths])
    variance = VARIANCES[:, np.newaxis] * signal[:, np.newaxis] + noise
    fine = np.pad(1 / variance, [(0, 0), (0, 0), (0, _LANES - FREQUENCY.size)]).astype(np.float32)
    sums = np.log(variance).sum(axis=-1).astype(np.float32)
    coarse = np.ascontiguousarray(fine[:, ::STRIDE].reshape(-1, _LANES).T)
    return coarse, sums[:, ::STRIDE].ravel(), fine, sums


def _energy(kernel: Doubles, filters: npt.NDArray[np.complex128]) -> Doubles:
    """Return the sum of |kernel * f_i|^2 of each filter, of filters (WINDOW, i)."""
    through = [np.abs(np.convolve(kernel, column)) ** 2 for column in filters.T]
    return np.asarray(np.sum(through, axis=1), np.float64)
