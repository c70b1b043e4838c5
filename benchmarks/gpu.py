"""Photos a second of the networks in torch on a CUDA device, by size of batch.

    python -m benchmarks.gpu

The networks alone, at 384 x 384, in float32 and in float16 with channels last; the photos are on
the device already. Says so where there is no such device.
"""

from __future__ import annotations

import argparse
import time

import torch

from benchmarks.measuring import table, write_part
from benchmarks.networks import ARCHITECTURES
from blurmapper.training.networks import build_network, predict

BATCHES = (1, 8, 32, 128)


def rate(network: torch.nn.Module, batch: torch.Tensor, seconds: float) -> float:
    """Return photos a second over at least so many seconds, after a first batch."""
    predict(network, batch)
    torch.cuda.synchronize()
    start, batches = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        predict(network, batch)
        torch.cuda.synchronize()
        batches += 1
    return batches * len(batch) / (time.perf_counter() - start)


def measure(seconds: float) -> str:
    """Return the table, or a sentence where there is no device."""
    if not torch.cuda.is_available():
        return "No CUDA device here: `python -m benchmarks.gpu` was not run.\n"
    rows = []
    for name, architecture in ARCHITECTURES.items():
        network = build_network(architecture).eval().cuda()
        for dtype in (torch.float32, torch.float16):
            network = network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            rates = []
            for size in BATCHES:
                batch = torch.randn(size, 3, 384, 384, device="cuda", dtype=dtype)
                batch = batch.contiguous(memory_format=torch.channels_last)
                rates.append(f"{rate(network, batch, seconds):,.0f}")
            rows.append([f"{name}, {str(dtype).partition('.')[2]}", *rates])
    headings = [torch.cuda.get_device_name(), *(f"batch of {size}" for size in BATCHES)]
    return table(headings, rows)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    text = measure(options.seconds)
    print(text)
    write_part("gpu", text)


if __name__ == "__main__":
    main()
