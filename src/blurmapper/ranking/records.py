"""What is known of each photo, and the order of photos."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from blurmapper.batch import PhotoFailure, is_number, may_be_number
from blurmapper.locations import Location
from blurmapper.ranking.frames import Frame
from blurmapper.ranking.marks import rate
from blurmapper.sharpest import SharpestPart, find_limit

Measure = Literal["focus", "s", "region"]
"""What photos are ranked by: how wide the blur is where they are meant to be sharp, S, or the mean
blur of the sharpest region."""

Word = Literal[
    "sharp",
    "subject sharp",
    "focus behind",
    "focus before",
    "subject moved",
    "shaken",
    "soft",
    "cannot tell",
]
"""All that verdicts say."""

KEPT: tuple[Word, ...] = ("sharp", "subject sharp")
"""The verdicts on photos whose blur, if any, is meant."""

SAID: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("sigma", "focus_x", "focus_y"), may_be_number),
    "verdict": lambda word: word in get_args(Word),
    "reason": lambda reason: isinstance(reason, str),
}
"""What a manifest keeps of a verdict, and what says whether a value can be right."""


@dataclass(frozen=True, slots=True)
class Box:
    """A window of a photo after its EXIF turn, in pixels from its upper left, and its mean blur."""

    x: int
    y: int
    width: int
    height: int
    blur: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a photo: a word, and a sentence."""

    word: Word
    reason: str


UNKNOWN = Verdict("cannot tell", "It was not measured.")


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """What was measured of a photo.

    Attributes
    ----------
    photo : Path or Address
    height, width : int
        Its size in pixels, after its EXIF turn.
    blur_degree : float
        S, the mean of the map, in [0, 1]; weighted if so asked.
    share_blurred : float
        Share of the pixels with a probability of at least 0.5, in [0, 1].
    sharpest : Box
        The window of a quarter of the sides that has the least mean blur.
    frame : Frame or None
        What tells whether it is of a burst; None where unknown.
    focus : SharpestPart or None
        Where it is sharpest of what is meant to be sharp; None where that cannot be measured.
    verdict : Verdict
    boxes : list of dict or None
        ``label``, ``x``, ``y``, ``width``, ``height``, ``sigma``, ``verdict`` and ``reason`` of
        each box that was given.
    """

    photo: Location
    height: int
    width: int
    blur_degree: float
    share_blurred: float
    sharpest: Box
    frame: Frame | None = None
    focus: SharpestPart | None = None
    verdict: Verdict = UNKNOWN
    boxes: list[dict[str, Any]] | None = None

    def blur(self, by: Measure) -> float | None:
        """Return what photos are ranked by; None where it cannot be measured."""
        if by == "focus":
            return None if self.focus is None else self.focus.sigma
        return self.blur_degree if by == "s" else self.sharpest.blur

    def stars(self, by: Measure) -> int:
        """Return 5 to 1 stars for what photos are ranked by."""
        blur = self.blur(by)
        if by != "focus":
            return rate(blur or 0.0)
        if self.verdict.word in ("soft", "shaken"):
            return 1
        if self.verdict.word not in KEPT:
            return 3 if self.verdict.word == "cannot tell" else 2
        limit = find_limit(max(self.height, self.width))
        return 3 if blur is None else 5 - (blur > 0.5 * limit) - (blur > 0.75 * limit)

    def order(self, by: Measure) -> tuple[float, ...]:
        """Return what is compared: by focus, what is kept comes first and what is not last."""
        blur = self.blur(by)
        if by != "focus":
            return (blur or 0.0,)
        sigma = math.inf if blur is None else blur
        return find_tier(self.verdict.word), sigma, self.blur_degree


def may_be_boxes(value: Any) -> bool:
    """Say whether a value from a manifest can be the boxes of a `PhotoRecord`, or None."""
    sides = dict.fromkeys(("x", "y", "width", "height"), is_number)
    known = {**sides, **{name: SAID[name] for name in ("sigma", "verdict", "reason")}}
    return value is None or (
        isinstance(value, list)
        and all(isinstance(box, dict) and isinstance(box.get("label"), str) for box in value)
        and all(
            name in box and can_be(box[name]) for box in value for name, can_be in known.items()
        )
    )


def find_tier(word: Word) -> int:
    """Return 0 for what is kept, 2 for what is faulty, and 1 for what nothing can be said of."""
    return 0 if word in KEPT else 1 if word == "cannot tell" else 2


def order_photos(
    results: Iterable[PhotoRecord | PhotoFailure], *, by: Measure = "s"
) -> tuple[list[PhotoRecord], list[PhotoFailure]]:
    """Return the measured photos, the sharpest first, and those that could not be read.

    The order is total: photos of the same blur, and those that could not be read, go by their
    paths, so that it does not depend on the order in which they were measured.

    Parameters
    ----------
    results : iterable of PhotoRecord or PhotoFailure
    by : {"focus", "s", "region"}
        What is compared: sigma where a photo is meant to be sharp, after the verdict; S; or the
        mean blur of the sharpest region, which does not mind a blurred background.
    """
    known = list(results)
    records = [each for each in known if isinstance(each, PhotoRecord)]
    unreadable = [each for each in known if isinstance(each, PhotoFailure)]
    records.sort(key=lambda record: (record.order(by), str(record.photo)))
    unreadable.sort(key=lambda failed: str(failed.photo))
    return records, unreadable
