"""Masks of what to keep of photos, as COLMAP and loaders of Gaussian splats take them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from blurmapper.applications.degree import THRESHOLD
from blurmapper.batch.finding import MASKS, Found
from blurmapper.decoding import turn_back
from blurmapper.errors import ConfigError
from blurmapper.images import BlurMap, encode_map
from blurmapper.locations import Location


@dataclass(frozen=True, slots=True)
class KeepMasks:
    """How masks are laid out, and how far they grow.

    Attributes
    ----------
    layout : {"colmap", "folder"}
        ``photo.jpg.png`` as COLMAP looks for it, or ``photo.png`` as loaders of Gaussian splats do.
    grow : int
        Pixels by which what is blurred is widened.
    """

    layout: Literal["colmap", "folder"] = "colmap"
    grow: int = 0

    def locate(self, target: Location, key: str) -> Location:
        """Return where a mask goes, from where the other outputs go and what is the photo's own."""
        folder = target
        for _ in PurePosixPath(key).parts:
            folder = folder.parent
        return folder / f"{MASKS}/{self._name(key)}"

    def check(self, found: Found) -> None:
        """Refuse photos that would share a mask.

        Raises
        ------
        ConfigError
        """
        names = Counter(self.shared_name(key) for _, key in found.photos)
        shared = next((name for name, count in names.items() if count > 1), None)
        if shared is not None:
            raise ConfigError(
                f"several photos would have the mask {shared}; use --masks colmap, or map folders "
                "of photos that differ by more than suffix and capitals"
            )

    def shared_name(self, key: str) -> str | None:
        """Return the name of a mask that photos of other suffixes would have too, or None."""
        # Some file systems tell no capitals from small letters, so no outputs differ by them alone.
        return self._name(key).casefold() if self.layout == "folder" else None

    def encode(self, blur_map: BlurMap, orientation: int) -> bytes:
        """Return the PNG of a photo's mask: 0 is blurred and left out, 255 is kept.

        It lies as the photo's pixels are stored, for these programs do not turn photos by EXIF,
        by whose `orientation` the map was turned.
        """
        import cv2

        blurred = (blur_map >= THRESHOLD).astype(np.uint8)
        if self.grow:
            # A disc of this radius, to the pixel: distances are to where something is blurred.
            distance = cv2.distanceTransform(1 - blurred, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            blurred = (distance <= self.grow).astype(np.uint8) if blurred.any() else blurred
        keep = turn_back(1 - blurred, orientation)
        return encode_map(keep.astype(np.float32), ".png")

    def _name(self, key: str) -> str:
        if self.layout == "colmap":
            return f"{key}.png"
        return str(PurePosixPath(key).with_suffix(".png"))
