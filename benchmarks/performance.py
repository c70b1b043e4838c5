"""Every measurement of docs/performance.md but the precision's, in one run on a quiet machine.

    python -m benchmarks.performance

Writes the tables into the page, and where and when they were measured. Takes six minutes on two
cores. Accuracy does not depend on the machine's mood: `benchmarks.quantisation` measures that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import onnxruntime
import openvino
import torch

from benchmarks import command, disk, gpu, networks, ratios
from benchmarks.measuring import write_part
from blurmapper.laboratory.provenance import describe_machine

PARTS: dict[str, Callable[[], str]] = {
    "networks": partial(networks.measure, threads=2, rounds=9, cards=True),
    "disk": partial(disk.measure, count=20, rounds=3),
    "ratios": partial(ratios.measure, rounds=5, photos=20),
    "command": partial(command.measure, repeats=7),
    "gpu": partial(gpu.measure, seconds=2),
}


def describe_run() -> str:
    """Return where, when and with what it was measured, in a sentence."""
    machine = describe_machine()
    versions = (
        f"torch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, "
        f"OpenVINO {openvino.__version__.partition('-')[0]}"
    )
    return (
        f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}, {machine['processor']}, "
        f"{machine['cores']} cores, {machine['system']}, {versions}.\n"
    )


def main() -> None:
    """Measure, print and write one part after the other."""
    write_part("run", describe_run())
    for name, measure in PARTS.items():
        start = time.perf_counter()
        text = measure()
        write_part(name, text)
        print(f"{text}\n({name}: {time.perf_counter() - start:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
