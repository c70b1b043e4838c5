"""What each table and figure of the paper needs, and how networks are trained for it.

Files of the package say both, in `assets`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from blurmapper.datasets import Polarity
from blurmapper.errors import ConfigError, MethodError, check_choice
from blurmapper.methods import METHODS, is_function, is_weights
from blurmapper.splits import Split

ASSETS = Path(__file__).parents[1] / "assets"

Say = Callable[[str], None]
"""Where a runner reports how far it is, a line at a time."""

SIDE_STEP = 32
"""Sides of a network's input are multiples of this many pixels."""

OF_ONE_METHOD = ("segmentation", "degrees", "magnification")
"""Kinds of experiment that show what the maps of one method are for."""

OF_ENTRIES = ("scores", "curves", "sheet", "cues", "failures")
"""Kinds of experiment that take finished maps beside methods."""

SHARED = ("methods", "training", "split")
"""What a figure takes over from the table that its file says it is ``of``."""

DECIDED = ("photos", "listed", "dataset", "mixture", "output", "workers", "score_every")
"""Fields of a config that nobody can set: what is learnt from, where it goes, what is of no use."""


@dataclass(frozen=True)
class Training:
    """Networks that an experiment trains, a row each.

    Attributes
    ----------
    networks : mapping of str to mapping
        Row -> fields of `blurmapper.training.config.TrainingConfig` in place of the schedule's,
        and beside them: ``scratch`` (start at random), ``scale`` and ``rate_factor`` (of the
        schedule's input side and learning rate).
    half : {"odd", "even"}
        What they are trained on.
    draws, added : int
        How often so many photos of the other half are trained on too; 0 for never.
    schedule : str
        As `read_schedule` knows it.
    overrides : mapping
        Fields in place of the schedule's; none that a row has as its own.
    data : str
        The data set trained on; empty for the one that is scored, or, where that has no halves,
        the open benchmark.
    elsewhere : bool
        Whether there are rows of networks too where the data set that is scored has no halves.
    kept : str
        Folder of the trained networks, shared by all experiments.
    """

    networks: Mapping[str, Mapping[str, Any]]
    half: Split = "odd"
    draws: int = 0
    added: int = 0
    schedule: str = "medium"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""
    elsewhere: bool = True
    kept: str = "runs/reproduce/networks"


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
        As `blurmapper.methods.get_method` takes them, in the order of the rows.
    maps, polarities : tuple of str
        Folders of finished maps, a row each, and what white means in them, as
        `blurmapper.evaluation.selection.choose_finished` takes them.
    training : Training or None
        The networks whose rows follow.
    paper : mapping of str to mapping
        Method -> the paper's own figures by name; a method that the paper lacks is left out.
    protocols : tuple of str
        Of scores: a table each.
    split : {"all", "even", "odd"}
        Of scores: which photos, where the data set has halves as the CUHK benchmark has.
    limit : int
        Of scores: how many photos, spread evenly over those there are; 0 for all.
    reference : str
        Of scores: the row that the others are compared with, photo by photo; empty for none.
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
    kind: str
    title: str
    source: str
    methods: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    polarities: tuple[Polarity, ...] = ()
    training: Training | None = None
    paper: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("paper",)
    split: Split = "all"
    limit: int = 0
    reference: str = ""
    photos: int = 10
    side: int = 384
    repeats: int = 3
    seed: int = 0
    blur: Literal["", "defocus", "motion"] = ""
    patches: int = 0
    strengths: tuple[float, ...] = ()


def experiment_names() -> list[str]:
    """Return the names that `read_experiment` knows: tables and figures by their number."""
    names = (path.stem for path in (ASSETS / "experiments").glob("*.toml"))
    return sorted(names, key=lambda name: (name.rstrip("0123456789"), len(name), name))


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
    values = _read_values("experiment", name, experiment_names())
    if "of" in values:
        table = _read_values("experiment", values.pop("of"), experiment_names())
        values = {key: table[key] for key in SHARED if key in table} | values
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    if "training" in fields:
        fields["training"] = Training(**fields["training"])
    return Experiment(name, **fields)


def select_rows(experiment: Experiment, names: Sequence[str]) -> Experiment:
    """Return an experiment of some rows alone: networks that it trains, other names are methods.

    Functions of one's own are added: to all rows where no other is named. An experiment of one
    method shows the function in its place.

    Raises
    ------
    MethodError, ConfigError
        If there is no row of a name, or none for a function or a second method.
    """
    names = tuple(dict.fromkeys(names))
    trained = {} if experiment.training is None else experiment.training.networks
    own = tuple(name for name in names if is_function(name))
    named = [name for name in names if name not in own]
    for name in named:
        if not is_weights(name):
            check_choice("row", name, [*trained, *METHODS], MethodError)
    too_many = names[1:] if experiment.kind in OF_ONE_METHOD else ()
    if left := own if experiment.kind == "draws" else too_many:
        raise ConfigError(f"{experiment.name} has no row for {', '.join(left)}; leave it out")
    if not named and experiment.kind not in OF_ONE_METHOD:
        named = [*experiment.methods, *trained]
    methods = tuple(name for name in named if name not in trained)
    if experiment.training is None:
        return replace(experiment, methods=(*methods, *own))
    networks = {name: trained[name] for name in named if name in trained}
    training = replace(experiment.training, networks=networks)
    return replace(experiment, methods=(*methods, *own), training=training)


def add_maps(
    experiment: Experiment, maps: Sequence[str], polarities: Sequence[Polarity]
) -> Experiment:
    """Return an experiment with a row for each folder of finished maps.

    Raises
    ------
    ConfigError
        If it maps photos itself, so that finished maps are of no use to it.
    """
    if maps and experiment.kind not in OF_ENTRIES:
        raise ConfigError(
            f"{experiment.name} maps photos itself; leave out --maps, or name a function with "
            "--method package.module:function"
        )
    return replace(experiment, maps=tuple(maps), polarities=tuple(polarities))


@dataclass(frozen=True)
class Schedule:
    """How long and on what size networks are trained.

    Attributes
    ----------
    summary : str
        What is to be known of it beside its values; it is printed on every table.
    values : mapping
        Fields of `blurmapper.training.config.TrainingConfig`.
    """

    summary: str
    values: Mapping[str, Any]


def schedule_names() -> list[str]:
    """Return the names that `read_schedule` knows, in order."""
    return sorted(path.stem for path in (ASSETS / "schedules").glob("*.toml"))


def read_schedule(name: str) -> Schedule:
    """Read a schedule of the package.

    Raises
    ------
    ConfigError
        If none has that name; the line lists those that there are.
    """
    values = _read_values("schedule", name, schedule_names())
    return Schedule(values.pop("summary"), values)


def row_fields(own: Mapping[str, Any], schedule: Schedule, training: Training) -> dict[str, Any]:
    """Return the fields of a row's config: its own, and the schedule's or what overrides them.

    Raises
    ------
    ConfigError
        If what overrides them is no field of a config, decided here or by the row, or no value of
        its field.
    """
    _check_overrides(training.overrides)
    for name in training.overrides.keys() & own.keys():
        raise ConfigError(
            f"--set {name}: is what a row is of ({own[name]}); leave it out, or choose other rows"
        )
    fields = {**schedule.values, **own, **training.overrides}
    scale, rate_factor = fields.pop("scale", 1.0), fields.pop("rate_factor", 1.0)
    for name in ("side", "working_side"):
        if scale != 1.0:
            fields[name] = max(1, round(fields[name] * scale / SIDE_STEP)) * SIDE_STEP
    return {**fields, "rate": fields["rate"] * rate_factor}


def _check_overrides(overrides: Mapping[str, Any]) -> None:
    from blurmapper.training.config import TrainingConfig

    for name in overrides:
        if name in DECIDED:
            raise ConfigError(f"--set {name}: is decided by reproduce; leave it out")
    needed = {"architecture": "", "photos": ".", "output": "."}
    TrainingConfig.from_dict({**needed, **overrides}, "--set")


def list_steps(training: Training) -> str:
    """Return how long and on what size, and which settings are not the schedule's."""
    schedule = read_schedule(training.schedule)
    values = {**schedule.values, **training.overrides}
    changed = "".join(f", {key} = {value}" for key, value in training.overrides.items())
    return (
        f"{changed}: {values['iterations']:,} steps of {values['batch']} photos at "
        f"{values['side']} x {values['side']}, {schedule.summary}"
    )


def _read_values(what: str, name: str, known: Sequence[str]) -> dict[str, Any]:
    check_choice(what, name, known)
    return tomllib.loads((ASSETS / f"{what}s" / f"{name}.toml").read_text(encoding="utf-8"))
