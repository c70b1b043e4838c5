"""What the command costs in a process of its own: time to start, and memory by size of photo.

    python -m benchmarks.command

Times are the least of several; memory is the most that was resident at once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import table, write_part, write_photo

STARTS = {
    "`python -c pass`": ["-c", "pass"],
    "`import blurmapper`": ["-c", "import blurmapper"],
    "`blurmapper --version`": ["-m", "blurmapper.cli", "--version"],
    "`blurmapper map --help`": ["-m", "blurmapper.cli", "map", "--help"],
}

MAPS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "384 x 384": (384, 384, ()),
    "1 MP": (1000, 1000, ()),
    "12 MP": (3000, 4000, ()),
    "24 MP": (4000, 6000, ()),
    "24 MP, `--amount`": (4000, 6000, ("--amount",)),
    "100 MP": (8660, 11547, ()),
}

# A process starts with the memory of its parent counted as its own, so the parent must be small.
WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def watch(arguments: list[str]) -> tuple[float, float]:
    """Return the seconds and the peak megabytes of a Python process."""
    start = time.perf_counter()
    watched = [sys.executable, "-c", WATCH, sys.executable, *arguments]
    done = subprocess.run(watched, check=True, capture_output=True, text=True)  # noqa: S603
    return time.perf_counter() - start, float(done.stdout) / 1e6


def measure(repeats: int) -> str:
    """Return the tables of starting and of memory."""
    starts: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(repeats):
        for name, arguments in STARTS.items():
            start = time.perf_counter()
            subprocess.run(  # noqa: S603
                [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL
            )
            starts[name].append(time.perf_counter() - start)
    rows = [[name, f"{min(seconds) * 1e3:.0f}"] for name, seconds in starts.items()]
    text = table(["starting", "ms"], rows)
    with tempfile.TemporaryDirectory() as temporary:
        folder, rows = Path(temporary), []
        for name, (height, width, options) in MAPS.items():
            photo = write_photo(folder / "photo.jpg", 0, height, width)
            command = ["-m", "blurmapper.cli", "map", str(photo), "-o", str(folder / "maps")]
            runs = [watch([*command, "--redo", *options]) for _ in range(3)]
            seconds, megabytes = min(run[0] for run in runs), max(run[1] for run in runs)
            rows.append([name, f"{seconds:.2f}", f"{megabytes:,.0f}"])
    headings = ["`blurmapper map` of one JPEG", "s, starting included", "peak memory, MB"]
    return text + "\n" + table(headings, rows)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    text = measure(options.repeats)
    print(text)
    write_part("command", text)


if __name__ == "__main__":
    main()
