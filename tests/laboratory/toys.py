"""Experiments that take a moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from blurmapper.laboratory.experiments import (
    Experiment,
    read_experiment,
)

TOY = {"iterations": 1, "side": 32, "working_side": 32, "batch": 2, "threads": 1}


def toy(name: str, kept: Path, only: tuple[str, ...] = ()) -> Experiment:
    """Return an experiment whose networks take one step on 32 x 32 pixels, from scratch."""
    experiment = read_experiment(name)
    training = experiment.training
    assert training is not None
    networks = {k: v for k, v in training.networks.items() if not only or k in only}
    settings: dict[str, Any] = {"overrides": {**TOY, "initialise": ""}, "kept": str(kept)}
    if training.draws:
        settings |= {"draws": 2, "added": 2}
    training = replace(training, networks=networks, **settings)
    return replace(experiment, methods=(), side=16, training=training)


def with_overrides(experiment: Experiment, **overrides: Any) -> Experiment:
    """Return an experiment whose networks are trained otherwise."""
    assert experiment.training is not None
    changed = {**experiment.training.overrides, **overrides}
    return replace(experiment, training=replace(experiment.training, overrides=changed))
