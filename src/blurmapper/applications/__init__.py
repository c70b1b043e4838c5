"""What blur maps are for: a number a photo, the sharp subject cut out, more blur behind it."""

from __future__ import annotations

from blurmapper.applications.degree import blur_degree
from blurmapper.applications.magnification import magnify_blur
from blurmapper.applications.segmentation import cut_out, seed_labels, segment_blur

__all__ = ["blur_degree", "cut_out", "magnify_blur", "seed_labels", "segment_blur"]
