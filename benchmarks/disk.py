"""Photos a second through `blurmapper map` from disk, against what decoding alone allows.

    python -m benchmarks.disk

The photos are JPEG files of 12 megapixels made from the package's samples. The rate of the command
is that of further photos: from the time for many, that for one is taken off, so that starting up
does not count. Decoding alone, in as many threads as there are cores, is the limit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.measuring import SAMPLES, Call, medians, table, take_turns, write_part, write_photo
from blurmapper.images import read_image, write_map
from blurmapper.mapper import BlurMapper
from blurmapper.refinement import refine_map

SIZE = (3000, 4000)


def make_folder(
    folder: Path, count: int, size: tuple[int, int] = SIZE, suffix: str = ".jpg"
) -> Path:
    """Fill a folder with photos; files of the same sample are copies."""
    folder.mkdir()
    kinds = min(count, len(SAMPLES))
    made = [write_photo(folder / f"{number}{suffix}", number, *size) for number in range(kinds)]
    for number in range(kinds, count):
        shutil.copyfile(made[number % kinds], folder / f"{number}{suffix}")
    return folder


def run_command(photos: Path, output: Path) -> None:
    """Map a folder of photos with the command."""
    command = [sys.executable, "-m", "blurmapper.cli", "map", str(photos), "-o", str(output)]
    # What an earlier round has written would not be mapped again.
    shutil.rmtree(output, ignore_errors=True)
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603


def decode_all(photos: list[Path], threads: int) -> None:
    """Decode photos and forget them."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda photo: read_image(photo).shape, photos):
            pass


def time_stages(photo: Path, rounds: int) -> list[list[str]]:
    """Return a row for each stage of one photo in a mapper that is warm."""
    mapper, output = BlurMapper(), photo.with_suffix(".png")
    image = read_image(photo)
    reduced = mapper.preprocessing.resize(image)
    coarse_map, blur_map = mapper.map_coarse(reduced), mapper(image)
    stages: dict[str, Call] = {
        "decode the JPEG": partial(read_image, photo),
        "reduce it": partial(mapper.preprocessing.resize, image),
        "the network": partial(mapper.map_coarse, reduced),
        "follow the edges, enlarge": partial(refine_map, image, coarse_map, reduced=reduced),
        "write the PNG": partial(write_map, blur_map, output),
        "file to map, all but the PNG": partial(mapper, photo),
    }
    found = medians(take_turns(stages, rounds, least=0))
    return [[stage, f"{seconds * 1e3:.0f}"] for stage, seconds in found.items()]


def measure(count: int, rounds: int) -> str:
    """Return the tables of stages and of rates."""
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary:
        many = make_folder(Path(temporary, "many"), count + 1)
        one = make_folder(Path(temporary, "one"), 1)
        files, output = sorted(many.iterdir()), Path(temporary, "maps")
        stages = table(["stage", "ms"], time_stages(files[0], rounds))
        calls = {
            "one": partial(run_command, one, output),
            "map": partial(run_command, many, output),
            "decode": partial(decode_all, files[1:], cores),
            "decode on one core": partial(decode_all, files[1:], 1),
        }
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - start)
        megabytes = files[0].stat().st_size / 1e6
    best = {name: min(values) for name, values in seconds.items()}
    rates = {
        f"`blurmapper map`, {cores} cores": count / (best["map"] - best["one"]),
        f"decoding alone, {cores} cores": count / best["decode"],
        "decoding alone, 1 core": count / best["decode on one core"],
    }
    rows = [[name, f"{rate:.1f}"] for name, rate in rates.items()]
    return stages + "\n" + table([f"12 MP JPEG, {megabytes:.1f} MB", "photos a second"], rows)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    text = measure(options.photos, options.rounds)
    print(text)
    write_part("disk", text)


if __name__ == "__main__":
    main()
