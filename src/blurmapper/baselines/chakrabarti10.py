"""Chakrabarti10: the likelihood of a movement, from local Fourier responses of gradients.

A. Chakrabarti, T. Zickler and W. T. Freeman, "Analyzing Spatially-varying Blur", CVPR 2010,
doi:10.1109/CVPR.2010.5539954.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from blurmapper.baselines._features import Floats, share_rows, stretch, to_grey_levels
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

WINDOW = 61
"""Length of the filters, in pixels along the movement: a lone dot in the published maps is a
cross of this size."""

FREQUENCY = np.arange(1, 21) / WINDOW
"""Of each filter, in cycles a pixel: the upper third, mostly noise, is left out; ours."""

LENGTHS = (3, 5, 7, 9, 11, 13, 16, 19, 23, 27, 33)
"""Lengths of the boxes, in pixels: ours."""

GAMMA = 2.2
"""By which grey is turned to light, in which movements add up: ours."""

SMALLEST_VARIANCE = 1e-7
"""Least s of a gradient in [-1, 1], far below a level of 8 bits at medium grey: ours."""

INDEPENDENT = 1.5
"""How many independent responses the filters are worth, whose windows and boxes overlap: ours."""

# Filters and four that stay silent: sums over whole registers run several times as fast.
_LANES = 24

Doubles = npt.NDArray[np.float64]


@ignore_underflow()
def map_chakrabarti10(image: ImageArray) -> BlurMap:
    """Map how likely it is that a pixel moved along rows or columns, against no motion.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1]. Deeper images are rounded to 8 bits.

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred, stretched to the photo's own range as the maps are
        that the authors of the benchmark gave out; a photo that is alike all over is blurred.

    Notes
    -----
    Gradients y along the movement pass windowed Fourier filters f_i. Under a kernel k their
    responses y_i are normal, of variance v_i = s sum |k * f_i|^2; log p(y | k) is the sum over i
    of log N(y_i; 0, v_i) at the s that makes it largest. The cue is the largest of the boxes'
    log p_box - log p_delta; the probability that a box it is, where each of them is as likely
    beforehand as the delta, follows from it, and the map is the mean of that along rows and that
    down columns.

    Certainty of our reading is medium for the model, low for its constants. The paper's variance
    has another term, for the photo's noise; here `SMALLEST_VARIANCE` stands for it, with which
    the likelihood needs no search over s. The paper chooses one box for a photo and goes on to
    colour models and a graph cut. That both directions count everywhere, that black is blurred,
    and how sure the map is of itself are read off 16 published maps, with which ours correlate at
    a median of .71.
    """
    # Noise that 8 bits of grey do not hold is none in the published maps.
    light = ((to_grey_levels(image) / np.float32(255)) ** np.float32(GAMMA)).astype(np.float32)
    along, down = largest_gain(light), largest_gain(light.T).T
    odds = np.float32(np.log(len(LENGTHS)))
    probability = sum(expit(INDEPENDENT * gain + odds) for gain in (along, down)) / np.float32(2)
    return stretch(probability) if np.ptp(probability) > 0 else np.ones_like(probability)


def largest_gain(plane: Floats) -> Floats:
    """Return log p_box - log p_delta a filter of the likeliest box along rows, at each pixel.

    Parameters
    ----------
    plane : ndarray
        float32 (H, W) in [0, 1]; it is mirrored at its borders.

    Returns
    -------
    ndarray
        float32 (H, W): positive where a box of one of `LENGTHS` explains the gradients better
        than no movement does.
    """
    turn = np.exp(2j * np.pi * FREQUENCY)
    turns = np.zeros((2, _LANES), np.float32)
    turns[:, : FREQUENCY.size] = turn.real, turn.imag
    precisions, offsets = _kernels()
    half = WINDOW // 2
    gains = np.empty(plane.shape, np.float32)

    def fill(first: int, end: int) -> None:
        # One column more before the first: each pixel's gradient is that to the one before it.
        padded = np.pad(plane[first:end], [(0, 0), (half + 1, half)], "symmetric")
        _fill_gains(np.diff(padded, axis=1), turns, precisions, offsets, gains[first:end])

    share_rows(fill, len(plane))
    return gains


@numba.njit(cache=True, nogil=True, fastmath=True)
def _fill_gains(
    gradient: Floats, turns: Floats, precisions: Floats, offsets: Floats, gains: Floats
) -> None:
    """Fill in gains (rows, W) from the gradients (rows, W + WINDOW - 1).

    The responses to the filters, but for a phase that their power does not know, follow the
    window: what was there turns by the frequency, one gradient comes and another goes.
    """
    norm = np.float32(1 / np.sqrt(WINDOW))
    power = np.empty(_LANES, np.float32)
    least = np.float32(SMALLEST_VARIANCE)
    for row in range(gradient.shape[0]):
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
            if column < 0:
                continue
            delta = smallest = np.float32(0.0)
            for k in range(offsets.size):
                mean = np.float32(0.0)
                for i in range(_LANES):
                    mean += power[i] * precisions[k, i]
                variance = max(mean, least)
                cost = offsets[k] + np.log(variance) + mean / variance
                if k == 0:
                    delta = cost
                elif k == 1 or cost < smallest:
                    smallest = cost
            gains[row, column] = delta - smallest


def _kernels() -> tuple[Floats, Floats]:
    """Return of the delta and each box what the cost of the responses to it needs.

    That is 1 / sum |k * f_i|^2 over the number of filters, float32 (kernels, `_LANES`), and the
    mean over i of log sum |k * f_i|^2, float32 (kernels,).
    """
    position = np.arange(WINDOW)[:, np.newaxis]
    filters = np.exp(-2j * np.pi * position * FREQUENCY) / WINDOW**0.5
    energies = np.stack([_energy(np.full(n, 1 / n), filters) for n in (1, *LENGTHS)])
    precisions = np.zeros((len(energies), _LANES), np.float32)
    precisions[:, : FREQUENCY.size] = 1 / energies / FREQUENCY.size
    return precisions, np.log(energies).mean(axis=1).astype(np.float32)


def _energy(kernel: Doubles, filters: npt.NDArray[np.complex128]) -> Doubles:
    """Return the sum of |kernel * f_i|^2 of each filter, of filters (WINDOW, i)."""
    through = [np.abs(np.convolve(kernel, column)) ** 2 for column in filters.T]
    return np.asarray(np.sum(through, axis=1), np.float64)
