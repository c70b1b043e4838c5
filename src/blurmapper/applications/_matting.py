"""A matte in a band along a cut: alpha, and the colours on either side of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from pymatting import estimate_alpha_cf, estimate_foreground_ml

from blurmapper.decoding import row_strips
from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE

Floats = npt.NDArray[np.float32]

BAND = 1 / 64
"""Half the width of the band in which alpha is undecided, in sides of a square of that area."""

_NOISE = 0.02
"""An alpha this close to 0 or 1 is taken for it: the matte of even surfaces is never quite so."""


@dataclass(frozen=True)
class Matte:
    """A matte at the working size.

    Attributes
    ----------
    alpha : ndarray
        float32 (h, w) in [0, 1], 1 = subject.
    trimap : ndarray
        float32 (h, w): 0 background, 1 subject, 0.5 undecided.
    subject, background : ndarray
        float32 (h, w, 3) in [0, 1]: the colours of either, continued over the whole photo.
    """

    alpha: Floats
    trimap: Floats
    subject: Floats
    background: Floats


def estimate_matte(image: Floats, mask: npt.NDArray[np.bool_]) -> Matte:
    """Return the matte of an image, float32 RGB (h, w, 3) in [0, 1], along a mask's outline."""
    trimap = _band(mask)
    alpha = trimap
    if (trimap == 0.5).any() and min(mask.shape) >= 3:
        alpha = estimate_alpha_cf(image.astype(np.float64), trimap.astype(np.float64))
    alpha = hold_known(np.asarray(alpha, np.float32), trimap)
    subject, background = estimate_foreground_ml(image, alpha, return_background=True)
    return Matte(alpha, trimap, np.asarray(subject), np.asarray(background))


def hold_known(alpha: Floats, trimap: Floats) -> Floats:
    """Return an alpha that is 0 and 1 where the trimap, of any size, says so."""
    halves, held = (2 * trimap).astype(np.uint8), np.empty_like(alpha)
    known = np.asarray(cv2.resize(halves, held.shape[::-1], interpolation=cv2.INTER_NEAREST))
    for rows in row_strips(*alpha.shape):
        stretched = ((alpha[rows] - _NOISE) / (1 - 2 * _NOISE)).clip(0, 1)
        held[rows] = np.where(known[rows] == 1, stretched, known[rows] / np.float32(2))
    return held


def estimate_subject(image: ImageArray, alpha: Floats, matte: Matte) -> Iterator[ImageArray]:
    """Yield, of `row_strips`, the subject's colours: the image less what the background sheds.

    With F and B the smooth colours of the matte, enlarged, the subject's colour is
    ``F + alpha (I - alpha F - (1 - alpha) B)``: the image itself where alpha is 1. Where it is
    0 there is no subject, and the image is left.
    """
    height, width = alpha.shape
    scale = np.float32(WHITE[image.dtype])
    # Enlarged at once, the two take eight times the memory of a photo of 8 bits.
    fronts, backs = (
        np.asarray(cv2.resize(plane, (width, plane.shape[0])), np.float32)
        for plane in (matte.subject, matte.background)
    )
    for rows in row_strips(height, width):
        soft = (alpha[rows] > 0) & (alpha[rows] < 1)
        strip = image[rows].copy()
        part, share = strip[soft] / scale, alpha[rows][soft][:, np.newaxis]
        front, back = (_enlarge_rows(plane, rows, height)[soft] for plane in (fronts, backs))
        colour = (front + share * (part - share * front - (1 - share) * back)).clip(0, 1) * scale
        strip[soft] = colour if image.dtype == np.float32 else np.rint(colour)
        yield strip


def _enlarge_rows(plane: Floats, rows: slice, height: int) -> Floats:
    """Return these rows of a plane (h, w, 3) that is enlarged bilinearly to a height."""
    places = (np.arange(rows.start, rows.stop) + 0.5) * (plane.shape[0] / height) - 0.5
    places = places.clip(0, plane.shape[0] - 1)
    above = places.astype(np.intp)
    below = np.minimum(above + 1, plane.shape[0] - 1)
    share = (places - above).astype(np.float32)[:, np.newaxis, np.newaxis]
    enlarged: Floats = plane[above] * (1 - share) + plane[below] * share
    return enlarged


def _band(mask: npt.NDArray[np.bool_]) -> Floats:
    """Return the trimap of a mask: undecided along its outline."""
    radius = BAND * mask.size**0.5
    trimap = np.full(mask.shape, 0.5, np.float32)
    trimap[_core(mask, radius)] = 1
    trimap[_core(~mask, radius)] = 0
    return trimap


def _core(side: npt.NDArray[np.bool_], radius: float) -> npt.NDArray[np.bool_]:
    """Return what is further inside than the radius; of narrow parts, the inner half."""
    depth = cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    count, labels = cv2.connectedComponents(side.astype(np.uint8))
    parts = np.asarray(labels, np.int32)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, parts.ravel(), depth.ravel())
    core: npt.NDArray[np.bool_] = depth > np.minimum(radius, deepest[parts] / 2)
    return core & side
