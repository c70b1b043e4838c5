"""The chain: photos that were found, planned, done by an engine, and written down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from blurmapper.batch.cluster import import_ray, run_on_cluster
from blurmapper.batch.failures import Failures, PhotoFailure
from blurmapper.batch.finding import Found, real_path
from blurmapper.batch.planning import DoneBefore
from blurmapper.batch.tasks import Job, Result, Task
from blurmapper.batch.threads import count_workers, run_in_threads
from blurmapper.errors import ImageError
from blurmapper.locations import Location

Engine = Literal["local", "ray"]
"""Threads of this machine, or a Ray cluster."""


@dataclass(frozen=True)
class How:
    """How a task is done with many photos.

    Attributes
    ----------
    engine : {"local", "ray"}
    workers : int or None
        Photos that are worked on at a time; one a core, or as many as the cluster has processors
        for, unless given.
    redo : bool
        Do also what an earlier run has done.
    list_failures : bool
        Keep ``failures.csv`` in the output folder.
    """

    engine: Engine = "local"
    workers: int | None = None
    redo: bool = False
    list_failures: bool = False


def run_task(
    task: Task,
    found: Found,
    output: Location | None = None,
    how: How = How(),
    stop: threading.Event | None = None,
) -> Generator[Result | PhotoFailure]:
    """Do a task with photos; one that fails yields why, and the others go on.

    Photos that an earlier run into the same folder did by the same settings, that have not
    changed since and whose files are there, are not done again.

    Parameters
    ----------
    task : Task
    found : Found
    output : Path or Address, optional
        The folder of files and manifest. A task that writes no files has the manifest alone there,
        and goes on without where that cannot be written.
    how : How
    stop : threading.Event, optional
        Once it is set no photo is begun any more.

    Yields
    ------
    Result or PhotoFailure
        Of what could not be found first, then one for each photo: in order from threads, as they
        come from a cluster.

    Raises
    ------
    BlurMapperError
        If the settings cannot be used or the folder cannot be written, before any photo is
        worked on; or if every other photo would fail too, as on a full disk.
    """
    task.check(found)
    stop = stop or threading.Event()
    workers = 1 if task.alone else count_workers(how.workers, len(found))
    if how.engine == "ray":
        import_ray()
    else:
        threads = task.options.threads or (1 if workers > 1 else None)
        task = replace(task, options=replace(task.options, threads=threads))
    method = task.build()
    with ExitStack() as stack:
        jobs: Iterable[Job] = (Job(photo) for photo in found.locations())
        record: Callable[[Job, Result], None] = lambda job, result: None  # noqa: E731
        # What is only measured can be measured again.
        with nullcontext() if task.kinds else suppress(ImageError):
            if output is not None:
                kept = stack.enter_context(DoneBefore(output, task, redo=how.redo))
                jobs, record = kept.plan(found, output), kept.add
        if how.engine == "ray":
            results = run_on_cluster(jobs, task, record, workers=how.workers, stop=stop)
        else:
            results = run_in_threads(jobs, task, method, record, workers=workers, stop=stop)
        # What has begun is finished before the manifest is closed.
        stack.enter_context(closing(results))
        failures = Failures(output) if how.list_failures and output is not None else None
        for result in _keep_failures(chain(found.failures, results), failures, found.folders):
            if isinstance(result, PhotoFailure) and result.ends_run:
                stop.set()
                raise ImageError(f"{result.error}, then run the same command to go on")
            yield result


def _keep_failures(
    results: Iterable[Result | PhotoFailure], failures: Failures | None, folders: Iterable[str]
) -> Iterator[Result | PhotoFailure]:
    """Yield what came of photos, and list those that failed, no longer folders that do not."""
    if failures is None:
        yield from results
        return
    try:
        for folder in folders:
            failures.clear(folder)
        for result in results:
            if result.reason is None:
                failures.clear(real_path(result.photo))
            elif isinstance(result, Result) or not result.ends_run:
                failures.add(real_path(result.photo), result.reason)
            yield result
    except BaseException:
        # On a full disk this fails too, and the first error says more.
        with suppress(ImageError):
            failures.write()
        raise
    failures.write()
