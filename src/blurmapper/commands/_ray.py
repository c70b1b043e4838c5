"""`blurmapper map --engine ray`: the same lines, from many machines."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, TextIO

import typer

from blurmapper.commands._output import needing_extra, print_error, progress_bar
from blurmapper.errors import ImageError

if TYPE_CHECKING:
    from blurmapper.batch import Outputs
    from blurmapper.distributed.results import ResultRow
    from blurmapper.methods import MethodOptions


def map_on_ray(
    photos: list[str],
    output: str,
    method: str,
    options: MethodOptions,
    outputs: Outputs,
    *,
    workers: int | None,
    redo: bool,
    as_json: bool,
) -> None:
    """Map photos behind any addresses on a Ray cluster, with a line each."""
    with needing_extra("distributed"):
        import pyarrow as pa  # noqa: F401 - asked for before anything starts
        import ray  # noqa: F401
    from blurmapper.distributed.pipeline import MapSettings, map_photos, run_on_ray
    from blurmapper.distributed.places import find_place
    from blurmapper.distributed.planning import plan_places

    place = find_place(output)
    jobs, errors = plan_places(photos, place)
    for error in errors:
        print_error(error)
    failed = len(errors)
    settings = MapSettings(method, options, outputs)
    engine = partial(run_on_ray, most_workers=workers)
    with progress_bar(len(jobs)) as progress:
        task = progress.add_task("Mapping", total=len(jobs))
        lines = sys.stdout
        # Ray tells of workers that died on standard output, which may be JSON.
        with redirect_stdout(sys.stderr):
            for row in map_photos(jobs, place, settings, engine, redo=redo):
                failed += row.status == "failed"
                _tell(row, lines, as_json=as_json)
                progress.advance(task)
    if failed:
        raise typer.Exit(1)


def _tell(row: ResultRow, lines: TextIO, *, as_json: bool) -> None:
    if row.status == "failed":
        print_error(ImageError(f"{row.photo}: {row.reason}"))
    elif as_json:
        typer.echo(json.dumps(asdict(row)), file=lines)
    else:
        typer.echo(
            f"{row.photo}: {row.width} x {row.height}, S {row.blur_degree:.3f}, "
            f"{row.share_blurred:.0%} blurred, {row.seconds:.2f} s -> {row.map}",
            file=lines,
        )
