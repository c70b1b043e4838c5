"""The report's folder: its pictures, its page, and the picks that it saves."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote, unquote_to_bytes

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import Result, find_photos, run_task
from blurmapper.errors import BlurMapperError, ConfigError, ImageError
from blurmapper.methods import MethodOptions
from blurmapper.ranking.boxes import read_boxes
from blurmapper.ranking.marks import Mark
from blurmapper.ranking.measuring import to_record
from blurmapper.ranking.picks import MADE_BY, read_picks
from blurmapper.ranking.records import Word
from blurmapper.ranking.report import (
    FILES,
    ReportTask,
    find_subject,
    join_scripts,
    write_report,
)
from blurmapper.ranking.tables import make_ranking
from blurmapper.weights import read_card

WriteReport = Callable[..., dict[str, Any]]


@pytest.fixture
def photos(tmp_path: Path, sharp_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of two photos, one with a name that could end a script."""
    folder = tmp_path / "in"
    folder.mkdir()
    PIL.Image.fromarray(cv2.GaussianBlur(sharp_photo, (0, 0), 4)).save(folder / "a b.png")
    PIL.Image.fromarray(sharp_photo).save(folder / "<script>.png")
    return folder


@pytest.fixture
def report(tiny_weights: Path) -> WriteReport:
    """Folders of photos, of the report, of more photos -> what the page is made of."""

    def write(folder: Path, output: Path, *more: Path) -> dict[str, Any]:
        task = ReportTask(str(tiny_weights), MethodOptions(threads=1))
        photos = find_photos([folder, *more])
        results = list(run_task(task, photos, output / FILES))
        done = {Path(str(each.photo)): each for each in results if isinstance(each, Result)}
        page = write_report(make_ranking(map(to_record, results)), done, output)
        found = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"))
        assert found is not None
        data: dict[str, Any] = json.loads(found[1])
        return data

    return write


def test_every_photo_is_in_the_page_with_its_pictures(
    photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    data = report(photos, tmp_path / "out")
    assert [photo["path"] for photo in data["photos"]] == ["<script>.png", "a b.png"]
    assert Path(data["folder"]) == photos
    for photo in data["photos"]:
        links = [photo["thumb"], photo["overlay"], photo["full"]]
        links += [crop["url"] for crop in photo["crops"]]
        for link in links:
            with PIL.Image.open(tmp_path / "out" / unquote(link)) as picture:
                picture.load()


def test_picks_of_this_folder_and_one_beside_it_can_be_carried_out(
    photos: Path, report: WriteReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep" / "here").mkdir(parents=True)
    (tmp_path / "deep" / "beside").mkdir()
    (photos / "a b.png").rename(tmp_path / "deep" / "here" / "a b.png")
    (photos / "<script>.png").rename(tmp_path / "deep" / "beside" / "c.png")
    (photos / "link").symlink_to(tmp_path / "deep" / "here")
    for place, here in ((tmp_path / "deep" / "here", "."), (photos, "link")):
        monkeypatch.chdir(place)
        data = report(Path(here), Path("out"), Path(here, "..", "beside"))
        for photo in data["photos"]:
            assert Path("out", unquote(photo["full"])).samefile(Path(data["folder"], photo["path"]))
        file = tmp_path / "picks.json"
        chosen = [{"photo": photo["path"], "flag": "pick"} for photo in data["photos"]]
        file.write_text(picks_of(*chosen, folder=data["folder"]))
        assert [path.name for path in read_picks(file).marks] == ["c.png", "a b.png"]
        assert all(path.is_file() for path in read_picks(file).marks)


def test_a_photo_that_takes_anothers_name_has_a_key_of_its_own(
    photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    def keys() -> dict[str, str]:
        data = report(photos, tmp_path / "out")
        return {photo["path"]: photo["key"] for photo in data["photos"]}

    before = keys()
    with PIL.Image.open(photos / "a b.png") as photo:
        photo.transpose(PIL.Image.Transpose.ROTATE_180).save(photos / "a b.png")
    after = keys()
    assert after.pop("a b.png") != before.pop("a b.png")
    assert after == before


def test_a_panorama_of_the_longest_kind_has_its_pictures(
    report: WriteReport, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    wide = np.random.default_rng(0).integers(0, 256, (16, 1600, 3), np.uint8)
    PIL.Image.fromarray(wide).save(tmp_path / "in" / "wide.png")
    (photo,) = report(tmp_path / "in", tmp_path / "out")["photos"]
    with PIL.Image.open(tmp_path / "out" / unquote(photo["thumb"])) as thumb:
        assert thumb.size == (400, 4)


@pytest.mark.parametrize("name", ["plain", "a.png.orig", "a.png"])
def test_pictures_of_a_photo_of_any_name_are_taken_for_no_photos(
    name: str, photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    photo = (photos / "a b.png").rename(tmp_path / name)
    report(photo, tmp_path / "out")
    assert len(list((tmp_path / "out" / FILES).glob(f"{name}.*"))) == 4
    assert find_photos([tmp_path / "out"]).photos == []


def test_names_that_are_not_utf_8_are_linked_byte_by_byte(
    photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    (photos / "a b.png").rename(photos / os.fsdecode(b"a\xe4.png"))
    photo = report(photos, tmp_path / "out")["photos"][1]
    assert (tmp_path / "out" / os.fsdecode(unquote_to_bytes(photo["full"]))).is_file()
    assert (tmp_path / "out" / os.fsdecode(unquote_to_bytes(photo["thumb"]))).is_file()


def test_pictures_that_are_there_are_not_made_again(
    photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    report(photos, tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / FILES).rglob("*.jpg")}
    report(photos, tmp_path / "out")
    assert times == {path: path.stat().st_mtime_ns for path in times}


@pytest.mark.parametrize("turn", [1, 3, 6])
def test_webp_that_browsers_do_not_turn_is_shown_by_its_copies(
    turn: int, photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    exif = PIL.Image.Exif()
    exif[274] = turn
    PIL.Image.new("RGB", (64, 48)).save(photos / "x.webp", exif=exif)
    full = {each["name"]: each["full"] for each in report(photos, tmp_path / "o")["photos"]}
    assert full["a b.png"] and bool(full["x.webp"]) is (turn == 1)


def test_another_page_of_that_name_is_left_alone(
    photos: Path, report: WriteReport, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("<!doctype html>mine")
    with pytest.raises(ImageError, match="not of blurmapper's making"):
        report(photos, tmp_path / "out")
    assert (tmp_path / "out" / "index.html").read_text() == "<!doctype html>mine"


def test_scripts_are_joined_without_imports_and_names_twice() -> None:
    script = join_scripts()
    assert not re.search(r"(?m)^(import|export) ", script)
    names = re.findall(r"(?m)^(?:class|function|const|let) (\w+)", script)
    assert len(names) == len(set(names))


def test_the_page_knows_all_words_of_verdicts() -> None:
    said = re.search(r"VERDICTS = (\[.*?\]);", join_scripts())
    assert said is not None
    assert json.loads(said[1]) == list(get_args(Word))


def test_the_subject_is_in_the_middle_of_the_largest_sharp_part() -> None:
    blur_map = np.ones((300, 400), np.float32)
    blur_map[100:200, 40:140] = 0
    blur_map[20:40, 300:320] = 0
    row, column = find_subject(blur_map)
    assert abs(row - 150) <= 3 and abs(column - 90) <= 3


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_a_map_of_one_value_has_its_subject_in_the_middle(value: float) -> None:
    row, column = find_subject(np.full((300, 400), value, np.float32))
    assert abs(row - 150) <= 5 and 100 <= column <= 300


def picks_of(*photos: dict[str, Any], folder: str = "/photos", made_by: str = MADE_BY) -> str:
    return json.dumps({"made_by": made_by, "folder": folder, "photos": photos})


def test_picks_become_marks(tmp_path: Path) -> None:
    file = tmp_path / "picks.json"
    file.write_text(
        picks_of(
            {"photo": "a/b.jpg", "flag": "pick", "rating": 4},
            {"photo": "c.jpg", "flag": "reject", "rating": 2},
            {"photo": "d.jpg", "flag": None, "rating": 5},
        )
    )
    picks = read_picks(file)
    assert picks.marks == {
        Path("/photos/a/b.jpg"): Mark(4, flag="pick"),
        Path("/photos/c.jpg"): Mark(-1, flag="reject"),
        Path("/photos/d.jpg"): Mark(5),
    }
    assert [photo.name for photo in picks.select("pick")] == ["b.jpg"]
    assert [photo.name for photo in picks.select("reject")] == ["c.jpg"]
    assert [photo.name for photo in picks.select("4")] == ["b.jpg", "d.jpg"]
    with pytest.raises(ConfigError, match="say pick, reject, or 1 to 5"):
        picks.select("best")


def test_photos_may_have_moved(tmp_path: Path) -> None:
    file = tmp_path / "picks.json"
    file.write_text(picks_of({"photo": "a.jpg", "flag": "pick"}))
    assert list(read_picks(file, tmp_path).marks) == [tmp_path / "a.jpg"]


def test_a_folder_that_was_dropped_is_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shoot = tmp_path / "shoot"
    (shoot / "raw").mkdir(parents=True)
    (shoot / "a.jpg").touch()
    file = tmp_path / "picks.json"
    names = ["shoot/a.jpg", "shoot/raw/gone.jpg"]
    chosen = [{"photo": name, "flag": "pick"} for name in names]
    file.write_text(picks_of(*chosen, folder=""))
    monkeypatch.chdir(shoot)
    for folder in (shoot, tmp_path, Path(), Path("raw/..")):
        assert [path.resolve() for path in read_picks(file, folder).marks] == [
            tmp_path / name for name in names
        ]
    # A folder within of the same name is what a report says it is, also once photos have gone.
    (shoot / "shoot").mkdir()
    file.write_text(picks_of(*chosen, folder=str(shoot)))
    assert list(read_picks(file, shoot).marks) == [shoot / name for name in names]
    file.write_text(picks_of(*chosen, folder=""))
    (shoot / "shoot" / "a.jpg").touch()
    assert list(read_picks(file, shoot).marks) == [shoot / name for name in names]


@pytest.mark.parametrize("read", [read_picks, read_boxes, read_card])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_not_waited_for(
    kind: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "picks.json" if kind == "pipe" else Path("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(BlurMapperError, match=r"cannot be read \(it is no regular file\)"):
        read(path)


def test_picks_that_another_program_saved_anew_are_read(tmp_path: Path) -> None:
    file = tmp_path / "picks.json"
    file.write_text("\ufeff" + picks_of({"photo": "a.jpg", "rating": 4.0}), "utf-8")
    (mark,) = read_picks(file).marks.values()
    assert str(mark) == "4 stars"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"photos": []}',
        picks_of(made_by="another"),
        picks_of({"photo": "../a.jpg", "flag": "pick"}),
        picks_of({"photo": "/etc/a.jpg", "flag": "pick"}),
        picks_of({"photo": "", "flag": "pick"}),
        picks_of({"photo": "a.jpg", "flag": "delete"}),
        picks_of({"photo": "a.jpg", "rating": 9}),
        picks_of({"photo": "a.jpg", "rating": []}),
    ],
)
def test_a_file_that_holds_no_picks_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "picks.json").write_text(content)
    with pytest.raises(ConfigError, match="holds no picks of a report"):
        read_picks(tmp_path / "picks.json")
