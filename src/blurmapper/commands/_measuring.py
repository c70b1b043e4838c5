"""Photos measured behind a progress bar, for the commands that judge them."""

from __future__ import annotations

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
    from blurmapper.batch import PhotoFailure
    from blurmapper.ranking.measuring import measure_photos

    results: list[Result | PhotoFailure] = []
    with progress_bar(len(found)) as progress:
        bar = progress.add_task(title, total=len(found))
        for result in measure_photos(task, found, how, stop, output):
            if isinstance(result, PhotoFailure) and not quiet:
                print_error(result.error)
            results.append(result)
            progress.advance(bar)
    return results
