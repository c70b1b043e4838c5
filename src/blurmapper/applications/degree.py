"""How blurred a photo is as a whole: one number from its blur map."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from blurmapper.decoding import check_map, check_pair, ignore_underflow
from blurmapper.errors import ConfigError, check_choice
from blurmapper.images import AnyMap, BlurMap, ImageArray
from blurmapper.preprocessing import WHITE, reduce_within

Weighting = Literal["centre", "saliency"]
"""What counts more than the rest when a map is averaged."""

CENTRE_SPREAD = 0.25
"""Standard deviation of the centre's weight, in heights and widths of the photo."""

THRESHOLD = 0.5
"""A pixel with at least this probability counts as blurred."""

SALIENCY_SIDE = 256
"""Pixels of the longer side at which saliency is computed: objects, not their texture."""


@ignore_underflow()
def blur_degree(
    blur_map: AnyMap, *, weighting: Weighting | None = None, image: ImageArray | None = None
) -> float:
    """Return the blur degree S of a photo, the mean of its blur map.

    Parameters
    ----------
    blur_map : ndarray
        float (H, W) in [0, 1], 1 = blurred.
    weighting : {"centre", "saliency"}, optional
        What counts more: the middle of the photo, or what stands out of it by its colour.
        Every pixel counts the same unless given.
    image : ndarray, optional
        The photo, RGB (H, W, 3) of uint8, uint16 or float32 in [0, 1]; for saliency alone.

    Returns
    -------
    float
        In [0, 1]: 0 is sharp all over, 1 blurred all over.

    Raises
    ------
    ImageError
        If the map or the photo is none, or they differ in size.
    ConfigError
        If the weighting has another name, or saliency lacks the photo.

    Notes
    -----
    The plain mean is the paper's degree of blur [1]_. People look at the
    middle of a photo more than at its rim whatever is there [2]_; ``"centre"`` weights by a
    Gaussian of a quarter of each side. ``"saliency"`` weights by the frequency-tuned saliency
    of [3]_, how far a pixel's colour, after a small blur, is from the photo's mean colour in
    CIELAB. It was chosen over the spectral residual and its kin because it holds for an object
    in focus and out of focus alike: those look for detail, which blur is the want of, and
    sharpness would be counted twice. Where all is of one colour, every pixel counts the same.

    References
    ----------
    .. [1] K. Ma, H. Fu, T. Liu, Z. Wang and D. Tao, "Deep Blur Mapping: Exploiting High-Level
       Semantics by Deep Neural Networks", IEEE Transactions on Image Processing 27(10), 2018,
       doi:10.1109/TIP.2018.2847421.
    .. [2] B. W. Tatler, "The central fixation bias in scene viewing", Journal of Vision 7(14):4,
       2007, doi:10.1167/7.14.4.
    .. [3] R. Achanta, S. Hemami, F. Estrada and S. Susstrunk, "Frequency-tuned salient region
       detection", IEEE CVPR 2009, doi:10.1109/CVPR.2009.5206596.

    Examples
    --------
    >>> half = np.zeros((4, 8), np.float32)
    >>> half[:, 4:] = 1
    >>> blur_degree(half)
    0.5
    """
    blur_map = check_map(blur_map)
    if weighting is None:
        return float(blur_map.mean(dtype=np.float64))
    check_choice("weighting", weighting, Weighting)
    if weighting == "centre":
        return _mean_about_centre(blur_map)
    if image is None:
        raise ConfigError("weighting by saliency needs the photo of this map; give image")
    image, blur_map = check_pair(image, blur_map)
    return _mean_over_salient(blur_map, image)


def share_blurred(blur_map: BlurMap) -> float:
    """Return the share of a map's pixels, in [0, 1], with a probability of `THRESHOLD` or more."""
    return float((blur_map >= THRESHOLD).mean())


def _mean_about_centre(blur_map: BlurMap) -> float:
    # The Gaussian is a product of one for rows and one for columns, so no map of it is needed.
    rows, columns = (_bell(length) for length in blur_map.shape)
    # In double precision the product would copy the map to twice its memory.
    return float(np.clip(rows @ (blur_map @ columns.astype(np.float32)), 0, 1))


def _bell(length: int) -> npt.NDArray[np.float64]:
    """Return weights of sum 1, a Gaussian about the middle of `length` pixels."""
    distance = (np.arange(length) + 0.5) / length - 0.5
    weights = np.exp(-0.5 * (distance / CENTRE_SPREAD) ** 2)
    bell: npt.NDArray[np.float64] = weights / weights.sum()
    return bell


def _mean_over_salient(blur_map: BlurMap, image: ImageArray) -> float:
    small_map = reduce_within(blur_map, SALIENCY_SIDE)
    weights = _saliency(reduce_within(image, SALIENCY_SIDE))
    if not weights.any():
        return float(blur_map.mean(dtype=np.float64))
    return float(np.clip(np.average(small_map, weights=weights), 0, 1))


def _saliency(image: ImageArray) -> npt.NDArray[Any]:
    """Return the frequency-tuned saliency of an RGB image (H, W, 3): float32 (H, W), not scaled."""
    import cv2

    lab = cv2.cvtColor(image.astype(np.float32) / np.float32(WHITE[image.dtype]), cv2.COLOR_RGB2LAB)
    # Achanta et al. blur by a binomial kernel of 5 pixels, against noise.
    distance = cv2.GaussianBlur(lab, (5, 5), 0) - lab.mean(axis=(0, 1))
    saliency: npt.NDArray[Any] = np.linalg.norm(distance, axis=2)
    # A photo of one colour leaves the rounding errors of its mean.
    saliency[saliency < 1e-2] = 0
    return saliency
