"""The right photos of a ranking are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import Box, PhotoRecord
from blurmapper.ranking.selection import Selection, select_photos

MakeRecord = Callable[..., PhotoRecord]


@pytest.fixture
def ranked(make_record: MakeRecord) -> list[PhotoRecord]:
    """Photos a to e, from the sharpest to the blurriest."""
    return [make_record(f"{name}.jpg", k / 10) for k, name in enumerate("abcde")]


def names(records: list[PhotoRecord]) -> str:
    return "".join(record.photo.stem for record in records)


def test_either_end_can_be_selected(ranked: list[PhotoRecord]) -> None:
    assert names(select_photos(ranked, Selection(end="sharpest", number=2))) == "ab"
    assert names(select_photos(ranked, Selection(end="blurriest", number=2))) == "ed"
    assert names(select_photos(ranked, Selection(end="sharpest", number=99))) == "abcde"


def test_only_the_best_of_a_burst_is_among_the_sharpest(ranked: list[PhotoRecord]) -> None:
    bursts = {Path(f"{name}.jpg"): Burst(1, place=1 if name == "a" else 2) for name in "abe"}
    assert names(select_photos(ranked, Selection(end="sharpest", number=3), bursts)) == "acd"
    assert names(select_photos(ranked, Selection(end="blurriest", number=3), bursts)) == "edc"


def test_the_best_of_a_burst_is_never_among_the_blurriest(ranked: list[PhotoRecord]) -> None:
    bursts = {Path(f"{name}.jpg"): Burst(1, place=1 if name == "d" else 2) for name in "de"}
    assert names(select_photos(ranked, Selection(end="blurriest", number=2), bursts)) == "ec"


def test_thresholds_choose_photos_however_many(ranked: list[PhotoRecord]) -> None:
    assert names(select_photos(ranked, Selection(below=0.2))) == "ab"
    assert names(select_photos(ranked, Selection(above=0.2))) == "cde"
    assert names(select_photos(ranked, Selection(below=0.4, above=0.1))) == "bcd"


def test_a_threshold_and_a_number_choose_what_both_allow(ranked: list[PhotoRecord]) -> None:
    assert names(select_photos(ranked, Selection(above=0.2, end="blurriest", number=2))) == "ed"
    assert names(select_photos(ranked, Selection(below=0.1, number=3))) == "a"


def test_a_threshold_takes_whole_bursts(ranked: list[PhotoRecord]) -> None:
    bursts = {Path(f"{name}.jpg"): Burst(1, place=1 if name == "a" else 2) for name in "abe"}
    assert names(select_photos(ranked, Selection(below=0.3), bursts)) == "abc"


def test_a_threshold_is_on_what_photos_are_ranked_by(make_record: MakeRecord) -> None:
    portrait = replace(make_record("p.jpg", 0.8), sharpest=Box(0, 0, 8, 6, 0.1))
    assert select_photos([portrait], Selection(below=0.5)) == []
    assert select_photos([portrait], Selection(below=0.5), by="region") == [portrait]
