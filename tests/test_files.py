"""Files appear whole or not at all, and take no other's place."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from blurmapper.errors import ImageError
from blurmapper.files import (
    check_replaceable,
    replacing,
    write_file,
    written_as,
)
from blurmapper.images import write_map


def test_a_failed_write_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as stream:
            stream.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ImageError, match="No space left"):
        write_half()
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("content", ["größer\n", "größer\n".encode()])
def test_a_file_and_the_folders_above_it_are_written(tmp_path: Path, content: str | bytes) -> None:
    path = write_file(tmp_path / "a" / "b.txt", content)
    assert path.read_bytes() == "größer\n".encode()
    assert [each.name for each in path.parent.iterdir()] == ["b.txt"]


def test_names_that_are_no_utf_8_are_written_as_they_are(tmp_path: Path) -> None:
    path = write_file(tmp_path / "table.csv", os.fsdecode(b"photo\nm\xff.jpg\n"))
    assert path.read_bytes() == b"photo\nm\xff.jpg\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ImageError, match="folder: cannot be written"):
        write_file(tmp_path / "folder", "text")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_name_with_a_null_byte_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"b\.png: cannot be written \(embedded null byte\)"):
        write_map(np.zeros((2, 2), np.float32), tmp_path / "a\0b.png")
    with pytest.raises(ImageError, match=r"cannot be made \(.*embedded null (byte|character)"):
        write_file(tmp_path / "a\0b" / "c.txt", "text")
    check_replaceable(tmp_path / "a\0b", lambda old: True)


def test_a_photo_never_gives_way_to_a_table(tmp_path: Path) -> None:
    photo = tmp_path / "b.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    with pytest.raises(ImageError, match=r"b\.jpg: is not of blurmapper's making"):
        write_file(photo, "rank,photo\n")
    assert photo.read_bytes().startswith(b"\xff\xd8\xff")
    assert [each.name for each in tmp_path.iterdir()] == ["b.jpg"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"older\n", b"newer\n"),
        (b"\x89PNG\r\n\x1a\n old", b"\x89PNG\r\n\x1a\n new"),
        (b"", b"any\0thing"),
    ],
)
def test_a_file_gives_way_to_its_like(old: bytes, new: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(old)
    assert write_file(tmp_path / "m", new).read_bytes() == new


def test_only_what_is_known_gives_way(tmp_path: Path) -> None:
    is_table = written_as(b"rank,photo\r\n")
    (tmp_path / "ours.csv").write_bytes(b"rank,photo\r\n1,a.jpg\r\n")
    (tmp_path / "budget.csv").write_bytes(b"month,spent\r\n")
    assert write_file(tmp_path / "ours.csv", b"new", is_table).read_bytes() == b"new"
    with pytest.raises(ImageError, match=r"budget\.csv: is not of blurmapper's making"):
        check_replaceable(tmp_path / "budget.csv", is_table)
    with pytest.raises(ImageError, match=r"budget\.csv: is not of blurmapper's making"):
        write_file(tmp_path / "budget.csv", b"new", is_table)
    assert (tmp_path / "budget.csv").read_bytes() == b"month,spent\r\n"


@pytest.mark.parametrize("there_before", [True, False])
def test_a_link_stays_and_its_file_is_written(there_before: bool, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    file, link = tmp_path / "elsewhere" / "m.txt", tmp_path / "here" / "m.txt"
    if there_before:
        file.write_text("old")
    link.symlink_to("../elsewhere/m.txt")
    write_file(link, "new", follow=True)
    assert link.is_symlink() and file.read_text() == "new"
    assert [each.name for each in file.parent.iterdir()] == ["m.txt"]


@pytest.mark.parametrize("there_before", [True, False])
def test_a_link_that_no_user_named_is_refused(there_before: bool, tmp_path: Path) -> None:
    link, file = tmp_path / "m.txt", tmp_path / "mine.txt"
    if there_before:
        file.touch()
    link.symlink_to(file)
    line = r"m\.txt: is not of blurmapper's making .* move away the link, then run again"
    with pytest.raises(ImageError, match=line):
        write_file(link, "new")
    with pytest.raises(ImageError, match=line):
        check_replaceable(link, lambda old: True)
    assert link.is_symlink() and file.exists() == there_before
    assert not there_before or not file.read_bytes()


def test_a_folder_is_told_of_at_once(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder; give the name of a file"):
        check_replaceable(tmp_path, written_as(b"rank,"))


def test_a_link_to_itself_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ImageError, match="loop: cannot be written"):
        write_file(tmp_path / "loop", "text", follow=True)


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, "through")
        assert os.read(reader, 99) == b"through"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_descriptor_gets_the_content_where_it_stands(tmp_path: Path) -> None:
    with (tmp_path / "redirected.txt").open("w") as stream:
        stream.write("before\n")
        stream.flush()
        write_file(Path(f"/dev/fd/{stream.fileno()}"), "written\n", follow=True)
        stream.write("after\n")
    assert (tmp_path / "redirected.txt").read_text() == "before\nwritten\nafter\n"


def test_a_device_stays_one() -> None:
    write_file(Path(os.devnull), "gone")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_failed_stream_leaves_a_pipe_empty(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def write_half() -> None:
        with replacing(pipe) as stream:
            stream.write(b"half")
            raise OSError(errno.EIO, "Input/output error")

    try:
        with pytest.raises(ImageError, match="pipe: cannot be written"):
            write_half()
        assert os.read(reader, 99) == b""
    finally:
        os.close(reader)
