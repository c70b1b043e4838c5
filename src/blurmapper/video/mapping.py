"""A clip in; its overlay video, a row of figures a frame and its sharpest frames out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blurmapper.batch import THRESHOLD, Job
from blurmapper.batch.photo import with_ending
from blurmapper.files import check_replaceable, make_folder, replacing, written_as
from blurmapper.images import BlurMap, ImageArray, draw_overlay, write_image
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod
from blurmapper.refinement import enlarge_map, refine_map
from blurmapper.video.clips import Clip, Frame
from blurmapper.video.overlays import writing_overlay
from blurmapper.video.selection import FrameFigures, choose_sharpest
from blurmapper.video.smoothing import (
    REACH,
    MappedFrame,
    is_cut,
    reduce_colours,
    smooth_maps,
)

OVERLAY_ENDING = ".overlay.mp4"
TABLE_ENDING = ".frames.csv"
PHOTO_ENDING = ".frame-{:06}.jpg"

HEADINGS = ("frame", "seconds", "blur_degree", "share_blurred")
IS_TABLE = written_as(",".join(HEADINGS).encode())
"""By what an earlier run's table is known, which alone is written anew."""


@dataclass(frozen=True)
class ClipOutputs:
    """Which files a clip gets.

    Attributes
    ----------
    overlay : bool
        The clip with what is blurred in violet.
    sharpest : int
        How many of the sharpest frames are written as photos.
    apart : float or None
        Seconds between any two of them; `choose_sharpest` chooses unless given.
    smoothing : int
        Frames on either side that the overlay's maps are averaged over; 0 for none.
    refine : bool
        Let the overlay's maps follow the edges of the frames, or only enlarge them.
    """

    overlay: bool = True
    sharpest: int = 0
    apart: float | None = None
    smoothing: int = REACH
    refine: bool = True


@dataclass(frozen=True)
class ClipFigures:
    """What came of a clip.

    Attributes
    ----------
    clip, table, overlay : Path or None
        The clip's file, the figures of its frames, its overlay.
    photos : list of Path
        The sharpest frames, the sharpest first.
    height, width : int
        Of a frame in pixels, turned upright.
    frames : list of FrameFigures
        In the order of time.
    problem : str or None
        How the clip is damaged or cut short; the files hold what can be read.
    """

    clip: Path
    height: int
    width: int
    frames: list[FrameFigures]
    table: Path
    overlay: Path | None
    photos: list[Path]
    problem: str | None

    @property
    def blur_degree(self) -> float:
        """The mean of S over the frames."""
        return float(np.mean([frame.blur_degree for frame in self.frames]))


def map_clip(
    job: Job,
    method: BlurMethod,
    outputs: ClipOutputs,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> ClipFigures:
    """Map the frames of a clip and write its files, each whole or not at all.

    S and the blurred share are of each frame's own map, at the size that the method sees;
    smoothing and edges are for the eye, in the overlay. Memory does not grow with the clip,
    but for four numbers a frame.

    Parameters
    ----------
    job : Job
        The clip, and the path of its files without their endings.
    method : callable
        RGB image -> blur map.
    outputs : ClipOutputs
    progress : callable, optional
        Told after each frame how many are done, and of about how many.

    Raises
    ------
    VideoError
        If the clip cannot be read.
    ImageError
        If a file cannot be written.
    """
    make_folder(job.target.parent)
    overlay = with_ending(job.target, OVERLAY_ENDING) if outputs.overlay else None
    table = with_ending(job.target, TABLE_ENDING)
    check_replaceable(table, IS_TABLE)
    figures: list[FrameFigures] = []
    with ExitStack() as stack:
        clip = stack.enter_context(Clip(job.photo))
        writer = stack.enter_context(writing_overlay(overlay, clip)) if overlay else None
        mapped = _map_frames(clip.read_frames(), method)
        for frame, blur_map in smooth_maps(mapped, outputs.smoothing if overlay else 0):
            figures.append(_measure(frame))
            if writer is not None:
                image = frame.frame.image
                whole = _enlarge(image, blur_map, refine=outputs.refine)
                writer.write(frame.frame, draw_overlay(image, whole))
            progress(len(figures), clip.frame_count)
    with replacing(table, IS_TABLE) as stream:
        stream.write(format_table(figures))
    height, width = frame.frame.image.shape[:2]
    chosen = choose_sharpest(figures, outputs.sharpest, outputs.apart) if outputs.sharpest else []
    photos = _write_photos(job, chosen)
    return ClipFigures(job.photo, height, width, figures, table, overlay, photos, clip.problem)


def format_table(frames: list[FrameFigures]) -> bytes:
    """Return the figures of frames as CSV, a row each."""
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(HEADINGS)
    for frame in frames:
        figures = (f"{value:.4f}" for value in (frame.blur_degree, frame.share_blurred))
        rows.writerow((frame.number, f"{frame.seconds:.6f}", *figures))
    return stream.getvalue().encode()


def _map_frames(frames: Iterator[Frame], method: BlurMethod) -> Iterator[MappedFrame]:
    # A network's map is smoothed as it is, and enlarged thereafter.
    mapping = method.map_coarse if isinstance(method, BlurMapper) else method
    shot = 0
    before: npt.NDArray[np.float32] | None = None
    for frame in frames:
        blur_map = mapping(frame.image)
        colours = reduce_colours(frame.image, *blur_map.shape)
        shot += before is not None and is_cut(before, colours)
        before = colours
        yield MappedFrame(frame, shot, blur_map, colours)


def _measure(frame: MappedFrame) -> FrameFigures:
    return FrameFigures(
        frame.frame.number,
        frame.frame.seconds,
        float(frame.blur_map.mean(dtype=np.float64)),
        float((frame.blur_map >= THRESHOLD).mean()),
    )


def _enlarge(image: ImageArray, blur_map: BlurMap, *, refine: bool) -> BlurMap:
    if blur_map.shape == image.shape[:2]:
        return blur_map
    return refine_map(image, blur_map) if refine else enlarge_map(blur_map, *image.shape[:2])


def _write_photos(job: Job, chosen: list[FrameFigures]) -> list[Path]:
    """Read the clip again for the chosen frames: to keep all that may be chosen costs memory."""
    paths = {
        frame.number: with_ending(job.target, PHOTO_ENDING.format(frame.number)) for frame in chosen
    }
    if paths:
        with Clip(job.photo) as clip:
            for frame in islice(clip.read_frames(frozenset(paths)), len(paths)):
                write_image(frame.image, paths[frame.number])
    return list(paths.values())
