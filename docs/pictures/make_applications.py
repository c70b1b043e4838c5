"""Draw the pictures of docs/applications.md from the sample photos.

python docs/pictures/make_applications.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

import blurmapper
from blurmapper import BlurMapper, read_image
from blurmapper.applications import cut_out, magnify_blur, segment_blur
from blurmapper.images import ImageArray, write_image

SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"
HERE = Path(__file__).parent
GAP = 8
GROUND = (46, 139, 87)


def main() -> None:
    """Draw and write."""
    mapper = BlurMapper()
    cat = read_image(SAMPLES / "cat.jpg")
    cat_map = mapper(cat)
    mask = np.uint8(255) * segment_blur(cat, cat_map)
    write_row(
        "segmentation.jpg", cat, as_grey(cat_map), as_rgb(mask), on_ground(cut_out(cat, cat_map))
    )
    coffee = read_image(SAMPLES / "coffee.jpg")
    coffee_map = mapper(coffee)
    write_row(
        "magnification.jpg",
        coffee,
        as_grey(coffee_map),
        magnify_blur(coffee, coffee_map, strength=1.5, method="naive"),
        magnify_blur(coffee, coffee_map, strength=1.5),
    )


def write_row(name: str, *pictures: ImageArray) -> None:
    """Write pictures side by side."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    write_image(np.hstack(parts), HERE / name)


def as_grey(blur_map: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return a map as an RGB picture."""
    return as_rgb(np.rint(blur_map * 255).astype(np.uint8))


def as_rgb(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a grey picture as RGB."""
    return grey[..., np.newaxis].repeat(3, axis=2)


def on_ground(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a cutout on a ground of one colour."""
    alpha = rgba[..., 3:] / 255
    return np.rint(rgba[..., :3] * alpha + (1 - alpha) * GROUND).astype(np.uint8)


if __name__ == "__main__":
    main()
