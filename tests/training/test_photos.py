"""Claims on the sorting of the training photos."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from blurmapper.errors import DatasetError
from blurmapper.training.photos import REVIEWS, read_library

SHARED = Path(__file__).parents[3] / "shared" / "data"


def names(path: Path) -> set[str]:
    with path.open(newline="") as file:
        return {row["photo"] for row in csv.DictReader(file)}


def make_library(folder: Path, notes: str, traced: str, encoding: str) -> Path:
    (folder / "traced").mkdir()
    (folder / "photos.csv").write_text(notes, encoding)
    (folder / "traced" / "photos.csv").write_text(traced, encoding)
    return folder


@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lists_are_read_as_spreadsheets_write_them(
    mark: str, encoding: str, tmp_path: Path
) -> None:
    lists = (text.replace(",", mark) for text in ("photo,use\nb,sharp\n", "photo,kind\nb,plane\n"))
    library = read_library(make_library(tmp_path, *lists, encoding))
    assert library.sharp == (tmp_path / "images" / "b.jpg",)
    assert [(each.photo.name, each.kind) for each in library.traced] == [("b.jpg", "plane")]


def test_lists_that_are_none_are_named(tmp_path: Path) -> None:
    make_library(tmp_path, "photo\nb\n", "name\nb\n", "utf-8")
    with pytest.raises(DatasetError, match=r"traced/photos\.csv: row 1 names no column photo"):
        read_library(tmp_path)


@pytest.mark.parametrize("held_out", [False, True])
def test_a_subject_that_is_missing_is_named(held_out: bool, tmp_path: Path) -> None:
    make_library(tmp_path, "photo,use\nb,bokeh\n", "photo\n", "utf-8")
    with pytest.raises(
        DatasetError, match=r"subjects/b\.webp: missing, though b is of use bokeh; "
    ):
        read_library(tmp_path, held_out=held_out)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_every_photo_was_reviewed() -> None:
    assert names(SHARED / "photos/photos.csv") == names(REVIEWS)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_no_validation_photo_is_trained_on() -> None:
    validation = {path.stem for path in (SHARED / "validation").glob("*/images/*")}
    faults = {path.stem for path in (SHARED / "faults/images").iterdir()}
    library = read_library(SHARED / "photos")
    masked = [item.photo for item in (*library.bokeh, *library.traced)]
    trained = {path.stem for path in (*library.sharp, *library.blurred, *masked)}
    assert trained
    assert not trained & (validation | faults)


@pytest.mark.parametrize("use", ["Sharp", "bokeh ", "good"])
def test_a_use_that_is_none_is_named(use: str, tmp_path: Path) -> None:
    make_library(tmp_path, f"photo,use\nb,{use}\n", "photo\n", "utf-8")
    line = rf"photos\.csv: b is of use {use!r}; choose from: blurred, bokeh, drop, .*sharp$"
    with pytest.raises(DatasetError, match=line):
        read_library(tmp_path)


def test_where_no_use_is_given_our_review_holds(tmp_path: Path) -> None:
    with REVIEWS.open(newline="") as file:
        name = next(row["photo"] for row in csv.DictReader(file) if row["use"] == "sharp")
    make_library(tmp_path, f"photo,use\n{name},\nb,drop\n", "photo\n", "utf-8")
    libraries = [read_library(tmp_path, held_out=held_out) for held_out in (False, True)]
    assert [p.stem for library in libraries for p in library.sharp] == [name]
