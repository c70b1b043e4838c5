"""What blur maps are for: the sharp subject cut out, the background blurred further."""

from __future__ import annotations

from blurmapper.applications.magnification import magnify_blur
from blurmapper.applications.segmentation import cut_out, seed_labels, segment_blur

__all__ = ["cut_out", "magnify_blur", "seed_labels", "segment_blur"]
