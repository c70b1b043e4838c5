"""Photos measured behind a progress bar, for the commands that judge them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from blurmapper.commands._output import print_error, progress_bar

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from blurmapper.batch import Found, How, PhotoFailure, Result
    from blurmapper.ranking.measuring import MeasureTask


def measure(
    task: MeasureTask,
    found: Found,
    how: How,
    stop: threading.Event,
    title: str,
    output: Path | None = None,
    *,
    quiet: bool = False,
) -> list[Result | PhotoFailure]:
    """Return what was measured of photos; unless `quiet`, say what failed."""
    from blurmapper.batch import PhotoFailure, Result
    from blurmapper.ranking.measuring import measure_photos
    from blurmapper.ranking.report import keeping_measurements

    results: list[Result | PhotoFailure] = []
    # A task with files of its own keeps what it measures beside them.
    keeping = nullcontext() if output is None else keeping_measurements(task, found, redo=how.redo)
    with keeping as keep, progress_bar(len(found)) as progress:
        bar = progress.add_task(title, total=len(found))
        for result in measure_photos(task, found, how, stop, output):
            if isinstance(result, PhotoFailure) and not quiet:
                print_error(result.error)
            elif isinstance(result, Result) and keep is not None:
                keep(result)
            results.append(result)
            progress.advance(bar)
    return results
