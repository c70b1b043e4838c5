"""How fast the bundled networks are beside configuration V in torch, all in one run.

    python -m benchmarks.networks

prints Markdown tables of medians over rounds, in which the contestants take turns, so that
whatever else the machine does falls on all of them: a network alone on a batch of one
photo of 384 x 384, and whole photos, from array to map. ``--cards`` writes the bundled networks'
times on their cards. Needs the extras ``train`` and ``openvino``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.measuring import make_photo, medians, table, take_turns, write_part
from benchmarks.quantisation import quantise
from blurmapper.backends import Backend, OnnxBackend, OpenVinoBackend
from blurmapper.mapper import BlurMapper
from blurmapper.training.networks import build_network, predict
from blurmapper.weights import BUNDLED, bundled_card, bundled_names, find_weights, write_card

SLOWEST = "dbm, torch eager"
"""What all ratios are to: configuration V in torch."""

SHIPPED = "ONNX Runtime float32"
"""What maps photos unless another backend is asked for."""

SIZES = {"384 x 384": (384, 384), "1 MP": (1000, 1000), "24 MP": (4000, 6000)}

ARCHITECTURES = {"dbm": "configuration-v", "dbm-lite": "dbm-lite"}


class TorchBackend:
    """A network in torch as a backend; its weights are random, which takes the same time."""

    def __init__(self, architecture: str) -> None:
        self._network = build_network(architecture).eval()

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return blur maps (N, 1, H, W) in [0, 1] for normalised photos (N, 3, H, W)."""
        return predict(self._network, torch.from_numpy(batch)).numpy()

    def run_kinds(
        self, batch: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the blur maps twice: nothing here asks for the kinds of blur."""
        return self.run(batch), self.run(batch)


def contestants(threads: int) -> dict[str, Backend]:
    """Return every way of running the two networks, by its name in the tables."""
    torch.set_num_threads(threads)
    backends: dict[str, Backend] = {}
    for name, architecture in ARCHITECTURES.items():
        path, eight_bits = find_weights(name)[1], quantise(name)
        backends |= {
            f"{name}, torch eager": TorchBackend(architecture),
            f"{name}, {SHIPPED}": OnnxBackend(path, threads=threads),
            f"{name}, ONNX Runtime int8": OnnxBackend(eight_bits, threads=threads),
            f"{name}, OpenVINO float32": OpenVinoBackend(path, threads=threads),
            f"{name}, OpenVINO bfloat16": OpenVinoBackend(
                path, threads=threads, precision="bfloat16"
            ),
            f"{name}, OpenVINO int8": OpenVinoBackend(eight_bits, threads=threads),
        }
    return backends


def time_networks(backends: dict[str, Backend], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each network alone on one photo of 384 x 384."""
    batch = np.random.default_rng(0).standard_normal((1, 3, 384, 384)).astype(np.float32)
    return take_turns({name: partial(b.run, batch) for name, b in backends.items()}, rounds)


def time_photos(
    backends: dict[str, Backend], rounds: int, size: tuple[int, int]
) -> dict[str, float]:
    """Return the median seconds of each from a photo as an array to its refined map."""
    photo = make_photo(0, *size)
    mappers = {
        name: BlurMapper(name.partition(",")[0], backend=backend)
        for name, backend in backends.items()
    }
    calls = {name: partial(mapper, photo) for name, mapper in mappers.items()}
    return medians(take_turns(calls, rounds))


def measure(threads: int, rounds: int, *, cards: bool = False) -> str:
    """Return the table, and write the times on the cards where asked to."""
    backends = contestants(threads)
    seconds = time_networks(backends, rounds)
    alone = medians(seconds)
    photos = {
        name: time_photos(backends, max(3, rounds // 3), size) for name, size in SIZES.items()
    }
    rows = [
        [
            name,
            f"{alone[name] * 1e3:.1f}",
            f"{min(seconds[name]) * 1e3:.1f}",
            f"{alone[SLOWEST] / alone[name]:.1f}",
            *(f"{photos[size][name] * 1e3:.0f}" for size in SIZES),
        ]
        for name in backends
    ]
    if cards:
        for name in bundled_names():
            milliseconds = round(alone[f"{name}, {SHIPPED}"] * 1e3, 1)
            card = replace(bundled_card(name), milliseconds_384=milliseconds)
            write_card(card, BUNDLED / f"{name}.json")
    headings = [
        "network and what runs it",
        "384 x 384, ms",
        "fastest",
        "times faster",
        *(f"photo of {size}, ms" for size in SIZES),
    ]
    return table(headings, rows)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cards", action="store_true")
    options = parser.parse_args()
    text = measure(options.threads, options.rounds, cards=options.cards)
    print(text)
    write_part("networks", text)


if __name__ == "__main__":
    main()
