"""Boxes of detectors and data sets: read, found by photos' names, judged."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper import rank_photos
from blurmapper.amounts import CELL, BlurAmounts
from blurmapper.errors import ConfigError
from blurmapper.ranking.boxes import NamedBox, read_boxes
from blurmapper.ranking.measuring import MeasureTask
from blurmapper.ranking.verdicts import judge_box
from blurmapper.sharpest import SharpestPart

COCO = {
    "images": [{"id": 7, "file_name": "a/x.jpg"}, {"id": 8, "file_name": "y.jpg"}],
    "categories": [{"id": 1, "name": "bird"}],
    "annotations": [
        {"image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40]},
        {"image_id": 8, "category_id": 2, "bbox": [0, 0, 5, 5]},
    ],
}


def test_coco_is_read_with_its_labels(tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(COCO))
    boxes = read_boxes(tmp_path / "boxes.json")
    assert boxes.of("/photos/a/x.jpg") == [NamedBox("bird", 10, 20, 30, 40)]
    assert boxes.of("/photos/y.jpg") == [NamedBox("2", 0, 0, 5, 5)]
    assert boxes.of("/photos/b/x.jpg") == [] == boxes.of("/photos/xy.jpg")


def test_csv_is_read_as_spreadsheets_write_it(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(
        "\ufeffphoto,label,x,y,width,height\r\nx.jpg,eye,1,2,3,4\r\n"
    )
    assert read_boxes(tmp_path / "boxes.csv").of("in/x.jpg") == [NamedBox("eye", 1, 2, 3, 4)]


def test_yolo_s_boxes_are_about_their_middle_in_parts_of_the_photo(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "x.txt").write_text("0 0.5 0.5 0.2 0.4 0.97\n\n")
    (box,) = read_boxes(tmp_path / "labels").of("in/x.jpg")
    assert box.slices(100, 200) == (slice(30, 70), slice(80, 120))


def test_yolo_s_outlines_are_boxes_too(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 0.1 0.2 0.5 0.2 0.5 0.6 0.1 0.6\n")
    (box,) = read_boxes(tmp_path).of("x.jpg")
    assert box.slices(100, 200) == (slice(20, 60), slice(20, 100))


@pytest.mark.parametrize(
    "line",
    [
        "0 .5 .5 .2 .2 .45 .45 2 .55 .45 2",  # two key points
        "0 .5 .5 .2 .2 .97 17",  # a score and a track
        "0 .1 .2 .5 .2 .5 .6 .1 .6 .97",  # an outline with a score
        "0 .5 .5 .2 .2 .45 .45 .93",  # a key point with a score, or an outline with one
        "0 320 240 100 80",
        "0 .5",
        "0 .5 .5 .2 O.2 .97",
        "0 -0.1 .2 .5 .2 .5 .6",
    ],
)
def test_a_line_of_yolo_s_that_is_no_box_for_sure_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(f"0 .5 .5 .2 .2\n{line}\n")
    with pytest.raises(ConfigError, match=r"x\.txt: '0 .*' is no box or outline for sure; give"):
        read_boxes(tmp_path)


def test_key_points_behind_a_box_are_passed_over_where_they_are_known(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 .5 .5 .2 .4" + " .45 .45 2 0 0 0 .55 .45 1" + "\n")
    (box,) = read_boxes(tmp_path).of("x.jpg")
    assert box.slices(100, 200) == (slice(30, 70), slice(80, 120))


def test_corners_may_be_rounded_beyond_the_rim(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 -0.0004 0 1.0004 0 1.0004 1.0001\n")
    (box,) = read_boxes(tmp_path).of("x.jpg")
    assert box.slices(100, 200) == (slice(0, 100), slice(0, 200))


@pytest.mark.parametrize(
    "text", ["cat\nboeing 747\n", "./images/x.jpg\n", "Exported on 4 May.\n", "\xff\xfe"]
)
def test_other_texts_beside_yolo_s_are_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    (tmp_path / "classes.txt").write_text(text, "latin-1")
    boxes = read_boxes(tmp_path)
    assert len(boxes.of("x.jpg")) == 1 and boxes.of("classes.jpg") == []


def test_coco_of_windows_and_without_some_boxes_is_read(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a\\x.jpg"}],
        "annotations": [
            {"image_id": 1, "caption": "a bird"},
            {"image_id": 1, "bbox": []},
            {"image_id": 1, "bbox": [1, 2, 3, 4]},
        ],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    assert [box.x for box in read_boxes(tmp_path / "boxes.json").of("/in/a/x.jpg")] == [1]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("photo;x;y;width;height", "a, b.jpg;1;2;3;4"),
        ("photo;x;y;width;height", "a, b.jpg;1,0;2,00;3.0;4"),
        ("photo\tx\ty\twidth\theight", "a, b.jpg\t1,0\t2\t3\t4"),
    ],
)
def test_csv_may_have_semicolons_and_decimal_commas(header: str, row: str, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(f"{header}\n{row}\n")
    assert read_boxes(tmp_path / "boxes.csv").of("a, b.jpg") == [NamedBox("", 1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "photo,x,y,width,height\nx.jpg,nan,2,3,4\n"),
        ("a.json", json.dumps(COCO).replace("[10, 20", "[10, Infinity")),
        ("a.json", json.dumps(COCO).replace("[10, 20", "[10, 1e999")),
        ("a.json", json.dumps(COCO).replace("[10, 20", "[1e308, 20")),
        ("a/x.txt", "0 0.5 0.5 nan 0.5\n"),
    ],
)
def test_a_box_that_is_no_place_is_named(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    given = tmp_path / "a" if name.endswith(".txt") else tmp_path / name
    with pytest.raises(ConfigError, match=r"box \(.*(nan|inf|1e).*\) of .*x.* is none; mend it"):
        read_boxes(given)


def test_names_longer_than_any_file_has_are_left_as_they_are(tmp_path: Path) -> None:
    name = "e\u0301" * 3000
    (tmp_path / "a.csv").write_text(f"photo,x,y,width,height\n{name},1,2,3,4\n", "utf-8")
    assert list(read_boxes(tmp_path / "a.csv").by_name) == [name]


def test_the_longest_name_that_fits_counts(tmp_path: Path) -> None:
    rows = "photo,x,y,width,height\nx.jpg,1,1,1,1\nb/x.jpg,2,2,2,2\n"
    (tmp_path / "boxes.csv").write_text(rows)
    boxes = read_boxes(tmp_path / "boxes.csv")
    assert [box.x for box in boxes.of("in/b/x.jpg")] == [2]
    assert [box.x for box in boxes.of("in/c/x.jpg")] == [1]


def test_boxes_of_a_photo_are_not_those_of_its_map(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("photo,x,y,width,height\nx.jpg,1,1,1,1\ny,2,2,2,2\n")
    boxes = read_boxes(tmp_path / "boxes.csv")
    assert [box.x for box in boxes.of("x.jpg")] == [1]
    assert boxes.of("x.jpg.png") == []
    assert [box.x for box in boxes.of("y.png")] == [2]
    (tmp_path / "yolo").mkdir()
    (tmp_path / "yolo" / "x.jpg.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    assert len(read_boxes(tmp_path / "yolo").of("x.jpg.png")) == 1


def test_a_photo_has_its_boxes_from_whichever_folder_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    names = ("a/x.jpg", "../a/y.jpg", f"{tmp_path}/a/z.jpg")
    rows = "".join(f"{name},1,2,3,4\n" for name in names)
    (tmp_path / "boxes.csv").write_text(f"photo,x,y,width,height\n{rows}")
    boxes = read_boxes(tmp_path / "boxes.csv")
    monkeypatch.chdir(tmp_path / "a")
    for name in ("x.jpg", "y.jpg", "z.jpg", "../a/x.jpg", "s3://bucket/a/x.jpg"):
        assert boxes.of(name) == [NamedBox("", 1, 2, 3, 4)]


@pytest.mark.parametrize("box", [(-10, -10, 20, 20), (90, 40, 50, 50), (500, 500, 5, 5)])
def test_boxes_are_cut_at_the_photo_s_rim(box: tuple[float, ...]) -> None:
    rows, columns = NamedBox("", *box).slices(60, 100)
    assert 0 <= rows.start <= rows.stop <= 60 and 0 <= columns.start <= columns.stop <= 100


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "[]"),
        ("a.json", "no json"),
        ("a.json", json.dumps(COCO).replace("[10, 20", f"[10, {10**400}")),
        ("a.json", '{"images": [], "annotations": [{"image_id": 1, "bbox": [0, 0, 1, 1]}]}'),
        ("a.csv", "photo,left\nx,1\n"),
        ("a.csv", f"photo,x,y,width,height\nx.jpg,1,2,3,{'4' * 200_000}\n"),
        ("a/x.jpg", "a folder of photos in place of labels"),
    ],
)
def test_what_holds_no_boxes_is_refused(name: str, content: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    given = file.parent if name.startswith("a/") else file
    with pytest.raises(ConfigError, match="holds no boxes; give COCO JSON, CSV in UTF-8 with"):
        read_boxes(given)


def grid(value: float) -> npt.NDArray[np.float32]:
    return np.full((20, 20), value, np.float32)


@pytest.mark.parametrize(
    ("sigma", "length", "focus_y", "word"),
    [
        (0.7, 0, 10, "sharp"),
        (4, 0, 10, "focus behind"),
        (4, 0, 300, "focus before"),
        (4, 14, 10, "subject moved"),
        (4, 0, None, "soft"),
        (np.nan, np.nan, 10, "cannot tell"),
    ],
)
def test_a_box_gets_a_verdict_of_its_own(
    sigma: float, length: float, focus_y: int | None, word: str
) -> None:
    blurred = np.ones((20 * CELL, 20 * CELL), np.float32)
    inside = (slice(5 * CELL, 10 * CELL), slice(5 * CELL, 10 * CELL))
    amounts = BlurAmounts(grid(sigma), grid(length), grid(0))
    focus = None if focus_y is None else SharpestPart(0.6, focus_y, 1)
    assert judge_box(blurred, amounts, focus, inside)[0].word == word


def test_what_is_measured_soft_and_seen_sharp_is_not_said_to_be_out_of_focus() -> None:
    sharp = np.zeros((20 * CELL, 20 * CELL), np.float32)
    inside = (slice(5 * CELL, 10 * CELL), slice(5 * CELL, 10 * CELL))
    amounts = BlurAmounts(grid(4), grid(0), grid(0))
    assert judge_box(sharp, amounts, SharpestPart(0.6, 10, 1), inside)[0].word == "cannot tell"
    # So little blur no map can see.
    amounts = BlurAmounts(grid(1.21), grid(0), grid(0))
    large = np.zeros((60 * CELL, 60 * CELL), np.float32)
    assert judge_box(large, amounts, SharpestPart(0.6, 10, 1), inside)[0].word == "focus behind"


@pytest.mark.parametrize("turn", [1, 3], ids=["upright", "turned"])
def test_rows_hold_what_is_said_of_boxes_in_the_photo_as_it_is_seen(
    turn: int, tmp_path: Path, tiny_weights: Path, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    photo = cv2.resize(sharp_photo, (512, 384), interpolation=cv2.INTER_NEAREST)
    photo[:, 256:] = cv2.GaussianBlur(photo, (0, 0), 5)[:, 256:]
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    stored = photo if turn == 1 else photo[::-1, ::-1].copy()
    PIL.Image.fromarray(stored).save(tmp_path / "x.png", exif=exif)
    rows = "photo,label,x,y,width,height\nx.png,left,20,20,180,300\nx.png,right,300,20,180,300\n"
    (tmp_path / "boxes.csv").write_text(rows)
    (row,) = rank_photos(tmp_path / "x.png", boxes=tmp_path / "boxes.csv", method=str(tiny_weights))
    left, right = row["boxes"]
    assert (left["label"], right["label"]) == ("left", "right")
    assert left["sigma"] < 1.2 < right["sigma"]
    assert left["verdict"] == "sharp" != right["verdict"]
    (again,) = rank_photos(tmp_path / "x.png", method=str(tiny_weights))
    assert again["boxes"] is None


def test_a_photo_is_measured_again_where_its_boxes_have_changed(
    tmp_path: Path, tiny_weights: Path, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    PIL.Image.fromarray(sharp_photo).save(tmp_path / "x.png")
    PIL.Image.fromarray(sharp_photo).save(tmp_path / "y.png")

    def boxes_of_x() -> list[str]:
        rows = rank_photos(tmp_path, boxes=labels, method=str(tiny_weights))
        (row,) = (row for row in rows if row["photo"].endswith("x.png"))
        return [box["label"] for box in row["boxes"]]

    (labels / "other.txt").write_text("0 .5 .5 .2 .2\n")
    (labels / "y.txt").write_text("0 .5 .5 .2 .2\n")
    assert boxes_of_x() == []
    (labels / "other.txt").rename(labels / "x.txt")
    assert boxes_of_x() == ["0"]
    (labels / "y.txt").write_text("")
    (labels / "x.txt").write_text("0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n")
    assert boxes_of_x() == ["0", "0"]


def test_boxes_of_other_photos_leave_a_photo_measured(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").touch()
    (tmp_path / "x.txt").write_text("0 .5 .5 .2 .2\n")
    task = MeasureTask("dbm-lite", boxes=read_boxes(tmp_path))
    (tmp_path / "y.txt").write_text("0 .5 .5 .2 .2\n")
    more = MeasureTask("dbm-lite", boxes=read_boxes(tmp_path))
    assert more.digest_settings() == task.digest_settings()
    assert more.identify(tmp_path / "x.jpg") == task.identify(tmp_path / "x.jpg")
    assert more.identify(tmp_path / "x.jpg") != MeasureTask("dbm-lite").identify(tmp_path / "x.jpg")
