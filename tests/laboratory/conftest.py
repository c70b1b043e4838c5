"""A made benchmark of known kinds of blur."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

KINDS = ("motion", "defocus", "motion", "defocus", "defocus", "defocus")


@pytest.fixture
def toy_benchmark(tmp_path: Path) -> Path:
    """Six numbered photos, 64 x 96, as the open benchmark is laid out: each blurred on its right.

    In the left half there is a flat surface too, sharp by its truth. Of photo k, from 1,
    48 - 6 k columns are sharp.
    """
    folder = tmp_path / "toy"
    rng = np.random.default_rng(0)
    for inner in ("images", "truth"):
        (folder / inner).mkdir(parents=True)
    lines = ["photo,kind,confidence"]
    for number, kind in enumerate(KINDS, 1):
        name = f"{kind}{number:04}"
        lines.append(f"{name},{kind},3")
        texture = rng.integers(0, 256, (64, 96, 3), np.uint8)
        texture[40:, :24] = 128
        truth = np.zeros((64, 96), np.uint8)
        truth[:, 48 - 6 * number :] = 255
        blurred = cv2.GaussianBlur(texture, (0, 0), 4)
        photo = np.where(truth[..., None] > 0, blurred, texture)
        PIL.Image.fromarray(photo).save(folder / "images" / f"{name}.png")
        PIL.Image.fromarray(truth).save(folder / "truth" / f"{name}.png")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n")
    return folder
