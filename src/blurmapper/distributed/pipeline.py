"""Photos and folders anywhere in; maps and a table of results out, by many machines."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from blurmapper.batch import Outputs, describe_settings, map_source
from blurmapper.distributed.places import Place
from blurmapper.distributed.planning import PlacedJob
from blurmapper.distributed.results import ResultRow, Results, to_rows, to_table
from blurmapper.errors import BlurMapperError, ConfigError, MissingExtraError
from blurmapper.methods import BlurMethod, MethodOptions, get_method

if TYPE_CHECKING:
    import pyarrow as pa

PHOTOS_A_TASK = 8
"""What is done again when a worker dies."""

TASK_RETRIES = 2
"""How often a task is tried again that a worker died of, before its photos are tried singly."""

Engine = Callable[[Sequence[PlacedJob], "MapSettings", int], Iterator[ResultRow]]
"""Jobs, settings, photos a task -> rows in any order; the photos of lost tasks have none."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """How photos are mapped; `options.threads` is a worker's share of processors, or 1."""

    method: str
    options: MethodOptions
    outputs: Outputs

    def build(self) -> tuple[BlurMethod, str]:
        """Return the method, ready to map, and a digest of all that decides what it writes."""
        options = replace(self.options, threads=self.options.threads or 1)
        method = get_method(self.method, options)
        return method, describe_settings(self.method, method, self.options, self.outputs)


def map_photos(
    jobs: Sequence[PlacedJob],
    output: Place,
    settings: MapSettings,
    engine: Engine | None = None,
    *,
    redo: bool = False,
) -> Iterator[ResultRow]:
    """Map photos on a Ray cluster, and keep a row of each in ``results.parquet``.

    Photos that an earlier run into the same folder mapped with the same settings, that have not
    changed since and whose map is there, are passed over. What failed is tried again.

    Parameters
    ----------
    jobs : sequence of PlacedJob
    output : Place
        The folder of the maps.
    settings : MapSettings
    engine : callable, optional
        What runs the jobs; Ray Data unless given.
    redo : bool
        Map also what an earlier run has mapped.

    Yields
    ------
    ResultRow
        One for each photo that was to be mapped, as they come. A photo that its worker dies of
        fails; it costs no other.

    Raises
    ------
    BlurMapperError
        If the settings cannot be used, or the table cannot be written.
    """
    engine = engine or run_on_ray
    _, digest = settings.build()
    results = Results(output)
    there = {str(file.path) for file in output.list_files()} if _is_there(output) else set()
    missing = {
        job.photo.address: job
        for job in jobs
        if redo
        or not _is_done(job, results, digest)
        or str(_map_path(job, output, settings)) not in there
    }
    try:
        for size in (PHOTOS_A_TASK, 1):
            if missing:
                for row in engine(list(missing.values()), settings, size):
                    if missing.pop(row.photo, None) is not None:
                        results.add(row)
                        yield row
        for job in missing.values():
            row = _failed(job, digest, "each worker that tried to map it died; leave it out")
            results.add(row)
            yield row
    finally:
        results.write()


class PhotoMapper:
    """Map the photos of one task after the other; each Ray actor has one, with one network.

    Parameters
    ----------
    settings : MapSettings
    """

    def __init__(self, settings: MapSettings) -> None:
        import cv2

        cv2.setNumThreads(settings.options.threads or 1)
        self._outputs = settings.outputs
        self._method, self._digest = settings.build()

    def __call__(self, task: dict[str, Sequence[PlacedJob]]) -> pa.Table:
        """Map the photos of ``task["job"]``; those that fail are rows too."""
        return to_table(self.map_job(job) for job in task["job"])

    def map_job(self, job: PlacedJob) -> ResultRow:
        """Map one photo and write its files; never raise for a photo."""
        start = time.perf_counter()
        try:
            content = job.photo.read_bytes()
            mapped = map_source(content, self._method, self._outputs, name=job.photo.address)
            for ending, encoded in mapped.files.items():
                _with_ending(job.target, ending).write_bytes(encoded)
        except BlurMapperError as error:
            return _failed(job, self._digest, str(error).removeprefix(f"{job.photo.address}: "))
        except Exception as error:  # noqa: BLE001 - no photo may end a run of all the others
            reason = " ".join(str(error).split()) or type(error).__name__
            return _failed(job, self._digest, f"cannot be mapped ({reason})")
        return ResultRow(
            photo=job.photo.address,
            status="mapped",
            settings=self._digest,
            modified=job.modified,
            height=mapped.height,
            width=mapped.width,
            blur_degree=mapped.blur_degree,
            share_blurred=mapped.share_blurred,
            map=_with_ending(job.target, self._outputs.endings()["map"]).address,
            seconds=time.perf_counter() - start,
        )


def run_on_ray(
    jobs: Sequence[PlacedJob],
    settings: MapSettings,
    photos_a_task: int,
    *,
    most_workers: int | None = None,
) -> Iterator[ResultRow]:
    """Run jobs as a Ray Data pipeline, on the cluster there is or on this machine.

    Each worker is an actor with a network of its own and `settings.options.threads` processors.
    A task whose worker died is done again by another, onto the same files; after
    `TASK_RETRIES` its rows are left out.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[distributed]`` is not installed.
    """
    # Ray's processes also write to standard error what they mend by themselves.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{error.name} is not installed; --engine ray needs "
            "pip install 'blurmapper[distributed]'"
        ) from error
    if not ray.is_initialized():
        ray.init(logging_level=logging.ERROR, log_to_driver=False)
    threads = settings.options.threads or 1
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    workers = int(resources.get("CPU", 0)) // threads
    workers = min(workers, most_workers or workers)
    if workers < 1:
        raise ConfigError(f"no machine has {threads} processors for a worker; lower --threads")
    context = ray.data.DataContext.get_current()
    context.max_errored_blocks = -1
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    tasks = ray.data.from_items(
        [{"job": job} for job in jobs], override_num_blocks=-(-len(jobs) // photos_a_task)
    )
    with warnings.catch_warnings():
        # Retries are set here up to Ray 2.63, and nowhere after, so later ones are kept out.
        warnings.filterwarnings("ignore", message=".*ray_remote_args.* is deprecated")
        rows = tasks.map_batches(
            PhotoMapper,
            fn_constructor_args=(settings,),
            compute=ray.data.ActorPoolStrategy(
                size=min(workers, tasks.num_blocks()),
                # A task that waits at a worker would be lost with the one that kills it.
                max_tasks_in_flight_per_actor=1,
            ),
            num_cpus=threads,
            max_restarts=-1,
            max_task_retries=TASK_RETRIES,
        )
    for table in rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from to_rows(table)


def _is_there(place: Place) -> bool:
    from pyarrow.fs import FileType

    (info,) = place.filesystem.get_file_info([place.root])
    return bool(info.type == FileType.Directory)


def _is_done(job: PlacedJob, results: Results, digest: str) -> bool:
    if job.photo.address not in results:
        return False
    row = results[job.photo.address]
    return (row.status, row.settings, row.modified) == ("mapped", digest, job.modified)


def _failed(job: PlacedJob, digest: str, reason: str) -> ResultRow:
    return ResultRow(job.photo.address, "failed", digest, job.modified, reason)


def _map_path(job: PlacedJob, output: Place, settings: MapSettings) -> PurePosixPath:
    """Return the path of a job's map below the folder of all maps."""
    target = _with_ending(job.target, settings.outputs.endings()["map"])
    return PurePosixPath(target.root).relative_to(output.root)


def _with_ending(target: Place, ending: str) -> Place:
    return Place(target.address + ending, target.filesystem, target.root + ending)
