"""`blurmapper video`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blurmapper.commands._output import STOPPED, print_error, progress_bar
from blurmapper.errors import BlurMapperError, VideoError

if TYPE_CHECKING:
    from blurmapper.batch import Job
    from blurmapper.methods import BlurMethod
    from blurmapper.video.mapping import ClipFigures, ClipOutputs

SOME_FRAMES = 1000
"""How many frames a clip may have is known only once it is open."""


def video(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP...", help="Video files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")
    ] = Path("blurmaps"),
    overlay: Annotated[
        bool,
        typer.Option(
            "--overlay/--no-overlay", help="Write the clip with what is blurred in violet."
        ),
    ] = True,
    sharpest: Annotated[
        int, typer.Option(metavar="N", min=0, help="Write the N sharpest frames as photos.")
    ] = 0,
    apart: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Time between any two of them; 1, or less in a short clip, unless given.",
        ),
    ] = None,
    smoothing: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=30,
            help="Average the overlay's maps over N frames on either side; 0 for none.",
        ),
    ] = 2,
    refine: Annotated[
        bool,
        typer.Option(
            "--refine/--no-refine", help="Let maps follow the frames' edges, or only enlarge them."
        ),
    ] = True,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A name from blurmapper methods, or an .onnx file of your own."
        ),
    ] = "dbm-lite",
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="CPU threads of a map; all cores unless given."),
    ] = None,
) -> None:
    """Map a clip: an overlay video, S of every frame, and the sharpest frames as photos.

    CLIP gives DIR/CLIP.overlay.mp4 with the clip's times and sound, and DIR/CLIP.frames.csv with
    a row a frame: its number from 0, its time in seconds, its blur degree S and the share of it
    that is blurred. With --sharpest also DIR/CLIP.frame-NUMBER.jpg. Files appear whole or
    not at all. Of a clip that is damaged or cut short, what can be read is mapped; it gets a
    line on standard error, and the exit status is 1.

    Examples:

        blurmapper video clip.mp4 --sharpest 5

        blurmapper video clip.mp4 --no-overlay -o figures/
    """
    from blurmapper.batch import find_photos, plan_jobs
    from blurmapper.methods import MethodOptions, get_method
    from blurmapper.video.mapping import ClipOutputs

    mapping = get_method(method, MethodOptions(threads=threads))
    outputs = ClipOutputs(overlay, sharpest, apart, smoothing, refine)
    folders = [clip for clip in clips if clip.is_dir()]
    failures: list[BlurMapperError] = [
        VideoError(f"{folder}: is a folder; give the clips inside it") for folder in folders
    ]
    jobs = plan_jobs(find_photos(clip for clip in clips if clip not in folders), output)
    for error in failures:
        print_error(error)
    for job in jobs:
        try:
            figures = _map_with_bar(job, mapping, outputs)
        except BlurMapperError as error:
            failures.append(error)
            print_error(error)
        except KeyboardInterrupt:
            typer.echo(f"stopped at {job.photo}; nothing of it is written", err=True)
            raise typer.Exit(STOPPED) from None
        else:
            typer.echo(_figures_line(figures))
            if figures.problem is not None:
                failures.append(VideoError(f"{job.photo}: {figures.problem}; copy it again"))
                print_error(failures[-1])
    if failures:
        raise typer.Exit(1)


def _map_with_bar(job: Job, method: BlurMethod, outputs: ClipOutputs) -> ClipFigures:
    from blurmapper.video.mapping import map_clip

    with progress_bar(SOME_FRAMES) as progress:
        task = progress.add_task(job.photo.name, total=None)
        return map_clip(
            job,
            method,
            outputs,
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def _figures_line(figures: ClipFigures) -> str:
    files = [figures.table, *([figures.overlay] if figures.overlay else []), *figures.photos]
    return (
        f"{figures.clip}: {figures.width} x {figures.height}, {len(figures.frames)} frames, "
        f"mean S {figures.blur_degree:.3f} -> {', '.join(map(str, files))}"
    )
