"""Items that follow each other and are alike, in lists of bounded length."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def in_batches(
    items: Iterable[Item], kind: Callable[[Item], Hashable], most: int
) -> Iterator[list[Item]]:
    """Yield items in their order, in lists of at most `most` that are of one kind.

    Items are taken as lists are asked for, and one at most beyond a list. What taking one raises
    comes after the list of those before it.

    Examples
    --------
    >>> list(in_batches([1, 3, 5, 2, 7], lambda number: number % 2, 2))
    [[1, 3], [5], [2], [7]]
    """
    batch: list[Item] = []
    try:
        for item in items:
            if batch and kind(item) != kind(batch[0]):
                yield batch
                batch = []
            batch.append(item)
            if len(batch) == most:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
