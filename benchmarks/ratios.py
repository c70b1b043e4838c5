"""What blurmapper adds to what it cannot do without, as ratios of turns in one run.

    python -m benchmarks.ratios

- a call on an array of 384 x 384, to the network alone, with one thread and with two;
- further 12-megapixel JPEG files of a folder, to decoding them alone;
- `blurmapper map` of one photo, starting included, to importing ONNX Runtime and OpenCV.

Ratios of medians, of the least, and of processor time, which another's load moves least.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.disk import decode_all, make_folder, run_command
from benchmarks.measuring import Call, cpu_seconds, make_photo, table, write_part, write_photo
from blurmapper.backends import OnnxBackend
from blurmapper.mapper import BlurMapper
from blurmapper.weights import find_weights

IMPORTS = ["-c", "import onnxruntime, cv2"]

Spent = tuple[float, float]
"""Seconds on the clock, and of processors."""


def time_both(call: Callable[[], object]) -> Spent:
    """Return what a call takes, its threads and processes with it."""
    start, before = time.perf_counter(), cpu_seconds()
    call()
    return time.perf_counter() - start, cpu_seconds() - before


def compare(*calls: Call, rounds: int) -> list[list[Spent]]:
    """Return what each call took, in turns after one of each that does not count."""
    for call in calls:
        call()
    turns = [[time_both(call) for call in calls] for _ in range(rounds)]
    return [list(spent) for spent in zip(*turns, strict=True)]


def to_row(name: str, one: list[Spent], other: list[Spent]) -> list[str]:
    """Return a row: the medians in milliseconds, and ratios by median, least and processor."""
    times = [[turn[0] for turn in turns] for turns in (one, other)]
    spent = [statistics.median(turn[1] for turn in turns) for turns in (one, other)]
    middle = [statistics.median(values) for values in times]
    least = [min(values) for values in times]
    ratios = [f"{pair[0] / pair[1]:.2f}" for pair in (middle, least, spent)]
    return [name, *(f"{1e3 * seconds:.0f}" for seconds in middle), *ratios]


def measure(rounds: int, photos: int) -> str:
    """Return the table of ratios."""
    rows = []
    image = make_photo(0, 384, 384)
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        backend = OnnxBackend(find_weights("dbm-lite")[1], threads=threads)
        mapper = BlurMapper(backend=backend)
        batch = mapper.preprocessing.normalise(np.asarray(image))
        pair = compare(partial(mapper, image), partial(backend.run, batch), rounds=10 * rounds)
        rows.append(to_row(f"call at 384 x 384 / network, threads: {threads}", *pair))
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary:
        many = make_folder(Path(temporary, "many"), photos + 1)
        alone = make_folder(Path(temporary, "one"), 1)
        files, output = sorted(many.iterdir()), Path(temporary, "maps")
        every, first, decoded = compare(
            partial(run_command, many, output),
            partial(run_command, alone, output),
            partial(decode_all, files[1:], cores),
            rounds=rounds,
        )
        further = [(a[0] - b[0], a[1] - b[1]) for a, b in zip(every, first, strict=True)]
        rows.append(to_row(f"{photos} more JPEG files of 12 MP / decoding", further, decoded))
        for size in ((384, 384), (3000, 4000)):
            photo = write_photo(Path(temporary, "photo.jpg"), 0, *size)
            command = ["-m", "blurmapper.cli", "map", str(photo), "-o", str(output), "--redo"]
            run = partial(subprocess.run, check=True, capture_output=True)
            pair = compare(
                partial(run, [sys.executable, *command]),
                partial(run, [sys.executable, *IMPORTS]),
                rounds=2 * rounds,
            )
            rows.append(to_row(f"`map` of one photo of {size[1]} x {size[0]} / imports", *pair))
    headings = ["", "ms", "to ms", "by medians", "by the least", "of processor time"]
    load = os.getloadavg()[0]
    return table(headings, rows) + f"\nThe load of the machine, of {cores} cores, was {load:.0f}.\n"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=int, default=20)
    options = parser.parse_args()
    text = measure(options.rounds, options.photos)
    print(text)
    write_part("ratios", text)


if __name__ == "__main__":
    main()
