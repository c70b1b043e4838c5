"""Zhuo11: the blur of edges, filled in between them by matting.

S. Zhuo and T. Sim, "Defocus Map Estimation from a Single Image", Pattern Recognition 44(9), 2011,
doi:10.1016/j.patcog.2011.03.009.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._edges import RATIO_SIGMAS, find_edges, gradient_ratio
from blurmapper.baselines._features import Floats, grow_image, to_grey, to_unit
from blurmapper.baselines._matting import fill_along_colours
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

LARGEST_SIGMA = 3.0
"""A wider blur counts as this one: R is too near to 1 to tell them apart. In pixels."""

SMALLEST_RATIO = 1.01
RATIO_RADII = (5, 7)
"""The authors' kernels are 11 x 11 and 15 x 15."""

SMOOTHING_RADIUS = 10
SMOOTHING_SIGMA = 5.0
COLOUR_SIGMA = 0.3
WEIGHT = 0.001
"""Lambda: how strongly the edges' sigmas hold against smoothness along colours."""


@ignore_underflow()
def map_zhuo11(image: ImageArray) -> BlurMap:
    """Map blur as the width of edges, filled in between them along the photo's colours.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred: sigma of a Gaussian blur over `LARGEST_SIGMA`.

    Notes
    -----
    Certainty of our reading is full: the authors' own program, constants too; that only edges
    whose sigma could be measured hold the filled map is theirs. Ours are: the map is sigma over
    its largest value and not stretched a photo, for sigma is in pixels and so is its scale; a
    photo without an edge to measure, as one that is blurred beyond measure, is blurred
    everywhere; and colours are compared in all three channels, where a slip in the program takes
    the red value of the pixel in the middle for its green and blue too. The filled map may leave
    [0, 3] a little and is cut off there.
    """
    height, width = image.shape[:2]
    # A window of the matting Laplacian is 3 x 3.
    image = grow_image(image, 3)
    sigma = smooth_edge_blur(to_unit(image), edge_blur(to_grey(image)))
    known = sigma > 0
    if not known.any():
        return np.ones((height, width), np.float32)
    filled = fill_along_colours(image, sigma, known, WEIGHT)[:height, :width]
    return np.asarray((filled / LARGEST_SIGMA).clip(0, 1), np.float32)


def edge_blur(grey: Floats) -> Floats:
    """Estimate the blur of edges as the sigma of a Gaussian, in pixels.

    Parameters
    ----------
    grey : ndarray
        float32 (H, W) in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W): sigma, up to `LARGEST_SIGMA`, on edges where it can be told; 0 elsewhere.

    Notes
    -----
    At a step of blur sigma the ratio of its gradients, blurred again by sigma_1 and by sigma_2,
    is R = sqrt((sigma^2 + sigma_2^2) / (sigma^2 + sigma_1^2)), solved here. Where the edge runs
    through pixels' centres this is right to a per mille from sigma 0.75 on; at 0.5 it is 8 %
    high along rows and columns, whose pixels sample so sharp a step too coarsely. Where the
    edge runs midway between pixels it is 44 % high at sigma 0.5, 13 % at 1 and 2 % at 2.5.
    """
    narrow, wide = RATIO_SIGMAS
    squared = gradient_ratio(grey, RATIO_RADII) ** 2
    measurable = find_edges(grey) & (squared > SMALLEST_RATIO**2) & (squared < (wide / narrow) ** 2)
    sigma = np.zeros_like(grey)
    squared = squared[measurable]
    sigma[measurable] = np.sqrt((squared * narrow**2 - wide**2) / (1 - squared))
    return np.asarray(np.minimum(sigma, LARGEST_SIGMA), np.float32)


@numba.njit(cache=True, nogil=True)
def smooth_edge_blur(image: Floats, sigma: Floats) -> npt.NDArray[np.float32]:
    """Smooth the blur of edges among edges that are near, alike in colour, and sharp.

    Parameters
    ----------
    image : ndarray
        RGB float32 (H, W, 3) in [0, 1].
    sigma : ndarray
        float32 (H, W), 0 where there is none.

    Returns
    -------
    ndarray
        float32 (H, W), 0 where `sigma` is.

    Notes
    -----
    A joint bilateral filter over non-empty pixels only. The authors' program
    adds the weights of the three channels up, and multiplies them by exp(-sigma) of the
    neighbour: where two edges meet, the sharper tells more.
    """
    height, width = sigma.shape
    smooth = np.zeros_like(sigma)
    for y, x in zip(*np.nonzero(sigma)):  # noqa: B905 - numba knows no strict
        total = weights = 0.0
        for v in range(max(0, y - SMOOTHING_RADIUS), min(height, y + SMOOTHING_RADIUS + 1)):
            for u in range(max(0, x - SMOOTHING_RADIUS), min(width, x + SMOOTHING_RADIUS + 1)):
                if sigma[v, u] == 0.0:
                    continue
                likeness = 0.0
                for c in range(3):
                    difference = image[v, u, c] - image[y, x, c]
                    likeness += math.exp(-(difference**2) / (2 * COLOUR_SIGMA**2))
                distance = (v - y) ** 2 + (u - x) ** 2
                nearness = math.exp(-distance / (2 * SMOOTHING_SIGMA**2) - sigma[v, u])
                total += likeness * nearness * sigma[v, u]
                weights += likeness * nearness
        smooth[y, x] = total / weights
    return smooth
