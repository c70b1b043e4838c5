"""Draw the picture of docs/amount.md: a drawing that is blurred more and more, and its amounts.

python docs/pictures/make_amount.py
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from blurmapper import BlurMapper
from blurmapper.amount_pictures import draw_amounts
from blurmapper.applications.light import encode_light, gaussian_kernel
from blurmapper.images import ImageArray, write_image
from blurmapper.training.compositing import apply_kernel
from blurmapper.training.leaves import draw_leaves

HERE = Path(__file__).parent
HEIGHT, WIDTH = 2048, 3072
CROP = 320


def main() -> None:
    """Draw and write."""
    light = draw_scene()
    parts = [light, *(apply_kernel(light, gaussian_kernel(sigma)) for sigma in (3.0, 10.0))]
    edges = [0, 1024, 2048, 3072]
    for part, (left, right) in zip(parts, pairwise(edges), strict=True):
        light[:, left:right] = part[:, left:right]
    noise = np.random.default_rng(0).normal(0, 1.5, light.shape)
    photo = (encode_light(light, np.dtype(np.uint8)) + noise).clip(0, 255).astype(np.uint8)
    amounts = draw_amounts(photo, BlurMapper().map_amount(photo))
    above = [shrink(picture) for picture in (photo, amounts)]
    below = [photo[800 : 800 + CROP, left : left + 480] for left in (300, 1300, 2300)]
    rows = [np.hstack(row) for row in (above, below)]
    write_image(np.vstack(rows), HERE / "amount.jpg")


def draw_scene() -> np.ndarray:
    """Return light, float32 (HEIGHT, WIDTH, 3): shapes at four times the density of a tile's."""
    rows = [
        np.hstack([draw_leaves(512, np.random.default_rng((row, column))) for column in range(6)])
        for row in range(4)
    ]
    return np.vstack(rows)


def shrink(picture: ImageArray) -> ImageArray:
    """Return a picture at a size for the page."""
    return np.asarray(cv2.resize(picture, (720, 480), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
