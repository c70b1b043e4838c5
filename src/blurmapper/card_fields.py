"""What a weights card may hold: it may be a stranger's, and is printed and computed with."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any, cast


def _is_text(value: object) -> bool:
    # JSON can hold half of a surrogate pair, which cannot be printed.
    return isinstance(value, str) and not re.search(r"[\0\ud800-\udfff]", value)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(cast("float", value)) < 1e12


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1e12


def _is_triple(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(map(_is_number, value))


CARD_FIELDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("name", "architecture", "file", "sha256"), _is_word),
    **dict.fromkeys(("bytes", "parameters"), _is_count),
    "preprocessing": lambda value: isinstance(value, Mapping),
    "training": _is_text,
    "scores": lambda value: isinstance(value, list | tuple),
    "milliseconds_384": lambda value: value is None or _is_number(value),
    **dict.fromkeys(("licence", "paper", "created"), _is_text),
}
PREPROCESSING_FIELDS: dict[str, Callable[[Any], bool]] = {
    "working_side": lambda value: _is_count(value) and 16 <= value <= 100_000,
    **dict.fromkeys(("mean", "scale"), _is_triple),
    "channel_order": lambda value: value in ("rgb", "bgr"),
}
SCORE_FIELDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("data", "protocol"), _is_text),
    "images": _is_count,
    **dict.fromkeys(("ods", "ois", "ap"), _is_number),
}


def checked(fields: object, allowed: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    """Return the fields that there should be, each of them what it should be."""
    if not isinstance(fields, Mapping):
        raise TypeError("a part of it is no object")
    for name, is_so in allowed.items():
        if not is_so(fields[name]):
            raise ValueError(f"{name} is {reprlib.repr(fields[name])}")
    return {name: fields[name] for name in allowed}
