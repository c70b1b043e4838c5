"""Very many small photos through `blurmapper map`, killed and gone on with; and large ones.

    python -m benchmarks.many           # on Linux; 50,000 JPEG files of 320 x 240 pixels
    python -m benchmarks.many --large   # 16 PNG files of 100 megapixels, and four with --jobs 1

Of the small ones the network sees 32 x 32 pixels, so that what the chain does is what takes time.
The command is killed (`kill -9`) at equal parts of them, and each time what is there is counted.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from benchmarks.disk import make_folder
from benchmarks.measuring import table
from blurmapper.batch import find_photos

SMALL, LARGE = (240, 320), (8660, 11547)
PAUSE = 0.2


def run(photos: Path, output: Path, options: list[str], kill_at: int | None) -> tuple[float, float]:
    """Map a folder, or kill that at so many lines; return processor seconds and peak megabytes."""
    command = [sys.executable, "-m", "blurmapper", "map", str(photos), "-o", str(output)]
    peak = 0
    with subprocess.Popen([*command, "--quiet", *options]) as process:  # noqa: S603
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            # In `ru_maxrss` the memory of this process would count as the command's.
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            if "VmHWM:" in status:
                peak = max(peak, int(status.partition("VmHWM:")[2].split()[0]))
            if kill_at is not None and count_lines(output) >= kill_at:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(PAUSE)
    _, state, usage = ended
    if state != (0 if kill_at is None else signal.SIGKILL):
        raise RuntimeError(f"the command ended with {state}; see what it printed")
    return usage.ru_utime + usage.ru_stime, peak * 1024 / 1e6


def count_lines(output: Path) -> int:
    """Return how many lines the manifest has."""
    manifest = output / "maps.jsonl"
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


def measure_small(count: int, kills: int) -> str:
    """Return the tables of listing, and of what is there after each kill and in the end."""
    with tempfile.TemporaryDirectory() as temporary:
        photos = make_folder(Path(temporary, "photos"), count, SMALL)
        output, rows = Path(temporary, "maps"), []
        start = time.process_time()
        find_photos([photos])
        seconds = time.process_time() - start
        tracemalloc.start()
        found = find_photos([photos])
        held = tracemalloc.get_traced_memory()[0] / 1e6
        tracemalloc.stop()
        for kill in range(1, kills + 2):
            kill_at = count * kill // (kills + 1) if kill <= kills else None
            usage = run(photos, output, ["--working-side", "32"], kill_at)
            there = [count_lines(output)]
            there += [len([*output.glob(files)]) for files in ("*.blur.png", ".*.part")]
            what = "in the end" if kill_at is None else f"kill {kill}"
            rows.append(
                [what, *(f"{each:,}" for each in there), *(f"{each:,.0f}" for each in usage)]
            )
    headings = ["", "lines", "maps", "unfinished files", "processor seconds", "peak memory, MB"]
    listed = [[f"{len(found):,}", f"{seconds:.2f}", f"{held:.0f}"]]
    listing = table(["photos listed", "processor seconds", "MB"], listed)
    return listing + "\n" + table(headings, rows)


def measure_large(count: int) -> str:
    """Return the table of what large photos take, several at a time and one by one."""
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for photos, jobs in dict.fromkeys([(count, count), (min(count, 4), 1)]):
            folder = make_folder(Path(temporary, f"{photos}-{jobs}"), photos, LARGE, ".png")
            options = ["--jobs", str(jobs)]
            seconds, megabytes = run(folder, Path(temporary, f"maps-{jobs}"), options, None)
            size = max(photo.stat().st_size for photo in folder.iterdir()) / 1e6
            rows.append(
                [f"{photos} of {size:.0f} MB", f"{jobs}", f"{seconds:.0f}", f"{megabytes:,.0f}"]
            )
    return table(["PNG of 100 MP", "`--jobs`", "processor seconds", "peak memory, MB"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if options.large:
        print(measure_large(options.photos or 16))
    else:
        print(measure_small(options.photos or 50_000, options.kills))


if __name__ == "__main__":
    main()
