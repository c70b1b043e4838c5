"""Chosen photos reach the folder, and nothing is lost on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from blurmapper.errors import ImageError
from blurmapper.ranking import putting
from blurmapper.ranking.bringing import copy_photos, move_photos


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone may")
@pytest.mark.parametrize("bring", [copy_photos, move_photos])
def test_a_move_across_disks_keeps_the_owner(
    bring: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    photo = write(tmp_path / "in" / "a.jpg", "a")
    photo.chmod(0o600)
    os.chown(photo, 1234, 2345)
    list(bring([photo], tmp_path / "out"))  # type: ignore[call-overload]
    status = (tmp_path / "out" / "a.jpg").stat()
    expected = (1234, 2345) if bring is move_photos else (os.geteuid(), os.getegid())
    assert (status.st_uid, status.st_gid) == expected
    assert status.st_mode & 0o777 == 0o600


def test_a_move_that_fails_midway_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(putting.shutil, "copyfileobj", fail)
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


@pytest.mark.parametrize("bring", [copy_photos, move_photos])
def test_a_dry_run_says_what_comes_and_does_nothing(
    bring: Callable[..., list[Path]], tmp_path: Path
) -> None:
    write(tmp_path / "out" / "b.jpg", "there before")
    photos = [
        write(tmp_path / folder / name, folder)
        for folder, name in (("one", "a.jpg"), ("two", "a.jpg"), ("two", "b.jpg"))
    ]
    before = sorted(tmp_path.rglob("*"))
    said = list(bring(photos, tmp_path / "out", dry_run=True))
    assert sorted(tmp_path.rglob("*")) == before
    assert list(bring(photos, tmp_path / "out")) == said


def test_a_dry_run_makes_no_folder(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", "a")
    assert list(copy_photos([photo], tmp_path / "out", dry_run=True)) == [tmp_path / "out/a.jpg"]
    assert not (tmp_path / "out").exists()


def test_two_names_of_one_file_are_moved_as_two_photos(tmp_path: Path) -> None:
    first = write(tmp_path / "one" / "a.jpg", "a")
    second = tmp_path / "two" / "a.jpg"
    write(tmp_path / "two" / "a.jpg.xmp", "of the second")
    os.link(first, second)
    said = list(move_photos([first, second], tmp_path / "out", dry_run=True))
    assert list(move_photos([first, second], tmp_path / "out")) == said
    assert contents(tmp_path / "out") == {
        "a.jpg": "a",
        "a-2.jpg": "a",
        "a-2.jpg.xmp": "of the second",
    }


def test_a_name_of_the_same_file_with_another_edit_is_no_killed_move(tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "a")
    write(tmp_path / "in" / "a.jpg.xmp", "of this")
    write(tmp_path / "out" / "a.jpg.xmp", "of another")
    os.link(photo, tmp_path / "out" / "a.jpg")
    assert list(move_photos([photo], tmp_path / "out")) == [tmp_path / "out" / "a-2.jpg"]
    assert contents(tmp_path / "out")["a-2.jpg.xmp"] == "of this"


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize("name", ["a.xmp", "a.jpg.xmp"])
def test_equal_photos_keep_their_own_edits(name: str, dry: bool, tmp_path: Path) -> None:
    photos = [write(tmp_path / folder / "a.jpg", "same") for folder in ("one", "two")]
    write(tmp_path / "one" / "a.jpg.xmp", "of the first")
    write(tmp_path / "two" / name, "of the second")
    out = tmp_path / "out"
    expected = [out / "a.jpg", out / "a-2.jpg"]
    assert list(copy_photos(photos, out, dry_run=dry)) == expected
    assert list(copy_photos(photos, out)) == expected
    assert contents(out) == {
        "a.jpg": "same",
        "a.jpg.xmp": "of the first",
        "a-2.jpg": "same",
        name.replace("a", "a-2"): "of the second",
    }


def test_copying_again_says_what_it_did_not_replace(tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "a")
    sidecar = write(tmp_path / "in" / "a.jpg.xmp", "first edit")
    list(copy_photos([photo], tmp_path / "out"))
    sidecar.write_text("second edit")
    for dry_run in (True, False):
        (error,) = copy_photos([photo], tmp_path / "out", dry_run=dry_run)
        assert isinstance(error, ImageError)
        assert "a.jpg.xmp stayed behind; move that photo away" in str(error)
    assert contents(tmp_path / "out") == {"a.jpg": "a", "a.jpg.xmp": "first edit"}


def test_a_link_follows_its_photo_also_in_a_move_that_is_broken_off(tmp_path: Path) -> None:
    more, real = (write(tmp_path / "in" / f"{name}.jpg", name) for name in ("more", "real"))
    (tmp_path / "in" / "link.jpg").symlink_to("real.jpg")
    out = tmp_path / "out"
    moving = move_photos([tmp_path / "in" / "link.jpg", real, more], out)
    assert [next(moving), next(moving)] == [out / "link.jpg", out / "real.jpg"]
    moving.close()
    assert contents(out) == {"link.jpg": "real", "real.jpg": "real"}
    assert contents(tmp_path / "in") == {"more.jpg": "more"}
