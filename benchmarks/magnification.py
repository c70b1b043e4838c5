"""Time and memory of `magnify_blur` on a photo of 12 megapixels.

    OMP_NUM_THREADS=2 taskset -c 0,1 python benchmarks/magnification.py

The photo is noise over coarse colours, with lights. Its map is that of a subject before a
background: a disc of 0 with a soft rim, and 1 around it; with ``--slanted`` it climbs from 0 to 1
from left to right, so that every radius is needed everywhere, which costs most.
"""

from __future__ import annotations

import argparse
import resource
import time

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.applications import magnify_blur


def main() -> None:
    """Print the fastest and the median of the repeats, and the most memory that was held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=3000)
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--shape", choices=("disc", "gaussian", "polygon"), default="disc")
    parser.add_argument("--method", choices=("lens", "naive"), default="lens")
    parser.add_argument("--slanted", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    image = make_photo(options.height, options.width)
    blur_map = make_map(options.height, options.width, slanted=options.slanted)
    before, wall, cpu = peak_megabytes(), [], []
    for _ in range(options.repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        magnify_blur(
            *(image, blur_map),
            strength=options.strength,
            shape=options.shape,
            method=options.method,
        )
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    print(
        f"{options.width} x {options.height}, {options.method}, {options.shape}, strength "
        f"{options.strength:g}: {min(wall):.2f} s at best, {np.median(wall):.2f} s median, "
        f"{min(cpu):.2f} s of CPU; {before:.0f} MB before, {peak_megabytes():.0f} MB at most"
    )


def make_photo(height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return RGB uint8 (height, width, 3)."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 160, (30, 40, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    photo = smooth.astype(np.uint8) + rng.integers(0, 40, (height, width, 1), np.uint8)
    for _ in range(200):
        centre = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(photo, centre, 4, (255, 240, 200), -1)
    return np.asarray(photo, np.uint8)


def make_map(height: int, width: int, *, slanted: bool) -> npt.NDArray[np.float32]:
    """Return float32 (height, width): a slope, or a sharp disc with a soft rim."""
    if slanted:
        return np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    ys, xs = np.ogrid[:height, :width]
    distance = np.sqrt((ys - height / 2) ** 2 + (xs - width / 2) ** 2) / height
    return ((distance - 0.3) / 0.03).clip(0, 1).astype(np.float32)


def peak_megabytes() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
