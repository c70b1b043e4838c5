"""What each table and figure of the paper needs, as files of the package say it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from blurmapper.datasets import Split
from blurmapper.errors import ConfigError

FOLDER = Path(__file__).parents[1] / "assets" / "experiments"


@dataclass(frozen=True)
class Experiment:
    """A table or figure of the paper, made anew.

    Attributes
    ----------
    name : str
        What `blurmapper reproduce` calls it.
    kind : str
        Which of `blurmapper.laboratory.reproduce.RUNNERS` makes it.
    title : str
        Heads what is written.
    source : str
        Where the paper's own figures stand, and what they were measured on.
    methods : tuple of str
        Names in `blurmapper.methods.METHODS`, in the order of the rows.
    paper : mapping of str to mapping
        Method -> the paper's own figures by name; a method that the paper lacks is left out.
    protocols : tuple of str
        Of scores: a table each.
    split : {"all", "even", "odd"}
        Of scores: which photos, where the data set is the CUHK benchmark.
    photos, side, repeats : int
        Of times: how many photos, their side in pixels, and how often each is mapped; the
        fastest counts. Of figures: how many photos are drawn, and the side of patches.
    seed : int
        Of figures: which photos or patches are drawn.
    blur : {"", "defocus", "motion"}
        Of figures: the kind of blur of the photos that are drawn, or any.
    patches : int
        Of cues: how many of each class are taken from a photo at most.
    strengths : tuple of float
        Of magnified photos: a column each.
    """

    name: str
    kind: Literal[
        "scores",
        "times",
        "cues",
        "curves",
        "sheet",
        "segmentation",
        "degrees",
        "magnification",
        "failures",
    ]
    title: str
    source: str
    methods: tuple[str, ...]
    paper: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("paper",)
    split: Split = "all"
    photos: int = 10
    side: int = 384
    repeats: int = 3
    seed: int = 0
    blur: Literal["", "defocus", "motion"] = ""
    patches: int = 0
    strengths: tuple[float, ...] = ()


def experiment_names() -> list[str]:
    """Return the names that `read_experiment` knows, in order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_experiment(name: str) -> Experiment:
    """Read an experiment of the package.

    Raises
    ------
    ConfigError
        If none has that name; the line lists those that there are.

    Examples
    --------
    >>> read_experiment("table6").paper["hifst"]["mean"]
    99.7
    """
    if name not in experiment_names():
        known = ", ".join(experiment_names())
        raise ConfigError(f"no experiment named {name!r}; choose from: {known}")
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Experiment(name, **fields)
