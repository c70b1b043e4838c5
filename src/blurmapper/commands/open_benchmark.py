"""`blurmapper open-benchmark`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blurmapper.commands._output import print_line, progress_bar
from blurmapper.errors import needing


def open_benchmark(
    photos: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Training photos, laid out as docs/training.md says."),
    ] = Path("../shared/data/photos"),
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Gets images, masks and a list.")
    ] = Path("runs/open-benchmark"),
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of everything drawn.")] = 0,
    side: Annotated[
        int, typer.Option(metavar="PIXELS", min=64, help="Height and width of the photos.")
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
        from blurmapper.laboratory.open_benchmark import COUNTS, build_open_benchmark

    total = sum(COUNTS.values())
    with progress_bar(total) as bar:
        task = bar.add_task("", total=total)
        build_open_benchmark(
            photos, output, seed=seed, side=side, advance=lambda: bar.advance(task)
        )
    print_line(f"-> {output}")
