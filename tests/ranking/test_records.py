"""Measuring photos and putting them in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from blurmapper.batch import PhotoFailure
from blurmapper.errors import ImageError
from blurmapper.ranking.records import (
    Box,
    PhotoRecord,
    order_photos,
)

Measure = Callable[..., list[PhotoRecord | PhotoFailure]]


def test_the_order_is_the_same_however_photos_come(make_record: Callable[..., PhotoRecord]) -> None:
    results: list[PhotoRecord | PhotoFailure] = [
        make_record("c.jpg", 0.5),
        make_record("a.jpg", 0.5),
        make_record("b.jpg", 0.1),
        PhotoFailure(Path("d.jpg"), ImageError("d")),
        PhotoFailure(Path("B.jpg"), ImageError("B")),
    ]
    for order in itertools.permutations(results):
        records, unreadable = order_photos(order)
        assert [str(record.photo) for record in records] == ["b.jpg", "a.jpg", "c.jpg"]
        assert [str(each.photo) for each in unreadable] == ["B.jpg", "d.jpg"]


def test_a_blurred_background_does_not_count_by_region(
    make_record: Callable[..., PhotoRecord],
) -> None:
    portrait = replace(make_record("portrait.jpg", 0.8), sharpest=Box(0, 0, 8, 6, 0.01))
    shaken = make_record("shaken.jpg", 0.6)
    assert order_photos([portrait, shaken])[0] == [shaken, portrait]
    assert order_photos([portrait, shaken], by="region")[0] == [portrait, shaken]


def test_no_photos_are_ranked_as_none() -> None:
    assert order_photos([]) == ([], [])
