"""What can be told of an ONNX graph without running it."""

from __future__ import annotations

from collections.abc import Iterator

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
