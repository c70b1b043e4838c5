"""One photo after the other: read, mapped, worked on, and told of in a line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from blurmapper.commands._output import (
    STOPPED,
    print_error,
    progress_bar,
    quiet_codecs,
    stopping_cleanly,
)
from blurmapper.files import make_folder, printable, replacing

if TYPE_CHECKING:
    from blurmapper.batch import Job, Journal
    from blurmapper.images import BlurMap, ImageArray
    from blurmapper.methods import BlurMethod

Work = Callable[["ImageArray", "BlurMap", "Job"], tuple[str, Path]]
"""A photo, its map and its place -> a figure to tell, and the file that was written."""

FIELDS = ("photo", "file", "settings", "told", "written")


@dataclass(frozen=True)
class Task:
    """What is done with every photo.

    Attributes
    ----------
    name : str
        The command's; ``NAME.jsonl`` in the output folder keeps what is done.
    method : callable
        Maps the photos.
    work : callable
    settings : str
        From `blurmapper.batch.digest_settings`: what was done by others is done again.
    redo : bool
        Take no photo for done.
    """

    name: str
    method: BlurMethod
    work: Work
    settings: str
    redo: bool = False


def work_through(photos: list[Path], output: Path, task: Task) -> None:
    """Do a task with every photo and print a line of each; errors get lines too, and status 1.

    Photos that an earlier run has done by the same settings are not done again, unless they or
    what was written have changed. Ctrl-C finishes the photo that has begun.
    """
    from blurmapper.batch import Journal, fail, find_photos, plan_jobs, refuse_full_disk

    found = find_photos(photos, output=output)
    for failure in found.failures:
        print_error(failure.error)
    failed = len(found.failures)
    with (
        Journal(output / f"{task.name}.jsonl", FIELDS) as journal,
        quiet_codecs(),
        stopping_cleanly() as stop,
        progress_bar(len(found)) as progress,
    ):
        bar = progress.add_task("Photos", total=len(found))
        for job in plan_jobs(found, output, lambda target: _owner(journal, target)):
            if stop.is_set():
                break
            try:
                typer.echo(_do(job, output, task, journal))
            except Exception as error:  # noqa: BLE001 - no photo may end a run of many others
                failed += 1
                failure = fail(job.photo, error)
                refuse_full_disk(failure)
                print_error(failure.error)
            progress.advance(bar)
    if stop.is_set():
        raise typer.Exit(STOPPED)
    if failed:
        raise typer.Exit(1)


def place_file(job: Job, ending: str) -> Path:
    """Return where a photo's file goes, in a folder that is there."""
    make_folder(job.target.parent)
    return job.target.with_name(job.target.name + ending)


def write_whole(content: bytes, path: Path) -> None:
    """Write a file that appears whole or not at all."""
    with replacing(path) as stream:
        stream.write(content)


def _do(job: Job, output: Path, task: Task, journal: Journal) -> str:
    """Do a task with a photo, if it is not done, and return what is to be told of it."""
    from blurmapper.batch import holds_something, identify, real_path
    from blurmapper.images import read_image

    start = time.perf_counter()
    key = os.path.relpath(job.target, output)
    # Asked for first: a photo that is changed while it is read is then done again.
    identity = identify(job.photo)
    line = None if task.redo else journal.find(key)
    if line and (line["file"], line["settings"]) == (identity, task.settings):
        path = output / line["written"]
        if holds_something(path):
            return printable(f"{job.photo}: {line['told']}, done before -> {path}")
    image = read_image(job.photo)
    figure, path = task.work(image, task.method(image), job)
    height, width = image.shape[:2]
    told = f"{width} x {height}, {figure}"
    values = (real_path(job.photo), identity, task.settings, told, os.path.relpath(path, output))
    journal.add(key, dict(zip(FIELDS, values, strict=True)))
    seconds = time.perf_counter() - start
    return printable(f"{job.photo}: {told}, {seconds:.2f} s -> {path}")


def _owner(journal: Journal, target: str) -> str | None:
    line = journal.find(target)
    return None if line is None else str(line["photo"])
