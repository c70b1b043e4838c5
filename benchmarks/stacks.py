"""Whether amounts tell, region by region, which of two frames of a focus stack is the sharper.

    python -m benchmarks.stacks STACK [STACK ...]

Each STACK is a folder of frames of one scene, aligned, that differ in where the focus lies. Within
one scene the variance of the Laplacian is a fair judge, where it differs by half or more: the
texture, the light and the camera are the same. Regions are 80 x 80 pixels.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.measuring import table
from blurmapper.amounts import CELL, measure_amounts
from blurmapper.images import read_image

REGION = 5
"""Cells along a region's side."""

CLEAR = 1.5
"""The ratio of variances from which one frame is the sharper for sure."""

LEAST = 1.0
"""The variance of the sharper, in squared grey values, below which it is but the noise of JPEG."""

KNOWN = 8
"""Cells of a region, of twenty-five, that must have a figure."""

Grid = npt.NDArray[np.float64]


class Frame(NamedTuple):
    """A frame's regions: median sigma, NaN where too few cells have one, and the judge's figure."""

    sigma: Grid
    sharpness: Grid


def main() -> None:
    """Print a row for each stack."""
    parser = argparse.ArgumentParser(description="Compare amounts within focus stacks.")
    parser.add_argument("stacks", type=Path, nargs="+", metavar="STACK")
    rows = []
    for stack in parser.parse_args().stacks:
        frames = [measure_frame(path) for path in sorted(stack.iterdir())]
        clear, told, right = np.sum(
            [compare(*pair) for pair in itertools.combinations(frames, 2)], 0
        )
        rows.append(
            [stack.name, str(len(frames)), str(clear), f"{told / clear:.0%}", f"{right / told:.1%}"]
        )
    print(table(["stack", "frames", "pairs of regions", "told", "of these right"], rows))


def measure_frame(path: Path) -> Frame:
    """Return the figures of each whole region of a frame."""
    image = read_image(path)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    contrast = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_64F)
    sigma = _regions(measure_amounts(image).sigma.astype(np.float64), REGION)
    few = np.isfinite(sigma).sum(-1) < KNOWN
    medians = np.nanmedian(np.where(few[..., np.newaxis], 0.0, sigma), axis=-1)
    return Frame(
        np.where(few, np.nan, medians),
        _regions(np.asarray(contrast, np.float64), REGION * CELL).var(-1),
    )


def compare(one: Frame, other: Frame) -> tuple[int, int, int]:
    """Return how many regions differ clearly, how many sigma has an answer for, how many right."""
    rows, columns = (min(sides) for sides in zip(one.sigma.shape, other.sigma.shape, strict=True))
    part = slice(rows), slice(columns)
    # Frames that were aligned are black beyond their borders.
    sharp = np.maximum([one.sharpness[part], other.sharpness[part]], 1e-9)
    ratio = sharp[0] / sharp[1]
    clear = (np.abs(np.log(ratio)) > np.log(CLEAR)) & (sharp.max(axis=0) > LEAST)
    told = clear & np.isfinite(one.sigma[part] + other.sigma[part])
    right = told & ((one.sigma[part] < other.sigma[part]) == (ratio > 1))
    return int(clear.sum()), int(told.sum()), int(right.sum())


def _regions(values: Grid, side: int) -> Grid:
    """Return what each whole square of `side` holds, (h, w, side * side)."""
    rows, columns = values.shape[0] // side, values.shape[1] // side
    whole = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.transpose(0, 2, 1, 3).reshape(rows, columns, side * side)


if __name__ == "__main__":
    main()
