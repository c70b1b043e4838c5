"""What a program may have set for its whole process, as it must be while a photo is read."""

from __future__ import annotations

import re
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import PIL.Image
from PIL import ImageFile

from blurmapper.decoding.arrays import cut_short
from blurmapper.errors import BlurMapperError, ImageError, one_line

Decoded = TypeVar("Decoded")

_NOT_BUILT_IN = re.compile(
    r"unsupported|not (implemented|supported)|no (codec|decoder)", re.IGNORECASE
)
_PYTHONS_OWN = (ArithmeticError, AttributeError, LookupError, TypeError, struct.error)
"""Errors whose words are about a program, not about a file."""


class _Settings:
    """Pillow's globals, which have no other switch, as they must be for photos."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._theirs: tuple[int | None, bool] = (None, False)

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Read pictures of any size and only whole ones, whatever the program has set.

        Threads that read at a time share the change, and the last takes it back.
        """
        with self._lock:
            if not self._readers:
                self._theirs = PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
                PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, False
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers:
                    PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = self._theirs


own_settings = _Settings().ours


def decode_safely(decode: Callable[[], Decoded], name: str) -> Decoded:
    """Decode whatever the program has set; what a damaged file raises becomes an `ImageError`."""
    with own_settings():
        try:
            try:
                return decode()
            except Warning:
                # Pillow warns of odd metadata in photos that it reads well.
                with warnings.catch_warnings(action="ignore"):
                    return decode()
        except BlurMapperError:
            raise
        except PIL.UnidentifiedImageError as error:
            raise ImageError(
                f"{name}: not an image file that can be read; convert it to JPEG, PNG or TIFF"
            ) from error
        except _PYTHONS_OWN as error:
            raise ImageError(cut_short(name, "what it says of itself cannot be")) from error
        except Exception as error:
            reason = one_line(error)
            if _NOT_BUILT_IN.search(reason):
                raise ImageError(
                    f"{name}: of a kind that is not built in ({reason}); save it as JPEG or PNG"
                ) from error
            raise ImageError(cut_short(name, reason)) from error
