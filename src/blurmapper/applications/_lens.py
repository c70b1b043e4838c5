"""A lens that blurs each pixel by a radius of its own, from light that is blurred itself."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.applications.light import Light, Shape, decode_light, encode_light, lens_kernel
from blurmapper.decoding import row_strips
from blurmapper.images import BlurMap, ImageArray

Planes = npt.NDArray[np.float32]
"""float32 (h, w, 4): red, green and blue light times its weight, and the weight."""

TILE = 512
"""Side of the parts that a photo is rendered in; a multiple of every reduction."""

GAIN = 4.0
"""Clipped light counts for 1 and this many times more: it was brighter than could be held."""

# Where a map says sharp and blurred for sure, as it does for GrabCut.
_SHARP, _BLURRED = 0.1, 0.9

# From this light on a colour counts for more, up to `GAIN` where it is clipped.
_BRIGHT = 0.7

# Each radius is half the next; below the smallest the sharp photo shines through.
_MOST_LEVELS = 5

# A radius is never reduced below this many pixels, else discs get soft rims.
_FINEST = 6.0
_MOST_REDUCTION = 64

# The edges of a map are good to about this share of the photo's side: closer to what is
# sharp, light counts for next to nothing, since it may be the subject's.
_DOUBT = 1 / 128
_DOUBTED = 1e-3

# The weight of a pixel in its own mean, so that nothing is divided by zero.
_OWN_WEIGHT = 1e-5


class Part(NamedTuple):
    """Rows and columns of a photo."""

    rows: slice
    columns: slice


class _Level(NamedTuple):
    radius: float
    reduction: int
    blurred: Planes | None


def split(height: int, width: int) -> list[Part]:
    """Cut a photo into parts of at most `TILE` x `TILE` pixels."""
    return [
        Part(slice(top, min(top + TILE, height)), slice(left, min(left + TILE, width)))
        for top in range(0, height, TILE)
        for left in range(0, width, TILE)
    ]


class Lens:
    """Blur the parts of a photo, each by itself and with the same answer in any order.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].
    blur_map : ndarray
        float32 (H, W) in [0, 1], 1 = blurred.
    radius : float
        Where the map is 1, in pixels.
    shape : {"disc", "gaussian", "polygon"}
        What a point becomes.
    pool : Executor
        Of threads, for the work that is done before the first part.

    Notes
    -----
    Normalised convolution (H. Knutsson and C.-F. Westin, "Normalized and Differential
    Convolution", CVPR 1993) with a kernel between those of two neighbouring levels. Light times
    its weight is reduced and enlarged like the weight, so that reduction mixes nothing into what
    has none.
    """

    def __init__(
        self, image: ImageArray, blur_map: BlurMap, radius: float, shape: Shape, pool: Executor
    ) -> None:
        self._image, self._blur_map, self._shape, self._radius = image, blur_map, shape, radius
        radii = [radius / 2**k for k in range(_MOST_LEVELS) if k == 0 or radius / 2**k >= 1]
        self._levels = self._blur_reduced(radii[::-1], pool)

    def render(self, part: Part) -> ImageArray:
        """Return a part of the photo, blurred further where it is blurred."""
        photo, growth = self._image[part], _grow(self._blur_map[part])
        changed = growth > 0
        if not changed.any():
            return photo
        position = np.log2(np.maximum(growth * (self._radius / self._levels[0].radius), 1))
        planes = np.zeros((*growth.shape, 4), np.float32)
        for index, level in enumerate(self._levels):
            share = np.maximum(0, 1 - np.abs(position - index)) * changed
            if share.any():
                planes += share[..., np.newaxis] * self._blur(level, part)
        light = decode_light(photo)
        planes[..., :3] += _OWN_WEIGHT * light
        mean = planes[..., :3] / (planes[..., 3:] + _OWN_WEIGHT)
        strength = np.minimum(1, growth * (self._radius / self._levels[0].radius))
        light += strength[..., np.newaxis] * (mean - light)
        return np.where(changed[..., np.newaxis], encode_light(light, photo.dtype), photo)

    def _blur_reduced(self, radii: list[float], pool: Executor) -> list[_Level]:
        """Return the levels, smallest radius first; those at full size are blurred later."""
        reductions = [_reduction(radius) for radius in radii]
        levels = [_Level(radius, 1, None) for radius in radii]
        reduced, reached = None, 1
        for index, reduction in enumerate(reductions):
            while reached < reduction:
                reduced = self._halve_photo(pool) if reduced is None else _halve(reduced)
                reached *= 2
            if reduced is not None:
                kernel = lens_kernel(self._shape, radii[index] / reduction)
                blurred = _convolve(reduced, kernel)
                levels[index] = _Level(radii[index], reduction, blurred)
        return levels

    def _halve_photo(self, pool: Executor) -> Planes:
        """Return the photo's planes at half size, padded with no weight to whole tiles."""
        height, width = (-(-side // TILE) * TILE // 2 for side in self._blur_map.shape)
        halved = np.zeros((height, width, 4), np.float32)

        def fill(part: Part) -> None:
            if (self._blur_map[part] > _SHARP).any():
                full = Part(*(slice(s.start, s.start + TILE) for s in part))
                half = Part(*(slice(s.start // 2, s.stop // 2) for s in full))
                halved[half] = _halve(self._weigh(full))

        list(pool.map(fill, split(*self._blur_map.shape)))
        return halved

    def _weigh(self, part: Part) -> Planes:
        """Return the planes of a part, without weight where it leaves the photo."""
        (top, bottom), (left, right) = (
            (max(s.start, 0), min(s.stop, side))
            for s, side in zip(part, self._blur_map.shape, strict=True)
        )
        inside = Part(slice(top, bottom), slice(left, right))
        light = decode_light(self._image[inside])
        sure, growth = _grow(self._erode(inside)), _grow(self._blur_map[inside])
        weight = np.maximum(sure * sure * _brilliance(light), _DOUBTED * growth)
        planes = np.dstack([light * weight[..., np.newaxis], weight])
        rows, columns = part
        margins = (top - rows.start, rows.stop - bottom, left - columns.start, columns.stop - right)
        if not any(margins):
            return planes
        return np.asarray(cv2.copyMakeBorder(planes, *margins, cv2.BORDER_CONSTANT, value=0))

    def _erode(self, part: Part) -> BlurMap:
        """Return a part of the map eroded by the doubt about its edges; all of it takes memory."""
        reach = round(_DOUBT * self._blur_map.size**0.5)
        near = Part(*(slice(max(s.start - reach, 0), s.stop + reach) for s in part))
        own = Part(*(slice(min(s.start, reach), s.stop - max(s.start - reach, 0)) for s in part))
        least = cv2.erode(self._blur_map[near], np.ones((2 * reach + 1,) * 2, np.uint8))
        return np.asarray(least[own], np.float32)

    def _blur(self, level: _Level, part: Part) -> Planes:
        """Return the planes of a part as one level has them."""
        if level.blurred is not None:
            return _enlarge(level.blurred, level.reduction, part)
        kernel = lens_kernel(self._shape, level.radius)
        half = len(kernel) // 2
        wider = Part(*(slice(s.start - half, s.stop + half) for s in part))
        blurred = _convolve(self._weigh(wider), kernel)
        return blurred[half : len(blurred) - half, half : blurred.shape[1] - half]


def _grow(blur_map: BlurMap) -> npt.NDArray[np.float32]:
    """Return the share of the radius that a map asks for: smoothly from 0 to 1 (smoothstep)."""
    share = ((blur_map - np.float32(_SHARP)) / np.float32(_BLURRED - _SHARP)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def shrink_growth(blur_map: BlurMap, share: npt.NDArray[np.float32]) -> BlurMap:
    """Return the map that asks for a share of the radius that a map asks for."""
    shrunk = np.empty_like(blur_map)
    for rows in row_strips(*blur_map.shape):
        growth = _grow(blur_map[rows]) * share[rows]
        # The inverse of smoothstep, by the angle's third.
        inverse = 0.5 - np.sin(np.arcsin(1 - 2 * growth) / 3)
        wanted = np.float32(_SHARP) + np.float32(_BLURRED - _SHARP) * inverse
        shrunk[rows] = np.where(growth > 0, wanted, np.minimum(blur_map[rows], np.float32(_SHARP)))
    return shrunk


def _brilliance(light: Light) -> npt.NDArray[np.float32]:
    """Return how much more light counts for having been cut: a lamp is brighter than white."""
    # Three times as fast as the maximum along an axis of three.
    brightest = np.maximum(np.maximum(light[..., 0], light[..., 1]), light[..., 2])
    excess = np.maximum(0, brightest - np.float32(_BRIGHT)) / np.float32(1 - _BRIGHT)
    return np.asarray(1 + GAIN * excess * excess, np.float32)


def _reduction(radius: float) -> int:
    """Return the power of two by which a photo is reduced to be blurred by a radius."""
    most = max(1.0, min(radius / _FINEST, _MOST_REDUCTION))
    return 1 << int(np.log2(most))


def _halve(planes: Planes) -> Planes:
    height, width = planes.shape[:2]
    return np.asarray(cv2.resize(planes, (width // 2, height // 2), interpolation=cv2.INTER_AREA))


def _convolve(planes: Planes, kernel: npt.NDArray[np.float32]) -> Planes:
    # Every kernel is its own mirror image, which filter2D would need; beyond the border there
    # is no weight. In the frequency domain rounding leaves a little less than nothing.
    blurred = cv2.filter2D(planes, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    return np.maximum(blurred, 0, out=blurred)


def _enlarge(planes: Planes, reduction: int, part: Part) -> Planes:
    """Return a part of the photo from reduced planes, bilinearly and without seams."""
    spans = []
    for s, side in zip(part, planes.shape, strict=False):
        first, last = s.start // reduction - 1, -(-s.stop // reduction) + 1
        spans.append((max(first, 0), min(last, side)))
    (top, bottom), (left, right) = spans
    size = (right - left) * reduction, (bottom - top) * reduction
    enlarged = cv2.resize(planes[top:bottom, left:right], size, interpolation=cv2.INTER_LINEAR)
    rows, columns = (
        slice(s.start - first * reduction, s.stop - first * reduction)
        for s, (first, _) in zip(part, spans, strict=True)
    )
    return np.asarray(enlarged[rows, columns])
