"""HiFST step by step, every transform written out: slow, and easy to check against the paper."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.fft import dctn
from scipy.ndimage import convolve

from blurmapper.images import BlurMap, ImageArray

Plane = npt.NDArray[np.float64]

SIDES = (7, 15, 31, 63)
LAYERS = 1 + sum(SIDES)


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the blur of a uint8 RGB image (H, W, 3); 1 = blurred."""
    smooth = cv2.GaussianBlur(image.astype(float), (3, 3), 0.5, borderType=cv2.BORDER_REPLICATE)
    luma = np.array([0.2989, 0.5870, 0.1140])
    grey = np.rint(np.rint(smooth) @ luma / luma.sum())
    across = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    steps = (convolve(grey, kernel, mode="nearest") for kernel in (across, across.T))
    layers = smallest_magnitudes(np.hypot(*steps))
    fused = stretch(np.stack([stretch(layer) for layer in layers]).max(axis=0))
    weighted = fused * entropy(np.rint(255 * fused).astype(np.uint8))
    sharpness = smooth_along_edges(weighted, stretch(grey))
    return np.asarray(1 - stretch(sharpness), np.float32)


def smallest_magnitudes(gradient: Plane) -> Plane:
    """Return the layers (117, H, W): the smallest high-frequency magnitudes, ascending."""
    height, width = gradient.shape
    padded = np.pad(gradient, 31)
    layers = np.empty((LAYERS, height, width))
    for y, x in np.ndindex(height, width):
        values = []
        for side in SIDES:
            top, left = y + 31 - side // 2, x + 31 - side // 2
            transform = dctn(padded[top : top + side, left : left + side], norm="ortho")
            u, v = np.indices((side, side))
            values.append(np.abs(transform[u + v >= side - 1]))
        layers[:, y, x] = np.sort(np.concatenate(values))[:LAYERS]
    return layers


def entropy(levels: npt.NDArray[np.uint8]) -> Plane:
    """Return the entropy in bits of each pixel's 7 x 7 neighbours."""
    padded = np.pad(levels, 3, mode="symmetric")
    answer = np.empty(levels.shape)
    for y, x in np.ndindex(*levels.shape):
        _, counts = np.unique(padded[y : y + 7, x : x + 7], return_counts=True)
        shares = counts / 49
        answer[y, x] = -(shares * np.log2(shares)).sum()
    return answer


def smooth_along_edges(values: Plane, guide: Plane) -> Plane:
    """Return the domain transform's recursive filter of the values."""
    guide = np.asarray(cv2.GaussianBlur(guide, (3, 3), 1, borderType=cv2.BORDER_CONSTANT))
    for iteration in range(3):
        sigma = 15 * np.sqrt(3) * 2 ** (2 - iteration) / np.sqrt(4**3 - 1)
        for _ in ("rows", "columns"):
            steps = 1 + 15 / 0.25 * np.abs(np.diff(guide, axis=1))
            weights = np.exp(-np.sqrt(2) / sigma) ** steps
            for x in range(1, values.shape[1]):
                values[:, x] += weights[:, x - 1] * (values[:, x - 1] - values[:, x])
            for x in range(values.shape[1] - 2, -1, -1):
                values[:, x] += weights[:, x] * (values[:, x + 1] - values[:, x])
            values, guide = values.T.copy(), guide.T
    return values


def stretch(values: npt.NDArray[Any]) -> Plane:
    """Stretch to [0, 1]; constant values to 0."""
    span = values.max() - values.min()
    return np.asarray((values - values.min()) / (span or 1), np.float64)
