"""`blurmapper map`, `methods`, `segment` and `magnify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from blurmapper.commands import _options as option
from blurmapper.commands._output import table_console
from blurmapper.commands._parameters import Option
from blurmapper.commands._run import run_command
from blurmapper.compiled import import_compiled
from blurmapper.errors import ConfigError, needing

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
        bool,
        Option("--json", help="Print one JSON object a photo, with --quiet too, and nothing else."),
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
    Folders are mirrored, and nothing is written beside the photos. Each photo gets a line, which
    DIR/maps.jsonl keeps: its size, its blur degree S (the mean of the map, 0 to 1), the share of
    it that is blurred, and the time.

    --amount also writes DIR/NAME.jpg.amount.png, a pixel for each 16 x 16 of the photo: sigma in
    hundredths of a pixel, 0 where nothing can be measured; with --overlay also
    DIR/NAME.jpg.amount.jpg, in steps of pixels. The line then has sigma of the sharpest part of
    what is meant to be sharp.

    Examples:

        blurmapper map photo.jpg --overlay

        blurmapper map holiday/ -o maps/ --json > photos.jsonl

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
    run_command(task, photos, output, How(engine, jobs, redo), as_json=as_json, quiet=quiet)


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
    table_console().print(table)


def _card_cells(method: Method) -> tuple[str, str, str]:
    """Return a network's size in MB, its milliseconds and its scores; dashes for others."""
    from blurmapper.weights import bundled_card, bundled_names

    if method.name not in bundled_names():
        return "-", "-", "-"
    card = bundled_card(method.name)
    milliseconds = "-" if card.milliseconds_384 is None else f"{card.milliseconds_384:.0f}"
    scores = [f"{s['data']} {s['ods']:.3f}" for s in card.scores if s["protocol"] == "paper"]
    return f"{card.bytes / 1e6:.1f}", milliseconds, "\n".join(scores) or "-"


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

    Examples:

        blurmapper magnify portrait.jpg
        blurmapper magnify evening.jpg --strength 2.5 --shape polygon
    """
    from blurmapper.batch import How, MagnifyTask
    from blurmapper.methods import MethodOptions

    options = MethodOptions(threads=threads, device=device)
    task = MagnifyTask(method, options, strength, shape, naive, amount)
    run_command(task, photos, output, How(engine, redo=redo), quiet=quiet)
