"""Yi and Eramian, "LBP-Based Segmentation of Defocus Blur", TIP 2016."""

from __future__ import annotations

import cv2
import numba
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._coarse_matting import SMALLEST_SIDE, CoarseMatting
from blurmapper.baselines._features import (
    Floats,
    grow_image,
    stretch,
    to_grey_levels,
    to_unit,
)
from blurmapper.baselines._graph import fuse_scales
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

WINDOWS = (11, 15, 21)
"""Sides of the patches in which codes are counted, in pixels: three scales."""

BIT_THRESHOLD = 0.016 * 255
"""A neighbour sets its bit if it is brighter by more than this many of 255 levels."""

BUSY_CODE = 6
"""Codes from here on are rare where there is no detail."""

SHARP_SEED, BLURRED_SEED = 0.3, 0.01
"""Stretched scores above the first are certainly sharp, under the second certainly blurred."""

UNCHANGED = 0.001
"""A pixel that painting a seed changes by no more, of the sum of three channels, is no seed."""

_NON_UNIFORM = 9
# (row, column) of the neighbours around the circle, so that transitions can be counted.
_CIRCLE = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
# Bilinear interpolation at sqrt(0.5) in both directions is the centre, plus half the rise to the
# diagonal neighbour, plus this much of the rises to the two beside: exact where those cancel.
_BESIDE = (np.sqrt(2.0) - 1) / 2


@ignore_underflow()
def map_yi16(image: ImageArray) -> BlurMap:
    """Map blur by how rare busy local binary patterns are.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred: a probability, which stays within [.038, .962] as
        long as anything in the photo can be told from anything else; else 1 where no pattern is
        busy, 0 where all are.

    Notes
    -----
    Certainty of our reading is full: the authors' program (doi:10.1109/TIP.2016.2528042), step by
    step. Scores at three scales, seeds from the scores, a matte from the seeds, and the three
    mattes fused by `blurmapper.baselines._graph.fuse_scales`. A pixel that is white already is no
    seed of sharp, and a black one none of blurred: the program paints seeds into the photo and
    finds them by what has changed.

    Ours is what happens where the program has no answer: an image under 21 pixels on a side is
    extended by its last row and column, as matting at a quarter of the size needs three pixels,
    and a photo without a seed is blurred.
    """
    height, width = image.shape[:2]
    image = grow_image(image, SMALLEST_SIDE)
    codes, colours = pattern_codes(to_grey_levels(image)), to_unit(image)
    white, black = (np.abs(colours - level).sum(axis=-1) <= UNCHANGED for level in (1, 0))
    matting = CoarseMatting(colours)
    mattes = []
    for window in WINDOWS:
        score = sharpness(codes, window)
        mattes.append(matting.matte((score < BLURRED_SEED) & ~black, (score > SHARP_SEED) & ~white))
    return 1 - fuse_scales(np.stack(mattes))[:height, :width]


def sharpness(codes: npt.NDArray[np.uint8], window: int) -> Floats:
    """Return the share of busy codes around each pixel, stretched to [0, 1], float32 (H, W)."""
    busy = (codes >= BUSY_CODE).astype(np.float32)
    share = cv2.boxFilter(busy, -1, (window, window), borderType=cv2.BORDER_REPLICATE)
    return stretch(share)


def pattern_codes(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return rotation-invariant uniform local binary patterns of eight neighbours at radius 1.

    Parameters
    ----------
    grey : ndarray
        uint8 (H, W).

    Returns
    -------
    ndarray
        uint8 (H, W): how many neighbours are brighter than the pixel by more than
        `BIT_THRESHOLD`, 0 to 8, or 9 where going round there are more than two changes.

    Notes
    -----
    The four diagonal neighbours, on the circle between pixels, are interpolated bilinearly and
    rounded down (Ojala, Pietikainen and Maenpaa, TPAMI 2002, doi:10.1109/TPAMI.2002.1017623).
    """
    return _codes(np.pad(grey, 1, "edge").astype(np.float64))


@numba.njit(cache=True, nogil=True)
def _codes(padded: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    codes = np.empty((height, width), np.uint8)
    for y in range(1, height + 1):
        for x in range(1, width + 1):
            centre = padded[y, x]
            ones = changes = first = last = 0
            for i in range(8):
                down, right = _CIRCLE[i]
                rise = padded[y + down, x + right] - centre
                if i % 2:
                    beside = padded[y + down, x] + padded[y, x + right] - 2 * centre
                    rise = np.floor(rise / 2 + beside * _BESIDE)
                bit = 1 if rise > BIT_THRESHOLD else 0
                if i == 0:
                    first = bit
                else:
                    changes += bit != last
                ones += bit
                last = bit
            changes += last != first
            codes[y - 1, x - 1] = ones if changes <= 2 else _NON_UNIFORM
    return codes
