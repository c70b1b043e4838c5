from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.datasets import Polarity, find_pictures, read_dataset, read_pair, read_truth
from blurmapper.errors import DatasetError

SHARED = Path(__file__).parents[2] / "shared" / "data"

LEFT_HALF = np.array([[255, 255, 0, 0]] * 3, np.uint8)


def write(path: Path, grey: npt.NDArray[np.uint8] = LEFT_HALF, mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(grey).convert(mode).save(path, format="PNG")
    return path


def make_cuhk(folder: Path, names: tuple[str, ...], photos: bool = True) -> Path:
    for name in names:
        write(folder / "gt" / f"{name}.png")
        if photos:
            write(folder / "image" / f"{name}.jpg")
    return folder


def test_the_benchmark_is_read_as_its_zip_files_unpack(tmp_path: Path) -> None:
    names = ("motion0001", "out_of_focus0002")
    samples = read_dataset(make_cuhk(tmp_path, names))
    assert [(s.name, s.kind) for s in samples] == [
        ("motion0001", "motion"),
        ("out_of_focus0002", "defocus"),
    ]
    assert samples[0].photo == tmp_path / "image" / "motion0001.jpg"
    assert read_truth(samples[0])[0].tolist() == [[True, True, False, False]] * 3


def test_upper_case_extensions_are_found(tmp_path: Path) -> None:
    make_cuhk(tmp_path, ("out_of_focus0080",), photos=False)
    photo = write(tmp_path / "image" / "out_of_focus0080.JPG")
    assert read_dataset(tmp_path)[0].photo == photo


def test_masks_alone_are_a_data_set_without_photos(tmp_path: Path) -> None:
    samples = read_dataset(make_cuhk(tmp_path, ("motion0003",), photos=False))
    assert samples[0].photo is None


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_masks_of_every_mode_say_the_same(tmp_path: Path, mode: str) -> None:
    write(tmp_path / "gt" / "motion0001.png", mode=mode)
    ground_truth, valid = read_truth(read_dataset(tmp_path)[0])
    assert ground_truth.tolist() == [[True, True, False, False]] * 3
    assert valid is None


def test_dut_masks_are_white_where_sharp(tmp_path: Path) -> None:
    write(tmp_path / "dut500-gt" / "7.png")
    write(tmp_path / "dut500-source" / "7.jpg")
    assert read_truth(read_dataset(tmp_path)[0])[0].tolist() == [[False, False, True, True]] * 3


@pytest.mark.parametrize(("white", "first"), [("blurred", True), ("sharp", False)])
def test_a_pair_of_folders_has_the_polarity_it_is_given(
    tmp_path: Path, white: Polarity, first: bool
) -> None:
    write(tmp_path / "photos" / "a.jpg")
    write(tmp_path / "masks" / "a.png")
    sample = read_pair(tmp_path / "photos", tmp_path / "masks", white=white)[0]
    assert read_truth(sample)[0][0].tolist() == [first, first, not first, not first]


def test_grey_is_undecided_in_validation_sets(tmp_path: Path) -> None:
    grey = np.array([[255, 128, 0]] * 2, np.uint8)
    write(tmp_path / "images" / "a.jpg")
    write(tmp_path / "truth" / "a.png", grey)
    ground_truth, valid = read_truth(read_dataset(tmp_path)[0])
    assert valid is not None
    assert valid[0].tolist() == [True, False, True]
    assert ground_truth[valid].tolist() == [True, False] * 2


NOTES = "photo,kind,confidence\nb,plane,2\na,mixed,\n"


def make_noted(folder: Path, notes: bytes) -> Path:
    for name in ("a", "b"):
        write(folder / "images" / f"{name}.jpg")
        write(folder / "truth" / f"{name}.png")
    (folder / "photos.csv").write_bytes(notes)
    return folder


@pytest.mark.parametrize(
    "notes",
    [
        NOTES.encode(),
        NOTES.encode("utf-8-sig"),
        NOTES.replace(",", ";").encode("utf-8-sig") + b";;\n",
        NOTES.replace(",", "\t").replace("\n", "\r\n").encode(),
    ],
)
def test_notes_give_kind_and_confidence(notes: bytes, tmp_path: Path) -> None:
    samples = read_dataset(make_noted(tmp_path, notes))
    assert [(s.kind, s.confidence) for s in samples] == [("mixed", 3), ("plane", 2)]


def test_notes_may_say_no_more_than_names(tmp_path: Path) -> None:
    samples = read_dataset(make_noted(tmp_path, b"photo\na\nb\n"))
    assert [(s.kind, s.confidence) for s in samples] == [("", 3), ("", 3)]


@pytest.mark.parametrize(
    ("notes", "line"),
    [
        (b"name,kind\na,plane\n", "row 1 names no column photo"),
        (b"", "row 1 names no column photo"),
        (b"photo,kind\na,fl\xe4che\n", "row 2 is not UTF-8; save it as CSV in UTF-8"),
        (b"photo,confidence\na,much\nb,2\n", "the confidence of a is 'much'; write 1"),
        (b"photo\na\n", "says nothing about b; add a row"),
        (b"photo,kind\na,motion\nb,\na,defocus\n", "has two rows of a; keep one"),
        (b'photo\n"' + b"a" * 140_000, "no CSV"),
    ],
)
def test_notes_that_are_none_are_named(notes: bytes, line: str, tmp_path: Path) -> None:
    make_noted(tmp_path, notes)
    with pytest.raises(DatasetError, match=rf"photos\.csv: {line}"):
        read_dataset(tmp_path)


def test_notes_may_say_a_thing_twice(tmp_path: Path) -> None:
    samples = read_dataset(make_noted(tmp_path, b"photo,kind\na,motion\nb,\na,motion\n"))
    assert [s.kind for s in samples] == ["motion", ""]


def test_a_folder_of_data_sets_is_read_as_one(tmp_path: Path) -> None:
    make_cuhk(tmp_path / "one", ("motion0001",))
    make_cuhk(tmp_path / "two", ("motion0001",))
    assert [s.name for s in read_dataset(tmp_path)] == ["one/motion0001", "two/motion0001"]


def test_hidden_folders_are_no_data_sets(tmp_path: Path) -> None:
    make_cuhk(tmp_path / "one", ("motion0001",))
    make_cuhk(tmp_path / ".old", ("motion0001",))
    assert [s.name for s in read_dataset(tmp_path)] == ["one/motion0001"]


@pytest.mark.parametrize(
    ("folders", "line"),
    [
        (("dut600-source", "dut500-gt"), "dut500-gt and dut600-source are of two data sets; give"),
        (
            ("dut500-source", "dut500-gt", "dut600-gt"),
            "holds several data sets; give each a folder",
        ),
        (("image", "gt", "images", "truth"), "holds several data sets; give each a folder"),
    ],
)
def test_photos_of_one_set_and_masks_of_another_are_refused(
    folders: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    for folder in folders:
        write(tmp_path / folder / "000.png")
    with pytest.raises(DatasetError, match=f"{tmp_path}: {line}"):
        read_dataset(tmp_path)


def test_a_missing_mask_is_named(tmp_path: Path) -> None:
    make_cuhk(tmp_path, ("motion0001",))
    write(tmp_path / "image" / "motion0002.jpg")
    with pytest.raises(DatasetError, match=r"motion0002\.jpg: no mask"):
        read_dataset(tmp_path)


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    make_cuhk(tmp_path, ("motion0001",))
    write(tmp_path / "gt" / "motion0002.png")
    with pytest.raises(DatasetError, match=r"motion0002\.png: no photo"):
        read_dataset(tmp_path)


def test_an_unreadable_mask_is_named(tmp_path: Path) -> None:
    make_cuhk(tmp_path, ("motion0001",))
    (tmp_path / "gt" / "motion0001.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"motion0001\.png: the mask cannot be read"):
        read_truth(read_dataset(tmp_path)[0])


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    write(tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match="same name"):
        find_pictures(tmp_path)


@pytest.mark.parametrize("place", [".", "nowhere"])
def test_an_unknown_layout_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(DatasetError, match=str(tmp_path)):
        read_dataset(tmp_path / place)


def test_what_is_called_as_a_photo_and_is_no_file_is_none(tmp_path: Path) -> None:
    folder = make_cuhk(tmp_path, ("motion0001",))
    (folder / "image" / "b.jpg").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "image" / "c.jpg")
    assert [s.name for s in read_dataset(folder)] == ["motion0001"]


@pytest.mark.skipif(not SHARED.exists(), reason=f"needs the data sets in {SHARED}")
def test_the_data_sets_at_hand_are_read_whole() -> None:
    assert len(read_dataset(SHARED / "cuhk")) == 1000
    validation = read_dataset(SHARED / "validation")
    assert len(validation) == 96
    sharp = [s for s in validation if s.kind == "all_sharp"]
    assert len(sharp) == 8
    for sample in sharp:
        ground_truth, valid = read_truth(sample)
        assert valid is not None
        assert not ground_truth[valid].any()
