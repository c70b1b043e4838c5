"""The rows of five methods, from their published maps of the benchmark's 1,000 photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blurmapper.datasets import Sample, read_dataset, read_truth
from blurmapper.evaluation.counts import CountTable, ImageCounts, image_counts, stack_counts
from blurmapper.evaluation.figures import mean_curve
from blurmapper.evaluation.maps import find_maps, read_any_map
from blurmapper.evaluation.scores import score_dbd, score_paper, score_pooled
from blurmapper.splits import select_names, select_split

BENCHMARK = Path(__file__).parents[3] / "shared" / "data" / "cuhk"

pytestmark = pytest.mark.skipif(
    not BENCHMARK.exists(), reason=f"needs the masks and published maps in {BENCHMARK}"
)

Scored = dict[str, tuple[Sample, tuple[ImageCounts, ImageCounts]]]

HIFST, ALL_BLURRED = 0, 1


@pytest.fixture(scope="module")
def scored() -> Scored:
    """Each photo's counts of HiFST's map, and of the answer that everything is blurred."""
    samples = read_dataset(BENCHMARK)
    maps = find_maps(BENCHMARK / "hifst", [sample.name for sample in samples])
    counts = {}
    for sample in samples:
        truth, valid = read_truth(sample)
        hifst = image_counts(read_any_map(maps[sample.name], "sharp"), truth, valid)
        everything = image_counts(np.full(truth.shape, 255, np.uint8), truth, valid)
        counts[sample.name] = sample, (hifst, everything)
    return counts


def table(scored: Scored, samples: list[Sample], row: int) -> CountTable:
    return stack_counts(scored[sample.name][1][row] for sample in samples)


def split(scored: Scored, name: str, row: int = HIFST) -> CountTable:
    samples = [sample for sample, _ in scored.values()]
    return table(scored, select_split(samples, "even" if name == "De" else "odd"), row)


@pytest.mark.parametrize(
    ("name", "ods", "ois", "ap"), [("De", 0.813, 0.851, 0.717), ("Do", 0.804, 0.841, 0.706)]
)
def test_hifst_scores_as_in_tables_3_and_5(
    scored: Scored, name: str, ods: float, ois: float, ap: float
) -> None:
    scores = score_paper(split(scored, name))
    assert (round(scores.ods, 3), round(scores.ois, 3)) == (ods, ois)
    assert scores.ap == pytest.approx(ap, abs=0.002)
    assert scores.images == 500


@pytest.mark.parametrize(
    ("name", "ods", "ois", "ap"), [("De", 0.845, 0.879, 0.840), ("Do", 0.843, 0.876, 0.834)]
)
def test_hifst_pooled_as_edge_detection_does(
    scored: Scored, name: str, ods: float, ois: float, ap: float
) -> None:
    scores = score_pooled(split(scored, name))
    assert tuple(round(s, 3) for s in (scores.ods, scores.ois, scores.ap)) == (ods, ois, ap)


def test_hifst_scores_as_defocus_detection_prints_it(scored: Scored) -> None:
    samples = [sample for sample, _ in scored.values()]
    names = BENCHMARK / "lists" / "CUHK_defocus_test100_split_D-DFFNet.txt"
    scores = score_dbd(table(scored, select_names(samples, names), HIFST))
    assert (round(scores.f_score, 3), round(scores.mae, 4)) == (0.803, 0.2228)
    assert scores.images == 100


@pytest.mark.parametrize(("name", "paper", "pooled"), [("De", 0.758, 0.781), ("Do", 0.741, 0.768)])
def test_everything_is_blurred(scored: Scored, name: str, paper: float, pooled: float) -> None:
    everything = split(scored, name, row=ALL_BLURRED)
    assert round(score_paper(everything).ods, 3) == paper
    assert round(score_pooled(everything).ods, 3) == pooled


def test_the_published_curve_of_hifst(scored: Scored) -> None:
    published = np.loadtxt(BENCHMARK / "prcurves" / "BlurDetection_HiFSTBlurMap_PRCurve.txt")
    curve = mean_curve([counts[HIFST] for _, counts in scored.values()])
    assert np.abs(curve.precision - published[:, 0]).max() < 1e-6
    assert np.abs(curve.recall - published[:, 1]).max() < 1e-6


def test_white_is_blurred_in_the_masks(scored: Scored) -> None:
    """The paper says that 64 % of the pixels are blurred."""
    everything = [counts[ALL_BLURRED] for _, counts in scored.values()]
    share = sum(c.positives for c in everything) / sum(c.pixels for c in everything)
    assert share == pytest.approx(0.64, abs=0.01)


PUBLISHED = {
    ("liu08", "De"): (0.7657, 0.8115, 0.7452),
    ("liu08", "Do"): (0.7535, 0.8026, 0.7487),
    ("chakrabarti10", "De"): (0.7583, 0.7967, 0.7566),
    ("chakrabarti10", "Do"): (0.7408, 0.7880, 0.7408),
    ("su11", "De"): (0.7821, 0.8224, 0.7212),
    ("su11", "Do"): (0.7752, 0.8140, 0.7116),
    ("shi14", "De"): (0.7812, 0.8150, 0.8435),
    ("shi14", "Do"): (0.7699, 0.8052, 0.8315),
}
"""Method and half -> ODS, OIS and AP. To three digits they are the paper's, but for Shi14's, which
it prints as .776 .813 .843 and .765 .804 .831."""


def from_histograms(method: str, half: str) -> list[ImageCounts]:
    """Return the counts of each photo of a half, from how many pixels its map has of each level."""
    with np.load(BENCHMARK / "published" / f"{method}.npz") as kept:
        names, blurred, every = kept["name"], kept["blurred_pixels"], kept["all_pixels"]
    counts = []
    for name, histogram, whole in zip(names, blurred, every, strict=True):
        if int(str(name)[-4:]) % 2 != (half == "Do"):
            continue
        reached, detected = (h[::-1].cumsum()[::-1].astype(np.int64) for h in (histogram, whole))
        halfway = int(reached[128]), int(detected[128])
        pixels = int(reached[0]), int(detected[0])
        counts.append(ImageCounts(reached, detected, *halfway, *pixels, 0.0, 0.0))
    return counts


@pytest.mark.parametrize(("method", "half"), PUBLISHED)
def test_four_others_score_as_in_tables_3_and_5(method: str, half: str) -> None:
    counts = from_histograms(method, half)
    assert len(counts) == 500
    scores = score_paper(counts)
    found = tuple(round(score, 4) for score in (scores.ods, scores.ois, scores.ap))
    assert found == PUBLISHED[method, half]


@pytest.mark.parametrize(
    ("method", "curve"),
    [("liu08", "Liu"), ("chakrabarti10", "Chakrabarti"), ("su11", "Su"), ("shi14", "Shi")],
)
def test_the_published_curves_of_four_others(method: str, curve: str) -> None:
    published = np.loadtxt(BENCHMARK / "prcurves" / f"BlurDetection_{curve}_PRCurve.txt")
    ours = mean_curve(from_histograms(method, "De") + from_histograms(method, "Do"))
    assert np.abs(ours.recall - published[:, 1]).max() < 0.02
