"""Many photos, one after the other or several at a time, and what is done already left out."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterable, Iterator

from blurmapper.batch.ledger import Ledger, identify
from blurmapper.batch.photo import Job, Outputs, PhotoFailure, PhotoFigures, map_photo
from blurmapper.batch.pipeline import PixelBudget, overlap, share_method
from blurmapper.errors import ImageError
from blurmapper.files import sweep_parts
from blurmapper.methods import BlurMethod

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def map_jobs(
    jobs: Iterable[Job],
    method: BlurMethod,
    outputs: Outputs,
    *,
    ledger: Ledger | None = None,
    workers: int = 1,
    stop: threading.Event | None = None,
) -> Iterator[PhotoFigures | PhotoFailure]:
    """Map photos, in order; one that fails yields why, and the others go on.

    Parameters
    ----------
    jobs : iterable of Job
    method : callable
        From `blurmapper.methods.get_method`. One that is no network maps one photo at a time,
        while others are read and written.
    outputs : Outputs
    ledger : Ledger, optional
        What is done by its account is not done again, and what gets done is added to it.
    workers : int
        Photos that are worked on at a time.
    stop : threading.Event, optional
        Once it is set no photo is begun any more.

    Raises
    ------
    ImageError
        If a disk is full or cannot be written any more: every other photo would fail too.
    """
    budget = PixelBudget()
    method = share_method(method) if workers > 1 else method
    swept: set[str] = set()

    def work(job: Job) -> PhotoFigures | PhotoFailure:
        done = None if ledger is None else ledger.find(job, outputs)
        if done is not None:
            return done
        folder = str(job.target.parent)
        if folder not in swept:
            swept.add(folder)
            sweep_parts(job.target.parent)
        # Asked for first: a photo that is changed while it is read is then read again.
        identity = identify(job.photo)
        with budget.of(job.photo):
            result = map_photo(job, method, outputs)
        if ledger is not None and isinstance(result, PhotoFigures):
            ledger.add(job, result, identity)
        return result

    for result in overlap(work, jobs, workers=workers, stop=stop):
        if isinstance(result, PhotoFailure):
            try:
                refuse_full_disk(result)
            except ImageError:
                if stop is not None:
                    stop.set()
                raise
        yield result


def refuse_full_disk(failure: PhotoFailure) -> None:
    """Do nothing, unless a photo failed for a reason for which all others would fail too.

    Raises
    ------
    ImageError
        If a disk is full or cannot be written any more.
    """
    cause = failure.error.__cause__
    if isinstance(cause, OSError) and cause.errno in _FULL:
        raise ImageError(f"{failure.error}, then run the same command to go on")
