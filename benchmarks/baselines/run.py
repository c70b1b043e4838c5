"""How much faster the classical methods are than written out pixel by pixel, all in one run.

    OMP_NUM_THREADS=1 python benchmarks/baselines/run.py

prints a Markdown table of computing time a pixel, of all cores together. The plain versions beside
this file get a small crop, since most take milliseconds a pixel; theirs is linear in the pixels at
best, so the ratio does not flatter. The two take turns and the least time counts, so that whatever
else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import runpy
import time
from collections.abc import Callable
from pathlib import Path

from blurmapper.images import ImageArray
from blurmapper.laboratory.times import crop_samples
from blurmapper.methods import METHODS, get_method

HERE = Path(__file__).parent


def microseconds_a_pixel(method: Callable[[ImageArray], object], photo: ImageArray) -> float:
    start = time.process_time()
    method(photo)
    seconds = time.process_time() - start
    return 1e6 * seconds / photo[..., 0].size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=384, help="of the photo")
    parser.add_argument("--small", type=int, default=32, help="side of the plain versions' crop")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    (photo,) = crop_samples(1, options.side)
    middle = slice((options.side - options.small) // 2, (options.side + options.small) // 2)
    crop = photo[middle, middle].copy()
    print("| method | by the book, us/pixel | ours, us/pixel | ratio |")
    print("|---|---:|---:|---:|")
    for name in METHODS:
        book = HERE / f"{name}.py"
        if not book.exists():
            continue
        plain, fast = runpy.run_path(str(book))["by_the_book"], get_method(name)
        fast(photo)  # compiles
        rounds = [
            (microseconds_a_pixel(plain, crop), microseconds_a_pixel(fast, photo))
            for _ in range(options.rounds)
        ]
        slow, quick = (min(times) for times in zip(*rounds, strict=True))
        print(f"| {name} | {slow:.0f} | {quick:.2f} | {slow / quick:.0f} |", flush=True)


if __name__ == "__main__":
    main()
