"""A task with every photo that was given: a bar, a line for each, sums, and the exit status."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from blurmapper.commands._output import (
    STOPPED,
    print_error,
    print_line,
    progress_bar,
    quiet_codecs,
    stopping_cleanly,
)
from blurmapper.errors import BlurMapperError, ConfigError, ImageError, count_of
from blurmapper.locations import Location, find_location, is_folder

if TYPE_CHECKING:
    import threading

    from rich.progress import Progress

    from blurmapper.batch import Found, How, PhotoFailure, Result, Task
    from blurmapper.ranking.measuring import MeasureTask

DEFAULT_OUTPUT = Path("blurmaps")

MOST_FILES = 12
"""Files that a line names."""


def run_command(
    task: Task,
    photos: list[str],
    output: str | None,
    how: How,
    *,
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Find photos and do a task with each, as `run_found` does.

    Ctrl-C finishes the photos that have begun; then the status is 130.

    Parameters
    ----------
    task : Task
    photos : list of str
        Paths and addresses, of photos and folders.
    output : str, optional
        Where files and manifest go; `DEFAULT_OUTPUT` unless given.
    how : How
    as_json : bool
        Print an object a photo in place of a line.
    quiet : bool
        Print errors alone, and those objects.
    """
    from blurmapper.batch import find_photos

    folder = default_output(photos) if output is None else find_location(output)
    found = find_photos(photos, outputs=[folder])
    with stopping_cleanly() as stop:
        bar = progress_bar(0 if quiet else len(found))
        run_found(task, found, folder, how, bar, stop, as_json=as_json, quiet=quiet)


def run_found(
    task: Task,
    found: Found,
    folder: Location,
    how: How,
    progress: Progress,
    stop: threading.Event,
    *,
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Do a task with every photo and print a line of each; errors get lines too, and status 1.

    The output folder's ``failures.csv`` lists the photos that failed.
    """
    from blurmapper.batch import run_task

    how, tally, start = replace(how, list_failures=True), Counter[str](), time.perf_counter()
    with quiet_codecs():
        try:
            with progress, closing(run_task(task, found, folder, how, stop)) as results:
                bar = progress.add_task(
                    f"{task.noun}s".capitalize(), total=len(found), visible=len(found) > 1
                )
                for result in results:
                    tally[_find_outcome(result)] += 1
                    _report(result, task, as_json=as_json, quiet=quiet)
                    progress.advance(bar)
        except BlurMapperError:
            if tally and not quiet:
                # The list of those that failed may not be there, or lack some.
                _print_sums(task, tally, start, found)
            raise
        if (stop.is_set() or found.has_folders) and not quiet:
            _print_sums(task, tally, start, found, folder)
    if stop.is_set():
        raise click.exceptions.Exit(STOPPED)
    if tally["failed"]:
        raise click.exceptions.Exit(1)


def default_output(sources: Iterable[str]) -> Path:
    """Return where files go unless `-o` says so, which is never a folder of photos."""
    output = Path(os.path.realpath(DEFAULT_OUTPUT))
    for source in map(find_location, sources):
        if (
            isinstance(source, Path)
            and is_folder(source)
            and output.is_relative_to(os.path.realpath(source))
        ):
            raise ConfigError(
                f"{DEFAULT_OUTPUT} would be made among the photos in {source}; "
                f"say where with -o DIR, or -o {DEFAULT_OUTPUT} if you want it there"
            )
    return DEFAULT_OUTPUT


def _find_outcome(result: Result | PhotoFailure) -> Literal["done", "before", "failed"]:
    from blurmapper.batch import PhotoFailure

    if isinstance(result, PhotoFailure) or result.reason is not None:
        return "failed"
    return "before" if result.done_before else "done"


def _report(result: Result | PhotoFailure, task: Task, *, as_json: bool, quiet: bool) -> None:
    """Print what came of a photo, and what is wrong with it."""
    from blurmapper.batch import PhotoFailure

    if isinstance(result, PhotoFailure):
        print_error(result.error)
        return
    if as_json or not quiet:
        print_line(json.dumps(_to_json(result, task)) if as_json else _to_line(result, task))
    if result.reason is not None:
        print_error(ImageError(f"{result.photo}: {result.reason}"))


def _to_json(result: Result, task: Task) -> dict[str, Any]:
    files = {kind: str(result.files[kind]) if kind in result.files else None for kind in task.kinds}
    measured = {"photo": str(result.photo), **result.values, "seconds": result.seconds}
    return {**measured, **files, f"{task.verb}_before": result.done_before}


def _to_line(result: Result, task: Task) -> str:
    size = f"{result.values['width']} x {result.values['height']}"
    when = f"{task.verb} before" if result.done_before else f"{result.seconds:.2f} s"
    files = ", ".join(map(str, [*result.files.values()][:MOST_FILES]))
    more = f" and {len(result.files) - MOST_FILES} more" if len(result.files) > MOST_FILES else ""
    return f"{result.photo}: {size}, {task.describe(result.values)}, {when} -> {files}{more}"


def _print_sums(
    task: Task, tally: Counter[str], start: float, found: Found, folder: Location | None = None
) -> None:
    """Print in a line on standard error how many photos became what."""
    begun = tally.total() - len(found.failures)
    seconds = time.perf_counter() - start
    parts = [f"{tally['done']} {task.verb} in {seconds:.1f} s"]
    parts += [f"{tally['before']} {task.verb} before"] if tally["before"] else []
    listed = "" if folder is None else f", see {folder / 'failures.csv'}"
    parts += [f"{tally['failed']} failed{listed}"] if tally["failed"] else []
    parts += [f"{len(found) - begun} not begun"] if begun < len(found) else []
    parts += [f"{count_of(found.left_out, 'other file')} left out"] if found.left_out else []
    print_line(f"{count_of(len(found), task.noun)}: {', '.join(parts)}", err=True)


def measure(
    task: MeasureTask,
    found: Found,
    how: How,
    stop: threading.Event,
    title: str,
    output: Path | None = None,
    *,
    quiet: bool = False,
) -> list[Result | PhotoFailure]:
    """Return what was measured of photos; unless `quiet`, say what failed."""
    from blurmapper.batch import PhotoFailure, Result, run_task
    from blurmapper.ranking.measuring import find_cache
    from blurmapper.ranking.report import keeping_measurements

    results: list[Result | PhotoFailure] = []
    # A task with files of its own keeps what it measures beside them.
    keeping = nullcontext() if output is None else keeping_measurements(task, found, redo=how.redo)
    run = run_task(task, found, output or find_cache(), how, stop)
    with keeping as keep, progress_bar(len(found)) as progress, closing(run):
        bar = progress.add_task(title, total=len(found))
        for result in run:
            if isinstance(result, PhotoFailure) and not quiet:
                print_error(result.error)
            elif isinstance(result, Result) and keep is not None:
                keep(result)
            results.append(result)
            progress.advance(bar)
    return results
