"""The list of photos that failed, in the output folder."""

from __future__ import annotations

import csv
import errno
import os
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from blurmapper.batch import Failures, How, MapTask, find_photos, real_path, run_task
from blurmapper.batch.failures import fail
from blurmapper.errors import ImageError
from blurmapper.locations import Location, find_location, open_file


def write_photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (32, 24), (90, 120, 60)).save(path)


def read_failures(out: Path) -> list[list[str]]:
    with (out / "failures.csv").open(newline="") as stream:
        return list(csv.reader(stream))


def test_failures_are_listed_until_their_photos_succeed(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        failures = Failures(tmp_path)
        photo = tmp_path / name
        failures.add(str(photo), "is gone")
        failures.write()
    header, *rows = read_failures(tmp_path)
    assert header == ["file", "reason"]
    assert rows == [[str(tmp_path / name), "is gone"] for name in ("a.png", "b.png")]
    failures = Failures(tmp_path)
    failures.clear(str(tmp_path / "a.png"))
    failures.write()
    assert read_failures(tmp_path)[1:] == rows[1:]


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_list_of_failures_that_a_spreadsheet_saved_is_gone_on_with(
    mark: str, tmp_path: Path
) -> None:
    rows = (("file", "reason"), ("/a.png", "is gone"), ("/ö.png", "is gone"))
    saved = "".join(f"{mark.join(row)}\r\n" for row in rows)
    (tmp_path / "failures.csv").write_text(saved, "utf-8-sig", newline="")
    failures = Failures(tmp_path)
    failures.clear("/a.png")
    failures.write()
    assert read_failures(tmp_path) == [["file", "reason"], ["/ö.png", "is gone"]]


def test_two_runs_lose_no_failures_of_each_other(tmp_path: Path) -> None:
    before = Failures(tmp_path)
    for name in ("old", "older"):
        before.add(f"/{name}.png", "is gone")
    before.write()
    first, second = Failures(tmp_path), Failures(tmp_path)
    for failures, name, mended in ((first, "a", "old"), (second, "b", "older")):
        failures.add(f"/{name}.png", "is gone")
        failures.clear(f"/{mended}.png")
        failures.write()
    first.add("/c.png", "is gone")
    first.write()
    assert read_failures(tmp_path)[1:] == [[f"/{name}.png", "is gone"] for name in "abc"]


def test_what_another_run_has_mended_is_not_put_back(tmp_path: Path) -> None:
    first = Failures(tmp_path)
    first.add("/x.png", "is gone")
    first.write()
    second = Failures(tmp_path)
    second.clear("/x.png")
    second.write()
    first.add("/y.png", "is gone")
    first.write()
    assert read_failures(tmp_path)[1:] == [["/y.png", "is gone"]]


def test_an_error_that_is_its_own_cause_is_told(tmp_path: Path) -> None:
    error = ImageError("odd")
    error.__cause__ = error
    assert str(fail(tmp_path, error).error) == "odd"


def test_a_list_that_cannot_be_read_for_a_moment_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")

    def refuse(path: Location) -> None:
        raise ImageError(f"{path}: cannot be read")

    for output in (tmp_path, find_location("memory://failures")):
        listed = Failures(output)
        for name in ("/b", "/c"):
            listed.add(name, "is gone")
            listed.write()
        listed.add("/d", "is gone")
        with monkeypatch.context() as patched:
            patched.setattr("blurmapper.batch.failures.open_file", refuse)
            listed.write()
        with open_file(output / "failures.csv") as stream:
            lines = stream.read().decode().splitlines()
        assert [line[:2] for line in lines[1:]] == ["/b", "/c", "/d"]


def test_no_failures_make_no_file(tmp_path: Path) -> None:
    Failures(tmp_path).write()
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_no_text_are_listed_as_they_are(tmp_path: Path) -> None:
    photo = tmp_path / os.fsdecode(b'\xff\n".png')
    failures = Failures(tmp_path)
    failures.add(str(photo), "is gone")
    failures.write()
    assert b'\xff\n"".png' in (tmp_path / "failures.csv").read_bytes()
    failures = Failures(tmp_path)
    failures.clear(str(photo))
    failures.write()
    assert len(read_failures(tmp_path)) == 1


@pytest.mark.parametrize("name", ["e", "e/", "."])
def test_a_folder_leaves_the_list_of_failures_once_it_succeeds(
    name: str, tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e").mkdir()
    monkeypatch.chdir(tmp_path / "e" if name == "." else tmp_path)
    out, task = tmp_path / "out", MapTask(str(tiny_weights))

    def run_and_list(given: str | Path) -> str:
        list(run_task(task, find_photos([given]), out, How(list_failures=True)))
        return (out / "failures.csv").read_text()

    assert f"{tmp_path / 'e'},no photos in this folder" in run_and_list(name)
    assert f"{tmp_path / 'e'},no photos in this folder" in run_and_list(name)
    write_photo(tmp_path / "e" / "a.png")
    assert run_and_list(tmp_path / "e") == "file,reason\n"


def test_a_folder_below_leaves_the_list_once_it_can_be_listed(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(tmp_path / "in" / "a.png")
    write_photo(tmp_path / "in" / "sub" / "b.png")
    out, scandir = tmp_path / "out", os.scandir

    def refuse(path: str) -> Any:
        if Path(path).name == "sub":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    for scan, lines in ((refuse, 2), (scandir, 1)):
        monkeypatch.setattr(os, "scandir", scan)
        list(
            run_task(
                MapTask(str(tiny_weights)),
                find_photos([tmp_path / "in"]),
                out,
                How(list_failures=True),
            )
        )
        assert (out / "failures.csv").read_text().count("\n") == lines


def test_an_address_is_listed_without_its_keys() -> None:
    (failure,) = find_photos(["nope://key:secret@host/photos"]).failures
    assert real_path(failure.photo) == "nope://host/photos"
    assert "secret" not in str(failure.error)
