"""A folder of training photos small enough for tests, shaped like the real one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.training.pairs import Material

torch = pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")

SIDE = 64


def texture(seed: int, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """A photo of fine detail, uint8 (side, side, 3)."""
    fine = np.random.default_rng(seed).integers(0, 256, (side // 2, side // 2, 3), np.uint8)
    return fine.repeat(2, axis=0).repeat(2, axis=1)


def disc(side: int = SIDE) -> npt.NDArray[np.uint8]:
    """The mask of a round subject amid the photo."""
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), side // 4, 255, -1)
    return mask


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photos of each kind, so that some of each are held out."""
    root = tmp_path_factory.mktemp("photos")
    for folder in ("images", "subjects", "traced/images", "traced/truth"):
        (root / folder).mkdir(parents=True)
    rows, traced = [], []
    for number in range(40):
        for use in ("sharp", "bokeh", "blurred"):
            name = f"{use}{number}"
            rows.append(f"{name},{use}")
            cv2.imwrite(str(root / "images" / f"{name}.jpg"), texture(number))
            if use == "bokeh":
                cv2.imwrite(str(root / "subjects" / f"{name}.webp"), disc())
        name = f"hand{number}"
        traced.append(name)
        cv2.imwrite(str(root / "traced/images" / f"{name}.jpg"), texture(number))
        cv2.imwrite(str(root / "traced/truth" / f"{name}.png"), disc())
    (root / "photos.csv").write_text("\n".join(["photo,use", *rows, ""]))
    (root / "traced/photos.csv").write_text("\n".join(["photo", *traced, ""]))
    return root


@pytest.fixture
def config(photos: Path, tmp_path: Path) -> Path:
    """A config of six steps on those photos, which goes to ``run``."""
    path = tmp_path / "tiny.toml"
    path.write_text(
        f'architecture = "configuration-i"\nphotos = "{photos}"\noutput = "{tmp_path / "run"}"\n'
        "side = 32\nbatch = 2\niterations = 6\nworkers = 0\nthreads = 1\nprecision = 'fp32'\n"
        "rate = 1e-4\naverage = 0.9\nscore_every = 1000\ncheckpoint_every = 3\n"
    )
    return path


@pytest.fixture
def material() -> Material:
    """A sharp photo with a subject amid it, and another photo's subject."""
    alpha = disc(96).astype(np.float32) / 255.0
    return Material(texture(1, 96), alpha, texture(2, 96), np.roll(alpha, 20, axis=1))
