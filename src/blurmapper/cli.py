"""The command line: what each command is called, and how errors leave it."""

from __future__ import annotations

import re
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from blurmapper.commands._output import open_streams, print_error, print_line
from blurmapper.commands.applying import magnify, segment
from blurmapper.commands.check import check
from blurmapper.commands.evaluate import evaluate
from blurmapper.commands.mapping import map_photos, methods
from blurmapper.commands.rank import rank
from blurmapper.commands.reproduce import open_benchmark, reproduce
from blurmapper.commands.serve import serve
from blurmapper.commands.training import export, fit, train
from blurmapper.commands.video import video
from blurmapper.errors import BlurMapperError, ConfigError

_EMPTY = re.compile(r"(--[a-z-]+=)?")


class Commands(TyperGroup):
    """All commands; none takes an empty argument, which a path would take for this folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises
        ------
        ConfigError
            If one is empty.
        """
        if any(map(_EMPTY.fullmatch, args)):
            raise ConfigError('an argument is empty (""); is a variable not set?')
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
)


def main() -> None:
    """Run the command line; an error of ours becomes one line and exit status 1."""
    open_streams()
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

        print_line(f"blurmapper {__version__}")
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
app.command("check")(check)
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
