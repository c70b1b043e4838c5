"""How well the blur degree S ranks photos as people do, beside the usual sharpness scores.

    python benchmarks/opinion_scores.py ../shared/data/faults

The folder holds ``images/`` and ``faults.csv``, which gives each photo's mean opinion score (mos)
of quality. The table goes to ``docs/scores/opinion.md``: Spearman's and Kendall's correlation of
each score, turned so that more is sharper, with the opinions; 95 % intervals by resampling photos,
and the paired difference to S. Needs the extra ``baselines``.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata
from skimage.measure import blur_effect

from blurmapper.applications.degree import blur_degree, share_blurred
from blurmapper.images import ImageArray, read_image
from blurmapper.methods import MethodOptions, get_method
from blurmapper.ranking.measuring import find_sharpest_box

Floats = npt.NDArray[np.float64]

RESAMPLES = 2000


def variance_of_laplacian(grey: Floats) -> float:
    """Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000."""
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def tenengrad(grey: Floats) -> float:
    """Mean squared Sobel gradient; Krotkov, "Focusing", IJCV 1, 1987."""
    return float((cv2.Sobel(grey, -1, 1, 0) ** 2 + cv2.Sobel(grey, -1, 0, 1) ** 2).mean())


def brenner(grey: Floats) -> float:
    """Mean squared difference over two pixels; Brenner et al., 1976, here along both axes."""
    return float(((grey[2:] - grey[:-2]) ** 2).mean() + ((grey[:, 2:] - grey[:, :-2]) ** 2).mean())


def modified_laplacian(grey: Floats) -> float:
    """Nayar and Nakagawa, "Shape from focus", IEEE TPAMI 16(8), 1994."""
    kernel = np.array([[-1.0, 2.0, -1.0]])
    parts = (np.abs(cv2.filter2D(grey, -1, each)) for each in (kernel, kernel.T))
    return float(sum(part.mean() for part in parts))


def normalised_variance(grey: Floats) -> float:
    """Variance of grey over its mean; Groen, Young and Ligthart, Cytometry 6, 1985."""
    return float(grey.var() / max(grey.mean(), 1e-9))


def strong_frequencies(grey: Floats) -> float:
    """Share of frequencies over a thousandth of the largest; De and Masilamani, 2013."""
    spectrum = np.abs(np.fft.fft2(grey))
    return float((spectrum > spectrum.max() / 1000).mean())


def maximum_local_variation(grey: Floats) -> float:
    """Bahrami and Kot, IEEE Signal Processing Letters 21(6), 2014, with its weights by rank."""
    middle = grey[1:-1, 1:-1]
    rows, columns = middle.shape
    shifts = ((y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1))
    largest = np.max([abs(grey[y : y + rows, x : x + columns] - middle) for y, x in shifts], axis=0)
    ranked = np.sort(largest, axis=None) * np.exp(np.linspace(0, 1, largest.size))
    return float(ranked.std())


def unblurred_by_crete(grey: Floats) -> float:
    """Crete et al., "The blur effect", SPIE 6492, 2007, as scikit-image has it, negated."""
    return -float(blur_effect(grey / 255, h_size=11))  # type: ignore[no-untyped-call]


GREY_SCORES: dict[str, Callable[[Floats], float]] = {
    "variance of the Laplacian": variance_of_laplacian,
    "Tenengrad": tenengrad,
    "Brenner": brenner,
    "modified Laplacian": modified_laplacian,
    "normalised variance": normalised_variance,
    "strong frequencies (De)": strong_frequencies,
    "maximum local variation (Bahrami)": maximum_local_variation,
    "blur effect (Crete)": unblurred_by_crete,
}


def map_scores(image: ImageArray, blur_map: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return what can be read from a blur map, each so that more is sharper."""
    return {
        "S": -blur_degree(blur_map),
        "S, centre": -blur_degree(blur_map, weighting="centre"),
        "S, saliency": -blur_degree(blur_map, weighting="saliency", image=image),
        "share blurred": -share_blurred(blur_map),
        "sharpest region": -find_sharpest_box(blur_map).blur,
    }


def read_opinions(folder: Path) -> dict[Path, float]:
    """Return each photo's mean opinion score."""
    with (folder / "faults.csv").open(newline="") as stream:
        return {
            folder / "images" / f"{row['photo']}.jpg": float(row["mos"])
            for row in csv.DictReader(stream)
        }


def score_photos(photos: list[Path], methods: list[str]) -> dict[str, Floats]:
    """Return the values of each score, photo by photo."""
    networks = {name: get_method(name, MethodOptions(threads=1)) for name in methods}
    rows = []
    for photo in photos:
        image = read_image(photo)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
        row: dict[str, float] = {}
        for name, network in networks.items():
            scores = map_scores(image, network(image))
            row |= {f"`{name}`: {score}": value for score, value in scores.items()}
        rows.append(row | {name: score(grey) for name, score in GREY_SCORES.items()})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def spearman(values: Floats, opinions: Floats) -> float:
    """Return the correlation of ranks, those of ties being averaged."""
    return float(np.corrcoef(rankdata(values), rankdata(opinions))[0, 1])


def table(scores: dict[str, Floats], opinions: Floats) -> str:
    """Return the Markdown table, the best score first."""
    drawn = np.random.default_rng(0).integers(0, len(opinions), (RESAMPLES, len(opinions)))
    again = {
        name: np.array([spearman(values[draw], opinions[draw]) for draw in drawn])
        for name, values in scores.items()
    }
    reference = next(iter(scores))
    lines = [
        f"**{len(opinions)} photos with deliberate faults: rank correlation with mean opinions**",
        "",
        f"| score | Spearman | Kendall | Spearman less that of {reference} |",
        "|---|---:|---:|---:|",
    ]
    for name in sorted(scores, key=lambda name: -spearman(scores[name], opinions)):
        value, interval = spearman(scores[name], opinions), percentiles(again[name])
        kendall = kendalltau(scores[name], opinions).statistic
        gap = value - spearman(scores[reference], opinions)
        gaps = percentiles(again[name] - again[reference])
        difference = "" if name == reference else f"{gap:+.3f} ({gaps[0]:+.3f} to {gaps[1]:+.3f})"
        lines.append(
            f"| {name} | {value:.3f} ({interval[0]:.3f} to {interval[1]:.3f}) "
            f"| {kendall:.3f} | {difference} |"
        )
    return "\n".join(lines) + "\n"


def percentiles(values: Floats) -> tuple[float, float]:
    """Return the ends of the 95 % interval."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    """Score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", type=Path)
    parser.add_argument("--method", action="append", help="dbm-lite and dbm unless given")
    parser.add_argument("--output", type=Path, default=Path("docs/scores/opinion.md"))
    options = parser.parse_args()
    opinions = read_opinions(options.faults)
    scores = score_photos(list(opinions), options.method or ["dbm-lite", "dbm"])
    written = table(scores, np.array(list(opinions.values())))
    print(written)
    options.output.write_text(written)


if __name__ == "__main__":
    main()
