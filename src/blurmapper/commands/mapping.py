"""`blurmapper map` and `blurmapper methods`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blurmapper.commands._output import print_error, progress_bar
from blurmapper.errors import BlurMapperError

if TYPE_CHECKING:
    from blurmapper.batch import PhotoFigures
    from blurmapper.methods import Method


def map_photos(
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTO...", help="Photos, or folders that are searched for them."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")
    ] = Path("blurmaps"),
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A name from blurmapper methods, or an .onnx file of your own."
        ),
    ] = "dbm-lite",
    overlay: Annotated[
        bool,
        typer.Option("--overlay", help="Also write the photo with what is blurred in violet."),
    ] = False,
    kinds: Annotated[
        bool,
        typer.Option("--kinds", help="Also write how likely it is defocus, and motion."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a photo, and nothing else.")
    ] = False,
    bits: Annotated[Literal["8", "16"], typer.Option(help="Depth of the map.")] = "8",
    npy: Annotated[
        bool, typer.Option("--npy", help="Write float32 .npy maps in place of PNG.")
    ] = False,
    refine: Annotated[
        bool,
        typer.Option(
            "--refine/--no-refine", help="Let the map follow the photo's edges, or only enlarge it."
        ),
    ] = True,
    working_side: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=16, help="Let the network see N x N pixels' worth of each photo."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="CPU threads; all cores unless given.")
    ] = None,
) -> None:
    """Write a blur map of each photo: white is blurred, black is sharp.

    NAME.jpg gives DIR/NAME.blur.png, with --overlay also DIR/NAME.overlay.jpg, with --kinds
    also DIR/NAME.defocus.png and DIR/NAME.motion.png, which add up to the map. Folders are
    mirrored, and nothing is written beside the photos. Each photo gets a line of figures: its
    size, its blur degree S (the mean of the map, 0 to 1), the share of it that is blurred, and
    the time. A photo that cannot be read gets a line on standard error, the others go on,
    and the exit status is 1.

    Examples:

        blurmapper map photo.jpg --overlay
        blurmapper map holiday/ -o maps/ --json > figures.jsonl
    """
    from blurmapper.batch import Outputs, plan_jobs
    from blurmapper.batch import map_photos as map_jobs
    from blurmapper.methods import MethodOptions, get_method

    options = MethodOptions(refine=refine, working_side=working_side, threads=threads)
    mapping = get_method(method, options)
    jobs, failures = plan_jobs(photos, output)
    for error in failures:
        print_error(error)
    with progress_bar(len(jobs)) as progress:
        task = progress.add_task("Mapping", total=len(jobs))
        for result in map_jobs(jobs, mapping, Outputs("npy" if npy else bits, overlay, kinds)):
            if isinstance(result, BlurMapperError):
                failures.append(result)
                print_error(result)
            else:
                typer.echo(json.dumps(result.to_dict()) if as_json else _figures_line(result))
            progress.advance(task)
    if failures:
        raise typer.Exit(1)


def methods() -> None:
    """List the methods: what they are, their size, their speed and how well they score.

    MB is the size of the weights, ms the time of a 384 x 384 photo on two CPU cores, ODS the
    mean F-score at the best single threshold, by set of photos.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from blurmapper.methods import METHODS

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("method", "kind", "MB", "ms", "ODS", "what it is"):
        table.add_column(heading, justify="right" if heading in ("MB", "ms") else "left")
    for method in METHODS.values():
        table.add_row(method.name, method.kind, *_card_cells(method), method.summary)
    Console().print(table)


def _figures_line(figures: PhotoFigures) -> str:
    written = (figures.map, figures.overlay, figures.defocus, figures.motion)
    files = ", ".join(str(path) for path in written if path is not None)
    return (
        f"{figures.photo}: {figures.width} x {figures.height}, S {figures.blur_degree:.3f}, "
        f"{figures.share_blurred:.0%} blurred, {figures.seconds:.2f} s -> {files}"
    )


def _card_cells(method: Method) -> tuple[str, str, str]:
    """Return a network's size in MB, its milliseconds and its scores; dashes for others."""
    from blurmapper.weights import bundled_card, bundled_names

    if method.name not in bundled_names():
        return "-", "-", "-"
    card = bundled_card(method.name)
    milliseconds = "-" if card.milliseconds_384 is None else f"{card.milliseconds_384:.0f}"
    scores = [f"{s['data']} {s['ods']:.3f}" for s in card.scores if s["protocol"] == "paper"]
    return f"{card.bytes / 1e6:.1f}", milliseconds, ", ".join(scores) or "-"
