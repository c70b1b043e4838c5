"""`blurmapper check`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import click

from blurmapper.commands import _options as shared
from blurmapper.commands._output import STOPPED, print_line, quiet_codecs, stopping_cleanly
from blurmapper.commands._parameters import Option
from blurmapper.commands._run import measure
from blurmapper.errors import ConfigError

if TYPE_CHECKING:
    from blurmapper.ranking.records import PhotoRecord, Unreadable


def check(
    photos: shared.Photos,
    min_sharp: Annotated[
        str | None,
        Option(metavar="SHARE", help="Fail photos of which less is sharp: 30% or .3."),
    ] = None,
    max_sigma: Annotated[
        float | None,
        Option(
            metavar="PX", least=0, help="Fail photos whose sharpest part is wider than PX pixels."
        ),
    ] = None,
    fail_over: Annotated[
        str, Option(metavar="SHARE", help="How many photos may fail: 5% or .05; none.")
    ] = "0",
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object a photo that fails.")
    ] = False,
    method: shared.Method = "dbm-lite",
    threads: shared.Threads = None,
    device: shared.Device = "auto",
    jobs: shared.Jobs = None,
    redo: shared.Redo = False,
    engine: shared.Engine = "local",
) -> None:
    """Check that photos are sharp enough; exit with 1 and a list if too many are not.

    Each photo that fails gets a line with the reason, and so does one that cannot be read, which
    fails too. What is measured is kept, as by rank: only photos that are new or have changed
    take time.

    Examples:

        blurmapper check photos/ --max-sigma 2 --min-sharp 10% --fail-over 5%
    """
    from blurmapper.batch import How, find_photos
    from blurmapper.methods import MethodOptions
    from blurmapper.ranking.checking import Demands, read_share, too_many
    from blurmapper.ranking.measuring import MeasureTask, to_record

    if min_sharp is None and max_sigma is None:
        raise ConfigError("what is asked of the photos? add --max-sigma 2 or --min-sharp 30%")
    least = None if min_sharp is None else read_share(min_sharp)
    demands, allowed = Demands(least, max_sigma), read_share(fail_over)
    found = find_photos(photos)
    task = MeasureTask(method, MethodOptions(threads=threads, device=device))
    with quiet_codecs(), stopping_cleanly() as stop:
        results = measure(task, found, How(engine, jobs, redo), stop, "Checking", quiet=True)
    records = [to_record(result) for result in results]
    failed = 0
    for record in records:
        complaint = demands.complain(record)
        if complaint is not None:
            failed += 1
            print_line(_to_json(record, complaint) if as_json else f"{record.photo}: {complaint}")
    share = f" ({failed / len(records):.1%})" if records else ""
    verdict = "too many" if too_many(failed, len(records), allowed) else "few enough"
    print_line(f"{failed} of {len(records)} photos fail{share}: {verdict}", err=True)
    if stop.is_set():
        print_line(f"stopped after {len(results)} of {len(found)} photos", err=True)
        raise click.exceptions.Exit(STOPPED)
    if verdict == "too many" or not records:
        raise click.exceptions.Exit(1)


def _to_json(record: PhotoRecord | Unreadable, complaint: str) -> str:
    from blurmapper.ranking.records import PhotoRecord

    share = 1 - record.share_blurred if isinstance(record, PhotoRecord) else None
    sigma = record.blur("focus") if isinstance(record, PhotoRecord) else None
    said = {"photo": str(record.photo), "share_sharp": share, "sigma": sigma}
    return json.dumps(said | {"reason": complaint})
