"""`blurmapper map` and `blurmapper methods`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from blurmapper.commands import _options as option
from blurmapper.commands._output import print_table
from blurmapper.commands._parameters import Option
from blurmapper.commands._run import run_command
from blurmapper.errors import ConfigError

if TYPE_CHECKING:
    from blurmapper.methods import Method


def map_photos(
    photos: option.Photos,
    output: option.Output = None,
    method: option.Method = "dbm-lite",
    overlay: Annotated[
        bool, Option(help="Also write the photo with what is blurred in violet.")
    ] = False,
    kinds: Annotated[bool, Option(help="Also write how likely it is defocus, and motion.")] = False,
    amount: Annotated[
        bool, Option(help="Also measure how wide the blur is, in the photo's pixels.")
    ] = False,
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object a photo, and nothing else.")
    ] = False,
    bits: Annotated[Literal["8", "16"], Option(help="Depth of the map.")] = "8",
    npy: Annotated[bool, Option(help="Write float32 .npy maps in place of PNG.")] = False,
    masks: Annotated[
        Literal["colmap", "folder"] | None,
        Option(help="Also write masks, 0 = blurred, into DIR/masks: NAME.jpg.png, or NAME.png."),
    ] = None,
    grow: Annotated[
        int, Option(metavar="N", least=0, help="Widen what masks leave out by N pixels.")
    ] = 0,
    refine: option.Refine = True,
    working_side: Annotated[
        int | None,
        Option(
            metavar="N", least=16, help="Let the network see N x N pixels' worth of each photo."
        ),
    ] = None,
    jobs: option.Jobs = None,
    threads: option.Threads = None,
    device: option.Device = "auto",
    redo: option.Redo = False,
    engine: option.Engine = "local",
    quiet: option.Quiet = False,
) -> None:
    """Write a blur map of each photo: white is blurred, black is sharp.

    NAME.jpg gives DIR/NAME.jpg.blur.png, with --overlay also DIR/NAME.jpg.overlay.jpg, with
    --kinds also DIR/NAME.jpg.defocus.png and DIR/NAME.jpg.motion.png, which add up to the map.
    Folders are mirrored, and nothing is written beside the photos. Each photo gets a line of
    figures: its size, its blur degree S (the mean of the map, 0 to 1), the share of it that is
    blurred, and the time.

    --amount also writes DIR/NAME.jpg.amount.png, a pixel for each 16 x 16 of the photo: sigma in
    hundredths of a pixel, 0 where nothing can be measured; with --overlay also
    DIR/NAME.jpg.amount.jpg, in steps of pixels. The line then tells sigma of the sharpest part of
    what is meant to be sharp.

    Photos that are done are not done again, unless they or the options have changed: after an
    interruption, the same command goes on. DIR/maps.jsonl keeps the figures. A photo that cannot
    be read gets a line on standard error and in DIR/failures.csv, the others go on, and the exit
    status is 1. Ctrl-C finishes what has begun.

    Examples:

        blurmapper map photo.jpg --overlay

        blurmapper map holiday/ -o maps/ --json > figures.jsonl

        blurmapper map scene/images/ -o scene/blur/ --masks colmap --grow 4
    """
    from blurmapper.batch import How, KeepMasks, MapTask, Outputs
    from blurmapper.methods import MethodOptions

    if grow and masks is None:
        raise ConfigError("--grow widens masks; add --masks colmap or --masks folder")

    options = MethodOptions(refine, working_side, threads, device)
    keep = KeepMasks(masks, grow) if masks else None
    outputs = Outputs("npy" if npy else bits, overlay, kinds, keep, amount)
    task = MapTask(method, options, outputs)
    run_command(task, photos, output, How(engine, jobs, redo, True), as_json=as_json, quiet=quiet)


def methods() -> None:
    """List the methods: what they are, their size, their speed and how well they score.

    MB is the size of the weights, ms the time of the network alone on 384 x 384 pixels and two
    CPU cores, ODS the mean F-score at the best single threshold, by set of photos.
    """
    from rich import box
    from rich.table import Table

    from blurmapper.methods import METHODS

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for heading in ("method", "kind", "MB", "ms", "ODS", "what it is"):
        table.add_column(heading, justify="right" if heading in ("MB", "ms") else "left")
    for method in METHODS.values():
        table.add_row(method.name, method.kind, *_card_cells(method), method.summary)
    print_table(table)


def _card_cells(method: Method) -> tuple[str, str, str]:
    """Return a network's size in MB, its milliseconds and its scores; dashes for others."""
    from blurmapper.weights import bundled_card, bundled_names

    if method.name not in bundled_names():
        return "-", "-", "-"
    card = bundled_card(method.name)
    milliseconds = "-" if card.milliseconds_384 is None else f"{card.milliseconds_384:.0f}"
    scores = [f"{s['data']} {s['ods']:.3f}" for s in card.scores if s["protocol"] == "paper"]
    return f"{card.bytes / 1e6:.1f}", milliseconds, "\n".join(scores) or "-"
