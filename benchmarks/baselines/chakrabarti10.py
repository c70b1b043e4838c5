"""Chakrabarti10 pixel by pixel, each likelihood made as large as it gets by a search over s."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from blurmapper.baselines.chakrabarti10 import LENGTHS, SMALLEST_VARIANCE, WINDOW
from blurmapper.images import BlurMap, ImageArray

Doubles = npt.NDArray[np.float64]


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the movement in a uint8 RGB image (H, W, 3) that is not alike all over."""
    grey = np.rint(image @ np.array([0.2989, 0.5870, 0.1140]) / 0.9999)
    light = (grey / 255) ** 2.2
    along, down = _gains(light), _gains(light.T).T
    # Each of the boxes is as likely beforehand as the delta.
    odds = [len(LENGTHS) * np.exp(1.5 * gain) for gain in (along, down)]
    probability = sum(odd / (1 + odd) for odd in odds) / 2
    spread = (probability - probability.min()) / np.ptp(probability)
    return np.asarray(spread, np.float32)


def _gains(light: Doubles) -> Doubles:
    """Return the largest gain of a box over the delta, a filter, for movement along rows."""
    half = WINDOW // 2
    position = np.arange(-half, half + 1)
    filters = [np.exp(-2j * np.pi * i * position / WINDOW) / WINDOW**0.5 for i in range(1, 21)]
    kernels = [np.full(length, 1 / length) for length in (1, *LENGTHS)]
    signal = [np.array([(abs(np.convolve(k, f)) ** 2).sum() for f in filters]) for k in kernels]
    padded = np.pad(light, [(0, 0), (half + 1, half)], "symmetric")
    gains = np.empty(light.shape)
    for row, column in np.ndindex(light.shape):
        gradient = np.diff(padded[row, column : column + WINDOW + 1])
        power = np.array([abs(gradient @ f) ** 2 for f in filters])
        delta, *boxes = (_log_likelihood(power, energy) for energy in signal)
        gains[row, column] = (max(boxes) - delta) / len(filters)
    return gains


def _log_likelihood(power: Doubles, energy: Doubles) -> float:
    """Return the largest over s of the log density of complex responses of variance s energy."""

    def cost(log_s: float) -> float:
        variance = np.exp(log_s) * energy
        return float((np.log(variance) + power / variance).sum())

    least = float(np.log(SMALLEST_VARIANCE))
    found = minimize_scalar(cost, bounds=(least, 0.0), method="bounded", options={"xatol": 1e-6})
    return -min(float(found.fun), cost(least))
