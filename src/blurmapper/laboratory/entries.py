"""The rows of an experiment: methods to run, and networks that are trained first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blurmapper.datasets import Sample, read_dataset, select_split
from blurmapper.errors import DatasetError
from blurmapper.evaluation.benchmark import Entry
from blurmapper.evaluation.selection import choose_methods
from blurmapper.laboratory.experiments import Experiment, Training
from blurmapper.laboratory.networks import (
    Schedule,
    TrainedNetwork,
    plan_network,
    read_schedule,
)
from blurmapper.laboratory.photos import OPEN_BENCHMARK, has_halves, is_open_benchmark
from blurmapper.laboratory.results import Say
from blurmapper.methods import METHODS

SIDE_STEP = 32
"""Sides of a network's input are multiples of this many pixels."""


def prepare_entries(
    experiment: Experiment, data: Path | None, samples: Sequence[Sample], say: Say
) -> list[Entry]:
    """Return an entry for each row, its network trained and its photos mapped.

    Parameters
    ----------
    experiment : Experiment
    data : Path
        The data set that is scored.
    samples : sequence of Sample
        Its photos that are.
    say : callable
        Told a line for each network.

    Notes
    -----
    Our bundled networks have seen the photos of the open benchmark and have no row on it.
    """
    assert data is not None, "photos were read of it"
    methods = [m for m in experiment.methods if not _has_seen(m, data)]
    entries = choose_methods(methods, refine=True) if methods else []
    for network in plan_networks(experiment, data):
        say(f"{network.name}: {network.folder}")
        network.train()
        maps = network.write_maps(samples, network.folder / "maps" / data.resolve().name)
        entries.append(Entry(network.name, maps=maps))
    return entries


def plan_networks(experiment: Experiment, data: Path) -> list[TrainedNetwork]:
    """Return the networks of an experiment's rows, trained already or not.

    Raises
    ------
    DatasetError
        If the data set that they are to be trained on has no halves.
    """
    if experiment.training is None:
        return []
    training, schedule = experiment.training, read_schedule(experiment.training.schedule)
    if not (training.elsewhere or training.data or has_halves(read_dataset(data))):
        return []
    folder, trained_on = read_training_half(training, data)
    return [
        plan_network(
            name, row_fields(own, schedule, training), trained_on, folder, Path(training.kept)
        )
        for name, own in training.networks.items()
    ]


def read_training_half(training: Training, data: Path) -> tuple[Path, list[Sample]]:
    """Return the data set that networks are trained on, and its half.

    Raises
    ------
    DatasetError
        If it has no halves.
    """
    folder = Path(training.data) if training.data else data
    if not training.data and not has_halves(read_dataset(folder)):
        folder = OPEN_BENCHMARK
    samples = read_dataset(folder)
    if not has_halves(samples):
        raise DatasetError(
            f"{folder}: its photos are not numbered as CUHK's are (motion0001, out_of_focus0001), "
            "so that it has no halves; train on one that has, with --trained-on"
        )
    return folder, select_split(samples, training.half)


def row_fields(own: Mapping[str, Any], schedule: Schedule, training: Training) -> dict[str, Any]:
    """Return the fields of a row's config: the schedule's, its own, and what overrides both."""
    fields = {**schedule.values, **own, **training.overrides}
    scale, rate_factor = fields.pop("scale", 1.0), fields.pop("rate_factor", 1.0)
    for name in ("side", "working_side"):
        if scale != 1.0:
            fields[name] = max(1, round(fields[name] * scale / SIDE_STEP)) * SIDE_STEP
    return {**fields, "rate": fields["rate"] * rate_factor}


def _has_seen(method: str, data: Path) -> bool:
    bundled = method in METHODS and METHODS[method].kind == "network"
    return bundled and is_open_benchmark(data)
