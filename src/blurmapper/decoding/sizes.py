"""How many pixels a photo has, before any is decoded."""

from __future__ import annotations

from contextlib import suppress
from typing import BinaryIO

from blurmapper.decoding import tiff
from blurmapper.decoding.opening import read_head, read_header_size
from blurmapper.decoding.raw import starts_like_raw


def read_size(stream: BinaryIO) -> tuple[int, int] | None:
    """Return the stored (height, width) of the photo in a file, or None where nothing tells it.

    Of TIFF files it is that of the picture that is read, which may follow a smaller one. RAW photos
    say it to what develops them alone.
    """
    # Whatever is wrong with it, reading the photo will say.
    with suppress(Exception):
        head = read_head(stream)
        if starts_like_raw(head):
            return None
        if head.startswith(tiff.PREFIXES):
            return tiff.read_size(stream)
        return read_header_size(stream)
    return None
