"""The command line: each command parses, calls one function and prints."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blurmapper.errors import BlurMapperError, MissingExtraError
from blurmapper.evaluation.command import evaluate

if TYPE_CHECKING:
    from rich.progress import Progress

    from blurmapper.batch import PhotoFigures
    from blurmapper.methods import Method

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
)


def main() -> None:
    """Run the command line; an error of ours becomes one line and exit status 1."""
    # Pillow warns of odd metadata in photos that it reads well.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        app()
    except BlurMapperError as error:
        _print_error(error)
        sys.exit(1)


def _print_version(asked: bool) -> None:
    if asked:
        from blurmapper import __version__

        typer.echo(f"blurmapper {__version__}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Turn photos into blur maps: for every pixel the probability that it is blurred."""


@app.command("map")
def map_command(
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

    NAME.jpg gives DIR/NAME.blur.png and, with --overlay, DIR/NAME.overlay.jpg; folders are
    mirrored, and nothing is written beside the photos. Each photo gets a line of figures: its
    size, its blur degree S (the mean of the map, 0 to 1), the share of it that is blurred, and
    the time. A photo that cannot be read gets a line on standard error, the others go on,
    and the exit status is 1.

    Examples:

        blurmapper map photo.jpg --overlay
        blurmapper map holiday/ -o maps/ --json > figures.jsonl
    """
    from blurmapper.batch import Outputs, map_photos, plan_jobs
    from blurmapper.methods import MethodOptions, get_method

    options = MethodOptions(refine=refine, working_side=working_side, threads=threads)
    mapping = get_method(method, options)
    jobs, failures = plan_jobs(photos, output)
    for error in failures:
        _print_error(error)
    with _progress(len(jobs)) as progress:
        task = progress.add_task("Mapping", total=len(jobs))
        for result in map_photos(jobs, mapping, Outputs("npy" if npy else bits, overlay)):
            if isinstance(result, BlurMapperError):
                failures.append(result)
                _print_error(result)
            else:
                typer.echo(json.dumps(result.to_dict()) if as_json else _figures_line(result))
            progress.advance(task)
    if failures:
        raise typer.Exit(1)


@app.command("methods")
def methods_command() -> None:
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


app.command("evaluate")(evaluate)


@app.command("train")
def train_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
    ] = None,
) -> None:
    """Train a network as a TOML file says (needs the extra blurmapper[train]).

    Example:

        blurmapper train configs/dbm-lite.toml --set iterations=500
    """
    with _needing_extra("train"):
        from blurmapper.training.loop import train
    train(config, resume=resume, overrides=settings or [])


@app.command("export")
def export_command(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="From a training run.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where weights and card go.")
    ] = Path("weights"),
    photos: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Photos on which both must give the same map; the package's samples unless given.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the weights; the run's folder's unless given.")
    ] = None,
) -> None:
    """Turn a checkpoint into an .onnx file and its card, once torch and ONNX agree on photos.

    Example:

        blurmapper export runs/dbm-lite/checkpoint.pt -o weights/
    """
    with _needing_extra("train"):
        from blurmapper.training.export import SAMPLES, export_checkpoint
    typer.echo(export_checkpoint(checkpoint, output, photos or SAMPLES, name=name))


@contextmanager
def _needing_extra(extra: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "blurmapper":
            raise
        raise MissingExtraError(
            f"{error.name} is not installed; this command needs pip install 'blurmapper[{extra}]'"
        ) from error


def _progress(total: int) -> Progress:
    """Return a bar on standard error, for several photos and where a person watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=total < 2 or not console.is_terminal,
        # Lines that go to a file or pipe must not be drawn into the bar's terminal.
        redirect_stdout=sys.stdout.isatty(),
    )


def _figures_line(figures: PhotoFigures) -> str:
    files = figures.map if figures.overlay is None else f"{figures.map}, {figures.overlay}"
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


def _print_error(error: BlurMapperError) -> None:
    typer.echo(f"error: {error}", err=True)


if __name__ == "__main__":
    main()
