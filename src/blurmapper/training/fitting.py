"""Fit what the classical methods learn from photos, and keep it with its origin."""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from blurmapper import __version__
from blurmapper.baselines import FITTED
from blurmapper.compiled import import_compiled
from blurmapper.errors import ConfigError, MethodError
from blurmapper.files import check_replaceable, write_file, written_as
from blurmapper.training.config import Mixture
from blurmapper.training.data import PairSource
from blurmapper.training.pairs import UNDECIDED
from blurmapper.training.photos import read_library

FITTED_METHODS = ("liu08", "shi14")
"""The methods that learn from photos: ``fit_NAME`` is beside ``map_NAME``."""

SIDE = 384
"""Height and width of the pairs: the size at which the paper compares its methods."""

PAIRS = 300
MIXTURE = Mixture(traced=0.3, bokeh=0.3, sharp=0.0, blurred=0.0, made=0.4)
"""The kinds of pairs in which some is sharp and some is blurred."""

FitPair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
"""RGB image (H, W, 3), ground truth (True = blurred) and where it is decided, (H, W) each."""


def fit_method(
    name: str, photos: Path, output: Path | None = None, *, pairs: int = PAIRS, seed: int = 0
) -> Path:
    """Fit a method on pairs of the training photos and write what it learnt.

    Parameters
    ----------
    name : str
        One of `FITTED_METHODS`.
    photos : Path
        A folder as `blurmapper.training.photos.read_library` reads it; of its photos those held
        out of training are not drawn from.
    output : Path, optional
        Gets ``NAME.json``; the package's own folder unless given, where the method finds it.
    pairs : int
        How many are drawn, of `SIDE` x `SIDE` pixels each.
    seed : int
        The same seed, photos and count give the same pairs.

    Returns
    -------
    Path
        The file that was written, whole or not at all.

    Raises
    ------
    MethodError
        If the method learns nothing from photos.
    ConfigError
        If the pairs are too few to tell two classes apart.
    ImageError
        If the file cannot be written.
    DatasetError
        If the photos are missing or cannot be read.
    """
    if name not in FITTED_METHODS:
        raise MethodError(f"{name!r} is not fitted; choose from: {', '.join(FITTED_METHODS)}")
    path, ours = (output or FITTED) / f"{name}.json", written_as(b'{\n "method": ', b'"values"')
    check_replaceable(path, ours)
    fit = getattr(import_compiled(f"blurmapper.baselines.{name}"), f"fit_{name}")
    kinds: Counter[str] = Counter()
    source = PairSource(read_library(photos), SIDE, seed, MIXTURE)
    try:
        values = fit(_draw(source, pairs, kinds))
    except ValueError as error:
        raise ConfigError(f"{name}: cannot be fitted on {pairs} pairs ({error})") from error
    folder, python = photos.resolve().name, platform.python_version()
    origin = {
        "command": f"blurmapper fit {name} --photos {folder} --pairs {pairs} --seed {seed}",
        "photos": folder,
        "pairs": dict(sorted(kinds.items())),
        "side": SIDE,
        "seed": seed,
        "versions": {"blurmapper": __version__, "numpy": np.__version__, "python": python},
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    record = {"method": name, "values": values, "origin": origin}
    return write_file(path, json.dumps(record, indent=1) + "\n", ours)


def _draw(source: PairSource, count: int, kinds: Counter[str]) -> Iterator[FitPair]:
    """Draw pairs behind a bar on standard error, where a person watches, and count their kinds."""
    console = Console(stderr=True)
    hidden = not console.is_terminal
    for index in track(range(count), "Fitting", console=console, transient=True, disable=hidden):
        pair = source.pair(index)
        kinds[pair.kind] += 1
        yield pair.image, pair.label > UNDECIDED, pair.label != UNDECIDED
