"""`blurmapper segment`."""

from __future__ import annotations

from typing import Annotated

import typer

from blurmapper.commands import _options as option
from blurmapper.commands._run import run_command
from blurmapper.compiled import import_compiled
from blurmapper.errors import needing


def segment(
    photos: option.Photos,
    output: option.Output = None,
    cutout: Annotated[
        bool,
        typer.Option("--cutout", help="Write the sharp subject on transparency, not its mask."),
    ] = False,
    method: option.Method = "dbm-lite",
    threads: option.Threads = None,
    device: option.Device = "auto",
    redo: option.Redo = False,
    engine: option.Engine = "local",
    quiet: option.Quiet = False,
) -> None:
    """Separate the sharp subject of each photo from what is blurred.

    NAME.jpg gives DIR/NAME.jpg.mask.png, white where the subject is, or with --cutout
    DIR/NAME.jpg.cutout.png, the subject on transparency with a soft edge and none of the
    background's colour (needs the extra blurmapper[baselines]). Photos of 16 bits give cutouts of
    16 bits. Each photo gets a line with the share of it that is subject.

    Photos that are done are not done again, unless they or the options have changed: after an
    interruption, the same command goes on. DIR/segment.jsonl keeps what is done. Ctrl-C finishes
    the photo that has begun.

    Examples:

        blurmapper segment photo.jpg
        blurmapper segment portraits/ --cutout -o cutouts/
    """
    from blurmapper.batch import How, SegmentTask
    from blurmapper.methods import MethodOptions

    if cutout:
        with needing("baselines", "this command needs"):
            import_compiled("pymatting")
    task = SegmentTask(method, MethodOptions(threads=threads, device=device), cutout)
    run_command(task, photos, output, How(engine, redo=redo), quiet=quiet)
