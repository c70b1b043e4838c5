"""The list of photos that failed, in the output folder."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from blurmapper.batch import (
    Failures,
)


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
