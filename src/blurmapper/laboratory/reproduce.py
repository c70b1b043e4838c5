"""An experiment from its name to its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from blurmapper.laboratory.applications import run_magnification, run_segmentation
from blurmapper.laboratory.cues import run_cues
from blurmapper.laboratory.degrees import run_degrees
from blurmapper.laboratory.draws import run_draws
from blurmapper.laboratory.entries import plan_networks
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.networks import describe_networks
from blurmapper.laboratory.photos import OPEN_BENCHMARK, is_open_benchmark
from blurmapper.laboratory.results import Results, check_written, write_results
from blurmapper.laboratory.scores import run_curves, run_scores
from blurmapper.laboratory.sheets import run_failures, run_sheet
from blurmapper.laboratory.times import run_times

PHOTOS = Path("../shared/data/photos")
"""What the open benchmark is made of unless it is there."""

Runner = Callable[[Experiment, Path | None, Path, Say], Results]
"""Experiment, data, folder of what is kept between runs, what gets a line of progress -> results.

The data is a folder of photos or what `blurmapper.datasets.read_dataset` takes; where no truth is
needed None is the package's samples, and else a `ConfigError`. Data that are not laid out so, or
hold no photo that fits, are a `DatasetError`. ``output/METHOD/`` gets maps and counts, and what is
there already is not done again.
"""

RUNNERS: dict[str, Runner] = {
    "scores": run_scores,
    "draws": run_draws,
    "times": run_times,
    "curves": run_curves,
    "sheet": run_sheet,
    "cues": run_cues,
    "segmentation": run_segmentation,
    "magnification": run_magnification,
    "degrees": run_degrees,
    "failures": run_failures,
}
"""Kind of experiment -> what makes it."""


def reproduce(
    experiment: Experiment, data: Path | None, output: Path, say: Say = lambda line: None
) -> tuple[Results, list[Path]]:
    """Make a table or figure of the paper anew, and write it down.

    Parameters
    ----------
    experiment : Experiment
        From `blurmapper.laboratory.experiments.read_experiment`.
    data : Path or None
        Photos or a data set, as the experiment's runner takes them. None is the open benchmark,
        which is made if there are photos to make it of.
    output : Path
        Gets what was found and, a folder a method, what need not be done twice: with the folder
        of a method deleted, its row is made anew.
    say : callable
        Gets how far it is, a line at a time.

    Returns
    -------
    results : Results
    written : list of Path
        The files.

    Raises
    ------
    ImageError
        If another's file is where one is to be written, which is said before anything is done.
    """
    check_written(experiment, output)
    if data is None and experiment.kind != "times":
        data = _find_open_benchmark(say)
    results = RUNNERS[experiment.kind](experiment, data, output, say)
    results = _tell_of_networks(results, experiment, data)
    return results, write_results(experiment, results, output)


def _tell_of_networks(results: Results, experiment: Experiment, data: Path | None) -> Results:
    """Return the results with how networks were trained, and which were left out."""
    if experiment.training is None or data is None:
        return results
    lines, values = [], {}
    networks = results.networks or plan_networks(experiment, data)
    if networks:
        lines = describe_networks(experiment.training, networks)
        values = {"networks": {n.name: n.read_record() for n in networks}}
    if is_open_benchmark(data) and experiment.methods:
        lines.append(
            "Our bundled networks have seen these photos in training and are left out; what "
            "`liu08` and `shi14` have fitted was fitted to photos of the same library."
        )
    note = "\n".join([results.note, *lines])
    return replace(results, note=note, values={**results.values, **values})


def _find_open_benchmark(say: Say) -> Path | None:
    """Return the open benchmark, made where it can be, else None."""
    if not (OPEN_BENCHMARK / "photos.csv").exists():
        if not (PHOTOS / "photos.csv").exists():
            return None
        from blurmapper.laboratory.open_benchmark import build_open_benchmark

        say(f"making the open benchmark of {PHOTOS} in {OPEN_BENCHMARK}")
        build_open_benchmark(PHOTOS, OPEN_BENCHMARK)
    return OPEN_BENCHMARK
