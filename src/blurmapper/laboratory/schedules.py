"""How long and on what size networks are trained, as files of the package say it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blurmapper.errors import ConfigError
from blurmapper.laboratory.experiments import Training

SCHEDULES = Path(__file__).parents[1] / "assets" / "schedules"

SIDE_STEP = 32
"""Sides of a network's input are multiples of this many pixels."""


@dataclass(frozen=True)
class Schedule:
    """How long and on what size networks are trained.

    Attributes
    ----------
    name, summary : str
        The latter, what is to be known of it beside its values, is printed on every table.
    values : mapping
        Fields of `blurmapper.training.config.TrainingConfig`.
    """

    name: str
    summary: str
    values: Mapping[str, Any]


def schedule_names() -> list[str]:
    """Return the names that `read_schedule` knows, in order."""
    return sorted(path.stem for path in SCHEDULES.glob("*.toml"))


def read_schedule(name: str) -> Schedule:
    """Read a schedule of the package.

    Raises
    ------
    ConfigError
        If none has that name; the line lists those that there are.
    """
    if name not in schedule_names():
        known = ", ".join(schedule_names())
        raise ConfigError(f"no schedule named {name!r}; choose from: {known}")
    values = tomllib.loads((SCHEDULES / f"{name}.toml").read_text(encoding="utf-8"))
    return Schedule(name, values.pop("summary"), values)


def row_fields(own: Mapping[str, Any], schedule: Schedule, training: Training) -> dict[str, Any]:
    """Return the fields of a row's config: the schedule's, its own, and what overrides both.

    Raises
    ------
    ConfigError
        If what a row multiplies is no number.
    """
    fields = {**schedule.values, **own, **training.overrides}
    scale, rate_factor = fields.pop("scale", 1.0), fields.pop("rate_factor", 1.0)
    for name in ("side", "working_side", "rate"):
        if isinstance(fields[name], bool) or not isinstance(fields[name], int | float):
            raise ConfigError(f"{name}={fields[name]}: not a number; write {name}=0.5 or the like")
    for name in ("side", "working_side"):
        if scale != 1.0:
            fields[name] = max(1, round(fields[name] * scale / SIDE_STEP)) * SIDE_STEP
    return {**fields, "rate": fields["rate"] * rate_factor}


def list_steps(training: Training) -> str:
    """Return how long and on what size, and which settings are not the schedule's."""
    schedule = read_schedule(training.schedule)
    values = {**schedule.values, **training.overrides}
    changed = "".join(f", {key} = {value}" for key, value in training.overrides.items())
    return (
        f"{changed}: {values['iterations']:,} steps of {values['batch']} photos at "
        f"{values['side']} x {values['side']}, {schedule.summary}"
    )
