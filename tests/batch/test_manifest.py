"""What is done, and what failed, survives whatever was done to the files that say so."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from pathlib import Path

import pytest

from blurmapper.batch import Failures, Manifest
from blurmapper.errors import ImageError
from blurmapper.locations import find_location

DAMAGED = [
    b"[" * 100_000 + b"\n",
    b'{"target": ' + b"[" * 100_000 + b"\n",
    b'{"target": "a", "photo": ' + b"9" * 10_000 + b"}\n",
    b"\xff\xfe\0\0\n",
    b'{"target": "a"}\n',
    b'"a"\n',
]


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_costs_no_other(line: bytes, tmp_path: Path) -> None:
    whole = json.dumps({"target": "a", "photo": "/a"}).encode() + b"\n"
    (tmp_path / "m.jsonl").write_bytes(line + whole + line)
    with Manifest(tmp_path / "m.jsonl", {"photo"}) as manifest:
        assert manifest.find("a") == {"target": "a", "photo": "/a"}


def test_a_manifest_that_an_editor_saved_is_gone_on_with(tmp_path: Path) -> None:
    line = json.dumps({"target": "a", "photo": "/a"}).encode() + b"\r\n"
    for rest in (b"", line):
        (tmp_path / "m.jsonl").write_bytes(BOM_UTF8 + rest)
        with Manifest(tmp_path / "m.jsonl", {"photo"}) as manifest:
            assert (manifest.find("a") is not None) is bool(rest)


def test_a_terabyte_of_zeros_is_no_manifest(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"target": "a", "photo": "/a"}\n')
    os.truncate(path, 1 << 40)
    with pytest.raises(ImageError, match="is no manifest; move it, then run again"):
        Manifest(path, {"photo"})
    assert path.stat().st_size == 1 << 40


def test_a_manifest_whose_lines_were_sorted_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"photo": "/a", "target": "a"}\n')
    with Manifest(tmp_path / "m.jsonl", {"photo"}) as manifest:
        assert manifest.find("a") == {"target": "a", "photo": "/a"}


def test_two_writers_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    with Manifest(path, {"photo"}) as first, Manifest(path, {"photo"}) as second:
        for number in range(50):
            first.add(f"a{number}", {"photo": "a"})
            second.add(f"b{number}", {"photo": "b"})
    with Manifest(path, {"photo"}) as both:
        assert all(both.find(f"{who}{number}") for who in "ab" for number in range(50))


def test_at_an_address_two_writers_lose_nothing_either() -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    location = find_location("memory://two/m.jsonl")
    with Manifest(location, {"photo"}) as first, Manifest(location, {"photo"}) as second:
        first.add("a", {"photo": "a"})
        second.add("b", {"photo": "b"})
    with Manifest(location, {"photo"}) as both:
        assert both.find("a") and both.find("b")
    fsspec.filesystem("memory").rm("/two", recursive=True)


@pytest.mark.parametrize("content", [b"a list\nof mine\n", b'{"id": 1}\n', b"[1, 2]"])
def test_what_is_no_manifest_is_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_bytes(content)
    with pytest.raises(ImageError, match=r"m\.jsonl: is no manifest; move it"):
        Manifest(tmp_path / "m.jsonl", {"photo"})
    assert (tmp_path / "m.jsonl").read_bytes() == content


@pytest.mark.parametrize(
    "content", [b"", b"\n", bytes(500), b'{"tar', b'{"target": "a", "pho', DAMAGED[1]]
)
def test_a_manifest_of_which_nothing_is_left_is_gone_on_with(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "m.jsonl").write_bytes(content)
    with Manifest(tmp_path / "m.jsonl", {"photo"}) as manifest:
        assert manifest.find("a") is None
        manifest.add("a", {"photo": "/a"})
    with Manifest(tmp_path / "m.jsonl", {"photo"}) as manifest:
        assert manifest.find("a") == {"target": "a", "photo": "/a"}


def test_a_pipe_in_the_place_of_a_manifest_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.jsonl")
    with pytest.raises(ImageError, match="is no regular file"):
        Manifest(tmp_path / "m.jsonl", {"photo"})


@pytest.mark.parametrize(
    "content",
    [b'file,reason\r\n"' + b"x" * 300_000, b"file,reason\r\n\xff\0\xfe", bytes(500), b""],
)
def test_a_damaged_list_of_failures_is_written_anew(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "failures.csv").write_bytes(content)
    failures = Failures(tmp_path)
    failures.add("/a.jpg", "is gone")
    failures.write()
    assert b"/a.jpg,is gone" in (tmp_path / "failures.csv").read_bytes()


@pytest.mark.parametrize("kind", ["file", "fifo", "folder"])
def test_what_is_no_list_of_failures_is_left_as_it_is(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "failures.csv"
    {"file": lambda: path.write_text("mine\n"), "fifo": lambda: os.mkfifo(path)}.get(
        kind, path.mkdir
    )()
    failures = Failures(tmp_path)
    failures.add("/a.jpg", "is gone")
    with pytest.raises(ImageError, match="is no list of failures; move it"):
        failures.write()
    assert path.is_file() is (kind == "file")


def test_a_cell_is_no_formula_and_is_read_as_it_was(tmp_path: Path) -> None:
    for photo, reason in (("/a.jpg", "=1+1"), ("@x.jpg", "-1"), ("'=x.jpg", "plain")):
        failures = Failures(tmp_path)
        failures.add(photo, reason)
        failures.write()
    content = (tmp_path / "failures.csv").read_text()
    assert content.splitlines()[1:] == ["''=x.jpg,plain", "/a.jpg,'=1+1", "'@x.jpg,'-1"]
    failures = Failures(tmp_path)
    for photo in ("/a.jpg", "@x.jpg", "'=x.jpg"):
        failures.clear(photo)
    failures.write()
    assert (tmp_path / "failures.csv").read_text() == "file,reason\n"
