"""What a training pair is: a photo, and a label of each of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SHARP, UNDECIDED = 0, 128
MOVED, DEFOCUSED, BLURRED = 253, 254, 255
"""Values of a label. `BLURRED` is blurred in a way not known; all above `UNDECIDED` is blurred."""

Label = npt.NDArray[np.uint8]

EYE_SHARP, EYE_BLURRED = 0.5, 1.0
"""Radii in pixels (of a disc; a Gaussian's sigma is half) up to which an eye calls a detail sharp
and from which it calls it blurred, at the size it is looked at; undecided between."""

HARDLY_THERE, SEEN = 0.1, 0.35
"""Shares of a pixel's light that a smeared layer before a sharp one has where an eye still takes
the pixel for sharp, and where it sees the smear. What is thin and moves far covers nothing whole,
so that asking for more than a half would leave it without a label."""


@dataclass(frozen=True)
class Pair:
    """A photo and its truth.

    Attributes
    ----------
    image : uint8 (H, W, 3)
        RGB, sRGB-encoded.
    label : uint8 (H, W)
        `SHARP`, `UNDECIDED`, `MOVED`, `DEFOCUSED` or `BLURRED`.
    kind : str
        How it was made: a key of `blurmapper.training.synthesis.SCENES`, or the kind of real
        photo that it is.
    """

    image: npt.NDArray[np.uint8]
    label: Label
    kind: str


@dataclass(frozen=True)
class Material:
    """What a scene is made of, all of one size (H, W).

    Attributes
    ----------
    photo : uint8 (H, W, 3)
        RGB, sharp all over.
    subject : float32 (H, W)
        Share of each pixel that belongs to the photo's subject, or to any other shape.
    cutout : uint8 (H, W, 3)
        RGB of another photo with a sharp subject.
    cutout_alpha : float32 (H, W)
        Where that subject is.
    """

    photo: npt.NDArray[np.uint8]
    subject: npt.NDArray[np.float32]
    cutout: npt.NDArray[np.uint8]
    cutout_alpha: npt.NDArray[np.float32]


def label_of(blurred_share: npt.NDArray[np.float32], blur: int) -> Label:
    """Return the label of a layer with a clean edge: a band round the edge is undecided.

    `blur` is the value of what is blurred.
    """
    label = np.full(blurred_share.shape, UNDECIDED, np.uint8)
    label[blurred_share > 0.75] = blur
    label[blurred_share < 0.25] = SHARP
    return label


def label_smear(spread: npt.NDArray[np.float32], behind: Label | int, blur: int) -> Label:
    """Return the label where a smeared layer, of coverage `spread`, lies before another.

    `behind` is the label of that, of each pixel or of all.
    """
    label = np.where(spread < HARDLY_THERE, behind, UNDECIDED)
    return np.asarray(np.where(spread > SEEN, blur, label), np.uint8)


def label_of_radius(radius: npt.NDArray[np.float32]) -> Label:
    """Return what an eye says of a defocus radius in pixels at each pixel."""
    label = np.full(radius.shape, UNDECIDED, np.uint8)
    label[radius >= EYE_BLURRED] = DEFOCUSED
    label[radius <= EYE_SHARP] = SHARP
    return label
