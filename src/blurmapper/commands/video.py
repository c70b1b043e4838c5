"""`blurmapper video`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from blurmapper.commands import _options as option
from blurmapper.commands._output import STOPPED, print_error, print_line, progress_bar
from blurmapper.commands._run import DEFAULT_OUTPUT
from blurmapper.errors import BlurMapperError, VideoError
from blurmapper.locations import find_location

if TYPE_CHECKING:
    from blurmapper.batch import Job
    from blurmapper.methods import BlurMethod
    from blurmapper.video.mapping import ClipOutputs, ClipResult

SOME_FRAMES = 1000
"""How many frames a clip may have is known only once it is open."""


def video(
    clips: Annotated[
        list[str],
        typer.Argument(metavar="CLIP...", help="Video files: paths, or s3:// and the like."),
    ],
    output: option.Output = str(DEFAULT_OUTPUT),
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
    refine: option.Refine = True,
    method: option.Method = "dbm-lite",
    threads: option.Threads = None,
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

    folder = find_location(output or DEFAULT_OUTPUT)
    mapping = get_method(method, MethodOptions(threads=threads))
    outputs = ClipOutputs(overlay, sharpest, apart, smoothing, refine)
    failed = 0
    for clip in filter(os.path.isdir, clips):
        failed += 1
        print_error(VideoError(f"{clip}: is a folder; give the clips inside it"))
    for job in plan_jobs(find_photos(clip for clip in clips if not os.path.isdir(clip)), folder):  # noqa: PTH112
        try:
            result = _map_with_bar(job, mapping, outputs)
        except BlurMapperError as error:
            failed += 1
            print_error(error)
        except KeyboardInterrupt:
            print_line(f"stopped at {job.photo}; nothing of it is written", err=True)
            raise typer.Exit(STOPPED) from None
        else:
            print_line(_to_line(result))
            if result.problem is not None:
                failed += 1
                print_error(VideoError(f"{job.photo}: {result.problem}; copy it again"))
    if failed:
        raise typer.Exit(1)


def _map_with_bar(job: Job, method: BlurMethod, outputs: ClipOutputs) -> ClipResult:
    from blurmapper.video.mapping import map_clip

    with progress_bar(SOME_FRAMES) as progress:
        task = progress.add_task(job.photo.name, total=None)
        return map_clip(
            job,
            method,
            outputs,
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def _to_line(result: ClipResult) -> str:
    files = [result.table, *([result.overlay] if result.overlay else []), *result.photos]
    return (
        f"{result.clip}: {result.width} x {result.height}, {len(result.frames)} frames, "
        f"mean S {result.blur_degree:.3f} -> {', '.join(map(str, files))}"
    )
