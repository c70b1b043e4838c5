"""What the commands share: errors as lines, a progress bar, extras that may be missing."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

import typer

from blurmapper.errors import BlurMapperError, ConfigError, MissingExtraError
from blurmapper.files import printable

if TYPE_CHECKING:
    from rich.progress import Progress, Task

STOPPED = 130
"""The exit status of a program that Ctrl-C stopped."""

DEFAULT_OUTPUT = Path("blurmaps")


def print_error(error: BlurMapperError) -> None:
    """Print an error of ours as one line on standard error."""
    typer.echo(f"error: {printable(error)}", err=True)


def default_output(sources: list[Path]) -> Path:
    """Return where files go unless told, which is never a folder of photos."""
    place = DEFAULT_OUTPUT.absolute()
    for source in sources:
        if source.is_dir() and place.resolve().is_relative_to(source.resolve()):
            raise ConfigError(
                f"{DEFAULT_OUTPUT} would be made among the photos in {source}; "
                f"say where with -o DIR, or -o {DEFAULT_OUTPUT} if you want it there"
            )
    return DEFAULT_OUTPUT


@contextmanager
def stopping_cleanly() -> Iterator[threading.Event]:
    """Let Ctrl-C set an event, so that what has begun is finished; a second breaks off."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(_: int, __: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quiet_codecs() -> Iterator[None]:
    """Keep off the terminal what decoders say of damaged photos; our own lines go on.

    libpng and libtiff write to the process's standard error itself, past Python, line upon line,
    and the photo's error says it all in one. They offer no switch that Python can reach.
    """
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    try:
        terminal = os.dup(2)
    except OSError:
        # Without a standard error there is nothing to keep quiet.
        yield
        return
    before = sys.stderr
    with os.fdopen(terminal, "w", buffering=1, encoding="utf-8", errors="replace") as stream:
        if _is_on_terminal(before):
            sys.stderr = stream
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(terminal, 2)


def _is_on_terminal(stream: TextIO) -> bool:
    """Say whether a stream is the process's standard error, and not put in its place."""
    try:
        return stream.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False


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
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.1f}/s")

    console = Console(stderr=True)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=total < 2 or not console.is_terminal,
        # Lines that go to a file or pipe must not be drawn into the bar's terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
