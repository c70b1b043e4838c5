"""Edges, and how far each is blurred: what the two methods of edge sharpness share."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import Floats

CANNY_SIGMA = 1.0
CANNY_THRESHOLD = 0.1
"""Of an edge's strongest pixel, as a share of the largest gradient; 0.4 of it for the others."""

RATIO_SIGMAS = (1.0, 1.5)
"""Sigmas of the Gaussian derivatives whose magnitudes are divided, in pixels."""

# Gradients of a flat image are rounding, and no edge.
_FLAT = 1e-6

# OpenCV squares and adds two gradients in 32 bits.
_STRONGEST = 16_000


def find_edges(grey: Floats) -> npt.NDArray[np.bool_]:
    """Return the edges of Canny's detector, thresholds relative to the strongest gradient.

    Parameters
    ----------
    grey : ndarray
        float32 (H, W) in [0, 1].

    Returns
    -------
    ndarray
        bool (H, W), True on edges; nowhere in a constant image.

    Notes
    -----
    As MATLAB's ``edge(grey, "canny", 0.1, 1)``, which the authors call: its kernels, its low
    threshold, the image replicated at the border. The gradients made so go to OpenCV's
    detector, which thins along the nearest of four directions where MATLAB interpolates;
    scikit-image interpolates too, but takes Sobel gradients, absolute thresholds and three
    times as long.
    """
    smooth, slope = _canny_kernels()
    across = _separable(grey, slope, smooth)
    down = _separable(grey, smooth, slope)
    strongest = float(np.hypot(across, down).max())
    if strongest < _FLAT:
        return np.zeros(grey.shape, np.bool_)
    scale = np.float32(_STRONGEST / strongest)
    high = CANNY_THRESHOLD * _STRONGEST
    edges = cv2.Canny(
        np.rint(across * scale).astype(np.int16),
        np.rint(down * scale).astype(np.int16),
        0.4 * high,
        high,
        L2gradient=True,
    )
    return np.asarray(edges > 0, np.bool_)


def gradient_ratio(
    grey: Floats, radii: tuple[int, int], border: int = cv2.BORDER_REPLICATE
) -> Floats:
    """Return the ratio R of gradient magnitudes, at a narrow and at a wide Gaussian derivative.

    Parameters
    ----------
    grey : ndarray
        float32 (H, W) in [0, 1].
    radii : (int, int)
        Half the sides of the two kernels, of `RATIO_SIGMAS`, in pixels.
    border : int
        What lies around the image, as OpenCV names it: what is there by default, or zeros
        (``cv2.BORDER_CONSTANT``), which make a step.

    Returns
    -------
    ndarray
        float32 (H, W): on a step from 1.5, where it is sharp, to 1, where it is most blurred;
        0 where the image is flat.
    """
    narrow, wide = (
        _gradient_magnitude(grey, sigma, radius, border)
        for sigma, radius in zip(RATIO_SIGMAS, radii, strict=True)
    )
    return np.asarray(
        np.divide(narrow, wide, out=np.zeros_like(wide), where=wide > _FLAT), np.float32
    )


def _gradient_magnitude(grey: Floats, sigma: float, radius: int, border: int) -> Floats:
    """Return the gradient's magnitude of a Gaussian of this sigma."""
    offsets = np.arange(-radius, radius + 1.0)
    gaussian = np.exp(-(offsets**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    slope = offsets / sigma**2 * gaussian
    across = _separable(grey, slope, gaussian, border)
    down = _separable(grey, gaussian, slope, border)
    return np.asarray(np.hypot(across, down), np.float32)


def _canny_kernels() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return MATLAB's smoothing kernel and its derivative, each half of it of sum 1."""
    radius = int(np.ceil(4 * CANNY_SIGMA))
    smooth = np.exp(-(np.arange(-radius, radius + 1.0) ** 2) / (2 * CANNY_SIGMA**2))
    smooth /= smooth.sum()
    slope = -np.gradient(smooth)
    return smooth, slope / slope[slope > 0].sum()


def _separable(
    grey: Floats,
    row: npt.NDArray[np.float64],
    column: npt.NDArray[np.float64],
    border: int = cv2.BORDER_REPLICATE,
) -> Floats:
    filtered = cv2.sepFilter2D(grey, cv2.CV_32F, row, column, borderType=border)
    return np.asarray(filtered, np.float32)
