"""Ways in which a file gets broken: on disks, on wires, by programs, and on purpose."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from benchmarks.hardening.containers import PNG, fields, repair, split

ABSURD = (0, 1, 2, 15, 16, 255, 4096, 32767, 65535, 65536, 99_999_999, 2**31 - 1, 2**31, 2**32 - 1)

HEADER = 256
"""Bytes at the beginning in which most formats say what comes."""


class Material(NamedTuple):
    """A file that is to be broken, another one to take pieces from, and random numbers."""

    content: bytes
    other: bytes
    rng: np.random.Generator


def flip(material: Material, end: int | None = None) -> bytes:
    """Turn over a few bits anywhere, or before `end`."""
    out = bytearray(material.content)
    count = 1 << int(material.rng.integers(0, 7))
    for place in material.rng.integers(0, min(end or len(out), len(out)), count).tolist():
        out[place] ^= 1 << int(material.rng.integers(8))
    return bytes(out)


def flip_header(material: Material) -> bytes:
    """Turn over a few bits of the header, and keep check sums true."""
    return repair(flip(material, HEADER))


def flip_inside(material: Material) -> bytes:
    """Turn over bits inside one piece of the file, and keep check sums true."""
    pieces = split(material.content)
    number = int(material.rng.integers(len(pieces)))
    pieces[number] = flip(material._replace(content=pieces[number]))
    return _join(pieces, material.content)


def set_extremes(material: Material) -> bytes:
    """Set bytes to the values at which programs break."""
    out = bytearray(material.content)
    for place in material.rng.integers(0, len(out), int(material.rng.integers(1, 9))).tolist():
        out[place] = (0, 1, 127, 128, 254, 255)[int(material.rng.integers(6))]
    return repair(bytes(out))


def truncate(material: Material) -> bytes:
    """Cut the file short, as a copy does that was broken off."""
    return material.content[: int(material.rng.integers(1, len(material.content)))]


def zero(material: Material) -> bytes:
    """Zero a run of bytes, as a disk does that lost a block."""
    first, last = _range(material)
    return material.content[:first] + bytes(last - first) + material.content[last:]


def scramble(material: Material) -> bytes:
    """Replace a run of bytes by noise."""
    first, last = _range(material)
    return material.content[:first] + material.rng.bytes(last - first) + material.content[last:]


def remove(material: Material) -> bytes:
    """Leave out a run of bytes."""
    first, last = _range(material)
    return material.content[:first] + material.content[last:]


def repeat(material: Material) -> bytes:
    """Hold a run of bytes twice."""
    first, last = _range(material)
    return material.content[:last] + material.content[first:]


def graft(material: Material) -> bytes:
    """Write a run of another file's bytes over this one's."""
    first, last = _range(material._replace(content=material.other))
    place = int(material.rng.integers(len(material.content)))
    run = material.other[first:last]
    return material.content[:place] + run + material.content[place + len(run) :]


def splice(material: Material) -> bytes:
    """Move, repeat, drop or swap whole chunks, some of them another file's."""
    pieces, others = split(material.content), split(material.other)
    for _ in range(int(material.rng.integers(1, 4))):
        here, there = (int(material.rng.integers(len(pieces))) for _ in range(2))
        choice = int(material.rng.integers(5))
        if choice == 0 and len(pieces) > 1:
            del pieces[here]
        elif choice == 1:
            pieces.insert(there, pieces[here])
        elif choice == 2:
            pieces[here], pieces[there] = pieces[there], pieces[here]
        elif choice == 3:
            pieces.insert(here, others[int(material.rng.integers(len(others)))])
        else:
            pieces[here] = pieces[here][: int(material.rng.integers(len(pieces[here]) + 1))]
    return _join(pieces, material.content)


def exaggerate(material: Material) -> bytes:
    """Let the header claim absurd sizes, counts, offsets or kinds."""
    out = bytearray(material.content)
    if out[:1] == b"P":
        return _exaggerate_text(material)
    places = fields(material.content)
    for number in material.rng.integers(0, len(places), int(material.rng.integers(1, 3))).tolist():
        place, code = places[number]
        size = struct.calcsize(code)
        value = int(_choose(material, ABSURD)) % (1 << 8 * size)
        order: Literal["little", "big"] = "little" if code.startswith("<") else "big"
        if 0 <= place <= len(out) - size:
            out[place : place + size] = value.to_bytes(size, order)
    return repair(bytes(out))


MUTATIONS: dict[str, Callable[[Material], bytes]] = {
    mutation.__name__: mutation
    for mutation in (
        *(flip, flip_header, flip_inside, set_extremes, truncate, zero, scramble),
        *(remove, repeat, graft, splice, exaggerate),
    )
}


def _exaggerate_text(material: Material) -> bytes:
    """Let the header of a PPM file, which is text, claim another size or white."""
    words = material.content.split(maxsplit=4)
    if len(words) < 5:
        return material.content
    words[int(material.rng.integers(1, 4))] = str(_choose(material, ABSURD)).encode()
    return b" ".join(words[:3]) + b"\n" + words[3] + b"\n" + words[4]


def _choose(material: Material, values: Sequence[int]) -> int:
    return values[int(material.rng.integers(len(values)))]


def _range(material: Material) -> tuple[int, int]:
    """Return first and last place of a run: mostly short, at times much of the file."""
    size = len(material.content)
    length = min(size, 1 << int(material.rng.integers(0, max(2, size.bit_length()))))
    first = int(material.rng.integers(0, size - length + 1))
    return first, first + length


def _join(pieces: list[bytes], original: bytes) -> bytes:
    joined = b"".join(pieces)
    # A PNG file without its signature is none, which one look would tell.
    return repair(joined) if joined.startswith(PNG) or not original.startswith(PNG) else joined
