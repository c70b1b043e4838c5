"""How often the verdict of ``rank`` agrees with labels that were given by eye, before any verdict.

``python -m benchmarks.verdicts ../shared/data/faults/images benchmarks/verdict_labels.csv`` takes
the 240 photos with deliberate faults, each looked at by one person at 270 pixels. With
``verdict_labels_cameras.csv`` it takes photos of 4.5 to 200 megapixels of some 90 cameras and
phones, looked at small, and pixel by pixel in the middle and where there is most detail. They are
in public repositories, and the folder holds checkouts of these:
drewnoakes/metadata-extractor-images, ianare/exif-samples, bigcat88/pillow_heif,
Lackmann1994/FocusStacking, haraldk/TwelveMonkeys, image-rs/image and imageio/test_images. Those
labelled "unsure" are left out.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from blurmapper import rank_photos
from blurmapper.ranking.records import KEPT


def main(folder: Path, labelled: Path) -> None:
    with labelled.open(newline="") as stream:
        labels = {row["photo"]: row["label"] for row in csv.DictReader(stream)}
    names = {path: str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*")}
    rows = rank_photos([path for path, name in names.items() if name in labels])
    named = [
        (labels[name], row["verdict"], name)
        for row in rows
        if row["rank"]
        for name in [names[Path(row["photo"])]]
    ]
    sure = [each for each in named if each[0] != "unsure"]
    told = [each for each in sure if each[1] != "cannot tell"]
    agreed = [each for each in told if (each[0] in KEPT) == (each[1] in KEPT)]
    print(f"{len(sure)} labelled, {len(sure) - len(told)} of them: cannot tell")
    print(f"keep or not: {len(agreed)} of {len(told)} agree ({len(agreed) / len(told):.1%})")
    faulty = [each for each in told if each[0] not in KEPT]
    found = [each for each in faulty if each[1] not in KEPT]
    print(f"faulty photos: {len(found)} of {len(faulty)} found; the same word for", end=" ")
    print(sum(label == word for label, word, _ in faulty))
    for (label, word), count in sorted(Counter(each[:2] for each in sure).items()):
        print(f"{label:>14} -> {word:<14} {count}")
    for label, word, name in sorted(set(told) - set(agreed)):
        print(f"{label} -> {word}: {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
