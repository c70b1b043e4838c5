"""What arrays must be before they are worked on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.errors import ImageError
from blurmapper.preprocessing import WHITE

ROUNDING = 1e-5
"""By how much a value may be outside [0, 1]; more than that is another scale."""


def check_image(image: npt.NDArray[Any]) -> None:
    """Raise `ImageError` unless an array is what `blurmapper.read_image` returns."""
    if not _is_array(image, 3) or image.shape[2] != 3 or image.dtype not in WHITE:
        raise ImageError(
            f"{_describe(image)} is no image; give RGB (H, W, 3) of uint8, uint16 or float32, "
            "as read_image returns it"
        )
    if image.dtype == np.float32 and not _is_within_unit(_limits(image)):
        raise ImageError("the image holds values outside [0, 1] or NaN; scale or clip it")


def check_map(blur_map: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return a blur map as float32, or raise `ImageError` if an array is none."""
    if not _is_array(blur_map, 2) or blur_map.dtype.kind != "f":
        raise ImageError(f"{_describe(blur_map)} is not a blur map; give floats (H, W)")
    limits = _limits(blur_map)
    if not _is_within_unit(limits):
        raise ImageError("the blur map holds values outside [0, 1] or NaN; clip or mend it")
    floats = blur_map.astype(np.float32, copy=False)
    return floats.clip(0, 1) if limits[0] < 0 or limits[1] > 1 else floats


def check_pair(image: npt.NDArray[Any], blur_map: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the map as float32, or raise `ImageError` unless it is one, and of this image."""
    check_image(image)
    blur_map = check_map(blur_map)
    if image.shape[:2] != blur_map.shape:
        raise ImageError(
            f"the map is {blur_map.shape} and the photo {image.shape[:2]} pixels (height, width); "
            "give the map of this photo"
        )
    return blur_map


def _is_array(value: object, dimensions: int) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == dimensions and value.size > 0


def _limits(values: npt.NDArray[Any]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _is_within_unit(limits: tuple[float, float]) -> bool:
    # Means overshoot by rounding. Written so that NaN fails too.
    return limits[0] >= -ROUNDING and limits[1] <= 1 + ROUNDING


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {value.shape}"
    return f"a {type(value).__name__}"
