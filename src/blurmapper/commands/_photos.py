"""One photo after the other: read, mapped, worked on, and told of in a line."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from blurmapper.commands._output import print_error, progress_bar, quiet_codecs
from blurmapper.errors import BlurMapperError
from blurmapper.files import make_folder, printable, replacing

if TYPE_CHECKING:
    from blurmapper.batch import Job
    from blurmapper.images import BlurMap, ImageArray
    from blurmapper.methods import BlurMethod

Work = Callable[["ImageArray", "BlurMap", "Job"], tuple[str, Path]]
"""A photo, its map and its place -> a figure to tell, and the file that was written."""


def work_through(photos: list[Path], output: Path, method: BlurMethod, work: Work) -> None:
    """Map every photo, do the work and print a line; errors get lines too, and status 1."""
    from blurmapper.batch import find_photos, plan_jobs

    found = find_photos(photos, output=output)
    for failure in found.failures:
        print_error(failure.error)
    failed = len(found.failures)
    with quiet_codecs(), progress_bar(len(found)) as progress:
        task = progress.add_task("Photos", total=len(found))
        for job in plan_jobs(found, output):
            try:
                typer.echo(_do(job, method, work))
            except BlurMapperError as error:
                failed += 1
                print_error(error)
            progress.advance(task)
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


def _do(job: Job, method: BlurMethod, work: Work) -> str:
    from blurmapper.images import read_image

    start = time.perf_counter()
    image = read_image(job.photo)
    figure, path = work(image, method(image), job)
    height, width = image.shape[:2]
    seconds = time.perf_counter() - start
    return printable(f"{job.photo}: {width} x {height}, {figure}, {seconds:.2f} s -> {path}")
