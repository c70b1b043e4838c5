"""What reading JPEG files in part saves, and what it does to maps.

    python -m benchmarks.decoding --data FOLDER

Times are of the processor, of reading and of the whole way to the files of a map, for JPEG files
made from the package's samples, read whole and as `blurmapper map` reads them. Scores are of
labelled photos (a data-set folder as `blurmapper evaluate` takes it), enlarged six times and
written as JPEG, whose maps are reduced to the truth's size: the photos hold no detail that
enlarging did not make up, but what the network sees of them comes by the same two ways.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from benchmarks.measuring import table, write_photo
from blurmapper.batch import MapTask, read_for
from blurmapper.datasets import read_dataset, read_truth
from blurmapper.evaluation.counts import ImageCounts, image_counts
from blurmapper.evaluation.scores import score_paper
from blurmapper.images import BlurMap, encode_map, read_image
from blurmapper.mapper import BlurMapper
from blurmapper.refinement import enlarge_map

SIZES = {"12 MP": (3000, 4000), "24 MP": (4000, 6000), "100 MP": (8660, 11547)}
ENLARGED = 6


def time_processor(call: Callable[[], object]) -> float:
    """Return seconds of processor time of a call, in all threads."""
    start = time.process_time()
    call()
    return time.process_time() - start


def map_whole(mapper: BlurMapper, path: Path) -> bytes:
    """Return the content of the file of a photo's map, the photo read whole."""
    return encode_map(mapper(read_image(path)), ".png")


def map_part(mapper: BlurMapper, path: Path) -> Mapping[str, bytes]:
    """Return the same as `blurmapper map` makes it."""
    with path.open("rb") as photo:
        return MapTask("").work(mapper, photo, str(path)).files


def measure_times(mapper: BlurMapper, rounds: int) -> str:
    """Return the table of times, the least of each in some rounds that take turns."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            photo = write_photo(Path(folder, "photo.jpg"), 0, *size)
            part = read_for(mapper, photo).image.shape
            calls: dict[str, Callable[[], object]] = {
                "read whole": partial(read_image, photo),
                "read in part": partial(read_for, mapper, photo),
                "map whole": partial(map_whole, mapper, photo),
                "map in part": partial(map_part, mapper, photo),
            }
            seconds = {call: float("inf") for call in calls}
            for _ in range(rounds):
                for call, run in calls.items():
                    seconds[call] = min(seconds[call], time_processor(run))
            rows.append([name, f"{part[1]} x {part[0]}", *(f"{s:.2f}" for s in seconds.values())])
    headings = ["JPEG", "read as", *(f"{call}, s" for call in calls)]
    return table(headings, rows)


def map_both(path: Path, mapper: BlurMapper) -> tuple[BlurMap, BlurMap]:
    """Return a photo's map read whole, and read in part."""
    photo = read_for(mapper, path)
    assert photo.image.shape[0] < photo.height
    return mapper(read_image(path)), enlarge_map(mapper(photo.image), photo.height, photo.width)


def measure_scores(mapper: BlurMapper, data: Path) -> str:
    """Return the table of scores, and how far the two maps of each photo are apart."""
    counts: dict[str, list[ImageCounts]] = {"read whole": [], "read in part": []}
    apart, degrees = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photo.jpg")
        for sample in read_dataset(data):
            assert sample.photo is not None
            image = read_image(sample.photo)
            height, width = image.shape[:2]
            large = cv2.resize(image, (ENLARGED * width, ENLARGED * height), interpolation=3)
            PIL.Image.fromarray(np.asarray(large, np.uint8)).save(path, quality=92)
            maps = map_both(path, mapper)
            apart.append(float(np.abs(maps[0] - maps[1]).mean()))
            degrees.append(abs(float(maps[0].mean()) - float(maps[1].mean())))
            truth, valid = read_truth(sample)
            for way, blur_map in zip(counts, maps, strict=True):
                small = cv2.resize(blur_map, (width, height), interpolation=cv2.INTER_AREA)
                counts[way].append(image_counts(np.asarray(small.clip(0, 1)), truth, valid))
    rows = []
    for way, of_photos in counts.items():
        scores = score_paper(of_photos)
        rows.append([way, f"{scores.ods:.4f}", f"{scores.ois:.4f}", f"{scores.ap:.4f}"])
    text = table([f"{len(apart)} photos", "ODS", "OIS", "AP"], rows)
    return text + (
        f"\nThe two maps of a photo are {np.mean(apart):.4f} apart on average and "
        f"{np.max(apart):.4f} at most; S differs by {np.mean(degrees):.4f}, at most "
        f"{np.max(degrees):.4f}.\n"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="A folder of labelled photos.")
    parser.add_argument("--rounds", type=int, default=3, help="Of the times; 0 measures none.")
    options = parser.parse_args()
    mapper = BlurMapper(threads=1)
    if options.rounds:
        print(measure_times(mapper, options.rounds), flush=True)
    if options.data is not None:
        print(measure_scores(mapper, options.data))


if __name__ == "__main__":
    main()
