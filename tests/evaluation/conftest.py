"""A benchmark of four photos, laid out as CUHK's, with finished maps of two tools."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

NAMES = ("motion0001", "motion0002", "out_of_focus0003", "out_of_focus0004")


@pytest.fixture
def benchmark_folder(tmp_path: Path) -> Path:
    """``image/`` and ``gt/``, and two folders of maps.

    ``soft/`` is the truth with soft edges, white = blurred; ``rough/`` is noisier, and white
    where it is sharp.
    """
    rng = np.random.default_rng(0)
    for inner in ("image", "gt", "soft", "rough"):
        (tmp_path / inner).mkdir()
    for number, name in enumerate(NAMES):
        truth = np.zeros((32, 48), np.float32)
        truth[:, 10 + 8 * number :] = 1
        texture = rng.integers(0, 256, (32, 48, 3), np.uint8)
        photo = np.where(truth[..., None] > 0, cv2.GaussianBlur(texture, (0, 0), 4), texture)
        soft = cv2.GaussianBlur(truth, (0, 0), 2)
        rough = (soft + rng.normal(0, 0.3, truth.shape)).clip(0, 1)
        PIL.Image.fromarray(photo).save(tmp_path / "image" / f"{name}.png")
        for inner, grey in (("gt", truth), ("soft", soft), ("rough", 1 - rough)):
            pixels = np.rint(255 * grey).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / inner / f"{name}.png")
    return tmp_path
