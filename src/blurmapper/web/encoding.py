"""Maps and photos -> the bytes of a file, without a file."""

from __future__ import annotations

import io
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.images import BlurMap, ImageArray
from blurmapper.preprocessing import WHITE

MapFormat = Literal["png", "png16", "npy"]
PhotoFormat = Literal["jpeg", "png"]

MEDIA_TYPES = {
    "png": "image/png",
    "png16": "image/png",
    "npy": "application/x-npy",
    "jpeg": "image/jpeg",
}


def encode_map(blur_map: BlurMap, file_format: MapFormat) -> bytes:
    """Return a blur map as `blurmapper.write_map` would write it."""
    if file_format == "npy":
        buffer = io.BytesIO()
        np.save(buffer, blur_map)
        return buffer.getvalue()
    dtype = np.dtype(np.uint16 if file_format == "png16" else np.uint8)
    return _encode_png(np.rint(blur_map * np.float32(WHITE[dtype])).astype(dtype))


def encode_photo(image: ImageArray, file_format: PhotoFormat) -> bytes:
    """Return an RGB image (H, W, 3) with 8 bits a sample, as `write_image` would write it."""
    if image.dtype != np.uint8:
        image = np.rint(image * (255.0 / WHITE[image.dtype])).astype(np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, file_format, quality=92)
    return buffer.getvalue()


def encode_cutout(rgba: npt.NDArray[Any]) -> bytes:
    """Return RGBA (H, W, 4) as a PNG of the array's own depth; floats get 16 bits."""
    if rgba.dtype.kind == "f":
        rgba = np.rint(rgba * 65535).astype(np.uint16)
    return _encode_png(cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))


def _encode_png(pixels: npt.NDArray[Any]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
