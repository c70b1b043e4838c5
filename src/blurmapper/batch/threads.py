"""The engine of one machine: several photos at a time, in order, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from typing import BinaryIO, TypeVar

from blurmapper.batch.failures import PhotoFailure
from blurmapper.batch.tasks import Job, Result, Task, do_job
from blurmapper.decoding import read_size
from blurmapper.devices import count_cores
from blurmapper.images import BlurMap, ImageArray
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod

Item = TypeVar("Item")
Made = TypeVar("Made")

BUDGET = 120_000_000
"""Pixels of the photos that are worked on at a time, of which each takes some 12 bytes."""

UNKNOWN_PIXELS = 50_000_000
"""What a photo counts for where its header does not tell Pillow its size, as in RAW files."""

AHEAD = 4
"""Photos for each worker that are done or waiting while one before them takes long."""


def run_in_threads(
    jobs: Iterable[Job],
    task: Task,
    method: BlurMethod,
    record: Callable[[Job, Result], None] = lambda job, result: None,
    *,
    workers: int = 1,
    stop: threading.Event | None = None,
) -> Generator[Result | PhotoFailure]:
    """Do a task with photos, in order; one that fails yields why, and the others go on.

    Parameters
    ----------
    jobs : iterable of Job
        What is done already is yielded as it is.
    task : Task
    method : callable
        From `Task.build`. One that is no network maps one photo at a time, while others are read
        and written.
    record : callable, optional
        Called with each result as soon as it is there, in the threads.
    workers : int
        Photos that are worked on at a time.
    stop : threading.Event, optional
        Once it is set no photo is begun any more.
    """
    budget = PixelBudget()
    method = share_method(method) if workers > 1 else method

    def work(job: Job) -> Result | PhotoFailure:
        if job.done is not None:
            return job.done
        result = do_job(job, task, method, budget.of)
        if isinstance(result, Result):
            record(job, result)
        return result

    return overlap(work, jobs, workers=workers, stop=stop)


class PixelBudget:
    """Let no more pixels be in memory at a time than a budget, or one photo of more.

    Parameters
    ----------
    pixels : int
        What all photos that are worked on may have together.
    """

    def __init__(self, pixels: int = BUDGET) -> None:
        self._pixels = pixels
        self._used = 0
        self._change = threading.Condition()

    @contextmanager
    def of(self, photo: BinaryIO) -> Iterator[None]:
        """Wait until there is room for a photo's file, and hold it."""
        size = read_size(photo)
        photo.seek(0)
        pixels = UNKNOWN_PIXELS if size is None else size[0] * size[1]
        with self._change:
            self._change.wait_for(lambda: not self._used or self._used + pixels <= self._pixels)
            self._used += pixels
        try:
            yield
        finally:
            with self._change:
                self._used -= pixels
                self._change.notify_all()


def overlap(
    work: Callable[[Item], Made],
    items: Iterable[Item],
    *,
    workers: int,
    stop: threading.Event | None = None,
) -> Generator[Made]:
    """Yield the results of a function in the order of its items, computed in threads.

    While one thread waits for a disk or decodes, others map: what takes time releases Python's
    lock. Items are taken as there is room for them, never all at once. One worker is the caller's
    own thread, in which a Ctrl-C that is not caught breaks off what is under way.

    Parameters
    ----------
    work : callable
        Called in several threads at a time if `workers` is more than 1.
    items : iterable
    workers : int
        Threads.
    stop : threading.Event, optional
        Once it is set no item is begun any more; what has begun is finished and yielded.
    """
    stop = stop or threading.Event()
    if workers == 1:
        yield from map(work, takewhile(lambda _: not stop.is_set(), items))
        return

    def begin(item: Item) -> tuple[Made] | None:
        return None if stop.is_set() else (work(item),)

    pending: deque[Future[tuple[Made] | None]] = deque()
    coming = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="blurmapper") as threads:
        try:
            while True:
                while len(pending) < workers * AHEAD and not stop.is_set():
                    try:
                        pending.append(threads.submit(begin, next(coming)))
                    except StopIteration:
                        break
                if not pending:
                    return
                result = pending.popleft().result()
                if result is not None:
                    yield result[0]
        finally:
            # Only if the caller goes no further, or a second Ctrl-C breaks in.
            for future in pending:
                future.cancel()


def share_method(method: BlurMethod) -> BlurMethod:
    """Return a method that several threads may call: a network as it is, others one at a time."""
    if isinstance(method, BlurMapper):
        return method
    lock = threading.Lock()

    def locked(image: ImageArray) -> BlurMap:
        with lock:
            return method(image)

    return locked


def count_workers(asked: int | None, photos: int) -> int:
    """Return how many photos to work on at a time: as asked, or one for each core."""
    return max(1, min(asked or count_cores(), photos))
