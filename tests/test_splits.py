from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import DatasetError
from blurmapper.splits import select_names, select_split


def make_masks(folder: Path, *names: str) -> Path:
    (folder / "gt").mkdir(parents=True)
    for name in names:
        PIL.Image.fromarray(np.zeros((3, 4), np.uint8)).save(folder / "gt" / f"{name}.png")
    return folder


def test_even_and_odd_go_by_the_number_in_the_name(tmp_path: Path) -> None:
    samples = read_dataset(make_masks(tmp_path, "motion0001", "motion0010", "out_of_focus0003"))
    assert [s.name for s in select_split(samples, "even")] == ["motion0010"]
    assert [s.name for s in select_split(samples, "odd")] == ["motion0001", "out_of_focus0003"]
    assert select_split(samples, "all") == samples


def test_a_name_without_a_number_is_in_no_split(tmp_path: Path) -> None:
    make_masks(tmp_path, "flower")
    with pytest.raises(DatasetError, match=r"flower\.png: no number"):
        select_split(read_dataset(tmp_path), "even")


@pytest.mark.parametrize(
    "line", ["1.bmp--motion0002.jpg", "'motion0002.jpg',", "motion0002", "image/motion0002.JPG "]
)
def test_lists_of_names_are_read_as_they_are_published(tmp_path: Path, line: str) -> None:
    samples = read_dataset(make_masks(tmp_path, "motion0001", "motion0002"))
    names = tmp_path / "names.txt"
    names.write_text(f"{line}\n\n")
    assert [s.name for s in select_names(samples, names)] == ["motion0002"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("my photo 1.jpg", "my photo 1"),
        ("'my photo 1',", "my photo 1"),
        ("\ufeffa.v2", "a.v2"),
        ("a.v2.jpg", "a.v2"),
        ("a", "a"),
        ("2.bmp--1.jpg", "1"),
        ("it's--1, a.jpg", "it's--1, a"),
        ("7 a.v2", "a.v2"),
    ],
)
def test_listed_names_have_spaces_dots_and_quotes(line: str, name: str, tmp_path: Path) -> None:
    samples = read_dataset(make_masks(tmp_path, "my photo 1", "1", "a.v2", "a", "it's--1, a"))
    names = tmp_path / "names.txt"
    names.write_text(f"{line}\n", "utf-8")
    assert [s.name for s in select_names(samples, names)] == [name]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("one/1", ["one/1"]),
        ("'two/image/1.jpg',", ["two/1"]),
        ("2.bmp--two/1.jpg", ["two/1"]),
        ("/one/two/1.jpg\n", ["two/1"]),
        ("one/1\ntwo/2", ["one/1", "two/2"]),
        ("1", ["one/1", "two/1"]),
        ("./2.jpg", ["one/2", "two/2"]),
    ],
)
def test_a_listed_name_with_its_set_is_of_that_set_alone(
    lines: str, names: list[str], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        make_masks(tmp_path / name, "1", "2")
    (tmp_path / "names.txt").write_text(lines)
    chosen = select_names(read_dataset(tmp_path), tmp_path / "names.txt")
    assert [s.name for s in chosen] == names


def test_a_listed_name_of_a_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    make_masks(tmp_path / "one", "1")
    (tmp_path / "names.txt").write_text("three/1.jpg")
    with pytest.raises(DatasetError, match=r"1 of its 1 names .* \(three/1 is the first\)"):
        select_names(read_dataset(tmp_path), tmp_path / "names.txt")


def test_a_part_of_a_name_is_no_name(tmp_path: Path) -> None:
    samples = read_dataset(make_masks(tmp_path, "9", "1"))
    names = tmp_path / "names.txt"
    names.write_text("my photo 9.jpg\n1\n")
    with pytest.raises(DatasetError, match=r"1 of its 2 names .* \(my photo 9 is"):
        select_names(samples, names)


def test_a_listed_photo_that_is_not_there_is_named(tmp_path: Path) -> None:
    samples = read_dataset(make_masks(tmp_path, "motion0001"))
    names = tmp_path / "names.txt"
    names.write_text("motion0001\nmotion0009\n")
    with pytest.raises(DatasetError, match=r"1 of its 2 names .* \(motion0009 is"):
        select_names(samples, names)
