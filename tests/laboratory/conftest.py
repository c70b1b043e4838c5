"""A made benchmark of known kinds of blur."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from .toys import make_toy_benchmark


@pytest.fixture
def toy_benchmark(tmp_path: Path) -> Path:
    """Six numbered photos, as `make_toy_benchmark` makes them."""
    return make_toy_benchmark(tmp_path / "toy")


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
