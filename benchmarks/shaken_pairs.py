"""How often the order of ``rank`` puts a sharp photo before a shaken one of the same scene.

``python -m benchmarks.shaken_pairs FOLDER`` takes the training photos of the public repository
3azzoozz/Blur-Classification, ``FOLDER/train.csv`` (file name and 1 = blurred) and
``FOLDER/Dataset/train/``. Photos of one scene are found by their fingerprints. Beside the order it
gives that of the same photos with times of taking, by which each pair is a burst, and that by S, by
the sharpest region and by the variance of the Laplacian, as AUC over all photos and as the share
of pairs that are told rightly.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import PIL.Image
from PIL import ExifTags

from benchmarks.measuring import table
from blurmapper import rank_photos
from blurmapper.images import read_image
from blurmapper.ranking.frames import fingerprint
from blurmapper.ranking.records import KEPT

FARTHEST = 2
"""Bits of 64 that the fingerprints of one scene differ by at most."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Tell shaken photos from sharp ones.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=300)
    arguments = parser.parse_args()
    pairs = find_pairs(arguments.folder, arguments.pairs)
    photos = [photo for pair in pairs for photo in pair]
    ranked = {by: rank_photos(photos, by=by) for by in ("focus", "s", "region")}
    orders = {f"rank by {by}": {r["photo"]: r["rank"] for r in ranked[by]} for by in ranked}
    orders["rank by focus, each pair a burst"] = rank_as_bursts(pairs)
    contrast = {str(photo): -laplacian_variance(photo) for photo in photos}
    orders["variance of the Laplacian"] = contrast
    print(f"{len(pairs)} pairs\n")
    rows = [[name, *score(order, pairs)] for name, order in orders.items()]
    print(table(["order", "AUC over all", "pairs right"], rows), "\n")
    words = {row["photo"]: row["verdict"] for row in ranked["focus"]}
    for kind, several in zip(("sharp", "shaken"), zip(*pairs, strict=True), strict=True):
        kept = sum(words[str(photo)] in KEPT for photo in several)
        print(f"{kind}: {kept} kept;", dict(Counter(words[str(photo)] for photo in several)))
    for sharp, shaken in pairs:
        if orders["rank by focus"][str(sharp)] > orders["rank by focus"][str(shaken)]:
            print("wrong:", sharp.name, words[str(sharp)], "|", shaken.name, words[str(shaken)])


def find_pairs(folder: Path, most: int) -> list[tuple[Path, Path]]:
    """Return photos of one scene of one size, the sharp one first; no photo twice."""
    with (folder / "train.csv").open(newline="") as stream:
        blurred = {row["filename"]: float(row["blur"]) == 1 for row in csv.DictReader(stream)}
    looks: dict[bool, list[tuple[Path, int, tuple[int, ...]]]] = {False: [], True: []}
    for name, is_blurred in sorted(blurred.items()):
        path = folder / "Dataset" / "train" / name
        image = read_image(path)
        looks[is_blurred].append((path, fingerprint(image), image.shape))
    pairs: list[tuple[Path, Path]] = []
    taken: set[Path] = set()
    for shaken, look, shape in looks[True]:
        near = [
            ((look ^ other).bit_count(), sharp)
            for sharp, other, size in looks[False]
            if size == shape and sharp not in taken
        ]
        distance, sharp = min(near, default=(64, shaken))
        if distance <= FARTHEST and len(pairs) < most:
            pairs.append((sharp, shaken))
            taken.add(sharp)
    return pairs


def rank_as_bursts(pairs: list[tuple[Path, Path]]) -> dict[str, int]:
    """Return the rank of each photo where those of a pair were taken in the same second."""
    originals: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        for number, pair in enumerate(pairs):
            exif = PIL.Image.Exif()
            taken = datetime(2026, 1, 1) + timedelta(minutes=number)  # noqa: DTZ001 - as in EXIF
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{taken:%Y:%m:%d %X}"
            data = exif.tobytes()
            head = b"\xff\xd8\xff\xe1" + (len(data) + 2).to_bytes(2) + data
            for photo in pair:
                copy = Path(folder, photo.name)
                copy.write_bytes(head + photo.read_bytes()[2:])
                originals[str(copy)] = str(photo)
        rows = rank_photos(list(originals), group_bursts=True)
    return {originals[row["photo"]]: row["rank"] for row in rows}


def laplacian_variance(photo: Path) -> float:
    """Return the variance of the Laplacian of a photo in grey, which is large where it is sharp."""
    grey = cv2.cvtColor(read_image(photo), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def score(order: Mapping[str, float], pairs: list[tuple[Path, Path]]) -> tuple[str, str]:
    """Return how often a sharp photo comes before a shaken one: of any two, and of a pair."""
    places = np.array([[order[str(photo)] for photo in pair] for pair in pairs])
    sharp, shaken = places[:, 0], places[:, 1]
    before = sharp[:, np.newaxis] < shaken
    return f"{before.mean():.3f}", f"{np.count_nonzero(sharp < shaken)} of {len(pairs)}"


if __name__ == "__main__":
    main()
