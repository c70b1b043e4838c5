"""Chakrabarti10 pixel by pixel, each likelihood made as large as it gets by a search over s."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from blurmapper.baselines._features import to_grey
from blurmapper.baselines.chakrabarti10 import LENGTHS, NOISE, WINDOW, Box
from blurmapper.images import ImageArray

Doubles = npt.NDArray[np.float64]


def by_the_book(image: ImageArray) -> tuple[Box, Doubles]:
    """Return the likeliest box of a photo and log p_box - log p_delta, float64 (H, W)."""
    grey = to_grey(image).astype(np.float64)
    gains = np.stack([_gains(grey), _gains(grey.T).swapaxes(0, 1)])
    totals = np.maximum(gains, 0).sum(axis=(1, 2))
    down, index = np.unravel_index(totals.argmax(), totals.shape)
    return Box(LENGTHS[index], bool(down)), gains[down, :, :, index]


def _gains(grey: Doubles) -> Doubles:
    """Return the gain of each box over the delta, (H, W, boxes), for movement along rows."""
    half = WINDOW // 2
    position = np.arange(-half, half + 1)
    filters = [np.exp(-2j * np.pi * i * position / WINDOW) / WINDOW**0.5 for i in range(1, 31)]
    boxes = [np.full(length, 1 / length) for length in (1, *LENGTHS)]
    signal = [[(np.abs(np.convolve(k, f)) ** 2).sum() for f in filters] for k in boxes]
    noise = [NOISE**2 * (np.abs(np.convolve([1, -1], f)) ** 2).sum() for f in filters]
    padded = np.pad(grey, [(0, 0), (half + 1, half)], "symmetric")
    gains = np.empty((*grey.shape, len(LENGTHS)))
    for row, column in np.ndindex(grey.shape):
        gradient = np.diff(padded[row, column : column + WINDOW + 1])
        power = np.array([abs(gradient @ f) ** 2 for f in filters])
        delta, *others = (_log_likelihood(power, np.array(s), np.array(noise)) for s in signal)
        gains[row, column] = np.array(others) - delta
    return gains


def _log_likelihood(power: Doubles, signal: Doubles, noise: Doubles) -> float:
    """Return the largest over s in [1e-10, 1] of the log density of complex responses."""

    def cost(log_s: float) -> float:
        variance = np.exp(log_s) * signal + noise
        return float((np.log(variance) + power / variance).sum())

    # The grid keeps the search from a lesser peak.
    starts = np.linspace(np.log(1e-10), 0.0, 50)
    best = int(np.argmin([cost(start) for start in starts]))
    around = (starts[max(best - 1, 0)], starts[min(best + 1, 49)])
    found = minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-6})
    return -min(float(found.fun), cost(starts[best]))
