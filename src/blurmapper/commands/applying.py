"""`blurmapper segment` and `blurmapper magnify`: what blur maps are for."""

from __future__ import annotations

from typing import Annotated, Literal

from blurmapper.commands import _options as option
from blurmapper.commands._parameters import Option
from blurmapper.commands._run import run_command
from blurmapper.compiled import import_compiled
from blurmapper.errors import needing


def segment(
    photos: option.Photos,
    output: option.Output = None,
    cutout: Annotated[
        bool, Option(help="Write the sharp subject on transparency, not its mask.")
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


def magnify(
    photos: option.Photos,
    output: option.Output = None,
    strength: Annotated[
        float,
        Option(metavar="X", least=0, most=8, help="How much blur is added; 0 is none, 8 most."),
    ] = 1.0,
    shape: Annotated[
        Literal["disc", "gaussian", "polygon"], Option(help="What a point of light becomes.")
    ] = "disc",
    naive: Annotated[
        bool, Option(help="The paper's way, to compare: one Gaussian for all.")
    ] = False,
    amount: Annotated[
        bool, Option(help="Measure how wide the blur is, and make it 1 + X times as wide.")
    ] = False,
    method: option.Method = "dbm-lite",
    threads: option.Threads = None,
    device: option.Device = "auto",
    redo: option.Redo = False,
    engine: option.Engine = "local",
    quiet: option.Quiet = False,
) -> None:
    """Blur further what is blurred in each photo, as a faster lens would have.

    What is sharp stays as it is. NAME.jpg gives DIR/NAME.jpg.magnified.jpg; NAME.png and other
    formats give DIR/NAME.png.magnified.png. Both have 8 bits. At strength 1 a point becomes a
    disc with a radius of a 64th of the photo's side.

    Photos that are done are not done again, unless they or the options have changed: after an
    interruption, the same command goes on. DIR/magnify.jsonl keeps what is done. Ctrl-C finishes
    the photo that has begun.

    Examples:

        blurmapper magnify portrait.jpg
        blurmapper magnify evening.jpg --strength 2.5 --shape polygon
    """
    from blurmapper.batch import How, MagnifyTask
    from blurmapper.methods import MethodOptions

    options = MethodOptions(threads=threads, device=device)
    task = MagnifyTask(method, options, strength, shape, naive, amount)
    run_command(task, photos, output, How(engine, redo=redo), quiet=quiet)
