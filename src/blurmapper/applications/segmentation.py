"""The sharp subject of a photo: found by GrabCut from the blur map, and cut out."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.compiled import import_compiled
from blurmapper.decoding import MIN_SIDE, check_pair, ignore_underflow, row_strips, to_eight_bits
from blurmapper.errors import check_number, needing
from blurmapper.images import AnyMap, BlurMap, ImageArray
from blurmapper.preprocessing import WHITE
from blurmapper.refinement import refine_map

Mask = npt.NDArray[np.bool_]
"""bool (H, W), True = the sharp subject."""

BACKGROUND, FOREGROUND, PROBABLE_BACKGROUND, PROBABLE_FOREGROUND = range(4)
"""OpenCV's labels of GrabCut: ``cv2.GC_BGD`` and so on."""

THRESHOLDS = (0.1, 0.5, 0.9)
"""From each on, a pixel is less likely foreground; the paper's."""

ITERATIONS = 5
"""Rounds of GrabCut. OpenCV has no default; five are what its own examples take."""

WORKING_SIDE = 512
"""GrabCut sees at most the square of this many pixels; it takes about a second for them."""

# Of the filter that brings a cut back to the photo's size. Narrower and less even than that of
# blur maps, since a cut has been fitted to the photo's edges already.
_RADIUS, _EPSILON = 2, 1e-4

_MATTING = Lock()
"""Some of Numba's layers of threads end the process where two threads call into them."""


def seed_labels(blur_map: BlurMap) -> npt.NDArray[np.uint8]:
    """Return GrabCut's labels for a blur map.

    Parameters
    ----------
    blur_map : ndarray
        float32 (H, W) in [0, 1], 1 = blurred.

    Returns
    -------
    ndarray
        uint8 (H, W): `FOREGROUND` in [0, 0.1), `PROBABLE_FOREGROUND` in [0.1, 0.5),
        `PROBABLE_BACKGROUND` in [0.5, 0.9) and `BACKGROUND` in [0.9, 1].
    """
    labels = np.full(blur_map.shape, FOREGROUND, np.uint8)
    steps = (PROBABLE_FOREGROUND, PROBABLE_BACKGROUND, BACKGROUND)
    for threshold, label in zip(THRESHOLDS, steps, strict=True):
        # As Python floats they are rounded to the map's dtype, so that its own 0.9 counts.
        labels[blur_map >= threshold] = label
    return labels


@ignore_underflow()
def segment_blur(image: ImageArray, blur_map: AnyMap, *, working_side: int = WORKING_SIDE) -> Mask:
    """Separate the sharp subject from what is blurred.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].
    blur_map : ndarray
        float (H, W) in [0, 1], 1 = blurred, of the same photo.
    working_side : int
        A photo of more than ``working_side ** 2`` pixels is cut at that area, and the cut
        carried to the photo's size along its edges.

    Returns
    -------
    ndarray
        bool (H, W), True = the sharp subject, which is GrabCut's foreground. Note that blur
        maps are the other way round. A map without a pixel below 0.5 has no subject, and one
        without a pixel from 0.5 on is all subject.

    Raises
    ------
    ImageError
        If the sizes differ, or image or map are none.
    ConfigError
        If `working_side` is below 16.

    Notes
    -----
    The paper's application: GrabCut [1]_ as OpenCV has it, with `seed_labels` for seeds and
    `ITERATIONS` rounds. It begins with k-means from random places, on which the cut can depend
    by a quarter of the photo. OpenCV keeps its random numbers by thread: each photo gets a new
    thread, hence always the same ones, and the caller's are not touched.

    References
    ----------
    .. [1] C. Rother, V. Kolmogorov and A. Blake, "GrabCut", ACM Transactions on Graphics
       23(3), 2004, doi:10.1145/1015706.1015720.
    """
    image, blur_map = check_pair(image, blur_map)
    small_image, small_map = _reduce(image, working_side), _reduce(blur_map, working_side)
    mask = _cut(small_image, small_map)
    if mask.shape == blur_map.shape:
        return mask
    return _carry(image, mask.astype(np.float32)) >= 0.5


def cut_out(
    image: ImageArray, blur_map: AnyMap, *, working_side: int = WORKING_SIDE
) -> npt.NDArray[Any]:
    """Cut the sharp subject out, onto transparency.

    Parameters
    ----------
    image, blur_map, working_side
        As `segment_blur` takes them.

    Returns
    -------
    ndarray
        RGBA (H, W, 4) with straight alpha, of the image's dtype. Where alpha is 0 so is the
        colour: nothing of the background stays in the file.

    Raises
    ------
    ImageError
        If the sizes differ, or image or map are none.
    ConfigError
        If `working_side` is below 16.
    MissingExtraError
        If pymatting is not installed. A rougher alpha in its place would make one command
        give two answers, by what else is on the machine.

    Notes
    -----
    Alpha is found by closed-form matting [1]_ in a band along the outline of `segment_blur`,
    at the working size, and carried to the photo's size along its edges. The colours of subject
    and background are estimated there too [2]_; with both, what the background sheds into half
    transparent pixels is taken off [3]_.

    References
    ----------
    .. [1] A. Levin, D. Lischinski and Y. Weiss, IEEE TPAMI 30(2), 2008,
       doi:10.1109/TPAMI.2007.1177.
    .. [2] T. Germer, T. Uelwer, S. Conrad and S. Harmeling, "Fast Multi-Level Foreground
       Estimation", ICPR 2020, arXiv:2006.14970.
    .. [3] M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021,
       doi:10.1109/ICIP42928.2021.9506164.
    """
    image, blur_map = check_pair(image, blur_map)
    # Unless the caller keeps the map, which is larger than the photo, it is let go here.
    blur_map = _reduce(blur_map, working_side)
    return _cut_out(image, blur_map, working_side)


@ignore_underflow()
def _cut_out(image: ImageArray, small_map: BlurMap, working_side: int) -> npt.NDArray[Any]:
    with needing("baselines", "cutting out needs"), _MATTING:
        matting = import_compiled("blurmapper.applications._matting")
    small_image = _reduce(image, working_side)
    mask = _cut(small_image, small_map)
    if mask.all() or not mask.any():
        alpha = np.full(image.shape[:2], mask.flat[0], np.float32)
        return _join(alpha, map(image.__getitem__, row_strips(*image.shape[:2])), image.dtype)
    colours = small_image.astype(np.float32) / np.float32(WHITE[image.dtype])
    with _MATTING:
        matte = matting.estimate_matte(colours, mask)
        alpha = matte.alpha
        if mask.shape != image.shape[:2]:
            alpha = matting.hold_known(_carry(image, alpha), matte.trimap)
        return _join(alpha, matting.estimate_subject(image, alpha, matte), image.dtype)


def _reduce(plane: npt.NDArray[Any], working_side: int) -> npt.NDArray[Any]:
    """Return an image or a map at the working size, by averaging areas; a small one as it is."""
    import cv2

    check_number("working side", working_side, MIN_SIDE)
    height, width = plane.shape[:2]
    factor = working_side / (height * width) ** 0.5
    if factor >= 1:
        return plane
    size = max(1, round(width * factor)), max(1, round(height * factor))
    reduced = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
    # A mean of many is off by rounding, and what is even by one half would be on both sides of it.
    return reduced.clip(plane.min(), plane.max()) if plane.ndim == 2 else reduced


def _cut(image: ImageArray, blur_map: BlurMap) -> Mask:
    """Return the subject by GrabCut, or what is plain where one of its two sides is empty."""
    labels = seed_labels(blur_map)
    sharp = _is_sharp(labels)
    if sharp.all() or not sharp.any():
        return sharp
    with ThreadPoolExecutor(max_workers=1) as own_random_numbers:
        return own_random_numbers.submit(_run_grabcut, to_eight_bits(image), labels).result()


def _run_grabcut(image: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> Mask:
    import cv2

    # 13 numbers for each of 5 Gaussians, which GrabCut writes.
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    mode = cv2.GC_INIT_WITH_MASK
    cv2.grabCut(image, labels, (0, 0, 0, 0), background, foreground, ITERATIONS, mode)
    return _is_sharp(labels)


def _is_sharp(labels: npt.NDArray[np.uint8]) -> Mask:
    return np.isin(labels, (FOREGROUND, PROBABLE_FOREGROUND))


def _carry(image: ImageArray, plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Bring a cut to the photo's size along the photo's edges, of brightness and of colour."""
    return refine_map(image, plane, radius=_RADIUS, epsilon=_EPSILON, guide="colour")


def _join(
    alpha: npt.NDArray[np.float32], subject: Iterable[ImageArray], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """Return RGBA of a dtype; `subject` has its scale, strip by strip of `row_strips`."""
    rgba = np.empty((*alpha.shape, 4), dtype)
    for rows, colours in zip(row_strips(*alpha.shape), subject, strict=True):
        scaled = alpha[rows] * np.float32(WHITE[dtype])
        rgba[rows, :, 3] = scaled if dtype == np.float32 else np.rint(scaled)
        rgba[rows, :, :3] = colours * (rgba[rows, :, 3:] > 0)
    return rgba
