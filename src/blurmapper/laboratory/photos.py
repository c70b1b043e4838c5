"""The photos that an experiment is of, and which of them its figure shows."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from blurmapper.datasets import LAYOUTS, SAMPLES, Sample, find_pictures, read_dataset, read_truth
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.images import PHOTO_SUFFIXES
from blurmapper.laboratory.experiments import Experiment
from blurmapper.methods import METHODS
from blurmapper.splits import select_split

CUHK = LAYOUTS[0]
MANIFEST = "benchmark.json"

OPEN_BENCHMARK = Path("runs/open-benchmark")
"""Where experiments that need ground truth look unless told otherwise."""

CUHK_NAME = re.compile(r"(motion|out_of_focus)\d{4}")

LEAST_HALF = 2
"""Photos that a half has at least; with fewer it is none."""

CUHK_PHOTOS = {"motion": 296, "defocus": 704}
"""Kind of blur -> how many photos of it the benchmark has."""

BLURRED_SHARES = {"motion": 0.561, "defocus": 0.666}
"""Kind of blur -> mean share of a photo that the authors' masks call blurred; of all, .635."""

TOLERANCE = 0.03
"""By how much a mean share may differ: masks that were resized differ by far less, and of
inverted ones the shares are .439 and .334."""

T = TypeVar("T")


@dataclass(frozen=True)
class Photo:
    """A photo of a folder or of a data set.

    Attributes
    ----------
    name : str
        Its file's name without suffix, after its set's folder where there are several.
    path : Path
    kind : str
        Kind of blur where it is known, else "".
    sample : Sample or None
        The photo with its ground truth, where there is one.
    """

    name: str
    path: Path
    kind: str = ""
    sample: Sample | None = None


def read_samples(experiment: Experiment, data: Path | None) -> list[Sample]:
    """List the photos of a data set with their ground truth.

    Parameters
    ----------
    experiment : Experiment
        Of a data set that has halves its `split` is taken, of others all.
    data : Path
        As `blurmapper.datasets.read_dataset` takes it.

    Raises
    ------
    ConfigError
        If `data` is None.
    DatasetError
        If the data set is not laid out as it should be, or is the CUHK benchmark and not whole.
    """
    if data is None:
        raise ConfigError(
            f"{experiment.name} needs --data DIR: the CUHK benchmark, as docs/laboratory.md says "
            "how to get it, or one of your own photos, which blurmapper open-benchmark makes"
        )
    samples = read_whole(data)
    if has_halves(samples):
        samples = select_split(samples, experiment.split)
    return spread_evenly(samples, experiment.limit) if experiment.limit else samples


def read_whole(data: Path) -> list[Sample]:
    """List all photos of a data set, which is whole where we can know it.

    Raises
    ------
    DatasetError
        If it is not laid out as it should be, or is the CUHK benchmark and not whole or the wrong
        way round, or an open benchmark that is not all made.
    """
    if is_open_benchmark(data) and not (data / "photos.csv").is_file():
        raise DatasetError(
            f"{data}: an open benchmark that is not all made; go on with blurmapper "
            f"open-benchmark -o {data}"
        )
    samples = read_dataset(data)
    if is_cuhk(data):
        check_cuhk(samples)
    return samples


def check_cuhk(samples: Sequence[Sample]) -> dict[str, float]:
    """Check that the CUHK benchmark is whole, and that white means blurred in its masks.

    Parameters
    ----------
    samples : sequence of Sample
        All that `blurmapper.datasets.read_dataset` found.

    Returns
    -------
    dict of str to float
        Kind of blur, and ``all`` -> the mean blurred share of its masks, in [0, 1].

    Raises
    ------
    DatasetError
        If photos are missing or too many, or the masks call another share blurred than the
        authors' masks do, as inverted ones would.

    Notes
    -----
    The benchmark: J. Shi, L. Xu and J. Jia, "Discriminative Blur Detection Features", CVPR
    2014, doi:10.1109/CVPR.2014.379.
    """
    _check_number(samples)
    shares = _blurred_shares(samples)
    for kind, expected in BLURRED_SHARES.items():
        share = shares[kind]
        if abs(share - expected) > TOLERANCE:
            inverted = abs(1 - share - expected) <= TOLERANCE
            fault = "they are inverted" if inverted else "these are other masks"
            raise DatasetError(
                f"{samples[0].truth.parent}: the masks of {kind} blur call {share:.1%} blurred and "
                f"CUHK's {expected:.1%}, so {fault}; unpack BlurDatasetGT.zip anew"
            )
    return shares


def _check_number(samples: Sequence[Sample]) -> None:
    found = Counter(sample.kind for sample in samples)
    if found == CUHK_PHOTOS:
        return
    others = found.total() - sum(found[kind] for kind in CUHK_PHOTOS)
    raise DatasetError(
        f"{samples[0].truth.parent}: holds {found['motion']} masks motionNNNN, {found['defocus']} "
        f"out_of_focusNNNN and {others} others, where CUHK has {CUHK_PHOTOS['motion']} and "
        f"{CUHK_PHOTOS['defocus']}; unpack BlurDatasetGT.zip anew, or name the folders of a part "
        "images/ and truth/"
    )


def _blurred_shares(samples: Sequence[Sample]) -> dict[str, float]:
    shares: dict[str, list[float]] = {kind: [] for kind in CUHK_PHOTOS}
    for sample in samples:
        shares[sample.kind].append(float(read_truth(sample)[0].mean()))
    every = [share for of_kind in shares.values() for share in of_kind]
    return {kind: statistics.fmean(of) for kind, of in {**shares, "all": every}.items()}


def has_halves(samples: Sequence[Sample]) -> bool:
    """Tell whether photos are named and numbered as CUHK's are, odd to train on, even to test.

    A few photos taken out of it are no benchmark with halves.
    """
    if not all(CUHK_NAME.fullmatch(sample.name) for sample in samples):
        return False
    odd = sum(int(sample.name[-4:]) % 2 for sample in samples)
    return min(odd, len(samples) - odd) >= LEAST_HALF


def is_cuhk(data: Path) -> bool:
    """Tell whether a folder is laid out as the CUHK benchmark unpacks."""
    return (data / CUHK.truth).is_dir()


def is_open_benchmark(data: Path) -> bool:
    """Tell whether a folder is what `blurmapper open-benchmark` made."""
    return (data / MANIFEST).is_file()


def list_photos(experiment: Experiment, data: Path | None) -> list[Photo]:
    """List photos whose ground truth need not be known.

    Parameters
    ----------
    experiment : Experiment
    data : Path, optional
        A folder of photos or a data set; the package's samples unless given.

    Raises
    ------
    DatasetError
        If there are none, or as `read_samples`.
    """
    folder = SAMPLES if data is None else data
    if not folder.is_dir() or any(p.suffix.lower() in PHOTO_SUFFIXES for p in folder.iterdir()):
        return [Photo(name, path) for name, path in find_pictures(folder).items()]
    samples = read_samples(experiment, folder)
    photos = [Photo(s.name, s.photo, s.kind, s) for s in samples if s.photo is not None]
    if not photos:
        raise DatasetError(f"{samples[0].truth}: has no photo to map; add the photos")
    return photos


def warn_of_seen(method: str, data: Path | None) -> list[str]:
    """Return a sentence where a bundled network is shown photos that it was trained on."""
    is_bundled = method in METHODS and METHODS[method].kind == "network"
    if not (is_bundled and data is not None and is_open_benchmark(data)):
        return []
    return [f"`{method}` was trained on photos that this set is made of; expect worse on others."]


def select_kind(samples: Sequence[Sample], blur: str) -> list[Sample]:
    """Return the samples of a kind of blur, ``defocus_bg`` and the like for ``defocus`` too.

    Raises
    ------
    DatasetError
        If there is none.
    """
    chosen = [sample for sample in samples if sample.kind.startswith(blur)]
    if not chosen:
        raise DatasetError(
            f"{samples[0].truth.parent}: no photo's kind is {blur}; name kinds in photos.csv"
        )
    return chosen


def blurred_share(sample: Sample) -> float:
    """Return the share of a photo's decided pixels that is blurred; NaN where none is."""
    ground_truth, valid = read_truth(sample)
    decided = ground_truth if valid is None else ground_truth[valid]
    return float(decided.mean()) if decided.size else float("nan")


def shuffle(items: Sequence[T], seed: int | np.random.Generator) -> list[T]:
    """Return items in a random order, always the same for a seed."""
    return [items[i] for i in np.random.default_rng(seed).permutation(len(items))]


def spread_evenly(items: Sequence[T], count: int) -> list[T]:
    """Return the first and last item and others evenly between them, `count` in all.

    Examples
    --------
    >>> spread_evenly("abcdefgh", 3)
    ['a', 'e', 'h']
    >>> spread_evenly("ab", 3)
    ['a', 'b']
    """
    places = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[i] for i in np.rint(places).astype(int)]
