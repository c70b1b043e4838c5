"""Zhuo11 step by step: kernels in two dimensions, windows one by one, a direct solve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import spsolve

from blurmapper.baselines._edges import find_edges
from blurmapper.images import BlurMap, ImageArray

Plane = npt.NDArray[np.float64]


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the blur of a uint8 RGB image (H, W, 3), 3 pixels or more a side; 1 = blurred."""
    colours = image / 255.0
    grey = colours @ np.array([0.2989, 0.5870, 0.1140]) / 0.9999
    ratio = gradient_magnitude(grey, 1.0, 5) / np.maximum(gradient_magnitude(grey, 1.5, 7), 1e-9)
    edges = find_edges(grey.astype(np.float32)) & (ratio > 1.01) & (ratio < 1.5)
    sigma = np.zeros_like(grey)
    sigma[edges] = np.sqrt((ratio[edges] ** 2 - 1.5**2) / (1 - ratio[edges] ** 2))
    sigma = bilateral(colours, sigma.clip(0, 3))
    anchors = 0.001 * (sigma > 0).ravel()
    system = matting_laplacian(colours) + diags_array(anchors)
    filled = spsolve(csc_array(system), anchors * sigma.ravel()).reshape(grey.shape)
    return np.asarray((filled / 3).clip(0, 1), np.float32)


def gradient_magnitude(grey: Plane, sigma: float, radius: int) -> Plane:
    """Return the gradient's magnitude of a Gaussian of this sigma."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    gaussian = np.exp(-(x**2 + y**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    across = convolve(grey, -x / sigma**2 * gaussian, mode="nearest")
    down = convolve(grey, -y / sigma**2 * gaussian, mode="nearest")
    return np.asarray(np.hypot(across, down), np.float64)


def bilateral(colours: Plane, sigma: Plane) -> Plane:
    """Return the sigmas at edges, smoothed among themselves in windows of 21 x 21."""
    answer = np.zeros_like(sigma)
    rows, columns = np.arange(sigma.shape[0])[:, np.newaxis], np.arange(sigma.shape[1])
    for y, x in np.argwhere(sigma):
        window = slice(max(0, y - 10), y + 11), slice(max(0, x - 10), x + 11)
        distance = (rows[window[0]] - y) ** 2 + (columns[window[1]] - x) ** 2
        unlike = (colours[window] - colours[y, x]) ** 2
        weights = np.exp(-distance / (2 * 5**2)) * np.exp(-unlike / (2 * 0.3**2)).sum(axis=2)
        weights *= np.exp(-sigma[window]) * (sigma[window] > 0)
        answer[y, x] = (weights * sigma[window]).sum() / weights.sum()
    return answer


def matting_laplacian(colours: Plane, epsilon: float = 1e-7) -> csc_array:
    """Return the matting Laplacian, window by window: equation 12 of Levin et al. (2008)."""
    height, width = colours.shape[:2]
    pixels = np.arange(height * width).reshape(height, width)
    rows, columns, values = [], [], []
    for y, x in np.ndindex(height - 2, width - 2):
        window = slice(y, y + 3), slice(x, x + 3)
        members = pixels[window].ravel()
        centred = colours[window].reshape(9, 3) - colours[window].mean(axis=(0, 1))
        covariance = centred.T @ centred / 9 + epsilon * np.eye(3)
        likeness = 1 + centred @ np.linalg.solve(covariance, centred.T)
        rows.append(np.repeat(members, 9))
        columns.append(np.tile(members, 9))
        values.append((np.eye(9) - likeness / 9).ravel())
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return csc_array(coo_array(entries, shape=(pixels.size, pixels.size)))
