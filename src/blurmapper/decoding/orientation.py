"""How a Pillow image is turned as it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import PIL.Image
from PIL import ExifTags

_XMP = ("xmp", "XML:com.adobe.xmp")


def read_orientation(photo: PIL.Image.Image) -> int:
    """Return a photo's EXIF orientation, 1 to 8, as a program may have set it meanwhile.

    What XMP says of it no viewer follows, and Pillow does where EXIF says nothing.
    """
    # Broken EXIF raises anything; every viewer shows such a photo as it is stored.
    with suppress(Exception):
        exif = PIL.Image.Exif()
        exif.load(photo.info.get("exif", b""))
        if ExifTags.Base.Orientation in exif or not any(key in photo.info for key in _XMP):
            return int(photo.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


@contextmanager
def without_xmp(photo: PIL.Image.Image) -> Iterator[None]:
    """Keep Pillow, which turns TIFF files while it loads them, from turning one by its XMP."""
    kept = {key: photo.info.pop(key) for key in _XMP if key in photo.info}
    try:
        yield
    finally:
        photo.info.update(kept)
