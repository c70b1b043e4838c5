"""A photo in numbers, for the page and the API: `Figures`, as the API's clients know them."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from blurmapper.applications import blur_degree
from blurmapper.batch import THRESHOLD, enlarge_to, read_for
from blurmapper.decoding import MIN_SIDE, Photo
from blurmapper.errors import WeightsError
from blurmapper.images import BlurMap, ImageArray
from blurmapper.kinds import BlurKinds
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod
from blurmapper.ranking.frames import read_frame
from blurmapper.ranking.judging import judge_photo
from blurmapper.ranking.measuring import find_sharpest_box
from blurmapper.ranking.records import Box, PhotoRecord, Word
from blurmapper.ranking.report import find_subject


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
    camera: str | None
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

    Attributes
    ----------
    knows_kinds : bool
        Whether it tells motion from defocus.
    """

    def __init__(self, method: BlurMethod) -> None:
        self._method = method
        self.knows_kinds = False
        probe = np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8)
        with suppress(WeightsError):
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
        return Mapped(image, coarse_map, enlarge_to(coarse_map, *size), kinds)

    def judge(self, photo: Photo, content: bytes) -> Judgement:
        """Return the numbers of a photo that was read whole, with its verdict.

        Parameters
        ----------
        photo : Photo
        content : bytes
            The photo's file, for its EXIF.
        """
        mapped = self(photo)
        figures = measure(mapped)
        judged = judge_photo(self._method, photo.image, mapped.blur_map)
        subject_y, subject_x = find_subject(mapped.blur_map)
        focus, frame = judged.focus, read_frame(io.BytesIO(content), photo.image)
        record = PhotoRecord(
            Path(),
            figures.height,
            figures.width,
            figures.blur_degree,
            figures.share_blurred,
            figures.sharpest,
            frame,
            focus,
            judged.verdict,
        )
        return Judgement(
            **figures.model_dump(),
            verdict=judged.verdict.word,
            reason=judged.verdict.reason,
            sigma=focus.sigma if focus else None,
            focus_x=focus.column if focus else None,
            focus_y=focus.row if focus else None,
            subject_x=subject_x,
            subject_y=subject_y,
            stars=record.stars("focus"),
            order=[value if math.isfinite(value) else None for value in record.order("focus")],
            taken=frame.taken.isoformat() if frame else None,
            camera=frame.camera if frame else None,
            fingerprint=f"{frame.fingerprint:016x}" if frame else None,
            detail=frame.detail if frame else None,
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
        share_blurred=float((coarse_map >= THRESHOLD).mean()),
        defocus=blur_degree(kinds.defocus) if kinds else None,
        motion=blur_degree(kinds.motion) if kinds else None,
        sharpest=find_sharpest_box(blur_map),
    )
