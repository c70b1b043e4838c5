"""The table that `benchmarks.fidelity` prints, from counts and correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from benchmarks.measuring import table
from blurmapper.evaluation.counts import THRESHOLDS, ImageCounts
from blurmapper.evaluation.figures import mean_curve
from blurmapper.evaluation.scores import score_paper
from blurmapper.splits import Split

CURVES = {
    "liu08": "Liu",
    "chakrabarti10": "Chakrabarti",
    "zhuo11": "Zhuo",
    "su11": "Su",
    "shi14": "Shi",
    "chen16": "Chang",
    "tang16": "Tang",
    "yi16": "Yi",
    "hifst": "HiFSTBlurMap",
}
"""Method -> what HiFST's authors call its curve. Chang is the last author of Chen16."""

PAPER = {
    "liu08": ((0.753, 0.803, 0.749), (0.766, 0.811, 0.745)),
    "chakrabarti10": ((0.741, 0.788, 0.741), (0.758, 0.797, 0.757)),
    "zhuo11": ((0.746, 0.853, 0.676), (0.761, 0.862, 0.687)),
    "su11": ((0.775, 0.814, 0.712), (0.782, 0.822, 0.721)),
    "shi14": ((0.765, 0.804, 0.831), (0.776, 0.813, 0.843)),
    "chen16": ((0.752, 0.859, 0.823), (0.771, 0.867, 0.823)),
    "tang16": ((0.746, 0.846, 0.755), (0.765, 0.864, 0.774)),
    "yi16": ((0.786, 0.829, 0.741), (0.803, 0.841, 0.765)),
    "hifst": ((0.804, 0.841, 0.706), (0.813, 0.851, 0.717)),
}
"""Method -> ODS, OIS and AP of Table V, which are of Do, and of Table III, of De."""

UNSTRETCHED = ("yi16",)
"""The methods whose published curve is of maps as they are: it ends at .96, where the maps do."""

AGREEMENT = 0.03
"""By how much the mean precision of a published curve, a mean of photos, may differ from the AP
of the paper's two rows, of pixels, if both are of the same maps."""

Curve = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fidelity:
    """What is known of a method.

    Attributes
    ----------
    method : str
    correlations : tuple of float
        With the published maps, where there are any.
    counts : dict of str to list of ImageCounts
        Half, "odd" (Do) or "even" (De) -> the counts of its photos.
    theirs : dict of str to list of ImageCounts
        The same of the published maps of the same photos, where their histograms are at hand.
    published : ndarray, shape (256, 2)
        Precision and recall by threshold, averaged over photos.
    """

    method: str
    correlations: tuple[float, ...]
    counts: dict[Split, list[ImageCounts]]
    theirs: dict[Split, list[ImageCounts]]
    published: Curve

    @cached_property
    def recall(self) -> Curve:
        """The recall by threshold, averaged over all photos counted."""
        return mean_curve([count for half in self.counts.values() for count in half]).recall

    @property
    def recall_distance(self) -> float:
        """The mean distance of recall from the published curve."""
        return float(np.abs(self.recall - self.published[:, 1]).mean())

    @property
    def curve_gap(self) -> float:
        """The mean precision of the published curve less the mean AP of the paper's rows."""
        printed = np.mean([row[-1] for row in PAPER[self.method]])
        return float(self.published[:, 0].mean() - printed)


def markdown(rows: Sequence[Fidelity]) -> str:
    """Return the table, a row for each half of each method."""
    headings = (
        "method", "half", "photos", "correlation", "recall distance", "ODS / OIS / AP",
        "published maps, same photos", "paper, 500 photos", "curve - paper's AP",
    )  # fmt: skip
    return table(headings, [line for row in rows for line in _lines(row)])


def draw_curves(rows: Sequence[Fidelity], path: Path) -> None:
    """Draw recall by threshold, ours and published, a small chart for each method."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    for axes, row in zip(figure.subplots(3, 3, sharex=True, sharey=True).flat, rows, strict=False):
        axes.plot(THRESHOLDS, row.published[:, 1], color="0.6", linewidth=3, label="published")
        axes.plot(THRESHOLDS, row.recall, color="tab:blue", label="ours")
        axes.set_title(f"{row.method}, {row.recall_distance:.3f}", fontsize=10)
    figure.axes[0].legend(fontsize=8)
    figure.supxlabel("threshold")
    figure.supylabel("recall, mean of photos")
    figure.savefig(path, dpi=90)


def _lines(row: Fidelity) -> list[tuple[str, ...]]:
    gap = f"{row.curve_gap:+.3f}" + ("" if abs(row.curve_gap) <= AGREEMENT else " (disagree)")
    correlation = f"{median(row.correlations):.3f}" if row.correlations else "-"
    lines: list[tuple[str, ...]] = []
    for half, counts in row.counts.items():
        if not counts:
            continue
        first = not lines
        lines.append(
            (
                f"`{row.method}`" if first else "",
                "De" if half == "even" else "Do",
                str(len(counts)),
                correlation if first else "",
                f"{row.recall_distance:.3f}" if first else "",
                _scores(counts),
                _scores(row.theirs[half]),
                _three(PAPER[row.method][half == "even"]),
                gap if first else "",
            )
        )
    return lines


def _scores(counts: Sequence[ImageCounts]) -> str:
    if not counts:
        return "-"
    scores = score_paper(counts)
    return _three((scores.ods, scores.ois, scores.ap))


def _three(scores: tuple[float, float, float]) -> str:
    return " / ".join(f"{score:.3f}".removeprefix("0") for score in scores)
