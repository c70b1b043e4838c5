"""Record what each classical method answers on made photos: `python tests/baselines/record.py`.

Run it when a method is meant to answer otherwise, look at the difference, and commit both.
``recorded.json`` then holds, by method and photo, the means of the map's blocks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.methods import METHODS, get_method

RECORDED = Path(__file__).with_name("recorded.json")
HEIGHT, WIDTH = 96, 128
BLOCK = 16

BASELINES = [name for name, method in METHODS.items() if method.kind == "baseline"]

Photo = npt.NDArray[np.uint8]


def make_photos() -> dict[str, Photo]:
    """Return photos (96, 128, 3) of texture, the right half of each blurred, by kind of blur."""
    motion = np.full((1, 11), 1 / 11, np.float32)
    return {
        "defocus": _blur_right(make_texture(), lambda photo: cv2.GaussianBlur(photo, (0, 0), 2.5)),
        "motion": _blur_right(make_texture(), lambda photo: cv2.filter2D(photo, -1, motion)),
    }


def make_texture() -> npt.NDArray[np.float32]:
    """Return coloured cards on one another, each with a grain of its own, as sharp as optics."""
    rng = np.random.default_rng(7)
    photo = np.full((HEIGHT, WIDTH, 3), 110.0, np.float32)
    for _ in range(220):
        top, left = rng.integers(-8, HEIGHT), rng.integers(-8, WIDTH)
        down, right = (slice(max(p, 0), p + rng.integers(6, 26)) for p in (top, left))
        card = photo[down, right]
        grain = rng.normal(0, rng.uniform(0, 30), (*card.shape[:2], 1))
        card[:] = rng.uniform(20, 235, 3) + grain
    return cv2.GaussianBlur(photo, (0, 0), 0.5)


def _blur_right(
    sharp: npt.NDArray[np.float32],
    blur: Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]],
) -> Photo:
    photo = sharp.copy()
    photo[:, WIDTH // 2 :] = blur(sharp)[:, WIDTH // 2 :]
    noise = np.random.default_rng(8).normal(0, 1, photo.shape)
    return np.rint(photo + noise).clip(0, 255).astype(np.uint8)


def block_means(blur_map: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the means of a map's blocks of 16 x 16 pixels."""
    blocks = blur_map.astype(np.float64).reshape(HEIGHT // BLOCK, BLOCK, WIDTH // BLOCK, BLOCK)
    return blocks.mean(axis=(1, 3))


def main() -> None:
    """Write the file anew."""
    photos = make_photos()
    recorded = {
        name: {
            kind: block_means(get_method(name)(photo)).round(4).tolist()
            for kind, photo in photos.items()
        }
        for name in BASELINES
    }
    lines = [f'  "{name}": {json.dumps(values)}' for name, values in recorded.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
