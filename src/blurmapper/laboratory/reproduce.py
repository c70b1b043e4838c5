"""An experiment from its name to its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.results import Results, Say, write_results
from blurmapper.laboratory.scores import run_scores
from blurmapper.laboratory.times import run_times

Runner = Callable[[Experiment, Path | None, Path, Say], Results]
"""Experiment, data, folder of what is kept between runs, progress -> results."""

RUNNERS: dict[str, Runner] = {"scores": run_scores, "times": run_times}
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
        Photos or a data set, as the experiment's runner takes them.
    output : Path
        Gets what was found and, a folder a method, what need not be done twice: with the folder
        of a method deleted, its row is made anew.
    say : callable
        Told how far it is, a line at a time.

    Returns
    -------
    results : Results
    written : list of Path
        The files.
    """
    results = RUNNERS[experiment.kind](experiment, data, output, say)
    return results, write_results(experiment, results, output)
