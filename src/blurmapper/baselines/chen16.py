"""Chen16: the blur of edges, spread from superpixel to superpixel.

D.-J. Chen, H.-T. Chen and L.-W. Chang, "Fast Defocus Map Estimation", IEEE ICIP 2016; their
program is https://github.com/vllab/fast_defocus_map.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from skimage.color import rgb2ycbcr
from skimage.segmentation import slic

from blurmapper.baselines._edges import RATIO_SIGMAS, find_edges, gradient_ratio
from blurmapper.baselines._features import (
    Floats,
    Regions,
    neighbours,
    region_means,
    stretch,
    to_grey,
    to_unit,
)
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

LONGEST_SIDE = 400
"""What photos are resized to, larger and smaller ones alike, in pixels."""

RATIO_RADII = (4, 6)
"""Four sigmas, as in the authors' program."""

SUPERPIXELS = 200
COMPACTNESS = 20.0
FEWEST_SEEDS = 10
CONTRAST = 60.0
"""By how much unlike colours part two superpixels, beta."""

ALPHA = 1e-4
"""How soon influence wears off along the way from superpixel to superpixel."""

# Values that differ by less, in pixels of blur, differ by rounding.
_DECIMALS = 6

Values = npt.NDArray[np.float64]


@ignore_underflow()
def map_chen16(image: ImageArray) -> BlurMap:
    """Map blur as the median width of each superpixel's edges, spread along like colours.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred: constant in each superpixel but for enlarging,
        and stretched to [0, 1] a photo, as the authors do.

    Notes
    -----
    Certainty of our reading is full: the authors' own program. It runs at longest sides of 200,
    400 and 600 without saying which one the paper shows; of the three, `LONGEST_SIDE` did best on
    every second of 237 photos for training (protocol `paper`: ODS .771, .787, .785; AP .788,
    .858, .849, with borders replicated). On the same edges and superpixels the map is the
    program's; but its superpixels are those of Achanta's SLIC and ours scikit-image's, so that
    from photo to map the two agree at a correlation of .51 to .97 only.
    Where no superpixel can be told from another, as in a flat photo, all is blurred: our choice.
    """
    height, width = image.shape[:2]
    small = _resize(to_unit(image))
    labels = np.asarray(slic(small, SUPERPIXELS, compactness=COMPACTNESS, start_label=0))
    blur = _superpixel_blur(edge_blur(to_grey(small)), labels)
    spread = _spread(blur, _affinity(small, labels)).round(_DECIMALS)
    if not np.ptp(spread):
        return np.ones((height, width), np.float32)
    painted = stretch(spread)[labels]
    enlarged = cv2.resize(painted, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged.clip(0, 1), np.float32)


def edge_blur(grey: Floats) -> Floats:
    """Estimate the blur of edges, in pixels.

    Parameters
    ----------
    grey : ndarray
        float32 (H, W) in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W): 1.34 pixels or more on edges where it can be told; 0 elsewhere.

    Notes
    -----
    1.5 / sqrt(R^2 - 1), as the authors' program has it, rises with a step's blur but is not
    its sigma: at a step of blur sigma it is sqrt((sigma^2 + 1) * 1.5^2 / (1.5^2 - 1)). Gradients
    are those of an image in the midst of zeros, as the program's: the step there widens what is
    measured at edges that reach the border.
    """
    ratio = gradient_ratio(grey, RATIO_RADII, cv2.BORDER_CONSTANT)
    narrow, wide = RATIO_SIGMAS
    measurable = find_edges(grey) & (ratio > 1) & (ratio <= wide / narrow)
    blur = np.zeros_like(grey)
    blur[measurable] = wide / np.sqrt(ratio[measurable] ** 2 - 1)
    return blur


def _resize(image: Floats) -> Floats:
    """Resize an image to `LONGEST_SIDE`."""
    scale = LONGEST_SIDE / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (width, height), interpolation=way)
    return np.asarray(resized.clip(0, 1), np.float32)


def _superpixel_blur(blur: Floats, labels: Regions) -> Values:
    """Return each superpixel's median blur at its edges, NaN where they are too few."""
    seeds = blur > 0
    owners, values = labels[seeds], blur[seeds]
    medians = np.full(int(labels.max()) + 1, np.nan)
    for owner in np.flatnonzero(np.bincount(owners, minlength=len(medians)) >= FEWEST_SEEDS):
        medians[owner] = np.median(values[owners == owner])
    return medians


def _affinity(image: Floats, labels: Regions) -> Values:
    """Return W, (n, n): how alike two superpixels that touch are in mean colour; 0 for others."""
    colours = rgb2ycbcr(image)
    means = np.stack([region_means(colours[..., c], labels) for c in range(3)], axis=1)
    one, other = neighbours(labels)
    affinity = np.zeros((len(means), len(means)))
    if len(one):
        distances = stretch(np.linalg.norm(means[one] - means[other], axis=1)).astype(np.float64)
        affinity[one, other] = np.exp(-CONTRAST * distances) + np.finfo(np.float64).eps
    return affinity + affinity.T


def _spread(blur: Values, affinity: Values) -> Values:
    """Return each superpixel's blur as a mean of the known ones by their influence on it.

    The influence is alpha (D - (1 - alpha) W)^-1, its columns of unknown superpixels zero, its
    rows divided by their sums: two right sides do instead of the inverse. W spans 16 orders of
    magnitude, but the matrix is diagonally dominant, so that elimination keeps small influences.
    """
    known = np.isfinite(blur)
    if len(blur) == 1 or not known.any():
        return np.zeros(len(blur))
    system = np.diag(affinity.sum(axis=1)) - (1 - ALPHA) * affinity
    seeds = np.stack([np.where(known, blur, 0.0), known.astype(np.float64)], axis=1)
    blurs, weights = np.linalg.solve(system, seeds).T
    return np.asarray(blurs / weights, np.float64)
