"""A clip in; its overlay video, a row of numbers a frame and its sharpest frames out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blurmapper.applications.degree import blur_degree, share_blurred
from blurmapper.batch import Job
from blurmapper.csv_rows import to_csv
from blurmapper.encoding import enlarge
from blurmapper.files import check_replaceable, make_folder, write_file
from blurmapper.images import BlurMap, ImageArray, draw_overlay, encode_image
from blurmapper.locations import Location, with_ending
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod
from blurmapper.ranking.judging import judge_photo
from blurmapper.refinement import enlarge_map, refine_map
from blurmapper.video.clips import Clip, Frame
from blurmapper.video.folders import (
    FRAMES_ENDING,
    HEADINGS_OF_S,
    IS_TABLE,
    TABLE_ENDING,
    FrameFolder,
)
from blurmapper.video.overlays import writing_overlay
from blurmapper.video.selection import By, FrameResult, choose_best_of, choose_sharpest, drop_blurry
from blurmapper.video.smoothing import REACH, MappedFrame, is_cut, reduce_colours, smooth_maps

OVERLAY_ENDING = ".overlay.mp4"
PHOTO_ENDING = ".frame-{:06}.jpg"

RATE = Fraction(25)
"""Frames a second of a folder, which does not say."""

HEADINGS = (*HEADINGS_OF_S, "sigma", "focus_x", "focus_y", "verdict")


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
    best_of : int
        Of every so many frames the sharpest is written as a photo; 0 for none.
    drop_blurry : bool
        Write no frame as a photo that is blurrier than its neighbours, and all others where
        nothing else is asked for.
    smoothing : int
        Frames on either side that the overlay's maps are averaged over; 0 for none.
    refine : bool
        Let the overlay's maps follow the edges of the frames, or only enlarge them.
    by : {"focus", "s"}
        What frames are compared by: how wide the blur is where they are meant to be sharp, or S.
    """

    overlay: bool = True
    sharpest: int = 0
    apart: float | None = None
    best_of: int = 0
    drop_blurry: bool = False
    smoothing: int = REACH
    refine: bool = True
    by: By = "focus"

    def choose(self, frames: list[FrameResult]) -> list[FrameResult]:
        """Return the frames that are written as photos."""
        if not (self.sharpest or self.best_of or self.drop_blurry):
            return []
        chosen = drop_blurry(frames, by=self.by) if self.drop_blurry else frames
        if self.best_of:
            chosen = choose_best_of(chosen, self.best_of, by=self.by)
        if self.sharpest:
            chosen = choose_sharpest(chosen, self.sharpest, self.apart, by=self.by)
        return chosen


@dataclass(frozen=True)
class ClipResult:
    """What came of a clip.

    Attributes
    ----------
    table, overlay : Path, Address or None
        The table of the clip's frames, its overlay.
    photos : list of Path or Address
        The chosen frames; where a number of the sharpest is asked for, the sharpest first.
    height, width : int
        Of a frame in pixels, turned upright.
    frames : list of FrameResult
        In the order of time.
    problem : str or None
        How the clip is damaged or cut short; the files hold what can be read.
    """

    height: int
    width: int
    frames: list[FrameResult]
    table: Location
    overlay: Location | None
    photos: list[Location]
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
    rate: Fraction = RATE,
    threads: int | None = None,
) -> ClipResult:
    """Map the frames of a clip, or of a folder, and write its files, each whole or not at all.

    Of a folder there is no overlay, and the frames that are chosen are copied as they are.

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
        Called after each frame with how many are done, and of about how many.
    rate : Fraction
        Frames a second of a folder.
    threads : int, optional
        CPU threads that measure focus, unless the method has its own; all cores unless given.

    Raises
    ------
    VideoError
        If the clip cannot be read.
    ImageError
        If a file cannot be written.
    """
    assert job.target is not None
    make_folder(job.target.parent)
    folder = _open_folder(job, rate)
    has_overlay = outputs.overlay and folder is None
    overlay = with_ending(job.target, OVERLAY_ENDING) if has_overlay else None
    table = with_ending(job.target, TABLE_ENDING)
    check_replaceable(table, IS_TABLE)
    if overlay and job.claims is not None:
        job.claims.take({overlay: None})
    measured: list[FrameResult] = []
    size: tuple[int, int] | None = None
    with ExitStack() as stack:
        clip = folder or stack.enter_context(Clip(job.photo))
        writer = None
        if overlay and isinstance(clip, Clip):
            writer = stack.enter_context(writing_overlay(overlay, clip))
        mapped = _map_frames(clip.read_frames(), method)
        for frame, blur_map in smooth_maps(mapped, outputs.smoothing if overlay else 0):
            measured.append(_measure(frame, method, outputs.by, threads))
            image = frame.frame.image
            size = size or image.shape[:2]
            if writer is not None:
                whole = _enlarge(image, blur_map, refine=outputs.refine)
                # A video has the size of its first frame throughout.
                writer.write(frame.frame, enlarge(draw_overlay(image, whole), size))
            progress(len(measured), clip.frame_count)
    write_file(table, to_csv([HEADINGS, *map(_to_row, measured)]), IS_TABLE)
    assert size is not None
    chosen = outputs.choose(measured)
    photos = _write_photos(job, chosen) if folder is None else _copy_frames(folder, job, chosen)
    return ClipResult(*size, measured, table, overlay, photos, clip.problem)


def _to_row(frame: FrameResult) -> tuple[int | str, ...]:
    figures = f"{frame.seconds:.6f}", f"{frame.blur_degree:.4f}", f"{frame.share_blurred:.4f}"
    focus = frame.focus
    place = (f"{focus.sigma:.3f}", focus.column, focus.row) if focus else ("", "", "")
    return (frame.number, *figures, *place, frame.verdict or "")


def _map_frames(frames: Iterator[Frame], method: BlurMethod) -> Iterator[MappedFrame]:
    # A network's map is smoothed as it is, and enlarged thereafter.
    mapping = method.map_coarse if isinstance(method, BlurMapper) else method
    shot = 0
    before: npt.NDArray[np.float32] | None = None
    for frame in frames:
        blur_map = mapping(frame.image)
        colours = reduce_colours(frame.image, *blur_map.shape)
        # Maps of two sizes cannot be averaged.
        shot += before is not None and (before.shape != colours.shape or is_cut(before, colours))
        before = colours
        yield MappedFrame(frame, shot, blur_map, colours)


def _measure(frame: MappedFrame, method: BlurMethod, by: By, threads: int | None) -> FrameResult:
    """Return what is known of a frame by its own map; its focus only where frames go by it."""
    image, blur_map, judged = frame.frame.image, frame.blur_map, None
    if by == "focus":
        whole = enlarge_map(blur_map, *image.shape[:2])
        judged = judge_photo(method, image, whole, threads=threads)
    return FrameResult(
        frame.frame.number,
        frame.frame.seconds,
        blur_degree(blur_map),
        share_blurred(blur_map),
        frame.shot,
        judged and judged.focus,
        judged and judged.verdict.word,
    )


def _enlarge(image: ImageArray, blur_map: BlurMap, *, refine: bool) -> BlurMap:
    if blur_map.shape == image.shape[:2]:
        return blur_map
    return refine_map(image, blur_map) if refine else enlarge_map(blur_map, *image.shape[:2])


def _open_folder(job: Job, rate: Fraction) -> FrameFolder | None:
    if not isinstance(job.photo, Path) or not job.photo.is_dir():
        return None
    return FrameFolder(job.photo, rate, None if job.target is None else job.target.parent)


def _copy_frames(folder: FrameFolder, job: Job, chosen: list[FrameResult]) -> list[Location]:
    """Copy the files of chosen frames, byte for byte, below a folder of their own."""
    assert job.target is not None
    copies: list[Location] = []
    for frame in chosen:
        file = folder.frames[frame.number]
        place = with_ending(job.target, FRAMES_ENDING) / file.relative_to(folder.path).as_posix()
        job.write({place: file.read_bytes()})
        copies.append(place)
    return copies


def _write_photos(job: Job, chosen: list[FrameResult]) -> list[Location]:
    """Read the clip again for the chosen frames: to keep all that may be chosen costs memory."""
    assert job.target is not None
    endings = {frame.number: PHOTO_ENDING.format(frame.number) for frame in chosen}
    paths = {number: with_ending(job.target, ending) for number, ending in endings.items()}
    if paths:
        with Clip(job.photo) as clip:
            for frame in islice(clip.read_frames(frozenset(paths)), len(paths)):
                path = paths[frame.number]
                job.write({path: encode_image(frame.image, path.name)})
    return list(paths.values())
