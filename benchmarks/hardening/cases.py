"""Which file is which: from a number to a broken file, the same on every run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.hardening.bombs import BOMBS, LARGE
from benchmarks.hardening.mutations import MUTATIONS, Material, flip
from benchmarks.hardening.seeds import make_seeds

SEED = 20_261_122

BOMB_EVERY, LARGE_EVERY = 40, 500


class Case(NamedTuple):
    """A broken file: what it was, how it was broken, and what it is now."""

    kind: str
    mutation: str
    content: bytes


class Cases:
    """Broken files by number.

    Kinds and mutations take turns, so that any run of numbers has as many of each. Every
    `BOMB_EVERY`th file is a bomb, every `LARGE_EVERY`th is large and whole; both are made from
    their second turn on with a few bits turned over, bombs only.

    Parameters
    ----------
    folder : Path
        Where the files are kept that these are made from. An encoder may write other bytes on
        another day, or with other threads; what is on disk stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, number: int) -> Case:
        """Return the file of a number from 0."""
        rng = np.random.default_rng([SEED, number])
        if number % LARGE_EVERY == LARGE_EVERY - 1:
            name = _turn(LARGE, number // LARGE_EVERY)
            return Case(name, "large", self._kept(name))
        if number % BOMB_EVERY == BOMB_EVERY - 1:
            turn = number // BOMB_EVERY
            name = _turn(BOMBS, turn)
            content = self._kept(name)
            if turn >= len(BOMBS):
                content = flip(Material(content, content, rng))
            return Case(name, "bomb", content)
        kinds = list(self._seeds)
        kind, mutation = _turn(kinds, number), _turn(MUTATIONS, number // len(kinds))
        other = self._seeds[kinds[int(rng.integers(len(kinds)))]]
        return Case(kind, mutation, MUTATIONS[mutation](Material(self._seeds[kind], other, rng)))

    @cached_property
    def _seeds(self) -> dict[str, bytes]:
        folder = self._folder / "seeds"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            for name, content in make_seeds().items():
                (folder / name).write_bytes(content)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    def _kept(self, name: str) -> bytes:
        path = self._folder / "bombs" / name
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((BOMBS | LARGE)[name]())
        return path.read_bytes()


def _turn(names: Iterable[str], number: int) -> str:
    in_order = list(names)
    return in_order[number % len(in_order)]
