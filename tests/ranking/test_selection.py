"""The right photos reach the folder, and nothing is lost on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from blurmapper.errors import ImageError
from blurmapper.ranking import selection
from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import PhotoRecord
from blurmapper.ranking.selection import copy_photos, move_photos, select_photos

MakeRecord = Callable[..., PhotoRecord]


@pytest.fixture
def ranked(make_record: MakeRecord) -> list[PhotoRecord]:
    """Photos a to e, from the sharpest to the blurriest."""
    return [make_record(f"{name}.jpg", k / 10) for k, name in enumerate("abcde")]


def names(records: list[PhotoRecord]) -> str:
    return "".join(record.photo.stem for record in records)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_either_end_can_be_selected(ranked: list[PhotoRecord]) -> None:
    assert names(select_photos(ranked, "sharpest", 2)) == "ab"
    assert names(select_photos(ranked, "blurriest", 2)) == "ed"
    assert names(select_photos(ranked, "sharpest", 99)) == "abcde"


def test_only_the_best_of_a_burst_is_among_the_sharpest(ranked: list[PhotoRecord]) -> None:
    bursts = {Path(f"{name}.jpg"): Burst(1, is_best=name == "a") for name in "abe"}
    assert names(select_photos(ranked, "sharpest", 3, bursts)) == "acd"
    assert names(select_photos(ranked, "blurriest", 3, bursts)) == "edc"


def test_the_best_of_a_burst_is_never_among_the_blurriest(ranked: list[PhotoRecord]) -> None:
    bursts = {Path(f"{name}.jpg"): Burst(1, is_best=name == "d") for name in "de"}
    assert names(select_photos(ranked, "blurriest", 2, bursts)) == "ec"


def test_a_copy_leaves_the_photo_where_it_is(tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "a")
    assert list(copy_photos([photo], tmp_path / "out")) == [tmp_path / "out" / "a.jpg"]
    assert contents(tmp_path / "in") == contents(tmp_path / "out") == {"a.jpg": "a"}


@pytest.mark.parametrize("bring", [copy_photos, move_photos])
def test_nothing_is_overwritten(bring: Callable[..., object], tmp_path: Path) -> None:
    write(tmp_path / "out" / "a.jpg", "there before")
    photos = [write(tmp_path / folder / "a.jpg", folder) for folder in ("one", "two")]
    list(bring(photos, tmp_path / "out"))  # type: ignore[call-overload]
    assert contents(tmp_path / "out") == {
        "a.jpg": "there before",
        "a-2.jpg": "one",
        "a-3.jpg": "two",
    }


def test_copying_again_makes_no_more_copies(tmp_path: Path) -> None:
    photos = [write(tmp_path / folder / "a.jpg", folder) for folder in ("one", "two")]
    first = list(copy_photos(photos, tmp_path / "out"))
    assert list(copy_photos(photos, tmp_path / "out")) == first
    assert len(contents(tmp_path / "out")) == 2


def test_a_move_takes_the_photo_and_nothing_else(tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "a")
    write(tmp_path / "in" / "b.jpg", "b")
    assert list(move_photos([photo], tmp_path / "out")) == [tmp_path / "out" / "a.jpg"]
    assert contents(tmp_path / "in") == {"b.jpg": "b"}
    assert contents(tmp_path / "out") == {"a.jpg": "a"}


def test_moving_equal_photos_keeps_both(tmp_path: Path) -> None:
    photos = [write(tmp_path / folder / "a.jpg", "same") for folder in ("one", "two")]
    list(move_photos(photos, tmp_path / "out"))
    assert contents(tmp_path / "out") == {"a.jpg": "same", "a-2.jpg": "same"}


def test_a_move_across_disks_is_a_copy_and_a_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    photo = write(tmp_path / "in" / "a.jpg", "a")
    list(move_photos([photo], tmp_path / "out"))
    assert contents(tmp_path / "out") == {"a.jpg": "a"}
    assert not photo.exists()


def test_a_move_that_fails_midway_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(selection.shutil, "copyfileobj", fail)
    photo = write(tmp_path / "in" / "a.jpg", "a")
    (error,) = move_photos([photo], tmp_path / "out")
    assert isinstance(error, ImageError)
    assert contents(tmp_path / "in") == {"a.jpg": "a"}
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize("bring", [copy_photos, move_photos])
def test_a_photo_that_is_there_stays(bring: Callable[..., object], tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", "a")
    assert list(bring([photo], tmp_path)) == [photo]  # type: ignore[call-overload]
    assert contents(tmp_path) == {"a.jpg": "a"}


@pytest.mark.parametrize("bring", [copy_photos, move_photos])
def test_a_sidecar_goes_with_its_photo(bring: Callable[..., object], tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "a")
    write(tmp_path / "in" / "a.jpg.xmp", "stars of a")
    write(tmp_path / "out" / "a.jpg.xmp", "stars of another")
    list(bring([photo], tmp_path / "out"))  # type: ignore[call-overload]
    assert contents(tmp_path / "out") == {
        "a.jpg.xmp": "stars of another",
        "a-2.jpg": "a",
        "a-2.jpg.xmp": "stars of a",
    }


def test_a_photo_that_is_gone_does_not_stop_the_others(tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "a")
    error, copied = copy_photos([tmp_path / "in" / "gone.jpg", photo], tmp_path / "out")
    assert isinstance(error, ImageError)
    assert "gone.jpg: cannot be copied" in str(error)
    assert copied == tmp_path / "out" / "a.jpg"
