"""The photos that an experiment is of, and which of them its figure shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from blurmapper.datasets import (
    LAYOUTS,
    Sample,
    find_pictures,
    read_dataset,
    read_truth,
    select_split,
)
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.images import PHOTO_SUFFIXES
from blurmapper.laboratory.cuhk import check_cuhk
from blurmapper.laboratory.experiments import Experiment

CUHK = LAYOUTS[0]
MANIFEST = "benchmark.json"
SAMPLES = Path(__file__).parents[1] / "assets" / "samples"

OPEN_BENCHMARK = Path("runs/open-benchmark")
"""Where experiments that need ground truth look unless told otherwise."""

CUHK_NAME = re.compile(r"(motion|out_of_focus)\d{4}")

LEAST_HALF = 2
"""Photos that a half has at least; with fewer it is none."""

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
    if not folder.is_dir() or _holds_pictures(folder):
        return [Photo(name, path) for name, path in find_pictures(folder).items()]
    samples = read_samples(experiment, folder)
    return [Photo(s.name, s.photo, s.kind, s) for s in samples if s.photo is not None]


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
    """Return the share of a photo's decided pixels that is blurred; 0 where none is decided."""
    ground_truth, valid = read_truth(sample)
    decided = ground_truth if valid is None else ground_truth[valid]
    return float(decided.mean()) if decided.size else 0.0


def shuffle(items: Sequence[T], seed: int) -> list[T]:
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


def _holds_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in PHOTO_SUFFIXES for path in folder.iterdir())
