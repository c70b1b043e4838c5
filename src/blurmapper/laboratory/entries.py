"""The rows of an experiment: methods to run, and networks that are trained first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from blurmapper.datasets import Sample, read_dataset
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.evaluation.benchmark import Entry, run_benchmark
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.selection import choose_finished, choose_methods
from blurmapper.laboratory.experiments import Experiment, Say, Training, read_schedule, row_fields
from blurmapper.laboratory.networks import TrainedNetwork, plan_network
from blurmapper.laboratory.photos import (
    LEAST_HALF,
    OPEN_BENCHMARK,
    has_halves,
    is_open_benchmark,
    read_whole,
)
from blurmapper.methods import METHODS
from blurmapper.splits import select_split


def prepare_entries(
    experiment: Experiment, data: Path | None, samples: Sequence[Sample], say: Say
) -> Iterator[Entry]:
    """Yield an entry for each row: methods, finished maps, then each network once it is trained.

    Parameters
    ----------
    experiment : Experiment
    data : Path
        The data set that is scored.
    samples : sequence of Sample
        Its photos that are.
    say : callable
        Gets a line for each network.

    Raises
    ------
    ConfigError
        If no row is left, two would have one name, or a network cannot be trained so.
    DatasetError
        If there is nothing to train on, or a photo that is scored would be trained on.
    MethodError
        If no method has a name.

    Notes
    -----
    Our bundled networks have seen the photos of the open benchmark and have no row on it.
    Finished maps of another size than their mask are resized to it.
    """
    assert data is not None, "photos were read of it"
    methods = [m for m in experiment.methods if not _has_seen(m, data)]
    networks = plan_networks(experiment, data)
    if not (methods or networks or experiment.maps):
        trains = experiment.training is not None and bool(experiment.training.networks)
        why, mend = "whose photos the bundled networks have seen", "choose other methods or data"
        if trains and not experiment.methods:
            why, mend = "which has no halves to train on", "say what to train on by --trained-on"
        raise ConfigError(f"{experiment.name}: no row is left on {data}, {why}; {mend}")
    if networks and experiment.training is not None:
        _keep_apart(read_training_half(experiment.training, data)[1], samples)
    finished = choose_finished(
        experiment.maps, experiment.polarities, resize=bool(experiment.maps), stretch=False
    )
    entries = [*choose_methods(methods, finished, refine=True), *finished]
    for name in {entry.name for entry in entries} & {network.name for network in networks}:
        raise ConfigError(f"two rows would be called {name}; name maps NAME=DIR, or run it alone")
    yield from entries
    for network in networks:
        say(f"{network.name}: {network.folder}")
        network.train(say)
        maps = network.write_maps(samples, network.folder / "maps" / data.resolve().name)
        yield Entry(network.name, maps=maps)


def score_entries(
    entries: Iterable[Entry], samples: Sequence[Sample], output: Path, say: Say
) -> dict[str, Records]:
    """Return the records of each row by its name; what is kept in `output` is not scored again."""
    results = {}
    for entry in entries:
        results[entry.name] = run_benchmark(entry, samples, output)
        say(f"{entry.name}: {len(samples)} photos scored")
    return results


def plan_networks(experiment: Experiment, data: Path) -> list[TrainedNetwork]:
    """Return the networks of an experiment's rows, trained already or not.

    Raises
    ------
    ConfigError
        If a value cannot be used.
    DatasetError
        If the data set that they are to be trained on has no halves.
    """
    if experiment.training is None or not experiment.training.networks:
        return []
    training, schedule = experiment.training, read_schedule(experiment.training.schedule)
    if not (training.elsewhere or training.data or has_halves(read_dataset(data))):
        if training.overrides:
            raise ConfigError(
                f"{experiment.name} trains nothing on {data}, which has no halves; leave out "
                "--set, or name what to train on with --trained-on"
            )
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
        if not is_open_benchmark(folder):
            raise DatasetError(
                f"{folder}: networks are trained on the open benchmark where the data set that is "
                "scored has no halves, and it is not there; make it with blurmapper "
                "open-benchmark, or name another with --trained-on"
            )
    samples = read_whole(folder)
    if not has_halves(samples):
        raise DatasetError(
            f"{folder}: its photos are not numbered as CUHK's are (motion0001, out_of_focus0001), "
            f"at least {LEAST_HALF} odd and {LEAST_HALF} even, so that it has no halves; train on "
            "one that has, with --trained-on"
        )
    return folder, select_split(samples, training.half)


def _has_seen(method: str, data: Path) -> bool:
    bundled = method in METHODS and METHODS[method].kind == "network"
    return bundled and (is_open_benchmark(data) or any(map(is_open_benchmark, data.iterdir())))


def _keep_apart(trained_on: Sequence[Sample], scored: Sequence[Sample]) -> None:
    """Refuse to score what was trained on, as where a folder of sets holds the one of both."""
    seen = {sample.truth.resolve() for sample in trained_on}
    both = [sample for sample in scored if sample.truth.resolve() in seen]
    if both:
        raise DatasetError(
            f"{both[0].truth}: would be trained on and scored, as {len(both)} photos in all; "
            "score another data set, or name what to train on with --trained-on"
        )
