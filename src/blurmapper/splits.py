"""Which photos of a data set are meant: its halves, and lists of names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from blurmapper.datasets import Sample
from blurmapper.errors import DatasetError
from blurmapper.locations import read_regular

Split = Literal["all", "even", "odd"]
"""By the number in a photo's name: the paper's De is even, its Do odd."""


def select_split(samples: Iterable[Sample], split: Split) -> list[Sample]:
    """Return the samples whose name ends in an even or an odd number, or all.

    Raises
    ------
    DatasetError
        If a name has no number.
    """
    if split == "all":
        return list(samples)
    return [s for s in samples if _number(s) % 2 == (split == "odd")]


def select_names(samples: Iterable[Sample], list_file: str | Path) -> list[Sample]:
    """Return the samples that a text file names, one a line, in the data set's order.

    A line is a name, with or without suffix, quotes and commas, or else file names, the last of
    which counts: so ``'motion0001.jpg',`` and ``1.bmp--motion0001.jpg`` are read as they are. In a
    folder of sets ``set/photo`` is the photo of that set, a name alone that of each.

    Raises
    ------
    DatasetError
        If the file cannot be read or names a photo that the data set lacks.
    """
    try:
        lines = read_regular(Path(list_file)).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise DatasetError(f"{list_file}: no list of names ({reason}); give a file") from error
    samples = list(samples)
    known = {name for s in samples for name in (s.name, Path(s.name).name)}
    sets = {s.name.rpartition("/")[0] for s in samples} - {""}
    wanted = {_find_name(text, known, sets) for line in lines if (text := line.strip("'\", \t\r"))}
    if lacking := sorted(wanted - known):
        raise DatasetError(
            f"{list_file}: {len(lacking)} of its {len(wanted)} names are of no photo of the data "
            f"set ({lacking[0]} is the first); give a name, or set/name, a line"
        )
    return [s for s in samples if wanted & {s.name, Path(s.name).name}]


def _find_name(line: str, known: Collection[str], sets: Collection[str]) -> str:
    """Return the name in a line that is of a photo, or else what the line must mean."""
    *others, last = re.split(r"--|[\s'\",]+", line)
    # Names have spaces and dots too, and a part of one is no name.
    texts = [line, last] if all(re.fullmatch(r"\d+|.*\.\w+", each) for each in others) else [line]
    names = []
    for path in map(Path, texts):
        inner = next((part for part in reversed(path.parts[:-1]) if part in sets), path.parent)
        names += [Path(inner if sets else "", name).as_posix() for name in (path.name, path.stem)]
    return next((name for name in names if name in known), names[-1])


def _number(sample: Sample) -> int:
    if (digits := re.search(r"(\d+)$", sample.name)) is None:
        raise DatasetError(f"{sample.truth}: no number ends its name; use the split all")
    return int(digits[1])
