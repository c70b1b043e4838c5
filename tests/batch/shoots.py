"""A folder of photos on a cluster: what a run made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from blurmapper.batch import (
    Job,
    MapTask,
    PhotoFailure,
    Result,
)
from blurmapper.batch.cluster import Done, PhotoWorker, run_pieces

Numbered = Sequence[tuple[int, Job]]

Results = list[Result | PhotoFailure]

Run = Callable[..., Results]


def manifest(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "maps.jsonl").read_text().splitlines()
    return list({line["target"]: line for line in map(json.loads, lines)}.values())


def names(results: Results) -> list[str]:
    return sorted(Path(str(each.photo)).name for each in results)


def failed(results: Results) -> list[PhotoFailure]:
    return [each for each in results if isinstance(each, PhotoFailure)]


def mapped(results: Results) -> list[Result]:
    return [each for each in results if isinstance(each, Result)]


def run_on_ray(jobs: Numbered, task: MapTask, jobs_a_piece: int) -> Iterator[Done]:
    return run_pieces(jobs, task, jobs_a_piece, None)


def run_here(jobs: Numbered, task: MapTask, _: int) -> Iterator[Done]:
    """Stand in for a cluster."""
    worker = PhotoWorker(task, str(Path.cwd()))
    return ((number, worker.do_job(job)) for number, job in jobs)
