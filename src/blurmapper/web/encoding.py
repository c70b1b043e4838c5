"""What the API's answers are made of: names of formats, media types, cutouts as PNG."""

from __future__ import annotations

from typing import Literal

from blurmapper.images import BlurMap, ImageArray, encode_image, encode_map

MapFormat = Literal["png", "png16", "npy"]
PhotoFormat = Literal["jpeg", "png"]

MEDIA_TYPES = {
    "png": "image/png",
    "png16": "image/png",
    "npy": "application/x-npy",
    "jpeg": "image/jpeg",
}


def encode_map_as(blur_map: BlurMap, file_format: MapFormat) -> bytes:
    """Return a blur map as the content of a file."""
    if file_format == "png16":
        return encode_map(blur_map, ".png", bits=16)
    return encode_map(blur_map, f".{file_format}")


def encode_photo_as(image: ImageArray, file_format: PhotoFormat) -> bytes:
    """Return an RGB image (H, W, 3) as the content of a file with 8 bits a sample."""
    return encode_image(image, f".{file_format}")
