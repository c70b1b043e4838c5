"""Unfinished files are each one process's own, and go once it is surely gone."""

from __future__ import annotations

import errno
import os
import platform
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from blurmapper.files import write_file
from blurmapper.parts import part_in, put_in_place


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    # A child that is gone has a number that no process has.
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with part_in(tmp_path / "other") as part:
        name = part.name.replace(f"-{os.getpid()}-", f"-{child.pid}-")
    (tmp_path / name).write_text("half")
    write_file(tmp_path / "m.txt", "whole")
    assert [each.name for each in tmp_path.iterdir()] == ["m.txt"]


def test_what_another_container_may_be_writing_is_left_for_a_week(tmp_path: Path) -> None:
    # There the same host may be meant by the name, but not the same process by its number.
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    host = re.sub(r"[^A-Za-z0-9]", "", platform.node())[:24] or "host"
    parts = [tmp_path / f".blurmapper-{name}-{child.pid}-0.part" for name in (host, "0a1b2c3d")]
    for part in parts:
        part.write_text("half")
    write_file(tmp_path / "m.txt", "whole")
    assert {*tmp_path.iterdir()} == {*parts, tmp_path / "m.txt"}


@pytest.mark.parametrize("name", ["desk-999-0", "0a1b2c3d-1-4e5f"])
def test_what_nobody_has_touched_for_a_week_is_removed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f".blurmapper-{name}.part").write_text("half")
    in_eight_days = time.time() + 8 * 86_400
    monkeypatch.setattr(time, "time", lambda: in_eight_days)
    write_file(tmp_path / "m.txt", "whole")
    assert [each.name for each in tmp_path.iterdir()] == ["m.txt"]


def test_first_processes_of_two_containers_never_write_into_one_file(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, blurmapper.parts as parts; os.getpid = lambda: 1\n"
        "with parts.part_in(pathlib.Path()) as part: print(part)"
    )
    run = partial(subprocess.check_output, [sys.executable, "-c", script], cwd=tmp_path)
    assert run() != run()


@pytest.mark.parametrize("with_links", [True, False])
def test_a_new_file_takes_no_other_s_name(
    with_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not with_links:
        monkeypatch.setattr(os, "link", refuse)
    part = tmp_path / "part"
    part.write_text("new")
    (tmp_path / "taken").write_text("old")
    with pytest.raises(FileExistsError):
        put_in_place(part, tmp_path / "taken")
    put_in_place(part, tmp_path / "free")
    assert (tmp_path / "taken").read_text() == "old"
    assert (tmp_path / "free").read_text() == "new"
