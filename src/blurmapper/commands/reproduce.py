"""`blurmapper reproduce` and `blurmapper open-benchmark`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from blurmapper.commands import _evaluate_options as option
from blurmapper.commands._output import print_line, print_text, progress_bar
from blurmapper.commands._parameters import Argument, Option
from blurmapper.errors import ConfigError, needing

if TYPE_CHECKING:
    from blurmapper.laboratory.experiments import Experiment


def reproduce(
    name: Annotated[
        str,
        Argument(
            metavar="NAME",
            help="table2 to table6, more-data, ablations, figure2, figure4 to figure13.",
        ),
    ],
    data: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="What to run on: a data set, or a folder of such, where scores are made, the "
            "open benchmark unless given; a folder of photos where times are, the package's "
            "samples unless given.",
        ),
    ] = None,
    methods: Annotated[
        list[str] | None,
        Option(
            "--method",
            metavar="NAME",
            help="Only this method's or network's row; or package.module:function, a method of "
            "your own, added to the rows: image in, blur map out. Repeatable.",
        ),
    ] = None,
    maps: option.Maps = None,
    polarity: option.MapsPolarity = None,
    photos: Annotated[
        int | None,
        Option(
            metavar="N",
            least=1,
            help="How many photos to time, to draw, or to score (spread evenly).",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        Option(
            metavar="full|medium",
            help="How long networks train: as the paper's, or what two CPU cores do in 40 minutes "
            "a network; medium unless given.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        Option(
            "--set", metavar="KEY=VALUE", help="A field of every network's training; repeatable."
        ),
    ] = None,
    trained_on: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Data set with halves that networks train on: --data where it has halves, else "
            "the open benchmark.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="DIR", help="runs/reproduce/NAME unless given."),
    ] = None,
) -> None:
    """Make a table or figure of the paper anew, beside the paper's own numbers.

    Nothing is done twice: a run that was cut short goes on where it stopped, and new weights
    are run anew. The tables go to DIR/NAME.md and .tex, all numbers in full to DIR/NAME.json,
    the scores of each photo to DIR/NAME.csv; delete DIR/METHOD to have a row made again. Trained
    networks are kept in runs/reproduce/networks and shared by all experiments. Needs
    blurmapper[baselines], blurmapper[train] where networks are trained, and blurmapper[report]
    where there are figures.

    Examples:

        blurmapper reproduce table6
        blurmapper reproduce table3 --data validation/
        blurmapper reproduce table2 --schedule full --data cuhk/
        blurmapper reproduce table3 --data cuhk/ --maps mine=maps/ --method mine.blur:map_blur
    """
    from blurmapper.evaluation.tables import format_markdown
    from blurmapper.laboratory.experiments import add_maps, read_experiment, select_rows
    from blurmapper.laboratory.reproduce import reproduce as run

    experiment = read_experiment(name)
    if methods:
        experiment = select_rows(experiment, methods)
    experiment = _train_so(experiment, schedule, settings or [], trained_on)
    experiment = add_maps(experiment, maps or [], polarity or [])
    if photos is not None:
        limit = photos if experiment.kind in {"scores", "draws", "curves"} else 0
        experiment = replace(experiment, photos=photos, limit=limit)
    kept = output or Path("runs/reproduce", name)
    with needing("baselines,report,train", "this command needs"):
        results, written = run(experiment, data, kept, lambda line: print_line(line, err=True))
    for table in results.tables:
        print_text(f"{format_markdown(table)}\n")
    print_text(f"{results.note}\n")
    print_line(f"-> {', '.join(map(str, written))}")


def open_benchmark(
    photos: Annotated[
        Path, Option(metavar="DIR", help="Training photos, laid out as docs/training.md says.")
    ] = Path("../shared/data/photos"),
    output: Annotated[
        Path, Option("--output", "-o", metavar="DIR", help="Gets images, masks and a list.")
    ] = Path("runs/open-benchmark"),
    seed: Annotated[int, Option(metavar="N", least=0, help="Of everything drawn.")] = 0,
    side: Annotated[
        int, Option(metavar="PIXELS", least=64, help="Height and width of the photos.")
    ] = 384,
) -> None:
    """Make a benchmark of 1,000 partly blurred photos, as the paper's is made up.

    704 are out of focus and 296 in motion; those with an odd number are to train on, those with
    an even number to test on. A run that was cut short goes on where it stopped.
    Needs blurmapper[train].

    Example:

        blurmapper open-benchmark --photos photos/ -o benchmark/
    """
    with needing("train", "this command needs"):
        from blurmapper.laboratory.open_benchmark import build_open_benchmark
        from blurmapper.laboratory.photos import CUHK_PHOTOS

    total = sum(CUHK_PHOTOS.values())
    with progress_bar(total) as bar:
        task = bar.add_task("", total=total)
        build_open_benchmark(
            photos, output, seed=seed, side=side, advance=lambda: bar.advance(task)
        )
    print_line(f"-> {output}")


def _train_so(
    experiment: Experiment, schedule: str | None, settings: list[str], trained_on: Path | None
) -> Experiment:
    """Return the experiment with its training as the options say, if it trains anything."""
    if experiment.training is None or not experiment.training.networks:
        if schedule or settings or trained_on:
            raise ConfigError(
                f"{experiment.name} trains nothing; leave out --schedule, --set and --trained-on"
            )
        return experiment
    overrides = {}
    if settings:
        with needing("train", "this command needs"):
            from blurmapper.training.config import parse_override
        overrides = dict(map(parse_override, settings))
    data = "" if trained_on is None else str(trained_on)
    chosen = schedule or experiment.training.schedule
    training = replace(experiment.training, schedule=chosen, overrides=overrides, data=data)
    return replace(experiment, training=training)
