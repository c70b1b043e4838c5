"""`blurmapper reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def reproduce(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A table or figure of the paper: table3, table6.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="What to run on: a data set, or a folder of such, where scores are made; a "
            "folder of photos where times are, the package's samples unless given.",
        ),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method", metavar="NAME", help="Only this method's row; repeat for several."
        ),
    ] = None,
    photos: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How many photos to time.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="runs/reproduce/NAME unless given."),
    ] = None,
) -> None:
    """Make a table or figure of the paper anew, beside the paper's own numbers.

    Nothing is done twice: a run that was cut short goes on where it stopped, and new weights
    are run anew. The tables go to DIR/NAME.md, all figures in full to DIR/NAME.json; delete
    DIR/METHOD to have a row made again. Needs blurmapper[baselines], and blurmapper[report]
    where there are figures.

    Examples:

        blurmapper reproduce table6
        blurmapper reproduce table3 --data validation/
    """
    from dataclasses import replace

    from blurmapper.evaluation.tables import format_markdown
    from blurmapper.laboratory.experiments import read_experiment
    from blurmapper.laboratory.reproduce import reproduce as run

    experiment = read_experiment(name)
    if methods:
        experiment = replace(experiment, methods=tuple(dict.fromkeys(methods)))
    if photos is not None:
        experiment = replace(experiment, photos=photos)
    kept = output or Path("runs/reproduce", name)
    results, written = run(experiment, data, kept, lambda line: typer.echo(line, err=True))
    for table in results.tables:
        typer.echo(format_markdown(table))
    typer.echo(f"{results.note}\n-> {', '.join(map(str, written))}")
