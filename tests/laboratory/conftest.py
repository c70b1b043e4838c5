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


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight photos numbered as CUHK's, 48 x 48, each blurred on its right."""
    folder = tmp_path_factory.mktemp("toy") / "halved"
    rng = np.random.default_rng(0)
    for inner in ("images", "truth"):
        (folder / inner).mkdir(parents=True)
    for number in range(1, 9):
        name = f"{'motion' if number < 4 else 'out_of_focus'}{number:04}"
        photo = rng.integers(0, 256, (48, 48, 3), np.uint8)
        photo[:, 24:] = cv2.GaussianBlur(photo, (0, 0), 4)[:, 24:]
        truth = np.zeros((48, 48), np.uint8)
        truth[:, 24:] = 255
        PIL.Image.fromarray(photo).save(folder / "images" / f"{name}.png")
        PIL.Image.fromarray(truth).save(folder / "truth" / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all these tests keep networks, so that each is trained once."""
    return tmp_path_factory.mktemp("networks")
