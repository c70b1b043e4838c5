"""`blurmapper video`."""

from __future__ import annotations

import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import click

from blurmapper.commands import _options as option
from blurmapper.commands._output import STOPPED, print_line, progress_bar
from blurmapper.commands._parameters import Argument, Option
from blurmapper.commands._run import default_output, run_found
from blurmapper.errors import BlurMapperError
from blurmapper.locations import find_location, find_path, is_folder

SOME_FRAMES = 1000
"""How many frames a clip may have is known only once it is open."""


def video(
    clips: Annotated[
        list[str],
        Argument(
            metavar="CLIP...",
            help="Video files: paths, or s3:// and the like; or folders of frames on this machine.",
        ),
    ],
    output: option.Output = None,
    overlay: Annotated[
        bool,
        Option("--overlay/--no-overlay", help="Write the clip with what is blurred in violet."),
    ] = True,
    by: Annotated[
        Literal["focus", "s"],
        Option(
            help="Compare frames by the blur's width where they are meant to be sharp, or by S."
        ),
    ] = "focus",
    sharpest: Annotated[
        int, Option(metavar="N", least=0, help="Write the N sharpest frames as photos.")
    ] = 0,
    apart: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            least=0,
            help="Time between any two of them; 1, or less in a short clip, unless given.",
        ),
    ] = None,
    best_of: Annotated[
        int,
        Option(metavar="K", least=0, help="Write the sharpest of every K frames as photos."),
    ] = 0,
    drop_blurry: Annotated[
        bool,
        Option(
            "--drop-blurry", help="Write frames as photos, but none blurrier than its neighbours."
        ),
    ] = False,
    rate: Annotated[
        float,
        Option(metavar="FPS", least=0.001, help="Frames a second of a folder of frames."),
    ] = 25.0,
    smoothing: Annotated[
        int,
        Option(
            metavar="N",
            least=0,
            most=30,
            help="Average the overlay's maps over N frames on either side; 0 for none.",
        ),
    ] = 2,
    refine: option.Refine = True,
    method: option.Method = "dbm-lite",
    threads: option.Threads = None,
    device: option.Device = "auto",
    redo: option.Redo = False,
    quiet: option.Quiet = False,
) -> None:
    """Map a clip: an overlay video, S and focus of every frame, and the sharpest frames as photos.

    CLIP gives DIR/CLIP.overlay.mp4 with the clip's times and sound, and DIR/CLIP.frames.csv with
    a row a frame: its number from 0, its time in seconds, its blur degree S, the share of it
    that is blurred, and, unless --by s is given, its focus: how wide the blur is in its sharpest
    part, in pixels, and where that is. With --sharpest also DIR/CLIP.frame-NUMBER.jpg. Files
    appear whole or not at all. Of a folder of frames the chosen are copied as they are into
    DIR/FOLDER.frames, and there is no overlay. Of a clip that is damaged or cut short, what can be
    read is mapped; it gets a line on standard error and in DIR/failures.csv, as one that cannot be
    read, the others go on, and the exit status is 1.

    Examples:

        blurmapper video clip.mp4 --sharpest 5

        blurmapper video clip.mp4 --no-overlay -o tables/

        blurmapper video frames/ --best-of 10 --drop-blurry -o scene/
    """
    from blurmapper.batch import How, find_photos, real_path
    from blurmapper.methods import MethodOptions
    from blurmapper.video.mapping import ClipOutputs
    from blurmapper.video.task import ClipTask

    bar = progress_bar(0 if quiet else SOME_FRAMES)
    frames = bar.add_task("", total=None)

    def watch(name: str, done: int, total: int | None) -> None:
        bar.update(frames, description=name, completed=done, total=total)

    folders = [clip for clip in clips if _is_folder(clip)]
    folder = default_output(folders) if output is None else find_location(output)
    options = MethodOptions(threads=threads, device=device)
    outputs = ClipOutputs(overlay, sharpest, apart, best_of, drop_blurry, smoothing, refine, by)
    fps = Fraction(rate).limit_denominator(1001)
    task = ClipTask(method, options, outputs, fps, folder, watch)
    found = find_photos(clip for clip in clips if clip not in folders)
    once: dict[str, Path] = {}
    for clip in map(find_path, folders):
        once.setdefault(real_path(clip), clip)
    found.photos += [(str(clip), clip.resolve().name) for clip in once.values()]
    try:
        run_found(task, found, folder, How(redo=redo), bar, threading.Event(), quiet=quiet)
    except KeyboardInterrupt as stopped:
        for line in stopped.args:
            print_line(line, err=True)
        raise click.exceptions.Exit(STOPPED) from None


def _is_folder(clip: str) -> bool:
    # What leads nowhere is said with the clips.
    with suppress(BlurMapperError):
        return is_folder(find_path(clip))
    return False
