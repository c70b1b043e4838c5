"""Su11: how much of a patch its largest singular value holds.

B. Su, S. Lu and C. L. Tan, "Blurred Image Region Detection and Classification", ACM Multimedia
2011, doi:10.1145/2072298.2072024.
"""

from __future__ import annotations

import numpy as np

from blurmapper.baselines._features import Floats, stretch, to_grey
from blurmapper.baselines._singular_values import largest_share
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

WINDOW = 15
"""Side of a patch, in pixels."""

LARGEST = 1
"""How many singular values are large."""


@ignore_underflow()
def map_su11(image: ImageArray) -> BlurMap:
    """Map blur by the share of the largest singular value of each patch.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred, stretched to the photo's own range as the maps are
        that the authors of the benchmark gave out; a photo that is alike all over is blurred.

    Notes
    -----
    beta = (sum of the k largest) / (sum of all) of the patch of grey round each pixel, mirrored
    at the photo's borders. Blur takes away detail, which the small singular values hold.
    Certainty of our reading is full: the formula is printed; neither the patch's side nor k is,
    but with `WINDOW` and `LARGEST` maps are the published ones (a correlation of .996, which is
    what JPEG leaves of them), and with no others near.
    """
    share = share_of_largest(image)
    return stretch(share) if np.ptp(share) > 0 else np.ones_like(share)


def share_of_largest(image: ImageArray) -> Floats:
    """Return beta of the patch round each pixel, float32 (H, W) in [0, 1]; of a black one, 1."""
    return largest_share(to_grey(image), WINDOW, LARGEST)
