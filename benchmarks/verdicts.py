"""How often the verdict of ``rank`` agrees with labels that were given by eye.

``python -m benchmarks.verdicts ../shared/data/faults/images`` takes the 240 photos with deliberate
faults. The labels in ``verdict_labels.csv`` were given by one person who looked at each photo at
270 pixels, before any verdict was known; "unsure" are left out.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from blurmapper import rank_photos
from blurmapper.ranking.records import KEPT

LABELS = Path(__file__).with_name("verdict_labels.csv")


def main(folder: Path) -> None:
    with LABELS.open(newline="") as stream:
        labels = {row["photo"]: row["label"] for row in csv.DictReader(stream)}
    rows = {Path(row["photo"]).stem: row for row in rank_photos(folder) if row["rank"]}
    named = [(labels[name], row["verdict"], name) for name, row in rows.items() if name in labels]
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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
