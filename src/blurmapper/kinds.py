"""A blur map told apart by what blurred the photo."""

from __future__ import annotations

from typing import NamedTuple

from blurmapper.images import BlurMap


class BlurKinds(NamedTuple):
    """A blur map in two parts that add up to it, float32 (H, W) in [0, 1] each.

    Attributes
    ----------
    defocus, motion : ndarray
        The probability that a pixel is blurred by the lens; by movement of camera or subject.
    """

    defocus: BlurMap
    motion: BlurMap
