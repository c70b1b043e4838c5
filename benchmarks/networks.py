"""How fast the bundled networks are beside configuration V in torch, all in one run.

    OMP_NUM_THREADS=2 python benchmarks/networks.py

prints a Markdown table: the median of repeated rounds, in which the contestants take turns, so
that whatever else the machine does falls on all of them. ``--cards`` writes the bundled networks'
times on their cards. Needs the extra ``train``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from blurmapper.backends import OnnxBackend
from blurmapper.training.networks import build_network, predict
from blurmapper.weights import BUNDLED, bundled_card, bundled_names, find_weights, write_card


def contestants(side: int, threads: int) -> dict[str, Callable[[], object]]:
    """Name -> a call that maps one photo of side x side."""
    batch = np.random.default_rng(0).standard_normal((1, 3, side, side)).astype(np.float32)
    tensor = torch.from_numpy(batch)
    torch.set_num_threads(threads)
    calls: dict[str, Callable[[], object]] = {}
    for name in ("configuration-v", "dbm-lite"):
        network = build_network(name).eval()
        calls[f"{name}, torch eager"] = partial(predict, network, tensor)
    for name in ("dbm", "dbm-lite"):
        backend = OnnxBackend(find_weights(name)[1], threads=threads)
        calls[f"{name}, ONNX Runtime"] = partial(backend.run, batch)
    return calls


def measure(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds + 1):
        for name, call in calls.items():
            repeats = 1 if name.startswith(("configuration", "dbm,")) else 10
            call()  # the contestant before has emptied the caches
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            if round_:
                seconds[name].append((time.perf_counter() - start) / repeats)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cards", action="store_true")
    options = parser.parse_args()
    seconds = measure(contestants(options.side, options.threads), options.rounds)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    slowest = medians["configuration-v, torch eager"]
    print(
        f"One photo of {options.side} x {options.side}, {options.threads} threads, "
        f"{options.rounds} rounds\n"
    )
    print("| network | median ms | fastest-slowest ms | times configuration V in torch |")
    print("|---|---|---|---|")
    for name, values in seconds.items():
        low, high = min(values) * 1e3, max(values) * 1e3
        print(
            f"| {name} | {medians[name] * 1e3:.1f} | {low:.1f}-{high:.1f} | "
            f"{slowest / medians[name]:.1f} |"
        )
    if options.cards:
        for name in bundled_names():
            time_ = round(medians[f"{name}, ONNX Runtime"] * 1e3, 1)
            write_card(
                replace(bundled_card(name), milliseconds_384=time_), BUNDLED / f"{name}.json"
            )


if __name__ == "__main__":
    main()
