"""What a manifest has of clips: which files they have got, and by which settings."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

from blurmapper.amounts import identify_network
from blurmapper.batch import MOST, Job, Result, Work, identify
from blurmapper.locations import Location, with_ending
from blurmapper.video.folders import TABLE_ENDING, list_frames
from blurmapper.video.mapping import OVERLAY_ENDING, RATE, ClipOutputs, ClipResult


@dataclass(frozen=True)
class ClipWork(Work):
    """Map clips.

    Attributes
    ----------
    outputs : ClipOutputs
    rate : Fraction
        Frames a second of a folder.
    output : Path or Address, optional
        Where the files go, which is no frame of a folder.
    """

    outputs: ClipOutputs = field(default_factory=ClipOutputs)
    rate: Fraction = RATE
    output: Location | None = None

    name: ClassVar[str] = "video"
    measured: ClassVar[Mapping[str, float]] = {"frames": MOST, "blur_degree": 1}
    kinds: ClassVar[tuple[str, ...]] = ("table", "overlay")

    @property
    def noted(self) -> Mapping[str, Callable[[Any], bool]]:
        """What the names of the chosen frames' photos end with, and how a clip is damaged."""
        return {"photos": _are_endings, "problem": lambda said: said is None or _is_text(said)}

    def choices(self) -> tuple[Any, ...]:
        """Return the outputs, the rate of folders, and what measures the focus."""
        chosen = (*astuple(self.outputs), str(self.rate))
        return (*chosen, identify_network()) if self.outputs.by == "focus" else chosen

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return the endings of the table and the overlay."""
        has_overlay = self.outputs.overlay and not os.path.isdir(str(photo))  # noqa: PTH112
        return {"table": TABLE_ENDING} | ({"overlay": OVERLAY_ENDING} if has_overlay else {})

    def files_of(self, job: Job, values: Mapping[str, Any]) -> dict[str, Location]:
        """Return where the files of a clip go, the photos of the chosen frames among them."""
        assert job.target is not None
        endings: Any = values.get("photos")
        chosen = endings if _are_endings(endings) else ()
        return super().files_of(job, values) | {end: with_ending(job.target, end) for end in chosen}

    def identify(self, photo: Location) -> list[int] | None:
        """Return what changes when a clip does, or any frame of a folder."""
        if not os.path.isdir(str(photo)):  # noqa: PTH112 - unlike Path, never raises
            return identify(photo)
        frames = list_frames(Path(str(photo)), self.output)
        known = [tuple(identify(frame) or (0, 0)) for frame in frames]
        # Each with its name, or frames could change places.
        names = (frame.relative_to(str(photo)).as_posix() for frame in frames)
        lines = repr([*zip(names, known, strict=True)]).encode("utf-8", "surrogateescape")
        sizes, times = zip((0, 0), *known, strict=True)
        return [zlib.crc32(lines), sum(sizes), max(times)]

    def sum_up(self, job: Job, clip: ClipResult, seconds: float) -> Result:
        """Return what the manifest keeps of what came of a clip."""
        target = str(job.target)
        values = {
            "height": clip.height,
            "width": clip.width,
            "frames": len(clip.frames),
            "blur_degree": clip.blur_degree,
            "photos": [str(photo).removeprefix(target) for photo in clip.photos],
            "problem": clip.problem,
        }
        return Result(job.photo, values, self.files_of(job, values), seconds)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_endings(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))
