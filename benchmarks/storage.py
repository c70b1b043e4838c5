"""What weights stored in 8 bits change: how far maps move, the scores, loading and running.

    python -m benchmarks.storage ../shared/data runs/weights/dbm.onnx

The second argument is an export in 16 bits, its card beside it. `blurmapper export --bits 8` is
run on it, and both are mapped with: on the validation sets, and on the half of the CUHK benchmark
that may be trained on (``cuhk`` in the folder of data), never on the other. Times are of one
thread, in turns. The table goes to ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measuring import Call, table, take_turns, write_part
from benchmarks.quantisation import compare
from benchmarks.score_weights import SETS
from blurmapper.backends import Backend, OnnxBackend
from blurmapper.datasets import SAMPLES, read_dataset
from blurmapper.splits import select_split
from blurmapper.training.export import export_checkpoint
from blurmapper.weights import find_weights

STORED = ("16 bits", "8 bits")


def measure_times(paths: tuple[Path, Path], rounds: int) -> str:
    """Return the table of sizes and of the least times, on 384 x 384 pixels."""
    batch = np.random.default_rng(0).uniform(-100, 100, (1, 3, 384, 384)).astype(np.float32)
    calls: dict[str, Call] = {}
    for stored, path in zip(STORED, paths, strict=True):
        backend = OnnxBackend(path, threads=1)
        calls[f"load {stored}"] = partial(OnnxBackend, path, threads=1)
        calls[f"run {stored}"] = partial(backend.run, batch)
    least = {name: min(seconds) for name, seconds in take_turns(calls, rounds, least=0).items()}
    rows = [
        [
            stored,
            f"{path.stat().st_size / 1e6:.1f}",
            f"{1e3 * least[f'load {stored}']:.0f}",
            f"{1e3 * least[f'run {stored}']:.0f}",
        ]
        for stored, path in zip(STORED, paths, strict=True)
    ]
    return table(["weights in", "MB", "load, ms", "384 x 384, ms"], rows)


def main() -> None:
    """Store, measure, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="holds validation and cuhk")
    parser.add_argument("weights", type=Path, help="an .onnx in 16 bits, with its card")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    before = find_weights(options.weights)[1]
    with tempfile.TemporaryDirectory() as folder:
        after = export_checkpoint(before, Path(folder), SAMPLES, bits=8)
        text = measure_times((before, after), options.rounds)
        print(text, flush=True)
        backends: dict[str, Backend] = {
            stored: OnnxBackend(path, threads=1)
            for stored, path in zip(STORED, (before, after), strict=True)
        }
        sets = {name: read_dataset(options.data / "validation" / name) for name in SETS}
        sets["CUHK, odd half"] = select_split(read_dataset(options.data / "cuhk"), "odd")
        headings = ["photos", "ODS, 16 bits", "ODS, 8 bits", "map moved by"]
        scores = table(headings, compare(options.weights, backends, sets))
    print(scores)
    write_part("storage", f"{text}\n{scores}")


if __name__ == "__main__":
    main()
