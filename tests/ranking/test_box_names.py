"""Which photos boxes are of, whatever these are called, and that boxes of none are named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import PIL.Image
import pytest

from blurmapper import rank_photos
from blurmapper.csv_rows import to_cell, to_csv
from blurmapper.errors import ConfigError
from blurmapper.ranking.boxes import NamedBox, read_boxes

HEADER = ["photo", "x", "y", "width", "height"]
ANNOTATION = {"image_id": 1, "bbox": [1, 2, 3, 4], "category_id": 5}


@pytest.mark.parametrize("name", ["-dash.jpg", "=1+1.jpg", "bad\udcff.jpg", "new\nline.jpg"])
def test_names_are_read_as_rank_writes_them_to_csv(name: str, tmp_path: Path) -> None:
    rows = [HEADER, [to_cell(name), 1, 2, 3, 4], ["other.jpg", 5, 6, 7, 8]]
    (tmp_path / "a.csv").write_text(to_csv(rows), "utf-8", "surrogateescape")
    boxes = read_boxes(tmp_path / "a.csv")
    assert boxes.of(f"in/{name}") == [NamedBox("", 1, 2, 3, 4)]
    assert boxes.of("other.jpg") == [NamedBox("", 5, 6, 7, 8)]


@pytest.mark.parametrize("kind", ["a.csv", "a.json", "labels"])
@pytest.mark.parametrize("forms", [("u\u0308.jpg", "\xfc.jpg"), ("\xfc.jpg", "u\u0308.jpg")])
def test_accents_may_be_composed_or_not(forms: tuple[str, str], kind: str, tmp_path: Path) -> None:
    said, photo = forms
    if kind == "labels":
        (tmp_path / kind).mkdir()
        (tmp_path / kind / Path(said).with_suffix(".txt")).write_text("0 .5 .5 .2 .2\n")
    elif kind == "a.json":
        images = [{"id": 1, "file_name": said}]
        (tmp_path / kind).write_text(json.dumps({"images": images, "annotations": [ANNOTATION]}))
    else:
        (tmp_path / kind).write_text(to_csv([HEADER, [said, 1, 2, 3, 4]]), "utf-8")
    assert len(read_boxes(tmp_path / kind).of(f"/in/{photo}")) == 1


def test_annotations_of_images_that_a_subset_does_not_list_cost_no_other_its_boxes(
    tmp_path: Path,
) -> None:
    images = [{"id": 1, "file_name": "x.jpg"}]
    annotations = [ANNOTATION, {**ANNOTATION, "image_id": 99}]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    boxes = read_boxes(tmp_path / "a.json")
    assert boxes.of("in/x.jpg") == [NamedBox("5", 1, 2, 3, 4)]
    line = "the boxes of 1 photo fit none given (image_id 99, which none has, is the first)"
    assert boxes.find_strays(["in/x.jpg", "in/y.jpg"]) == f"{tmp_path / 'a.json'}: {line}"


def test_boxes_of_photos_that_are_not_given_are_counted(tmp_path: Path) -> None:
    rows = [HEADER, *([name, 1, 2, 3, 4] for name in ("a/x.jpg", "y.jpg", "y.jpg", "z.jpg"))]
    (tmp_path / "a.csv").write_text(to_csv(rows))
    boxes = read_boxes(tmp_path / "a.csv")
    assert boxes.find_strays(["a/x.jpg", "y.jpg", "z.jpg", "w.jpg"]) is None
    line = boxes.find_strays(["a/x.jpg", "b/z.png"])
    assert line is not None
    assert line.endswith("a.csv: the boxes of 2 photos fit none given (y.jpg is the first)")


def test_boxes_of_none_of_the_photos_are_refused(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "x.png")
    (tmp_path / "a.csv").write_text(to_csv([HEADER, ["nowhere.jpg", 1, 2, 3, 4]]))
    why = "its boxes of 1 photo fit none given (nowhere.jpg is the first); check the names in it, "
    why += "in UTF-8, or rank without it"
    with pytest.raises(ConfigError, match=rf"a\.csv: {re.escape(why)}$"):
        rank_photos(tmp_path / "x.png", boxes=tmp_path / "a.csv")


@pytest.mark.parametrize("kind", ["a.json", "labels"])
def test_photos_that_are_known_to_have_no_boxes_are_no_wrong_names(
    kind: str, tmp_path: Path
) -> None:
    if kind == "labels":
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "x.txt").write_text("0 .5 .5 .2 .2\n")
        (tmp_path / kind / "y.txt").write_text("")
    else:
        images = [{"id": 1, "file_name": "x.jpg"}, {"id": 2, "file_name": "y.jpg"}]
        (tmp_path / kind).write_text(json.dumps({"images": images, "annotations": [ANNOTATION]}))
    boxes, name = read_boxes(tmp_path / kind), "x" if kind == "labels" else "x.jpg"
    line = f"the boxes of 1 photo fit none given ({name} is the first)"
    assert boxes.find_strays(["part/y.jpg"]) == f"{tmp_path / kind}: {line}"
    assert boxes.find_strays(["part/x.jpg"]) is None
    assert boxes.of("part/y.jpg") == []


def test_a_file_without_boxes_and_a_folder_without_photos_are_taken(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"images": [], "annotations": []}')
    assert read_boxes(tmp_path / "a.json").find_strays(["x.jpg"]) is None
    (tmp_path / "a.csv").write_text(to_csv([HEADER, ["x.jpg", 1, 2, 3, 4]]))
    assert read_boxes(tmp_path / "a.csv").find_strays([]) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x.jpg,1,2,3,wide", "1, 2, 3, wide"),
        ("x.jpg,1,2,3", "1, 2, 3, "),
        (f"x.jpg,{'1' * 99}.2.3,2,3,4", "1" * 40),
    ],
)
def test_a_row_that_is_no_box_is_named(row: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"photo,x,y,width,height\ny.jpg,1,2,3,4\n\n{row}\n")
    line = rf"a\.csv: line 4 has '{said}' for x, y, width, height; give four numbers"
    with pytest.raises(ConfigError, match=line):
        read_boxes(tmp_path / "a.csv")


def test_empty_rows_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("photo,x,y,width,height\n,,,,\nx.jpg,1,2,3,4\n,,,,\n")
    assert list(read_boxes(tmp_path / "a.csv").by_name) == ["x.jpg"]
