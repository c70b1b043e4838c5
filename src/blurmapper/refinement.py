"""From a coarse map to one that follows the photo's edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from blurmapper.decoding import check_image, check_map, ignore_underflow, row_strips
from blurmapper.encoding import enlarge
from blurmapper.errors import ImageError, check_choice, check_number
from blurmapper.preprocessing import WHITE

Guide = Literal["luma", "colour"]

Plane = npt.NDArray[np.float32]

RADIUS = 12
"""Half the side of the filter's window, in pixels of the coarse map."""

MOST_RADIUS = 40_000
"""OpenCV counts the pixels of a window in 32 bits."""

EPSILON = 1e-4
"""Variance, of a guide in [0, 1], below which an edge of the photo counts as flat."""

LEAST_EPSILON, MOST_EPSILON = 1e-6, 1.0
"""Less is lost in a variance of float32, of whose rounding the map would be made; and no variance
is more."""

MOST_PIXELS = 2_000_000
"""Larger photos are followed at half their size, or half of that: their map comes from a few
hundred pixels a side, and four times the work would not move its edges."""

STEP = 2
"""Pixels of the coarse map, each way, that share a fit: windows are so wide that neighbours' fits
hardly differ, and a quarter of them takes a quarter of the time."""

LEAST_RADIUS = 8
"""Of a window of which that holds; in narrower ones every pixel has a fit of its own."""

# Rows of one product in `_stretch_rows`, more of them waste work on zeros of the weights; and
# pixels, since of narrow rows so few would not be worth the call.
_BLOCK = 32
_BLOCK_PIXELS = 4096


@ignore_underflow()
def refine_map(
    image: npt.NDArray[Any],
    coarse_map: npt.NDArray[np.floating[Any]],
    *,
    radius: int = RADIUS,
    epsilon: float = EPSILON,
    guide: Guide = "colour",
    reduced: npt.NDArray[Any] | None = None,
) -> Plane:
    """Enlarge a coarse map to its photo's size along the photo's edges.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].
    coarse_map : ndarray
        float (h, w) in [0, 1], 1 = blurred, of the same photo; h <= H and w <= W.
    radius : int
        Half the side of the filter's window, in pixels of the coarse map: 0 to `MOST_RADIUS`.
    epsilon : float
        Variance, of a guide in [0, 1], below which an edge of the photo counts as flat:
        `LEAST_EPSILON` to `MOST_EPSILON`.
    guide : {"luma", "colour"}
        What an edge is a step of: brightness, or any of red, green and blue, which follows
        edges better and takes twice as long.
    reduced : ndarray, optional
        The image at the coarse map's size, where it is at hand: RGB (h, w, 3), same dtype. One of
        another size or dtype is passed over.

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred.

    Raises
    ------
    ImageError
        If image or map are none, or the map is larger than the image.
    ConfigError
        If radius or epsilon are out of range, or no guide has that name.

    Notes
    -----
    The fast guided filter [1]_: in each window the map is fitted as a linear function of
    the photo, and the averaged coefficients, not the map, are enlarged. Fitting happens at
    half the coarse size and the rest row strip by row strip, so that a photo of 100 megapixels
    needs little more memory than its map.

    Radius, variance and guide are those that follow edges best on photos held out of
    training (``benchmarks/refinement.py``). Closed-form matting follows them better still, but
    takes twenty times as long and moves whole regions to the wrong side.

    References
    ----------
    .. [1] K. He and J. Sun, "Fast Guided Filter", 2015, arXiv:1505.00996.
    """
    import cv2

    check_choice("guide", guide, Guide)
    check_number("radius", radius, 0, MOST_RADIUS)
    check_number("epsilon", epsilon, LEAST_EPSILON, MOST_EPSILON)
    image, coarse_map = _check(image, coarse_map)
    height, width = image.shape[:2]
    size = coarse_map.shape[::-1]
    if height * width > MOST_PIXELS and min(height // 2, width // 2) >= max(size):
        half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        refined = refine_map(
            half, coarse_map, radius=radius, epsilon=epsilon, guide=guide, reduced=reduced
        )
        return enlarge_map(refined, height, width)
    if reduced is None or (reduced.shape, reduced.dtype) != ((*size[::-1], 3), image.dtype):
        reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    reduced = check_image(reduced)
    scale = np.float32(1.0 / WHITE[image.dtype])
    channels = [plane.astype(np.float32) * scale for plane in _split(reduced, guide)]
    slopes, offset = _fit(channels, coarse_map, radius, epsilon)
    planes = [
        enlarge_map(plane, len(plane), width)
        for plane in (*(slope * scale for slope in slopes), offset)
    ]
    refined = np.empty((height, width), np.float32)
    for rows in row_strips(height, width):
        strip = refined[rows]
        strip[:] = _stretch_rows(planes[-1], rows, height)
        for slope, channel in zip(planes, _split(image[rows], guide), strict=False):
            stretched = _stretch_rows(slope, rows, height)
            cv2.accumulateProduct(stretched, channel.astype(np.float32, copy=False), strip)
        np.clip(strip, 0, 1, out=strip)
    return refined


def enlarge_map(coarse_map: Plane, height: int, width: int) -> Plane:
    """Enlarge a coarse map by bilinear interpolation, to float32 (height, width)."""
    return enlarge(coarse_map, (height, width)).astype(np.float32, copy=False)


def _check(
    image: npt.NDArray[Any], coarse_map: npt.NDArray[np.floating[Any]]
) -> tuple[npt.NDArray[Any], Plane]:
    image, coarse_map = check_image(image), check_map(coarse_map)
    if coarse_map.shape[0] > image.shape[0] or coarse_map.shape[1] > image.shape[1]:
        raise ImageError(
            f"the map is {coarse_map.shape} and the photo {image.shape[:2]} pixels (height, "
            "width); give a map of this photo that is no larger"
        )
    return image, coarse_map


def _split(image: npt.NDArray[Any], guide: Guide) -> Sequence[npt.NDArray[Any]]:
    import cv2

    return cv2.split(image) if guide == "colour" else [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)]


def _fit(
    channels: list[Plane],
    coarse_map: Plane,
    radius: int,
    epsilon: float,
) -> tuple[list[Plane], Plane]:
    """Return the averaged slope of each channel and the offset: equations 5, 6 and 8.

    Where windows are wide, means of pixels and of their products are taken of cells of `STEP`
    pixels a side first, so that no variance is lost, and the fits are those of the cells.
    """
    import cv2

    height, width = coarse_map.shape
    step = STEP if radius >= LEAST_RADIUS else 1
    size = -(-width // step), -(-height // step)
    side = 2 * round(radius / step) + 1

    def smooth(cells: Plane) -> Plane:
        return np.asarray(cv2.boxFilter(cells, -1, (side, side), borderType=cv2.BORDER_REFLECT))

    def mean(plane: Plane) -> Plane:
        if step == 1:
            return smooth(plane)
        more = step * size[1] - height, step * size[0] - width
        if any(more):
            whole = cv2.copyMakeBorder(plane, 0, more[0], 0, more[1], cv2.BORDER_REPLICATE)
            plane = np.asarray(whole)
        return smooth(np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA)))

    def spread(cells: Plane) -> Plane:
        cells = smooth(cells)
        return enlarge_map(cells, step * size[1], step * size[0])[:height, :width]

    map_mean = mean(coarse_map)
    means = [mean(channel) for channel in channels]
    cross = [
        mean(channel * coarse_map) - average * map_mean
        for channel, average in zip(channels, means, strict=True)
    ]
    covariance = {
        (i, j): mean(channels[i] * channels[j])
        - means[i] * means[j]
        + np.float32(epsilon * (i == j))
        for i in range(len(channels))
        for j in range(i, len(channels))
    }
    slopes = _solve(covariance, cross)
    offset = map_mean.copy()
    for slope, average in zip(slopes, means, strict=True):
        offset -= slope * average
    return [spread(slope) for slope in slopes], spread(offset)


def _solve(covariance: dict[tuple[int, int], Plane], cross: list[Plane]) -> list[Plane]:
    """Solve the symmetric system of each pixel, given its upper half, for one or three unknowns.

    By elimination, plane by plane: LAPACK needs several times as long for systems this small. In
    float64, since the channels of a photo are nearly proportional to each other.
    """
    if len(cross) == 1:
        return [cross[0] / covariance[0, 0]]
    a, b, c, d, e, f = (
        covariance[place].astype(np.float64)
        for place in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    )
    x, y, z = (plane.astype(np.float64) for plane in cross)
    # Rows below are freed of the first unknown, then the last of the second.
    second, third = b / a, c / a
    d -= second * b
    e -= second * c
    y, z = y - second * x, z - third * x
    last = e / d
    z = (z - last * y) / (f - third * c - last * e)
    y = (y - e * z) / d
    x = (x - b * y - c * z) / a
    return [np.asarray(part, np.float32) for part in (x, y, z)]


def _stretch_rows(plane: Plane, rows: slice, height: int) -> Plane:
    """Return the `rows` of a plane that is enlarged bilinearly to `height` rows.

    As products with small matrices of weights: unlike a resize of the whole plane they
    need no second map in memory, and unlike a resize of its parts they keep the phase.
    """
    if len(plane) == height:
        return plane[rows]
    stretched = np.empty((rows.stop - rows.start, plane.shape[1]), np.float32)
    # Between two rows of the plane lie thousands where a photo is that much higher than wide, and
    # of narrow rows many are as quickly done as one.
    block = max(_BLOCK, height // len(plane), _BLOCK_PIXELS // plane.shape[1])
    for top in range(rows.start, rows.stop, block):
        targets = np.arange(top, min(top + block, rows.stop))
        centres = (targets + 0.5) * (len(plane) / height) - 0.5
        centres = centres.clip(0, len(plane) - 1)
        first, last = int(centres[0]), min(int(centres[-1]) + 1, len(plane) - 1)
        distances = np.abs(centres[:, np.newaxis] - np.arange(first, last + 1))
        weights = np.maximum(0, 1 - distances).astype(np.float32)
        place = slice(top - rows.start, top - rows.start + len(targets))
        np.matmul(weights, plane[first : last + 1], out=stretched[place])
    return stretched
