"""How everything is printed: lines, tables, errors, progress, files; whatever it is printed to."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from blurmapper.errors import BlurMapperError, ImageError, count_of
from blurmapper.files import Recognises, check_replaceable, write_file
from blurmapper.locations import STANDARD_OUTPUT, Location, check_apart

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, Task

STOPPED = 130
"""The exit status of a program that Ctrl-C stopped."""

WIDTH_OF_FILES = 10_000
"""Columns of a table that goes to a file or a pipe, which have no width."""

_JOINERS = "\u200c\u200d"
"""Invisible characters that words and emoji are written with."""


class _Output(io.TextIOWrapper):
    """Standard output; where it cannot be written that is one line, as of a full disk."""

    def write(self, text: str) -> int:
        with _one_line_errors():
            return super().write(text)

    def flush(self) -> None:
        with _one_line_errors():
            super().flush()


def open_streams() -> None:
    """Let everything print: what a stream's encoding lacks is escaped, and a closed one is nowhere.

    Left closed, its number would go to the next file that is opened, and what libraries print into
    that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    out = sys.stdout
    if out is sys.__stdout__ and isinstance(out, io.TextIOWrapper):
        encoding, by_line = out.encoding, out.line_buffering
        sys.stdout = sys.__stdout__ = _Output(  # type: ignore[misc]
            out.detach(), encoding, errors="backslashreplace", line_buffering=by_line
        )


def print_line(text: object, *, err: bool = False) -> None:
    """Print text, such as what holds a name, as one line on standard output or error."""
    stream = sys.stderr if err else sys.stdout
    with suppress(OSError) if err else nullcontext():
        stream.write(f"{printable(text)}\n")
        stream.flush()


def print_text(text: str | bytes) -> None:
    """Print text of several lines as it is."""
    sys.stdout.flush()
    with _one_line_errors():
        # As files have them, names that are no UTF-8 among it.
        content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def check_outputs(outputs: Sequence[tuple[Location, Recognises]]) -> None:
    """Say now, and not after hours, of two outputs at one place and of files that are another's."""
    check_apart(location for location, _ in outputs)
    for location, ours in outputs:
        if location != STANDARD_OUTPUT:
            check_replaceable(location, ours, follow=True)


def write_output(content: str | bytes, location: Location, ours: Recognises) -> None:
    """Write a file, or print what is to go to ``-``."""
    if location == STANDARD_OUTPUT:
        print_text(content)
    else:
        write_file(location, content, ours, follow=True)


def table_console() -> Console:
    """Return what prints Rich's tables and texts; a name there has to be `Text` of `printable`."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    return console


def print_error(error: BlurMapperError) -> None:
    """Print an error of ours as one line on standard error."""
    print_line(f"error: {error}", err=True)


def printable(text: object) -> str:
    r"""Return text, such as a path, as one line that any terminal takes.

    Line ends, control characters and what turns the direction of writing are escaped, bytes that
    are no UTF-8 become question marks.

    Examples
    --------
    >>> printable(Path("two\nlines.jpg"))
    'two\\nlines.jpg'
    """
    line = "".join(
        repr(character)[1:-1]
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character not in _JOINERS
        else character
        for character in str(text)
    )
    return line.encode("utf-8", "replace").decode()


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What is still held back would be tried again at the end, and fail with a traceback.
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 1)
        if isinstance(error, BrokenPipeError):
            raise
        raise ImageError(
            f"standard output: cannot be written ({error.strerror}); say where else it is to go"
        ) from error


@contextmanager
def stopping_cleanly() -> Iterator[threading.Event]:
    """Let Ctrl-C set an event, so that what has begun is finished; a second breaks off."""
    stop = threading.Event()
    # What the shell runs in the background is told to ignore a Ctrl-C that is meant for others.
    is_heard = signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None)
    if threading.current_thread() is not threading.main_thread() or not is_heard:
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


def exit_if_stopped(stop: threading.Event, done: int, photos: int) -> None:
    """Say how far a run came that Ctrl-C has ended, and end with its status."""
    if stop.is_set():
        print_line(f"stopped after {done} of {count_of(photos, 'photo')}", err=True)
        raise click.exceptions.Exit(STOPPED)


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


class _NoBar(AbstractContextManager["_NoBar"]):
    """Takes what a bar takes where there is nothing to watch, without Rich's tenth of a second."""

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *_, **__: None


def progress_bar(total: int) -> Progress:
    """Return a bar on standard error, for several photos and where a person watches."""
    if total < 2:
        return cast("Progress", _NoBar())
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.1f}/s")

    console = Console(stderr=True)
    is_shown = console.is_terminal
    # Up to version 14, Rich ends even a bar that is disabled with an empty line.
    console.quiet = not is_shown
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not is_shown,
        # Lines that go to a file or pipe must not be drawn into the bar's terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
