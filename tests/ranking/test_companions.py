"""What belongs to a photo travels with it, and nothing is lost on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

import pytest

from blurmapper import parts
from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.ranking.bringing import copy_photos, move_photos
from blurmapper.ranking.companions import Folders

from .conftest import contents, write

Bring = Callable[..., Generator[Path | BlurMapperError]]

BOTH = pytest.mark.parametrize("bring", [copy_photos, move_photos])


@BOTH
@pytest.mark.parametrize(
    "name",
    [
        *("IMG_1.JPG.xmp", "IMG_1.JPG.XMP", "IMG_1.xmp", "IMG_1.XMP", "IMG_1_01.JPG.xmp"),
        *("IMG_1.JPG.pp3", "IMG_1.JPG.out.pp3", "IMG_1.pp3", "IMG_1.AAE", "IMG_1.aae"),
        *("IMG_1.MOV", "IMG_1.mov", "IMG_1.JPG.dop", "IMG_1.on1", "IMG_1.JPG.json"),
        *("IMG_1.JPG.supplemental-metadata.json", "IMG_1.JPG.supplemental-m.json"),
        "IMG_1.JPG..json",
    ],
)
def test_what_belongs_to_a_photo_goes_with_it(bring: Bring, name: str, tmp_path: Path) -> None:
    photo = write(tmp_path / "in", "IMG_1.JPG", name)
    assert list(bring([photo], tmp_path / "out")) == [tmp_path / "out" / "IMG_1.JPG"]
    assert contents(tmp_path / "out") == {n: f"in/{n}" for n in sorted(["IMG_1.JPG", name])}
    assert len(list((tmp_path / "in").iterdir())) == (2 if bring is copy_photos else 0)


@BOTH
@pytest.mark.parametrize("end", [".MP", ".mp", ".MV", ".MP~2"])
def test_the_clip_of_a_motion_photo_goes_with_it(bring: Bring, end: str, tmp_path: Path) -> None:
    for folder in ("in", "more"):
        photo = write(tmp_path / folder, f"PXL_1{end}.jpg", f"PXL_1{end}", "PXL_1.MP.txt")
        list(bring([photo], tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        f"PXL_1{end}": f"in/PXL_1{end}",
        f"PXL_1{end}.jpg": f"in/PXL_1{end}.jpg",
        f"PXL_1-2{end}": f"more/PXL_1{end}",
        f"PXL_1-2{end}.jpg": f"more/PXL_1{end}.jpg",
    }


@BOTH
def test_what_belongs_to_others_stays(bring: Bring, tmp_path: Path) -> None:
    others = ("IMG_2.xmp", "IMG_1_01.JPG", "IMG_1_01.JPG.xmp", "IMG_11.AAE", "IMG_1.CR2.xmp")
    made = ("IMG_1.JPG.blur.png", "IMG_1.txt", "IMG_1.CR2")
    photo = write(tmp_path / "in", "IMG_1.JPG", *others, *made)
    list(bring([photo], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["IMG_1.JPG"]


@BOTH
@pytest.mark.parametrize(
    "described",
    ["{}(1).json", "{}.supplemental-metadata(1).json", "{}.suppl(1).json", "{}.(1).json"],
)
def test_takeout_s_numbered_metadata_goes_with_the_numbered_photo(
    bring: Bring, described: str, tmp_path: Path
) -> None:
    names = [described.format("IMG_1.JPG"), described.format("IMG_1.JPG").replace("(1)", "")]
    first = write(tmp_path / "in", "IMG_1.JPG", "IMG_1(1).JPG", *names)
    list(bring([first], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["IMG_1.JPG", names[1]]
    write(tmp_path / "out", "IMG_1(1).JPG")
    list(bring([tmp_path / "in" / "IMG_1(1).JPG"], tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        "IMG_1(1).JPG": "out/IMG_1(1).JPG",
        "IMG_1(1)-2.JPG": "in/IMG_1(1).JPG",
        names[1].replace("IMG_1", "IMG_1(1)-2"): f"in/{names[0]}",
        "IMG_1.JPG": "in/IMG_1.JPG",
        names[1]: f"in/{names[1]}",
    }
    assert len(contents(tmp_path / "in")) == (4 if bring is copy_photos else 0)


def test_what_twins_share_is_copied_until_the_last_of_them_moves(tmp_path: Path) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.cr2", "a.xmp", "a.jpg.xmp")
    list(move_photos([photo], tmp_path / "out"))
    assert list(contents(tmp_path / "in")) == ["a.cr2", "a.xmp"]
    list(move_photos([tmp_path / "in" / "a.cr2"], tmp_path / "out"))
    assert contents(tmp_path / "in") == {}
    assert list(contents(tmp_path / "out")) == ["a.cr2", "a.jpg", "a.jpg.xmp", "a.xmp"]


@BOTH
def test_a_number_is_given_to_all_that_belongs_together(bring: Bring, tmp_path: Path) -> None:
    write(tmp_path / "out", "a.aae")
    photo = write(tmp_path / "in", "a.jpg", "a.AAE", "a.xmp", "a_01.jpg.xmp")
    list(bring([photo], tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        "a.aae": "out/a.aae",
        "a-2.AAE": "in/a.AAE",
        "a-2.jpg": "in/a.jpg",
        "a-2.xmp": "in/a.xmp",
        "a-2_01.jpg.xmp": "in/a_01.jpg.xmp",
    }


@BOTH
def test_names_with_dots_keep_what_is_theirs(bring: Bring, tmp_path: Path) -> None:
    theirs = ["a.1.jpg", "a.1.xmp", "a.1_01.jpg.xmp", "a.1.jpg.json", "a.1.MOV"]
    photo = write(tmp_path / "in", *theirs)
    write(tmp_path / "in", "a.2.jpg", "a.2.xmp", "a.xmp", "a.10.xmp", "a.1.2.xmp", "a.1")
    list(bring([photo], tmp_path / "out"))
    assert sorted(contents(tmp_path / "out")) == sorted(theirs)


def test_of_sidecars_that_differ_by_capitals_it_is_always_the_same(tmp_path: Path) -> None:
    names = [f"x.jpg.{a}{b}{c}" for a in "xX" for b in "mM" for c in "pP"]
    photo = write(tmp_path / "in", "x.jpg", *names[1:])
    assert Folders().find_alike(photo, photo.with_name("x.jpg.xmp")).name == "x.jpg.XMP"


@BOTH
def test_a_photo_does_not_get_another_s_sidecar(bring: Bring, tmp_path: Path) -> None:
    write(tmp_path / "out", "a.xmp")
    list(bring([write(tmp_path / "in", "a.jpg")], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["a-2.jpg", "a.xmp"]


def test_copying_again_adds_what_is_new_and_replaces_nothing(tmp_path: Path) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.jpg.xmp")
    list(copy_photos([photo], tmp_path / "out"))
    (tmp_path / "out" / "a.jpg.xmp").write_text("edited since")
    write(tmp_path / "in", "a.AAE")
    list(copy_photos([photo], tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        "a.AAE": "in/a.AAE",
        "a.jpg": "in/a.jpg",
        "a.jpg.xmp": "edited since",
    }


def test_a_relative_link_still_leads_where_it_led(tmp_path: Path) -> None:
    write(tmp_path / "kept", "real.jpg", "real.xmp")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").symlink_to("../kept/real.jpg")
    (tmp_path / "in" / "a.xmp").symlink_to("../kept/real.xmp")
    out = tmp_path / "far" / "out"
    list(move_photos([tmp_path / "in" / "a.jpg"], out))
    assert (out / "a.jpg").is_symlink() and (out / "a.xmp").is_symlink()
    assert contents(out) == {"a.jpg": "kept/real.jpg", "a.xmp": "kept/real.xmp"}
    assert contents(tmp_path / "in") == {}


@pytest.mark.parametrize("names", [("link.jpg", "real.jpg"), ("real.jpg", "link.jpg")])
def test_a_link_follows_its_photo(names: tuple[str, str], tmp_path: Path) -> None:
    write(tmp_path / "in", "real.jpg", "real.xmp")
    (tmp_path / "in" / "link.jpg").symlink_to("real.jpg")
    (tmp_path / "in" / "real.jpg.xmp").symlink_to("real.xmp")
    list(move_photos([tmp_path / "in" / name for name in names], tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        "link.jpg": "in/real.jpg",
        "real.jpg": "in/real.jpg",
        "real.jpg.xmp": "in/real.xmp",
        "real.xmp": "in/real.xmp",
    }
    assert all((tmp_path / "out" / name).is_symlink() for name in ("link.jpg", "real.jpg.xmp"))


@BOTH
def test_what_a_killed_run_left_is_removed(bring: Bring, tmp_path: Path) -> None:
    photo = write(tmp_path / "out", "a.jpg")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    # Its process is gone, and there is nothing left to be written in this folder.
    with parts.part_in(tmp_path) as part:
        name = part.name.replace(f"-{os.getpid()}-", f"-{child.pid}-")
    (tmp_path / "out" / name).write_text("half")
    list(bring([photo], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["a.jpg"]


def test_a_link_in_the_folder_is_no_reason_to_remove_its_photo(tmp_path: Path) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.xmp")
    (tmp_path / "out").mkdir()
    for name in ("a.jpg", "a.xmp"):
        (tmp_path / "out" / name).symlink_to(f"../in/{name}")
    list(move_photos([photo], tmp_path / "out"))
    assert contents(tmp_path / "in") == {"a.jpg": "in/a.jpg", "a.xmp": "in/a.xmp"}


def test_a_move_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.xmp", "a.AAE")
    (tmp_path / "out").mkdir()
    for name in ("a.jpg", "a.xmp"):
        os.link(tmp_path / "in" / name, tmp_path / "out" / name)
    list(move_photos([photo], tmp_path / "out"))
    assert list(contents(tmp_path / "out")) == ["a.AAE", "a.jpg", "a.xmp"]
    assert contents(tmp_path / "in") == {}


@BOTH
def test_a_photo_arrives_after_what_belongs_to_it(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.xmp", "a.AAE")
    seen = []

    def put(part: Path, target: Path) -> None:
        parts.put_in_place(part, target)
        seen.append(target.name)

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("blurmapper.ranking.putting.put_in_place", put)
    list(bring([photo], tmp_path / "out"))
    assert seen == ["a.AAE", "a.xmp", "a.jpg"]


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


@BOTH
def test_what_fails_midway_is_undone(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.xmp")
    before = contents(tmp_path / "in")
    link = os.link

    def refuse_second(source: Path, target: Path) -> None:
        if Path(target).suffix == ".xmp":
            refuse()
        link(source, target)

    monkeypatch.setattr(os, "link", refuse_second)
    monkeypatch.setattr("blurmapper.ranking.putting.put_in_place", _put_but_xmp)
    (error,) = bring([photo], tmp_path / "out")
    assert isinstance(error, ImageError)
    assert contents(tmp_path / "in") == before
    assert contents(tmp_path / "out") == {}


def _put_but_xmp(part: Path, target: Path) -> None:
    if target.suffix == ".xmp":
        refuse()
    parts.put_in_place(part, target)


def test_a_photo_that_cannot_be_taken_away_is_not_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "in", "a.jpg", "a.xmp")
    unlink = Path.unlink

    def refuse_source(path: Path, *, missing_ok: bool = False) -> None:
        if path.parent.name == "in":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse_source)
    (error,) = move_photos([photo], tmp_path / "out")
    assert "a.jpg: cannot be moved (Permission denied)" in str(error)
    assert contents(tmp_path / "out") == {}
    assert list(contents(tmp_path / "in")) == ["a.jpg", "a.xmp"]


def test_a_copy_has_no_name_before_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "in", "a.jpg")
    seen: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend((tmp_path / "out").iterdir()))
    list(copy_photos([photo], tmp_path / "out"))
    assert [path.suffix for path in seen] == [".part"]
    assert list(contents(tmp_path / "out")) == ["a.jpg"]


def test_an_interruption_never_takes_the_last_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "in", "a.jpg")
    unlink = Path.unlink

    def interrupt(path: Path, *, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        if path == photo:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(move_photos([photo], tmp_path / "out"))
    assert contents(tmp_path / "out") == {"a.jpg": "in/a.jpg"}
