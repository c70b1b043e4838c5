"""`blurmapper map` and `blurmapper methods`."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blurmapper.commands._output import (
    DEFAULT_OUTPUT,
    STOPPED,
    default_output,
    print_error,
    progress_bar,
    quiet_codecs,
    stopping_cleanly,
)
from blurmapper.errors import BlurMapperError, ConfigError
from blurmapper.files import printable

if TYPE_CHECKING:
    from blurmapper.batch import Failures, Found, PhotoFailure, PhotoFigures
    from blurmapper.methods import Method


@dataclass
class Tally:
    """How a run went, photo by photo."""

    mapped: int = 0
    before: int = 0
    failed: int = 0
    start: float = field(default_factory=time.perf_counter)


def map_photos(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Photos, or folders that are searched for them."),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where the files go: blurmaps."),
    ] = None,
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
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Photos worked on at a time; one a core."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="CPU threads of the network, a photo.")
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Also map what an earlier run has mapped.")
    ] = False,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="This machine, or a Ray cluster, for which s3:// and the like work too."),
    ] = "local",
) -> None:
    """Write a blur map of each photo: white is blurred, black is sharp.

    NAME.jpg gives DIR/NAME.jpg.blur.png, with --overlay also DIR/NAME.jpg.overlay.jpg, with
    --kinds also DIR/NAME.jpg.defocus.png and DIR/NAME.jpg.motion.png, which add up to the map.
    Folders are mirrored, and nothing is written beside the photos. Each photo gets a line of
    figures: its size, its blur degree S (the mean of the map, 0 to 1), the share of it that is
    blurred, and the time.

    Photos that are done are not done again, unless they or the options have changed: after an
    interruption, the same command goes on. DIR/maps.jsonl keeps the figures. A photo that cannot
    be read gets a line on standard error and in DIR/failures.csv, the others go on, and the exit
    status is 1. Ctrl-C finishes what has begun.

    Examples:

        blurmapper map photo.jpg --overlay

        blurmapper map holiday/ -o maps/ --json > figures.jsonl
    """
    from blurmapper import batch
    from blurmapper.methods import MethodOptions, get_method

    outputs = batch.Outputs("npy" if npy else bits, overlay, kinds)
    options = MethodOptions(refine=refine, working_side=working_side, threads=threads)
    if engine == "ray":
        from blurmapper.commands._ray import map_on_ray

        settings = (method, options, outputs)
        place = output or str(DEFAULT_OUTPUT)
        map_on_ray(photos, place, *settings, workers=jobs, redo=redo, as_json=as_json)
        return
    sources = _local_paths(photos)
    folder = Path(output) if output is not None else default_output(sources)
    found = batch.find_photos(sources, output=folder)
    workers = batch.count_workers(jobs, len(found))
    options = replace(options, threads=threads or (1 if workers > 1 else None))
    mapping = get_method(method, options)
    digest = batch.describe_settings(method, mapping, options, outputs)
    tally, failures = Tally(), batch.Failures(folder)
    ledger = batch.Ledger(folder, digest, redo=redo)
    with quiet_codecs(), ledger, stopping_cleanly() as stop:
        try:
            results = batch.map_jobs(
                batch.plan_jobs(found, folder, ledger.owner),
                *(mapping, outputs),
                ledger=ledger,
                workers=workers,
                stop=stop,
            )
            with progress_bar(len(found)) as progress:
                task = progress.add_task("Mapping", total=len(found))
                for failure in found.failures:
                    _tell(failure, tally, failures, as_json=as_json)
                for result in results:
                    _tell(result, tally, failures, as_json=as_json)
                    progress.advance(task)
        except BlurMapperError:
            # On a full disk this fails too, and the first error says more.
            with suppress(BlurMapperError):
                failures.write()
            raise
        else:
            failures.write()
        finally:
            if stop.is_set() or any(source.is_dir() for source in sources):
                _print_summary(tally, found, folder)
    if stop.is_set():
        raise typer.Exit(STOPPED)
    if tally.failed:
        raise typer.Exit(1)


def methods() -> None:
    """List the methods: what they are, their size, their speed and how well they score.

    MB is the size of the weights, ms the time of the network alone on 384 x 384 pixels and two
    CPU cores, ODS the mean F-score at the best single threshold, by set of photos.
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


def _local_paths(photos: list[str]) -> list[Path]:
    """Return photos as paths; addresses of other places need the other engine."""
    for photo in photos:
        if "://" in photo:
            raise ConfigError(f"{photo}: add --engine ray to map photos at an address")
    return [Path(photo) for photo in photos]


def _tell(
    result: PhotoFigures | PhotoFailure, tally: Tally, failures: Failures, *, as_json: bool
) -> None:
    """Print what came of a photo, and take it down."""
    from blurmapper.batch import PhotoFailure

    if isinstance(result, PhotoFailure):
        tally.failed += 1
        failures.add(result)
        print_error(result.error)
        return
    tally.before += result.mapped_before
    tally.mapped += not result.mapped_before
    failures.clear(result.photo)
    typer.echo(json.dumps(result.to_dict()) if as_json else _figures_line(result))


def _print_summary(tally: Tally, found: Found, output: Path) -> None:
    """Print in a line on standard error how many photos became what."""
    done = tally.mapped + tally.before + tally.failed - len(found.failures)
    seconds = time.perf_counter() - tally.start
    parts = [f"{tally.mapped} mapped in {seconds:.1f} s"]
    parts += [f"{tally.before} mapped before"] if tally.before else []
    parts += [f"{tally.failed} failed, see {output / 'failures.csv'}"] if tally.failed else []
    parts += [f"{len(found) - done} not begun"] if done < len(found) else []
    parts += [f"{found.left_out} other files left out"] if found.left_out else []
    typer.echo(printable(f"{len(found)} photos: {', '.join(parts)}"), err=True)


def _figures_line(figures: PhotoFigures) -> str:
    written = (figures.map, figures.overlay, figures.defocus, figures.motion)
    files = ", ".join(str(path) for path in written if path is not None)
    when = "mapped before" if figures.mapped_before else f"{figures.seconds:.2f} s"
    return printable(
        f"{figures.photo}: {figures.width} x {figures.height}, S {figures.blur_degree:.3f}, "
        f"{figures.share_blurred:.0%} blurred, {when} -> {files}"
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
