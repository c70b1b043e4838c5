"""The task of ``video``: a clip's files, and what the manifest keeps of it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from blurmapper.amounts import identify_network
from blurmapper.batch import MOST, Job, Result, Task, identify
from blurmapper.batch.tasks import Room
from blurmapper.errors import count_of
from blurmapper.locations import Location, is_folder, with_ending
from blurmapper.methods import BlurMethod
from blurmapper.video import mapping
from blurmapper.video.folders import TABLE_ENDING, list_frames
from blurmapper.video.mapping import OVERLAY_ENDING, RATE, ClipOutputs


@dataclass(frozen=True)
class ClipTask(Task):
    """Map a clip, or a folder of frames.

    Attributes
    ----------
    outputs : ClipOutputs
    rate : Fraction
        Frames a second of a folder.
    output : Path or Address, optional
        Where the files go, which is no frame of a folder.
    watch : callable
        Called as a clip is begun and after each frame with the clip's name, how many of its frames
        are done, and of about how many.
    """

    outputs: ClipOutputs = field(default_factory=ClipOutputs)
    rate: Fraction = RATE
    output: Location | None = None
    watch: Callable[[str, int, int | None], None] = lambda name, done, total: None

    name: ClassVar[str] = "video"
    measured: ClassVar[Mapping[str, float]] = {"frames": MOST, "blur_degree": 1}
    kinds: ClassVar[tuple[str, ...]] = ("table", "overlay")
    verb: ClassVar[str] = "mapped"
    noun: ClassVar[str] = "clip"
    alone: ClassVar[bool] = True

    @property
    def noted(self) -> Mapping[str, Callable[[Any], bool]]:
        """What the names of the chosen frames' photos end with, and how a clip is damaged."""
        return {
            "photos": _are_endings,
            "problem": lambda said: said is None or isinstance(said, str),
        }

    def choices(self) -> tuple[Any, ...]:
        """Return the outputs, the rate of folders, and what measures the focus."""
        chosen = (*astuple(self.outputs), str(self.rate))
        return (*chosen, identify_network()) if self.outputs.by == "focus" else chosen

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return the endings of the table and the overlay."""
        has_overlay = self.outputs.overlay and not is_folder(str(photo))
        return {"table": TABLE_ENDING} | ({"overlay": OVERLAY_ENDING} if has_overlay else {})

    def files_of(self, job: Job, values: Mapping[str, Any]) -> dict[str, Location]:
        """Return where the files of a clip go, the photos of the chosen frames among them."""
        assert job.target is not None
        endings: Any = values.get("photos")
        chosen = endings if _are_endings(endings) else ()
        return super().files_of(job, values) | {end: with_ending(job.target, end) for end in chosen}

    def identify(self, photo: Location) -> list[int] | None:
        """Return what changes when a clip does, or any frame of a folder."""
        if not is_folder(str(photo)):
            return identify(photo)
        frames, _ = list_frames(Path(str(photo)), self.output)
        known = [tuple(identify(frame) or (0, 0)) for frame in frames]
        # Each with its name, or frames could change places.
        names = (frame.relative_to(str(photo)).as_posix() for frame in frames)
        lines = repr([*zip(names, known, strict=True)]).encode("utf-8", "surrogateescape")
        sizes, times = zip((0, 0), *known, strict=True)
        return [zlib.crc32(lines), sum(sizes), max(times)]

    def do(self, job: Job, method: BlurMethod, room: Room) -> Result:  # noqa: ARG002 - of frames
        """Map a clip, of which memory holds a few frames; Ctrl-C breaks off with a line."""
        start, watch = time.perf_counter(), partial(self.watch, job.photo.name)
        watch(0, None)
        try:
            threads = self.options.threads
            clip = mapping.map_clip(job, method, self.outputs, watch, self.rate, threads)
        except KeyboardInterrupt:
            line = f"stopped at {job.photo}; the same command does it again"
            raise KeyboardInterrupt(line) from None
        target = str(job.target)
        values = {
            "height": clip.height,
            "width": clip.width,
            "frames": len(clip.frames),
            "blur_degree": clip.blur_degree,
            "photos": [str(photo).removeprefix(target) for photo in clip.photos],
            "problem": clip.problem,
        }
        return Result(job.photo, values, self.files_of(job, values), time.perf_counter() - start)

    def describe(self, values: Mapping[str, Any]) -> str:
        """Return the number of frames, and the mean of S."""
        return f"{count_of(values['frames'], 'frame')}, mean S {values['blur_degree']:.3f}"


def _are_endings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(end, str) for end in value)
