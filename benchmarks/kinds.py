"""Score how well the bundled network tells motion from defocus, where a photo is blurred.

    python benchmarks/kinds.py ../shared/data -o docs/scores/kinds.md

A pixel counts where the truth is blurred and of a known kind. *Right* is the share of such pixels
on the right side of one half, the mean of motion and defocus so that neither's size tells;
*AUC* is how often a pixel in motion gets a higher share of motion than one out of focus.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Sample, read_dataset
from blurmapper.images import ImageArray, read_image
from blurmapper.mapper import BlurMapper
from blurmapper.training.config import Mixture
from blurmapper.training.data import KINDS, PairSource
from blurmapper.training.pairs import DEFOCUSED, MOVED
from blurmapper.training.photos import read_library

PAIRS = 300
SIDE = 384

Kinds = npt.NDArray[np.uint8]
Photo = tuple[ImageArray, Kinds]
"""RGB image, and at each pixel `MOVED`, `DEFOCUSED` or anything else, which is not counted."""


def made_pairs(shared: Path) -> Iterator[Photo]:
    """Yield pairs made of photos that are held out of training."""
    library = read_library(shared / "photos", held_out=True)
    source = PairSource(library, SIDE, 0, Mixture(traced=0, bokeh=0, sharp=0, blurred=0, made=1))
    for index in range(PAIRS):
        pair = source.pair(index)
        yield pair.image, pair.label


def traced_photos(shared: Path) -> Iterator[Photo]:
    """Yield the traced photos that are held out of training."""
    for masked in read_library(shared / "photos", held_out=True).traced:
        truth = read_image(masked.mask)[..., 0]
        yield read_image(masked.photo), np.where(truth > 200, KINDS.get(masked.kind, 0), 0)


def validation_photos(shared: Path) -> Iterator[Photo]:
    """Yield the labelled photos of one kind, and the motion-blurred frames."""
    folder = shared / "validation"
    for name in ("labelled", "motion14"):
        for sample in read_dataset(folder / name):
            kind = MOVED if name == "motion14" else KINDS.get(sample.kind, 0)
            yield _read(sample), np.where(read_image(sample.truth)[..., 0] > 200, kind, 0)


def _read(sample: Sample) -> ImageArray:
    assert sample.photo is not None
    return read_image(sample.photo)


def score(photos: Iterator[Photo], mapper: BlurMapper) -> tuple[int, float, float, float]:
    """Return how many photos counted, and the shares right: of motion, of defocus, and the AUC."""
    motion, defocus, counted = np.zeros(256), np.zeros(256), 0
    for image, kinds in photos:
        maps = mapper.map_kinds(image)
        share = maps.motion / np.maximum(maps.motion + maps.defocus, 1e-6)
        levels = np.rint(share * 255).astype(np.uint8)
        motion += np.bincount(levels[kinds == MOVED], minlength=256)
        defocus += np.bincount(levels[kinds == DEFOCUSED], minlength=256)
        counted += bool(np.isin(kinds, (MOVED, DEFOCUSED)).any())
    motion, defocus = motion / motion.sum(), defocus / defocus.sum()
    auc = float((motion * (defocus.cumsum() - defocus / 2)).sum())
    return counted, float(motion[128:].sum()), float(defocus[:128].sum()), auc


def main() -> None:
    """Score, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--output", "-o", type=Path, default=Path("docs/scores/kinds.md"))
    parser.add_argument("--weights", default="dbm-lite")
    arguments = parser.parse_args()
    weights = arguments.weights
    mapper = BlurMapper(Path(weights) if weights.endswith(".onnx") else weights)
    lines = [
        "| photos | counted | motion right | defocus right | mean | AUC |",
        "|---|---|---|---|---|---|",
    ]
    for name, photos in (
        (f"{PAIRS} pairs made of held-out photos", made_pairs),
        ("traced, held out of training", traced_photos),
        ("`labelled` and `motion14`, never trained on", validation_photos),
    ):
        counted, moved, defocused, auc = score(photos(arguments.shared), mapper)
        mean = (moved + defocused) / 2
        lines.append(
            f"| {name} | {counted} | {moved:.3f} | {defocused:.3f} | {mean:.3f} | {auc:.3f} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
