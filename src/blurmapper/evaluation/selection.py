"""What a benchmark is of: photos and methods, as the options of a command name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from blurmapper.datasets import Polarity, Sample, read_dataset, read_pair
from blurmapper.errors import ConfigError, DatasetError, MethodError, check_choice
from blurmapper.evaluation.benchmark import Entry
from blurmapper.evaluation.rows import ALL_BLURRED
from blurmapper.locations import find_path, is_bare
from blurmapper.methods import METHODS, MethodOptions, is_function, is_weights
from blurmapper.splits import Split, select_names, select_split


def choose_samples(
    data: Path,
    *,
    masks: Path | None = None,
    white: Polarity | None = None,
    split: Split = "all",
    names: Path | None = None,
    min_confidence: int = 1,
) -> list[Sample]:
    """Return the photos to score.

    Parameters
    ----------
    data : Path
        A data set, or with `masks` a folder of photos.
    masks : Path, optional
        The masks of a plain pair of folders, in which white means `white`: blurred unless given.
    split : {"all", "even", "odd"}
    names : Path, optional
        A text file that lists the photos.
    min_confidence : int
        How sure the tracer must have been, 1 to 3.

    Raises
    ------
    DatasetError
        If the data set is not laid out as it should be, or no photo is left.
    ConfigError
        If `white` is given of a data set, whose layout says what it means.
    """
    if masks is None and white is not None:
        raise ConfigError("--masks-polarity is of --masks; give them, or leave it out")
    samples = (
        read_dataset(data) if masks is None else read_pair(data, masks, white=white or "blurred")
    )
    samples = select_split(samples, split)
    samples = samples if names is None else select_names(samples, names)
    samples = [sample for sample in samples if sample.confidence >= min_confidence]
    if not samples:
        raise DatasetError(f"{data}: no photo is left to score; choose another --split or --names")
    return samples


def choose_finished(
    maps: Sequence[str], polarities: Sequence[Polarity], *, resize: bool, stretch: bool
) -> list[Entry]:
    """Return an entry for each folder of finished maps.

    Parameters
    ----------
    maps : sequence of str
        ``NAME=DIR``, or ``DIR`` alone, whose own name is then the row's.
    polarities : sequence of {"blurred", "sharp"}
        What white means: none for blurred, one for all, or one for each.
    resize, stretch : bool
        As in `Entry`.

    Raises
    ------
    ConfigError
        If the polarities do not fit, a name is none, or two rows would have one.
    """
    if not maps and (polarities or resize):
        option = "--polarity" if polarities else "--resize"
        raise ConfigError(f"{option} is of finished maps; give --maps, or leave it out")
    if len(polarities) > 1 and len(polarities) != len(maps):
        raise ConfigError("--polarity: give it once, or once for each --maps in order")
    whites = polarities if len(polarities) > 1 else [*polarities, "blurred"][:1] * len(maps)
    entries: dict[str, Entry] = {}
    for argument, white in zip(maps, whites, strict=True):
        label, _, folder = argument.rpartition("=")
        if Path(argument).is_dir():
            label, folder = "", argument
        if label and not is_bare(label):
            raise ConfigError(f"--maps: {label!r} names no row; write NAME=DIR without / in NAME")
        path = find_path(folder)
        name = label or path.resolve().name
        if name in entries or name == ALL_BLURRED:
            raise ConfigError(f"--maps: two rows would be called {name}; name them NAME=DIR")
        entries[name] = Entry(name, maps=path, white=white, resize=resize, stretch=stretch)
    return list(entries.values())


def choose_methods(
    methods: Sequence[str], finished: Sequence[Entry] = (), *, refine: bool, stretch: bool = False
) -> list[Entry]:
    """Return an entry for each method to run.

    Parameters
    ----------
    methods : sequence of str
        As `blurmapper.methods.get_method` takes them.
    finished : sequence of Entry
        The other rows. A method whose maps are given by its name is not run.
    refine : bool
        As in `blurmapper.methods.MethodOptions`.
    stretch : bool
        As in `Entry`.

    Raises
    ------
    MethodError
        If no method has that name; the line lists those that there are.
    ConfigError
        If two rows would have one name.
    """
    given = {entry.name for entry in finished}
    entries: dict[str, Entry] = {}
    for method in dict.fromkeys(methods):
        name = name_method(method)
        if method in METHODS and name in given:
            continue
        if name in given or name in entries or name == ALL_BLURRED != method:
            raise ConfigError(f"--method: two rows would be called {name}; run them one by one")
        entries[name] = Entry(name, method, MethodOptions(refine=refine), stretch=stretch)
    return list(entries.values())


def name_method(method: str) -> str:
    """Return what a table calls a method: a file or a function by its own name alone.

    Raises
    ------
    MethodError
        If there is none of that name.
    """
    if is_weights(method):
        return re.sub(r"\.onnx$", "", Path(method).resolve().name, flags=re.IGNORECASE)
    if is_function(method):
        return method.rpartition(":")[2]
    check_choice("method", method, METHODS, MethodError)
    return method
