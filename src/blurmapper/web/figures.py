"""A photo in numbers, for the page and the API: `Figures`, as the API's clients know them."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from blurmapper.applications.degree import blur_degree, share_blurred
from blurmapper.batch import Result, read_for
from blurmapper.decoding import MIN_SIDE, Photo
from blurmapper.errors import KindsError
from blurmapper.images import BlurMap, ImageArray
from blurmapper.kinds import BlurKinds
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod, MethodOptions
from blurmapper.ranking.measuring import MeasureTask, find_sharpest_box, to_record
from blurmapper.ranking.records import Box, PhotoRecord, Word
from blurmapper.ranking.report import find_subject
from blurmapper.refinement import enlarge_map


class Mapped(NamedTuple):
    """A photo as it was read, and its blur map.

    Attributes
    ----------
    image : ndarray
        RGB (h, w, 3), with fewer pixels than the photo if that is enough for its map.
    coarse_map : ndarray
        float32 (h, w), the image's map.
    blur_map : ndarray
        float32 (H, W), the map at the photo's own size.
    kinds : BlurKinds or None
        The two parts of the image's map, where the method can tell them.
    """

    image: ImageArray
    coarse_map: BlurMap
    blur_map: BlurMap
    kinds: BlurKinds | None


class Figures(BaseModel):
    """A photo in numbers; sizes are after its EXIF turn."""

    height: int
    width: int
    blur_degree: float = Field(description="S, the mean of the map: 0 sharp, 1 blurred all over.")
    blur_degree_centre: float = Field(description="S with the middle of the photo counting more.")
    blur_degree_saliency: float = Field(
        description="S with what stands out by its colour counting more."
    )
    share_blurred: float = Field(description="Share of the pixels of at least 0.5.")
    defocus: float | None = Field(description="The part of S that is defocus; null if unknown.")
    motion: float | None = Field(description="The part of S that is motion; null if unknown.")
    sharpest: Box = Field(description="The window of a quarter of the sides with least blur.")


class Judgement(Figures):
    """A photo as `blurmapper rank` judges it; places are in its own pixels, after its EXIF turn."""

    verdict: Word = Field(description="In one of few words whether it is sharp, and if not why.")
    reason: str = Field(description="The same in a sentence.")
    sigma: float | None = Field(
        description="Of the Gaussian of equal spread, in pixels, in the sharpest part of what is "
        "meant to be sharp; null if it cannot be measured."
    )
    focus_x: int | None = Field(description="A place that is so sharp.")
    focus_y: int | None
    subject_x: int = Field(description="The middle of the largest sharp part.")
    subject_y: int
    stars: int = Field(description="1 to 5.")
    order: list[float | None] = Field(
        description="What photos are ranked by, compared number by number; the least is the best, "
        "and null is last."
    )
    taken: str | None = Field(description="When, by the camera's own clock; null if unknown.")
    camera: str | None = Field(description="Make, model and the body's serial number.")
    fingerprint: str | None = Field(
        description="64 bits in hexadecimal. Frames of a burst follow each other within 2 seconds "
        "and differ in 10 bits at most."
    )
    detail: float | None = Field(
        description="Variance of the Laplacian. The best of a burst has the least first number of "
        "`order`, and then the most detail."
    )


class PhotoMapping:
    """A method that also tells the kinds of blur, if it can.

    Parameters
    ----------
    method : callable
        RGB image -> blur map. It is tried on a tiny photo, which loads what it needs, so that
        the first upload does not wait.
    threads : int, optional
        CPU threads that measure focus, unless the method has its own; all cores unless given.

    Attributes
    ----------
    knows_kinds : bool
        Whether it tells motion from defocus.
    """

    def __init__(self, method: BlurMethod, threads: int | None = None) -> None:
        self._method = method
        self._task = MeasureTask("", MethodOptions(threads=threads))
        self.knows_kinds = False
        probe = np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8)
        with suppress(KindsError):
            self.knows_kinds = self._map_kinds(probe) is not None
        self._method(probe)

    def read(self, content: bytes, *, whole: bool) -> Photo:
        """Read a photo whole, or with as many pixels as its map needs."""
        return read_for(self._method, content, whole=whole, name="the photo")

    def __call__(self, photo: Photo) -> Mapped:
        """Return a photo's map at its own size, and the map's parts if they are known."""
        image, size = photo.image, (photo.height, photo.width)
        kinds = self._map_kinds(image) if self.knows_kinds else None
        coarse_map = (kinds.defocus + kinds.motion).clip(0, 1) if kinds else self._method(image)
        return Mapped(image, coarse_map, enlarge_map(coarse_map, *size), kinds)

    def judge(self, photo: Photo, content: bytes) -> Judgement:
        """Return the numbers of a photo that was read whole, with its verdict.

        Parameters
        ----------
        photo : Photo
        content : bytes
            The photo's file, for its EXIF.
        """
        mapped = self(photo)
        values = self._task.measure(
            self._method, photo.image, mapped.blur_map, io.BytesIO(content), "the photo"
        )
        record = to_record(Result(Path(), values, {}, 0.0))
        assert isinstance(record, PhotoRecord)
        subject_y, subject_x = find_subject(mapped.blur_map)
        fingerprint = values.pop("fingerprint")
        # What else was measured is no field of it.
        return Judgement(
            **values,
            **_weigh_kinds(mapped.kinds),
            sharpest=record.sharpest,
            subject_x=subject_x,
            subject_y=subject_y,
            stars=record.stars("focus"),
            order=[value if math.isfinite(value) else None for value in record.order("focus")],
            fingerprint=None if fingerprint is None else f"{fingerprint:016x}",
        )

    def _map_kinds(self, image: ImageArray) -> BlurKinds | None:
        return self._method.map_kinds(image) if isinstance(self._method, BlurMapper) else None


def measure(mapped: Mapped) -> Figures:
    """Return a photo in numbers, S and shares as `blurmapper map` has them."""
    image, coarse_map, blur_map, kinds = mapped
    return Figures(
        height=blur_map.shape[0],
        width=blur_map.shape[1],
        blur_degree=blur_degree(coarse_map),
        blur_degree_centre=blur_degree(blur_map, weighting="centre"),
        blur_degree_saliency=blur_degree(coarse_map, weighting="saliency", image=image),
        share_blurred=share_blurred(coarse_map),
        sharpest=find_sharpest_box(blur_map),
        **_weigh_kinds(kinds),
    )


def _weigh_kinds(kinds: BlurKinds | None) -> dict[str, Any]:
    """Return the parts of S."""
    defocus, motion = map(blur_degree, kinds) if kinds else (None, None)
    return {"defocus": defocus, "motion": motion}
