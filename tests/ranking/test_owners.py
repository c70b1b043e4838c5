"""What comes to a folder never becomes another photo's there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blurmapper.errors import BlurMapperError
from blurmapper.ranking.bringing import copy_photos, move_photos

from .conftest import contents, write

Bring = Callable[..., Iterator[Path | BlurMapperError]]

BOTH = pytest.mark.parametrize("bring", [copy_photos, move_photos])
OF_A_NAME = pytest.mark.parametrize("name", ["a.xmp", "a.MOV", "a.aae", "a.WAV", "a.json", "a.pp3"])


@BOTH
@OF_A_NAME
def test_a_photo_that_is_there_does_not_get_another_s_sidecar(
    bring: Bring, name: str, tmp_path: Path
) -> None:
    write(tmp_path / "out", "a.jpg")
    photo = write(tmp_path / "in", "a.heic", name)
    said = list(bring([photo], tmp_path / "out", dry_run=True))
    assert list(bring([photo], tmp_path / "out")) == said == [tmp_path / "out" / "a-2.heic"]
    assert contents(tmp_path / "out") == {
        "a.jpg": "out/a.jpg",
        "a-2.heic": "in/a.heic",
        name.replace("a", "a-2", 1): f"in/{name}",
    }


@BOTH
@OF_A_NAME
def test_photos_of_one_run_do_not_get_each_other_s(bring: Bring, name: str, tmp_path: Path) -> None:
    photos = [write(tmp_path / "one", "a.jpg"), write(tmp_path / "two", "a.heic", name)]
    out = tmp_path / "out"
    assert list(bring(photos, out)) == [out / "a.jpg", out / "a-2.heic"]


@BOTH
def test_twins_keep_what_they_share_beside_others_of_their_name(
    bring: Bring, tmp_path: Path
) -> None:
    write(tmp_path / "out", "a.png")
    photo = write(tmp_path / "in", "a.jpg", "a.cr2", "a.xmp")
    list(bring([photo, photo.with_suffix(".cr2")], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["a-2.cr2", "a-2.jpg", "a-2.xmp", "a.png"]


def test_copying_again_adds_what_twins_share(tmp_path: Path) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.cr2")
    list(copy_photos([photo, photo.with_suffix(".cr2")], tmp_path / "out"))
    write(tmp_path / "in", "a.xmp")
    list(copy_photos([photo], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["a.cr2", "a.jpg", "a.xmp"]


def test_copying_again_adds_nothing_to_another_photo(tmp_path: Path) -> None:
    write(tmp_path / "out", "a.jpg")
    photo = write(tmp_path / "in", "a.heic")
    list(copy_photos([photo], tmp_path / "out"))
    write(tmp_path / "in", "a.xmp")
    (error,) = copy_photos([photo], tmp_path / "out")
    assert "a.heic is this photo already" in str(error) and "a.xmp stayed behind" in str(error)
    assert list(contents(tmp_path / "out")) == ["a.heic", "a.jpg"]


@BOTH
def test_a_version_does_not_become_the_sidecar_of_the_photo_of_its_name(
    bring: Bring, tmp_path: Path
) -> None:
    write(tmp_path / "out", "a_01.jpg")
    photo = write(tmp_path / "in", "a.jpg", "a_01.jpg.xmp")
    said = list(bring([photo], tmp_path / "out", dry_run=True))
    assert list(bring([photo], tmp_path / "out")) == said == [tmp_path / "out" / "a-2.jpg"]
    assert list(contents(tmp_path / "out")) == ["a-2.jpg", "a-2_01.jpg.xmp", "a_01.jpg"]


def test_a_photo_that_is_called_as_a_version_keeps_its_sidecar(tmp_path: Path) -> None:
    first = write(tmp_path / "in", "a.jpg", "a_01.jpg", "a_01.jpg.xmp")
    list(move_photos([first], tmp_path / "one"))
    assert list(contents(tmp_path / "in")) == ["a_01.jpg", "a_01.jpg.xmp"]
    write(tmp_path / "in", "a.jpg")
    list(move_photos([tmp_path / "in" / "a_01.jpg"], tmp_path / "two"))
    assert list(contents(tmp_path / "two")) == ["a_01.jpg", "a_01.jpg.xmp"]


def test_a_version_is_of_the_photo_of_its_very_name(tmp_path: Path) -> None:
    first = write(tmp_path / "in", "a.jpg", "A.JPG", "A_01.JPG.xmp")
    if len(contents(tmp_path / "in")) == 2:
        pytest.skip("this file system holds a and A to be one name")
    photos = [first, tmp_path / "in" / "A.JPG"]
    said = list(move_photos(photos, tmp_path / "out", dry_run=True))
    expected = [tmp_path / "out" / "a.jpg", tmp_path / "out" / "A.JPG"]
    assert list(move_photos(photos, tmp_path / "out")) == said == expected


def test_what_names_of_other_capitals_share_is_copied_until_the_last_moves(tmp_path: Path) -> None:
    first = write(tmp_path / "in", "a.jpg", "A.JPG", "a_01.JPG.xmp")
    if len(contents(tmp_path / "in")) == 2:
        pytest.skip("this file system holds a and A to be one name")
    list(move_photos([first], tmp_path / "out"))
    assert list(contents(tmp_path / "in")) == ["A.JPG", "a_01.JPG.xmp"]


@BOTH
def test_two_files_of_a_photo_never_become_one(bring: Bring, tmp_path: Path) -> None:
    write(tmp_path / "out", "A.JPG")
    photo = write(tmp_path / "in", "A.JPG", "A.xmp", "a.xmp")
    if len(contents(tmp_path / "in")) == 2:
        pytest.skip("this file system holds a and A to be one name")
    list(bring([photo], tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        "A.JPG": "out/A.JPG",
        "A-2.JPG": "in/A.JPG",
        "A-2.xmp": "in/A.xmp",
        "a-2.xmp": "in/a.xmp",
    }


def test_what_finds_no_place_is_not_taken_away(tmp_path: Path) -> None:
    write(tmp_path / "out", "A(1).JPG")
    described = ("A(1).JPG.json", "A.JPG(1).json")
    photo = write(tmp_path / "in", "A(1).JPG", *described)
    list(move_photos([photo], tmp_path / "out"))
    kept = {*contents(tmp_path / "in").values(), *contents(tmp_path / "out").values()}
    assert kept == {"out/A(1).JPG", "in/A(1).JPG", *(f"in/{name}" for name in described)}
