"""Experiments of kind ``draws``: what more photos to train on bring, drawn several times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Sample, read_dataset
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.evaluation.benchmark import Entry, run_benchmark
from blurmapper.evaluation.bootstrap import Interval, bootstrap_differences
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.report import NOTES
from blurmapper.evaluation.scores import PROTOCOLS, score_paper
from blurmapper.evaluation.tables import HEADINGS, Table, format_gain
from blurmapper.laboratory.entries import plan_networks, read_training_half
from blurmapper.laboratory.experiments import Experiment, Say, read_schedule, row_fields
from blurmapper.laboratory.networks import TrainedNetwork, plan_network
from blurmapper.laboratory.photos import has_halves, read_samples
from blurmapper.laboratory.results import Results

PROTOCOL = "paper"


def run_draws(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Train on one half and some photos of the other, test on the rest, several times.

    The network trained on the half alone is tested on the same photos, so that the difference
    is of the training alone. The first network counts, and the data set must have halves.
    """
    training = experiment.training
    if data is None or training is None:
        raise ConfigError(f"{experiment.name} needs --data DIR, a data set that has halves")
    tested = read_samples(experiment, data)
    is_same = not training.data or Path(training.data).resolve() == data.resolve()
    if not has_halves(read_dataset(data)) or not is_same:
        raise DatasetError(
            f"{data}: what is added to the training is taken from the half that is tested, so that "
            "both must be of one data set with halves; give that as --data, and no --trained-on"
        )
    networks = plan_networks(experiment, data)
    if not networks:
        raise ConfigError(f"{experiment.name}: no network is left; leave out --method")
    # Said before the first network is trained, where there are too few.
    draws = [draw(tested, training.added, number) for number in range(training.draws)]
    alone = networks[0]
    few = _score(alone, tested, data, output, say)
    say(f"{alone.name}: {len(tested)} photos scored")

    folder, half = read_training_half(training, data)
    schedule = read_schedule(training.schedule)
    fields = row_fields(training.networks[alone.name], schedule, training)
    compared: list[tuple[Records, Records]] = []
    for number, (added, rest) in enumerate(draws):
        network = plan_network(
            f"{alone.name}-draw-{number}", fields, [*half, *added], folder, Path(training.kept)
        )
        more = _score(network, rest, data, output, say)
        networks.append(network)
        compared.append((few.select(sample.name for sample in rest), more))
        say(f"draw {number + 1} of {training.draws}: {len(rest)} photos scored")
    return Results(
        [_table(experiment, compared, len(half))],
        _note(experiment, len(half)),
        {"draws": [_scores(more) | {"without": _scores(less)} for less, more in compared]},
        networks=networks,
    )


def draw(samples: Sequence[Sample], added: int, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split photos into those added to the training and those tested on.

    Raises
    ------
    DatasetError
        If none would be left to test on.
    """
    if len(samples) <= added:
        raise DatasetError(f"only {len(samples)} photos to test on: {added} cannot be taken away")
    order = np.random.default_rng(seed).permutation(len(samples))
    chosen = set(order[:added].tolist())
    return (
        [sample for place, sample in enumerate(samples) if place in chosen],
        [sample for place, sample in enumerate(samples) if place not in chosen],
    )


def _score(
    network: TrainedNetwork, samples: Sequence[Sample], data: Path, output: Path, say: Say
) -> Records:
    network.train(say)
    maps = network.write_maps(samples, network.folder / "maps" / data.resolve().name)
    return run_benchmark(Entry(network.name, maps=maps), samples, output)


def _scores(records: Records) -> dict[str, float]:
    scores = score_paper(records.counts)
    return {"ods": scores.ods, "ois": scores.ois, "ap": scores.ap}


def _table(experiment: Experiment, compared: Sequence[tuple[Records, Records]], half: int) -> Table:
    assert experiment.training is not None
    names = PROTOCOLS[PROTOCOL].scores
    scored = [(_scores(less), _scores(more)) for less, more in compared]
    rows = []
    for number, ((less, more), scores) in enumerate(zip(compared, scored, strict=True), 1):
        gains = bootstrap_differences(more.counts, less.counts, PROTOCOL)
        rows.append((f"draw {number}", *_cells(*scores, gains)))
    mean_cells: list[str] = []
    for name in names:
        less_of, more_of = (np.array([pair[side][name] for pair in scored]) for side in (0, 1))
        mean_cells += [f"{less_of.mean():.3f}", f"{more_of.mean():.3f}"]
        mean_cells.append(_mean_gain(more_of - less_of))
    rows.append(("mean", *mean_cells))
    total = half + experiment.training.added
    headings = ["photos"]
    for name in names:
        headings += [f"{HEADINGS[name]}, {half}", f"{HEADINGS[name]}, {total}", "gain (95 %)"]
    left = len(compared[0][0])
    title = f"{experiment.title}: {left} photos a draw, protocol {PROTOCOL}"
    return Table(title, tuple(headings), tuple(rows))


def _mean_gain(gains: npt.NDArray[np.float64]) -> str:
    """Return the mean of the draws' gains with the interval that Student's t gives it."""
    if len(gains) < 2:
        return f"{gains.mean():+.3f}"
    from scipy.special import stdtrit

    spread = stdtrit(len(gains) - 1, 0.975) * gains.std(ddof=1) / np.sqrt(len(gains))
    return format_gain(Interval(gains.mean(), gains.mean() - spread, gains.mean() + spread))


def _cells(
    less: Mapping[str, float], more: Mapping[str, float], gains: Mapping[str, Interval]
) -> list[str]:
    cells = []
    for name, gain in gains.items():
        cells += [f"{less[name]:.3f}", f"{more[name]:.3f}", format_gain(gain)]
    return cells


def _note(experiment: Experiment, half: int) -> str:
    means = (
        f"Left, trained on {half} photos; right, on those and the photos drawn; both tested on the "
        "same photos, which neither has seen (in the open benchmark a made photo may show a "
        "subject that one of the photos drawn shows too). The intervals of the draws are paired "
        "bootstraps over photos; that of the mean is of the draws, by Student's t."
    )
    protocol = f"Protocol `{PROTOCOL}`: {NOTES[PROTOCOL]}"
    return "\n".join([protocol, means, f"The paper: {experiment.source}."])
