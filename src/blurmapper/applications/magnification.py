"""More blur where there is blur: a longer lens, or a wider aperture, after the fact."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from blurmapper.amounts import CELL
from blurmapper.decoding import check_pair, ignore_underflow
from blurmapper.devices import count_cores
from blurmapper.errors import ConfigError, check_choice
from blurmapper.images import AnyMap, BlurMap, ImageArray
from blurmapper.sharpest import check_amounts, reduce_to_cells

if TYPE_CHECKING:
    from blurmapper.amounts import BlurAmounts
    from blurmapper.applications.light import Shape

Way = Literal["lens", "naive"]

THRESHOLD = 0.1
"""Up to this probability a pixel is sharp and left alone, as in the paper."""

RADIUS = 1 / 64
"""The disc's radius at strength 1, in sides of a square of the photo's area."""

MOST_STRENGTH = 8.0
"""At which the disc is as wide as a quarter of the photo."""


def magnify_blur(
    image: ImageArray,
    blur_map: AnyMap,
    *,
    strength: float = 1.0,
    shape: Shape = "disc",
    method: Way = "lens",
    amounts: BlurAmounts | None = None,
) -> ImageArray:
    """Blur further what is blurred, and leave alone what is sharp.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].
    blur_map : ndarray
        float (H, W) in [0, 1], 1 = blurred, of the same photo.
    strength : float
        0 to `MOST_STRENGTH`. The blur added has a radius of `RADIUS` times this: at 1, 54
        pixels in a photo of 12 megapixels.
    shape : {"disc", "gaussian", "polygon"}
        What a point becomes: the disc of an open aperture, a Gaussian of the same variance,
        or a hexagon. ``naive`` is always Gaussian.
    method : {"lens", "naive"}
        ``naive`` is the paper's: one Gaussian over the photo's values as they are stored,
        wherever the map is above `THRESHOLD`.
    amounts : BlurAmounts, optional
        Of the same photo, for ``lens``: blur is then made 1 + `strength` times as wide as it is
        at each place, as a lens opened so much wider would make it, instead of equally wide.

    Returns
    -------
    ndarray
        RGB (H, W, 3) of the image's dtype. Pixels up to `THRESHOLD` are the photo's, bit for
        bit.

    Raises
    ------
    ImageError
        If the sizes differ, those of amounts too, or image or map are none.
    ConfigError
        If the strength is out of range, no shape or method has that name, or ``naive`` is given
        amounts.

    Notes
    -----
    ``lens`` mends three faults of the paper's way, as docs/applications.md shows. Each pixel is a
    weighted mean of others: even surfaces keep their colour, and nothing gets brighter than its
    surroundings. Time and memory hardly grow with the strength.
    """
    from blurmapper.applications import light

    check_choice("shape", shape, light.Shape)
    check_choice("method", method, Way)
    image, blur_map = check_pair(image, blur_map)
    is_number = isinstance(strength, Real)
    if not is_number or not 0 <= strength <= MOST_STRENGTH:
        raise ConfigError(
            f"strength is {strength if is_number else repr(strength)}; use 0 to {MOST_STRENGTH:g}"
        )
    if method == "naive" and amounts is not None:
        raise ConfigError("the paper's way adds one blur everywhere; leave out naive or amounts")
    if amounts is not None:
        check_amounts(amounts, *blur_map.shape)
    if strength == 0 or not (blur_map > THRESHOLD).any():
        return image.copy()
    radius = strength * RADIUS * math.sqrt(blur_map.size)
    if method == "naive":
        return _magnify_naively(image, blur_map, radius)
    if amounts is not None:
        # Unless the caller keeps the map as it was, it is let go here.
        blur_map, radius = widen(blur_map, amounts, strength, shape)
    return _magnify(image, blur_map, radius, shape)


@ignore_underflow()
def _magnify(image: ImageArray, blur_map: BlurMap, radius: float, shape: Shape) -> ImageArray:
    from blurmapper.applications._lens import Lens, split

    parts = split(*blur_map.shape)
    magnified = np.empty_like(image)
    with ThreadPoolExecutor(max_workers=min(4, count_cores())) as pool:
        lens = Lens(image, blur_map, radius, shape, pool)
        for part, rendered in zip(parts, pool.map(lens.render, parts), strict=True):
            magnified[part] = rendered
    return magnified


@ignore_underflow()
def widen(
    blur_map: BlurMap, amounts: BlurAmounts, strength: float, shape: Shape
) -> tuple[BlurMap, float]:
    """Return a map that asks each place for the blur it lacks, and the widest radius asked for.

    Parameters
    ----------
    blur_map : ndarray
        float32 (H, W) in [0, 1], 1 = blurred.
    amounts : BlurAmounts
        Of the same photo. What could not be measured has the width of what is around it.
    strength : float
        Blur becomes 1 + `strength` times as wide; a Gaussian added to one has the sum of their
        variances.
    shape : {"disc", "gaussian", "polygon"}
        Of the lens.
    """
    import cv2

    from blurmapper.applications._lens import shrink_growth
    from blurmapper.applications.light import lens_radius

    height, width = blur_map.shape
    rows, columns = amounts.sigma.shape
    known = np.isfinite(amounts.sigma) & (reduce_to_cells(blur_map, height, width) > THRESHOLD)
    if not known.any():
        return blur_map, strength * RADIUS * math.sqrt(blur_map.size)
    sigma = _fill(amounts.sigma, known) * np.float32(math.sqrt((1 + strength) ** 2 - 1))
    widest = float(sigma[known].max())
    share = cv2.resize((sigma / widest).clip(0, 1), (columns * CELL, rows * CELL))
    shrunk = shrink_growth(blur_map, np.asarray(share[:height, :width], np.float32))
    return shrunk, lens_radius(shape, widest)


def _fill(values: npt.NDArray[np.float32], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return values, smoothed over their neighbours, or over those farther off without any."""
    import cv2

    weight, logs = known.astype(np.float32), np.log(np.where(known, values, 1)).astype(np.float32)
    total = np.full_like(weight, 1e-6)
    sums = total * np.median(logs[known])
    for reach, trust in ((2.0, 1.0), (10.0, 1e-3)):
        total = total + np.float32(trust) * cv2.GaussianBlur(weight, (0, 0), reach)
        sums = sums + np.float32(trust) * cv2.GaussianBlur(logs, (0, 0), reach)
    return np.asarray(np.exp(sums / total), np.float32)


def _magnify_naively(image: ImageArray, blur_map: BlurMap, radius: float) -> ImageArray:
    import cv2

    # Left to itself OpenCV would cut it at 3 sigma in 8 bits and at 4 in others.
    side, sigma = 2 * math.ceil(1.5 * radius) + 1, radius / 2
    blurred = cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REFLECT)
    return np.where((blur_map > THRESHOLD)[..., np.newaxis], blurred, image)
