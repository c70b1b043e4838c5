"""Su11 step by step: one decomposition a pixel."""

from __future__ import annotations

import numpy as np

from blurmapper.images import BlurMap, ImageArray

SIDE, LARGEST = 15, 1


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the blur of a uint8 RGB image (H, W, 3) that is not alike all over; 1 = blurred."""
    grey = image @ np.array([0.2989, 0.5870, 0.1140]) / (0.9999 * 255)
    grey = np.pad(grey, SIDE // 2, mode="symmetric")
    share = np.ones(image.shape[:2], np.float32)
    for y, x in np.ndindex(*share.shape):
        values = np.linalg.svd(grey[y : y + SIDE, x : x + SIDE], compute_uv=False)
        if values.sum() > 0:
            share[y, x] = values[:LARGEST].sum() / values.sum()
    return np.asarray((share - share.min()) / np.ptp(share), np.float32)
