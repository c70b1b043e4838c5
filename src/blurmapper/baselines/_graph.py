"""From maps at three scales to one: a graph over all pixels of all scales, by message passing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import Floats

ROUNDS = 100
"""Message passing stops after this many rounds, or when messages change less than `SETTLED`."""

SETTLED = 1e-7
"""Mean change of a message, which is a ratio of odds between 0.6 and 1.6, in a round."""

LINK = 0.5
"""Two linked pixels that differ are exp(-LINK) times as likely as two that agree."""

_STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
"""To a pixel's neighbours: (scale, row, column)."""


def fuse_scales(maps: Floats, margins: Sequence[int] = (0, 0, 0)) -> Floats:
    """Return the probability that a pixel is high, from maps of it at several scales.

    Parameters
    ----------
    maps : ndarray
        float32 (scales, H, W), the finest scale first.
    margins : sequence of int
        By how many pixels a side each scale falls short of the image; what a map holds there
        is not looked at. The image has to be larger than twice the coarsest scale's margin.

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], of the coarsest scale; in its margin the nearest pixel's. Maps
        that hold one value only come back as they are: there is nothing to standardise by.

    Notes
    -----
    As the programs of Shi et al. (CVPR 2014, doi:10.1109/CVPR.2014.379) and of Yi and Eramian
    (TIP 2016, doi:10.1109/TIP.2016.2528042) have it: values are standardised over all scales
    together; a value x speaks for high by exp(-|1 - x|) and for low by exp(-|x|); a pixel is
    linked to its four neighbours, and to itself at the scales before and after. Of the three
    scales both programs return the coarsest.
    """
    height, width = maps.shape[1:]
    parts = [
        plane[margin : height - margin, margin : width - margin].ravel()
        for plane, margin in zip(maps, margins, strict=True)
    ]
    values = np.concatenate(parts).astype(np.float64)
    if values.min() == values.max():
        return np.asarray(maps[-1], np.float32)
    standard = (maps - values.mean()) / values.std()
    odds = np.exp(np.abs(standard) - np.abs(1 - standard)).astype(np.float32)
    belief = pass_messages(odds, margins, LINK)[-1]
    margin = margins[-1]
    return np.pad(belief[margin : height - margin, margin : width - margin], margin, "edge")


def pass_messages(odds: Floats, margins: Sequence[int], link: float) -> Floats:
    """Return each pixel's probability of being high by sum-product belief propagation.

    Parameters
    ----------
    odds : ndarray
        float32 (scales, H, W): how much more likely high is than low, of each pixel by itself.
    margins : sequence of int
        As of `fuse_scales`: which pixels there are at each scale.
    link : float
        Linked pixels that differ are exp(-link) times as likely as such that agree.

    Returns
    -------
    ndarray
        float32 (scales, H, W) in [0, 1]; exact where the graph has no loop.

    Notes
    -----
    With two labels a message is one number, the odds that it gives. To each neighbour goes what
    all the others said, which is the product of everything heard divided by what that neighbour
    said: one division a message, and neither exponential nor logarithm. In a round every second
    row of every scale speaks, then the others, so that only words within a row are a round old.
    """
    heard = np.ones((len(_STEPS), *odds.shape), np.float32)
    discord = np.float32(np.exp(-link))
    bounds = np.array(margins)
    for _ in range(ROUNDS):
        change = sum(_speak(odds, bounds, discord, turn, heard) for turn in (0, 1))
        if change < SETTLED * heard.size:
            break
    belief = odds * heard.prod(axis=0)
    return np.asarray(belief / (1 + belief), np.float32)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _speak(
    odds: Floats, margins: npt.NDArray[np.int64], discord: np.float32, turn: int, heard: Floats
) -> float:
    """Send the messages of every second row; return the sum of their changes.

    What a pixel has heard lies by sender: the pixels at each of `_STEPS` from it.
    """
    scales, height, width = odds.shape
    belief = np.empty(width, np.float32)
    said = np.empty((len(_STEPS), width), np.float32)
    change = 0.0
    for y in range(height):
        for scale in range((turn + y) % 2, scales, 2):
            if not margins[scale] <= y < height - margins[scale]:
                continue
            belief[:] = odds[scale, y]
            for sender in range(len(_STEPS)):
                said[sender] = heard[sender, scale, y]
                _multiply(belief, said[sender])
            for sender in range(len(_STEPS)):
                to_scale, to_y = scale + _STEPS[sender][0], y + _STEPS[sender][1]
                if not 0 <= to_scale < scales:
                    continue
                if not margins[to_scale] <= to_y < height - margins[to_scale]:
                    continue
                across, edge = _STEPS[sender][2], max(margins[to_scale], margins[scale])
                left, right = edge + max(0, -across), width - edge - max(0, across)
                # The receiver finds us at the opposite step, and steps come in opposite pairs.
                row = heard[sender ^ 1, to_scale, to_y, left + across : max(left, right) + across]
                right = left + row.size
                change += _tell(belief[left:right], said[sender, left:right], discord, row)
    return change


@numba.njit(cache=True, nogil=True)
def _multiply(product: Floats, factor: Floats) -> None:
    for x in range(product.size):
        product[x] *= factor[x]


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _tell(belief: Floats, said: Floats, discord: np.float32, message: Floats) -> Any:
    """Renew a row of messages to pixels that said something; return the sum of changes."""
    change = np.float32(0.0)
    for x in range(belief.size):
        renewed = (belief[x] + discord * said[x]) / (belief[x] * discord + said[x])
        change += abs(renewed - message[x])
        message[x] = renewed
    return change
