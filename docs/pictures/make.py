"""Draw the README's picture: photo, blur map and overlay of a sample, side by side.

python docs/pictures/make.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import blurmapper
from blurmapper import BlurMapper, draw_overlay, read_image
from blurmapper.images import write_image

PACKAGE = Path(blurmapper.__file__).parent
GAP = 8


def main() -> None:
    """Draw and write."""
    image = read_image(PACKAGE / "assets" / "samples" / "cat.jpg")
    blur_map = BlurMapper()(image)
    grey = np.rint(blur_map * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    gap = np.full((image.shape[0], GAP, 3), 255, np.uint8)
    row = np.hstack([image, gap, grey, gap, draw_overlay(image, blur_map)])
    write_image(row, Path(__file__).parent / "cat.jpg")


if __name__ == "__main__":
    main()
