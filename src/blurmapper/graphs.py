"""What a card of weights and an ONNX graph may hold: both may be a stranger's."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, cast

from blurmapper.errors import WeightsError

# Message -> number of a field -> the message in it, for all that can hold a tensor in the end.
# https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_SPARSE = {22: "sparse tensor", 23: "sparse tensor"}
_INNER = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor", 6: "graph", 11: "graph", **_SPARSE},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def refuse_external_data(path: Path) -> None:
    """Refuse a graph with weights in other files, which its card's SHA-256 does not cover."""
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            # The key of every reference to another file; a graph without it is not walked through.
            external = content.find(b"location") >= 0 and has_external_data(content[:])
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{path}: no ONNX graph, cannot load it; reinstall or export it again"
        ) from error
    if external:
        raise WeightsError(
            f"{path}: keeps weights in another file, which the SHA-256 on its card does not "
            "cover; save it with all its weights inside"
        )


def has_external_data(content: bytes) -> bool:
    """Say whether a serialised ONNX graph has a tensor whose values lie in another file.

    Raises
    ------
    ValueError
        If it is no such graph.
    """
    todo = [("model", memoryview(content))]
    while todo:
        kind, message = todo.pop()
        for number, value in _read_fields(message):
            if isinstance(value, int):
                if (kind, number) == ("tensor", _DATA_LOCATION) and value:
                    return True
            elif (kind, number) == ("tensor", _EXTERNAL_DATA):
                return True
            elif number in _INNER[kind]:
                todo.append((_INNER[kind][number], value))
    return False


def _read_fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field of a protobuf message; fixed sizes count as bytes."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        if key >> 32:
            # ONNX Runtime drops those bits, and takes it for another field.
            raise ValueError("no field of protobuf")
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _read_varint(message, place)
            yield number, value
            continue
        if wire == _BYTES:
            size, place = _read_varint(message, place)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError("no field of protobuf")
        end = place + size
        if end > len(message) or number == 0:
            raise ValueError("a field that ends beyond its message")
        yield number, message[place:end]
        place = end


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number, seven bits a byte from the low end, and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number that does not end")


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
