"""One photo after the other: read, mapped, worked on, and told of in a line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from blurmapper.commands._output import print_error, progress_bar
from blurmapper.errors import BlurMapperError, ImageError

if TYPE_CHECKING:
    from blurmapper.batch import Job
    from blurmapper.images import BlurMap, ImageArray
    from blurmapper.methods import BlurMethod

Work = Callable[["ImageArray", "BlurMap", "Job"], tuple[str, Path]]
"""A photo, its map and its place -> a figure to tell, and the file that was written."""


def work_through(photos: list[Path], output: Path, method: BlurMethod, work: Work) -> None:
    """Map every photo, do the work and print a line; errors get lines too, and status 1."""
    from blurmapper.batch import plan_jobs

    jobs, failures = plan_jobs(photos, output)
    for error in failures:
        print_error(error)
    with progress_bar(len(jobs)) as progress:
        task = progress.add_task("Photos", total=len(jobs))
        for job in jobs:
            try:
                typer.echo(_do(job, method, work))
            except BlurMapperError as error:
                failures.append(error)
                print_error(error)
            progress.advance(task)
    if failures:
        raise typer.Exit(1)


def place_file(job: Job, ending: str) -> Path:
    """Return where a photo's file goes, in a folder that is there."""
    folder = job.target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder with -o"
        ) from error
    return job.target.with_name(job.target.name + ending)


def write_whole(content: bytes, path: Path) -> None:
    """Write a file that appears whole or not at all."""
    part = path.with_name(f".{path.name}-{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ImageError(
            f"{path}: cannot be written ({error.strerror}); check the folder and disk"
        ) from error


def _do(job: Job, method: BlurMethod, work: Work) -> str:
    from blurmapper.images import read_image

    start = time.perf_counter()
    image = read_image(job.photo)
    figure, path = work(image, method(image), job)
    height, width = image.shape[:2]
    seconds = time.perf_counter() - start
    return f"{job.photo}: {width} x {height}, {figure}, {seconds:.2f} s -> {path}"
