"""A photo and its blur map, of one size."""

from __future__ import annotations

from blurmapper.errors import ImageError
from blurmapper.images import BlurMap, ImageArray


def check_pair(image: ImageArray, blur_map: BlurMap) -> None:
    """Raise `ImageError` unless the map is of the photo's size."""
    if image.shape[:2] != blur_map.shape:
        raise ImageError(
            f"the map is {blur_map.shape} and the photo {image.shape[:2]} pixels (height, width); "
            "give the map of this photo"
        )
