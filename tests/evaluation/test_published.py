"""The published rows of HiFST, from its published maps of the 1,000 photos of the benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blurmapper.datasets import Sample, read_dataset, read_truth, select_names, select_split
from blurmapper.evaluation.counts import CountTable, ImageCounts, image_counts, stack_counts
from blurmapper.evaluation.curves import mean_curve
from blurmapper.evaluation.maps import find_maps, read_any_map
from blurmapper.evaluation.scores import score_dbd, score_paper, score_pooled

BENCHMARK = Path(__file__).parents[3] / "shared" / "data" / "cuhk"

pytestmark = pytest.mark.skipif(
    not BENCHMARK.exists(), reason=f"needs the masks and HiFST's maps in {BENCHMARK}"
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
