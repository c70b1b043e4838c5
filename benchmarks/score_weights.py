"""Score the bundled weights on the validation sets, and write it on their cards.

    python benchmarks/score_weights.py ../shared/data/validation

For each set the tables of both protocols go to ``docs/scores``, the ten worst photos of the set
that may be shown to ``docs/pictures``, the scores of protocol ``paper`` to the package's cards. Run
it after `blurmapper export` and `benchmarks/networks.py`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from blurmapper.commands.evaluate import evaluate
from blurmapper.images import read_image, write_image
from blurmapper.weights import BUNDLED, Score, bundled_card, bundled_names, write_card

SETS = ("labelled", "cuhk3", "dut5", "multifocus", "motion14")
PICTURED = "labelled"
"""The set whose photos are free to be shown."""

FIGURES = Path("runs/evaluate/figures")
ORDER = ("dbm-lite", "dbm")


def score_set(folder: Path, docs: Path) -> dict[str, Score]:
    """Score all bundled weights on one set, write its tables, and return a row a method."""
    found: dict[str, Score] = {}
    for protocol in ("pooled", "paper"):
        written = FIGURES.parent / f"{folder.name}-{protocol}.json"
        evaluate(
            folder,
            methods=[name for name in ORDER if name in bundled_names()],
            protocol=protocol,
            json=written,
            markdown=docs / f"{folder.name}-{protocol}.md",
            subsets=folder.name == PICTURED,
            figures=FIGURES if folder.name == PICTURED and protocol == "paper" else None,
        )
        for row in json.loads(written.read_text()):
            if protocol == "paper" and row["subset"] == "all":
                found[row["method"]] = Score(
                    data=folder.name,
                    images=row["images"],
                    protocol=protocol,
                    ods=round(row["ods"], 6),
                    ois=round(row["ois"], 6),
                    ap=round(row["ap"], 6),
                )
    return found


def main() -> None:
    """Score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--docs", type=Path, default=Path("docs/scores"))
    options = parser.parse_args()
    rows = [score_set(options.validation / name, options.docs) for name in SETS]
    worst = read_image(FIGURES / "worst.png")
    write_image(worst, options.docs.parent / "pictures" / f"worst-{PICTURED}.jpg")
    for name in bundled_names():
        scores = tuple(row[name] for row in rows)
        write_card(replace(bundled_card(name), scores=scores), BUNDLED / f"{name}.json")


if __name__ == "__main__":
    main()
