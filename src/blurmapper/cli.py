"""The command line: what each command is called, and how errors leave it."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from blurmapper.commands._output import print_error
from blurmapper.commands.evaluate import evaluate
from blurmapper.commands.magnify import magnify
from blurmapper.commands.mapping import map_photos, methods
from blurmapper.commands.open_benchmark import open_benchmark
from blurmapper.commands.rank import rank
from blurmapper.commands.reproduce import reproduce
from blurmapper.commands.segment import segment
from blurmapper.commands.serve import serve
from blurmapper.commands.training import export, fit, train
from blurmapper.commands.video import video
from blurmapper.errors import BlurMapperError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
)


def main() -> None:
    """Run the command line; an error of ours becomes one line and exit status 1."""
    # Pillow warns of odd metadata in photos that it reads well.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        app()
    except BlurMapperError as error:
        print_error(error)
        sys.exit(1)


def _print_version(asked: bool) -> None:
    if asked:
        from blurmapper import __version__

        typer.echo(f"blurmapper {__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Turn photos into blur maps: for every pixel the probability that it is blurred."""


app.command("map")(map_photos)
app.command("methods")(methods)
app.command("rank")(rank)
app.command("segment")(segment)
app.command("magnify")(magnify)
app.command("serve")(serve)
app.command("video")(video)
app.command("evaluate")(evaluate)
app.command("reproduce")(reproduce)
app.command("open-benchmark")(open_benchmark)
app.command("train")(train)
app.command("export")(export)
app.command("fit")(fit)

if __name__ == "__main__":
    main()
