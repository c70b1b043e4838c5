"""Su11 step by step: one decomposition a pixel."""

from __future__ import annotations

import numpy as np

from blurmapper.images import BlurMap, ImageArray

SIDE, LARGEST = 21, 3


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the blur of a uint8 RGB image (H, W, 3); 1 = blurred."""
    value = np.pad(image.max(axis=2) / 255.0, SIDE // 2, mode="symmetric")
    blur_map = np.ones(image.shape[:2], np.float32)
    for y, x in np.ndindex(*blur_map.shape):
        values = np.linalg.svd(value[y : y + SIDE, x : x + SIDE], compute_uv=False)
        if values.sum() > 0:
            blur_map[y, x] = values[:LARGEST].sum() / values.sum()
    return blur_map
