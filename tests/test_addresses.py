"""Addresses: what is read from them, what they are shown as, and what they are called."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blurmapper.addresses import Address
from blurmapper.batch import How, MagnifyTask, MapTask, Outputs, Result, find_photos, run_task
from blurmapper.datasets import SAMPLES
from blurmapper.errors import ConfigError, ImageError
from blurmapper.files import write_file
from blurmapper.images import read_map, write_map
from blurmapper.locations import find_location, open_file

fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")

ODD = ("my photos", "shoot#3", "[1]", "50%", "a%20b", "a+b", "Größe", "a:b@c", "..", "a//b")
"""Names that mean something else in addresses, or nothing."""


@pytest.fixture
def memory() -> Any:
    """A file system that is no disk, under ``memory://``."""
    return fsspec.filesystem("memory")


def address(text: str) -> Address:
    found = find_location(text)
    assert isinstance(found, Address)
    return found


@pytest.mark.parametrize("name", ODD)
def test_fsspec_gets_an_address_as_it_was_given(memory: Any, name: str) -> None:
    blur_map = np.eye(8, 9, dtype=np.float32)
    write_map(blur_map, f"memory://{name}/m.npy")
    assert memory.find("/") == [f"/{name}/m.npy"]
    np.testing.assert_array_equal(read_map(f"memory://{name}/m.npy"), blur_map)
    memory.pipe(f"/{name}/sub/x.jpg", b"x")
    found = find_photos([f"memory://{name}", f"memory://{name}/sub/x.jpg"])
    assert (found.failures, [below for _, below in found.photos]) == ([], ["sub/x.jpg"])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("s3://b/shoot#3/x.jpg", "b/shoot#3/x.jpg"),
        ("s3://b/my photos/[1]^.jpg", "b/my photos/[1]^.jpg"),
        ("s3://b/my%20photos/%231.jpg", "b/my photos/#1.jpg"),
        ("s3://b/what%3F/50%25.jpg", "b/what?/50%.jpg"),
        ("s3://b/50%", "b/50%"),
        ("s3://b/50%zz", "b/50%zz"),
        ("S3://b/Größe/", "b/Größe"),
        ("s3://b/a+b;c,d&e=f!$'()*", "b/a+b;c,d&e=f!$'()*"),
        ("s3://key:se%2Fcret@b/a", "b/a"),
        ("s3://b/photos/../maps/./x", "b/maps/x"),
        ("s3://b/photos/..", "b"),
        ("s3://b", "b"),
        ("gs://anonymous@b/a b#1", "b/a b#1"),
        ("abfs://c@acc.dfs.core.windows.net/a b#1", "c/a b#1"),
    ],
)
def test_pyarrow_gets_the_whole_path(text: str, path: str) -> None:
    region = "?region=eu-west-1" if text.lower().startswith("s3") else ""
    assert address(text + region)._open()[1] == path


@pytest.mark.parametrize(
    ("text", "shown", "name"),
    [
        ("s3://b/my%20photos/a%20b.jpg?region=eu", "s3://b/my photos/a b.jpg", "a b.jpg"),
        ("S3://b/what%3F.jpg", "s3://b/what?.jpg", "what?.jpg"),
        ("s3://key:se/cret@b/x.jpg", "s3://b/x.jpg", "x.jpg"),
        ("s3://b/a:b@c.jpg", "s3://b/a:b@c.jpg", "a:b@c.jpg"),
        ("hdfs://h:8020/a@b.jpg", "hdfs://h:8020/a@b.jpg", "a@b.jpg"),
        ("memory://a%20b.jpg", "memory://a%20b.jpg", "a%20b.jpg"),
        ("zip://sub/c.jpg::file:///d/z.zip", "zip://sub/c.jpg::file:///d/z.zip", "c.jpg"),
        ("zip://c.jpg::s3://key:secret@b/z.zip", "zip://c.jpg::s3://b/z.zip", "c.jpg"),
    ],
)
def test_an_address_is_called_as_its_file_is(text: str, shown: str, name: str) -> None:
    assert (str(address(text)), address(text).name) == (shown, name)


def test_what_two_addresses_ask_a_server_for_is_kept_apart() -> None:
    one, other = (address(f"https://h/get.jpg?id={number}&key=secret") for number in (1, 2))
    assert str(one) != str(other)
    assert str(one).startswith("https://h/get.jpg?") and "secret" not in str(one)
    assert (one.name, one.suffix) == ("get.jpg", ".jpg")
    assert str(address("s3://b/a.jpg?region=eu")) == str(address("s3://b/a.jpg"))


def test_the_root_of_a_store_is_a_folder_as_others_are(memory: Any) -> None:
    memory.pipe("/x.jpg", b"x")
    found = find_photos(["memory://", "memory://x.jpg"])
    assert [str(photo) for photo in found.locations()] == ["memory://x.jpg"]
    write_file(address("memory://") / "r.csv", "a")
    assert memory.find("/", withdirs=True) == ["/r.csv", "/x.jpg"]


def test_photos_in_an_archive_are_called_as_they_are_there(tmp_path: Path) -> None:
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("sub/c.jpg", b"c")
    alone, folder = f"zip://sub/c.jpg::{archive.as_uri()}", f"zip://::{archive.as_uri()}"
    assert [below for _, below in find_photos([alone]).photos] == ["c.jpg"]
    found = find_photos([folder, alone])
    assert [(str(photo), below) for photo, below in found.photos] == [(alone, "sub/c.jpg")]


def test_keys_are_in_no_error_line() -> None:
    for text in ("s3://key:sec/ret@b/x", "s3://key:sec%ret@b/x", "file://key:secret@h/x"):
        with pytest.raises((ConfigError, ImageError)) as raised:
            address(text).list_files()
        assert "ret@" not in str(raised.value) and "sec" not in str(raised.value)


def test_what_pyarrow_says_of_an_address_is_told() -> None:
    with pytest.raises(ConfigError, match=r"^s3://b/what: .*query parameter.*jpg"):
        address("s3://b/what?.jpg").list_files()


@pytest.mark.parametrize("name", [*ODD[:-2], "what?.jpg", os.fsdecode(b"\xff.jpg")])
def test_file_and_local_addresses_are_paths(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find_location((tmp_path / name).as_uri()) == tmp_path / name
    assert find_location((tmp_path / name).as_uri().replace("file:", "local:")) == tmp_path / name


def test_names_that_are_no_utf_8_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.fs

    class NoText:
        type = pyarrow.fs.FileType.File
        size, mtime_ns = 1, 1

        @property
        def path(self) -> str:
            return b"\xff.jpg".decode()

    class Store:
        type_name = "py"

        def get_file_info(self, asked: Any) -> list[Any]:
            if isinstance(asked, list):
                return [pyarrow.fs.FileInfo("x", pyarrow.fs.FileType.Directory)]
            return [NoText()]

    monkeypatch.setattr(Address, "_open", lambda self: (Store(), "x"))
    with pytest.raises(ImageError, match=r"^memory://x: cannot be listed \(.*; give files there"):
        address("memory://x").list_files()


def test_a_file_is_written_and_read_as_it_is_whatever_its_ending(memory: Any) -> None:
    place = address("memory://t/r.csv.gz")
    write_file(place, b"a,b\n")
    assert memory.cat("/t/r.csv.gz") == b"a,b\n"
    with open_file(place) as stream:
        assert stream.read() == b"a,b\n"


def test_files_of_a_photo_with_a_question_mark_are_of_the_kind_that_they_are_called(
    memory: Any, tiny_weights: Path
) -> None:
    content = (SAMPLES / "cat.jpg").read_bytes()
    memory.pipe("/odd/a?b.jpg", content)
    memory.pipe("/odd/c?d.bmp", content)
    method = str(tiny_weights)
    for task in (MapTask(method, outputs=Outputs(overlay=True)), MagnifyTask(method)):
        results = run_task(task, find_photos(["memory://odd"]), address("memory://made"), How())
        assert all(isinstance(result, Result) for result in results)
    made = {path: memory.cat(path)[:4] for path in memory.find("/made") if "jsonl" not in path}
    assert len(made) == 6
    for path, start in made.items():
        assert start == (b"\x89PNG" if path.endswith("png") else b"\xff\xd8\xff\xe0"), path
