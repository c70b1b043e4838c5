"""Time scoring: maps and masks read, counted and scored, beside scikit-learn on the same pixels.

    python -m benchmarks.scoring --maps 500 --processes 2

The maps are made here: smooth fields of 640 x 427 with noise, stored as 8-bit PNG files, as hard
to read and as full of levels as those of published methods.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image

from benchmarks.measuring import cpu_seconds
from blurmapper.datasets import Sample, read_dataset, read_truth
from blurmapper.evaluation.benchmark import Entry, run_benchmark
from blurmapper.evaluation.boundary import boundary_counts
from blurmapper.evaluation.counts import image_counts
from blurmapper.evaluation.maps import read_any_map
from blurmapper.evaluation.scores import score_paper

HEIGHT, WIDTH = 427, 640
REFERENCE_MAPS = 10


def main() -> None:
    """Print a table of times; of CPU time too, since other work may share the cores."""
    parser = argparse.ArgumentParser(description="Time the scoring of maps.")
    parser.add_argument("--maps", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_maps(folder, arguments.maps)
        samples = read_dataset(folder)
        entry = Entry("maps", maps=folder / "maps")
        print(f"{arguments.maps} maps of {WIDTH} x {HEIGHT}, {arguments.processes} processes")
        report(
            "read, count and score all (with edges)",
            lambda _: score_paper(
                run_benchmark(entry, samples, folder / "out", processes=arguments.processes).counts
            ),
        )
        print("one map, in this process")
        time_one_map(folder, samples)


def time_one_map(folder: Path, samples: list[Sample]) -> None:
    """Print the mean times of the steps, over a few maps."""
    from sklearn.metrics import precision_recall_curve

    few = samples[:REFERENCE_MAPS]
    maps = [read_any_map(folder / "maps" / f"{sample.name}.png") for sample in few]
    truths = [read_truth(sample)[0] for sample in few]
    steps: dict[str, Callable[[int], Any]] = {
        "read map and mask": lambda k: (
            read_any_map(folder / "maps" / f"{few[k].name}.png"),
            read_truth(few[k]),
        ),
        "image_counts": lambda k: image_counts(maps[k], truths[k]),
        "boundary_counts": lambda k: boundary_counts(maps[k], truths[k]),
        "scikit-learn precision_recall_curve": lambda k: precision_recall_curve(
            truths[k].ravel(), maps[k].ravel()
        ),
    }
    for name, step in steps.items():
        report(name, step, len(few))


def report(name: str, action: Callable[[int], Any], repeats: int = 1) -> None:
    """Print wall and CPU time of an action, children included, as a mean over its repeats."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    for k in range(repeats):
        action(k)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    scale, unit = (1, "s") if repeats == 1 else (1000 / repeats, "ms")
    print(f"  {name:40} {wall * scale:8.2f} {unit} wall {cpu * scale:8.2f} {unit} CPU")


def make_maps(folder: Path, number: int) -> None:
    """Write masks and maps, as many files as asked for of some that differ."""
    (folder / "gt").mkdir()
    (folder / "maps").mkdir()
    rng = np.random.default_rng(0)
    for k in range(number):
        field = cv2.resize(rng.random((8, 12), np.float32), (WIDTH, HEIGHT))
        noisy = cv2.GaussianBlur(field + rng.normal(0, 0.3, field.shape), (0, 0), 3).clip(0, 1)
        for inner, grey in (("gt", field > 0.4), ("maps", noisy)):
            pixels = np.rint(255 * grey.astype(np.float32)).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(folder / inner / f"{k:04}.png")


if __name__ == "__main__":
    main()
