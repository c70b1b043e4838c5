"""What the commands share: errors as lines, a progress bar, extras that may be missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from blurmapper.errors import BlurMapperError, MissingExtraError

if TYPE_CHECKING:
    from rich.progress import Progress


def print_error(error: BlurMapperError) -> None:
    """Print an error of ours as one line on standard error."""
    typer.echo(f"error: {error}", err=True)


@contextmanager
def needing_extra(extra: str) -> Iterator[None]:
    """Turn a missing package into the line that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "blurmapper":
            raise
        raise MissingExtraError(
            f"{error.name} is not installed; this command needs pip install 'blurmapper[{extra}]'"
        ) from error


def progress_bar(total: int) -> Progress:
    """Return a bar on standard error, for several photos and where a person watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=total < 2 or not console.is_terminal,
        # Lines that go to a file or pipe must not be drawn into the bar's terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
