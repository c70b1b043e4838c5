"""Pillow's settings, as a program has them and as photos need them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import PIL.Image
from PIL import ImageFile

_is_reading = ContextVar("is_reading", default=False)


class _Theirs(int):
    """What a program has set for Pillow, and nothing to a thread that reads a photo for us."""

    def __bool__(self) -> bool:
        return not _is_reading.get() and int(self) != 0

    def __lt__(self, pixels: int) -> bool:
        return not _is_reading.get() and int(self) < pixels

    def __rmul__(self, factor: int) -> int:
        return _Theirs(factor * int(self))


class _Reading(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return _is_reading.get()


class _WhileReading(Warning, metaclass=_Reading):
    """Every warning in a thread that reads a photo for us, and none in another."""


def ignore_warnings() -> None:
    """Leave photos their odd metadata where a program has made errors of warnings.

    All threads share the filters. Set aside and put back in two threads at a time, some of one's
    would stay, and what the program adds meanwhile be lost; this one can stay.
    """
    warnings.simplefilter("ignore", _WhileReading)


@contextmanager
def own_settings() -> Iterator[None]:
    """Read pictures of any size and only whole ones, whatever the program has set.

    Pillow's globals have no other switch. They keep their values for all other threads and for
    forks, and are never set back, which could undo what the program sets meanwhile.
    """
    for module, name in ((PIL.Image, "MAX_IMAGE_PIXELS"), (ImageFile, "LOAD_TRUNCATED_IMAGES")):
        setting = getattr(module, name)
        is_void = setting in (None, math.inf) or setting is False
        if not is_void and not isinstance(setting, _Theirs):
            setattr(module, name, _Theirs(setting))
    before = _is_reading.set(True)
    try:
        yield
    finally:
        _is_reading.reset(before)
