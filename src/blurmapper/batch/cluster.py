"""The engine of many machines: the same jobs as tasks on a Ray cluster, whatever dies there."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from blurmapper.batch.failures import PhotoFailure, fail
from blurmapper.batch.tasks import Job, Result, Task, do_job
from blurmapper.errors import ConfigError, ImageError, needing, one_line

PHOTOS_A_TASK = 8
"""What is done again when a worker dies."""

TASK_RETRIES = 2
"""How often a task is tried again that a worker died of, before its photos are tried singly."""

Done = tuple[int, Result | PhotoFailure]
"""The number of a job, and what came of it."""


def run_on_cluster(
    jobs: Iterable[Job],
    task: Task,
    record: Callable[[Job, Result], None] = lambda job, result: None,
    *,
    workers: int | None = None,
    stop: threading.Event | None = None,
) -> Generator[Result | PhotoFailure]:
    """Do a task with photos on a Ray cluster; what is done already comes first, the rest as it is.

    A photo that its worker dies of fails; it costs no other.

    Parameters
    ----------
    jobs : iterable of Job
    task : Task
        Whose `options.threads` is a worker's share of processors, or 1.
    record : callable, optional
        Called with each result, in this process.
    workers : int, optional
        How many at most; as many as the cluster has processors for unless given.
    stop : threading.Event, optional
        Once it is set no more results are waited for.
    """
    missing: dict[int, Job] = {}
    for number, job in enumerate(jobs):
        if job.done is not None:
            yield job.done
        else:
            missing[number] = job
    for size in (PHOTOS_A_TASK, 1):
        if not missing:
            return
        results = run_pieces(list(missing.items()), task, size, workers)
        for number, result in _off_output(results):
            # What is done twice counts once.
            if number in missing:
                job = missing.pop(number)
                if isinstance(result, Result):
                    record(job, result)
                yield result
            if stop is not None and stop.is_set():
                return
    for job in missing.values():
        yield fail(
            job.photo, ImageError(f"{job.photo}: each worker that tried it died; leave it out")
        )


def _off_output(results: Iterator[Done]) -> Iterator[Done]:
    """Yield what a run does; Ray writes of workers that died to standard output, as JSON may be."""
    while True:
        with redirect_stdout(sys.stderr):
            done = next(results, None)
        if done is None:
            return
        yield done


class PhotoWorker:
    """Do the jobs of one piece after the other; each Ray actor has one, with one network.

    Parameters
    ----------
    task : Task
    folder : str
        Where relative paths start, if it is there on this machine.
    """

    def __init__(self, task: Task, folder: str) -> None:
        import cv2

        threads = task.options.threads or 1
        cv2.setNumThreads(threads)
        with suppress(OSError):
            os.chdir(folder)
        self._task = replace(task, options=replace(task.options, threads=threads))
        self._method = self._task.build()

    def __call__(self, piece: dict[str, Sequence[tuple[int, Job]]]) -> dict[str, list[Done]]:
        """Do the jobs of ``piece["job"]``; those that fail are results too."""
        return {"done": [(number, self.do_job(job)) for number, job in piece["job"]]}

    def do_job(self, job: Job) -> Result | PhotoFailure:
        """Do one job; never raise for a photo."""
        return do_job(job, self._task, self._method)


def run_pieces(
    jobs: Sequence[tuple[int, Job]], task: Task, jobs_a_piece: int, most_workers: int | None
) -> Iterator[Done]:
    """Run jobs as a Ray Data pipeline, on the cluster there is or on this machine.

    Each worker is an actor with a network of its own. A piece whose worker died is done again by
    another, onto the same files; after `TASK_RETRIES` its jobs are left out.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[distributed]`` is not installed.
    """
    ray = _start_ray()
    threads = task.options.threads or 1
    # A worker has all of its threads on one machine.
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    workers = sum(int(machine.get("CPU", 0)) // threads for machine in machines)
    workers = min(workers, most_workers or workers)
    if workers < 1:
        raise ConfigError(f"no machine has {threads} processors for a worker; lower --threads")
    pieces = ray.data.from_items(
        [{"job": job} for job in jobs], override_num_blocks=-(-len(jobs) // jobs_a_piece)
    )
    with warnings.catch_warnings():
        # Retries are set here up to Ray 2.63, and nowhere after, so later ones are kept out.
        warnings.filterwarnings("ignore", message=".*ray_remote_args.* is deprecated")
        done = pieces.map_batches(
            PhotoWorker,
            fn_constructor_args=(task, str(Path.cwd())),
            compute=ray.data.ActorPoolStrategy(
                size=min(workers, pieces.num_blocks()),
                # A piece that waits at a worker would be lost with the one that kills it.
                max_tasks_in_flight_per_actor=1,
            ),
            num_cpus=threads,
            max_restarts=-1,
            max_task_retries=TASK_RETRIES,
        )
    for batch in done.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
        yield from batch["done"]


def import_ray() -> Any:
    """Return Ray.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    # Ray's processes also write to standard error what they mend by themselves.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    with needing("distributed", "--engine ray needs"):
        import ray
        import ray.data
    return ray


def _start_ray() -> Any:
    """Return Ray, connected to the cluster there is or started on this machine."""
    ray = import_ray()
    if not ray.is_initialized():
        try:
            address = _choose_address()
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
        except Exception as error:
            raise ConfigError(
                f"no Ray cluster can be reached or started ({one_line(error)}); "
                "check RAY_ADDRESS, or try again when this machine has less to do"
            ) from error
    context = ray.data.DataContext.get_current()
    context.max_errored_blocks = -1
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    return ray


def _choose_address() -> str | None:
    """Return None, or "local" where Ray would wait for a cluster that died on this machine.

    Raises
    ------
    ConnectionError
        If the cluster of RAY_ADDRESS does not answer; Ray tries for a quarter of an hour.
    """
    from ray._private.services import canonicalize_bootstrap_address

    asked = os.environ.get("RAY_ADDRESS", "")
    address = asked if "://" in asked else canonicalize_bootstrap_address(None)
    if address is None or _answers(address):
        return None
    if asked:
        raise ConnectionError(f"none answers at {address}")
    return "local"


def _answers(address: str) -> bool:
    from ray._raylet import GcsClient
    from ray.exceptions import RayError

    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        socket.create_connection((parts.hostname, parts.port or 10001), timeout=10).close()
        if not parts.scheme:
            # What listens there need not be Ray.
            GcsClient(address=address)
    except (OSError, RayError):
        return False
    return True
