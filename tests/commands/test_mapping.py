"""`blurmapper map` on a folder, in a process of its own that is killed, stopped and run again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import PIL.Image
import pytest

from blurmapper.images import read_map

PHOTOS = 300

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """A folder of 300 photos, and one file that only looks like one."""
    for number in range(PHOTOS):
        folder = tmp_path / "shoot" / str(number % 3)
        folder.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (64, 48), (number % 256, 90, 60)).save(folder / f"{number:03}.jpg")
    (tmp_path / "shoot" / "0" / "999.jpg").write_text("no photo")
    return tmp_path / "shoot"


@pytest.fixture
def start(tmp_path: Path, tiny_weights: Path) -> Iterator[Start]:
    """Start ``blurmapper map`` in a process of its own, in an empty folder.

    It gets ahead of who reads its lines by a few only, which is all that its pipes hold.
    """
    command = [sys.executable, "-m", "blurmapper.cli", "map", "--method", str(tiny_weights)]
    running: list[subprocess.Popen[str]] = []

    def call(*arguments: str | Path) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "pipesize": 4096}
        whole = [*command, *map(str, arguments)]
        running.append(subprocess.Popen(whole, cwd=tmp_path, text=True, **pipes))  # type: ignore[call-overload]
        return running[-1]

    yield call
    for process in running:
        process.kill()
        process.communicate()


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_lines(path: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while count_lines(path) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_killed_run_leaves_no_half_files_and_the_next_goes_on(
    start: Start, shoot: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in shoot.rglob("*.jpg")}
    killed = start(shoot, "-o", "out")
    wait_for_lines(tmp_path / "out" / "maps.jsonl", 5)
    killed.kill()
    killed.communicate()
    done = count_lines(tmp_path / "out" / "maps.jsonl")
    assert done < PHOTOS
    for path in (tmp_path / "out").rglob("*.png"):
        assert read_map(path).shape == (48, 64)

    output, errors = start(shoot, "-o", "out", "--json").communicate()
    records = [json.loads(line) for line in output.splitlines()]
    assert sum(record["mapped_before"] for record in records) == done
    assert len(records) == len(list((tmp_path / "out").rglob("*.png"))) == PHOTOS
    assert f"{PHOTOS - done} mapped" in errors
    left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {name for name in left if not name.endswith(".blur.png")} == {
        *("failures.csv", "maps.jsonl")
    }
    assert {path: path.read_bytes() for path in shoot.rglob("*") if path.is_file()} == before


def test_ctrl_c_finishes_what_has_begun_and_sums_up(
    start: Start, shoot: Path, tmp_path: Path
) -> None:
    process = start(shoot, "-o", "out")
    wait_for_lines(tmp_path / "out" / "maps.jsonl", 5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode == 130
    done = output.count("\n")
    assert done == count_lines(tmp_path / "out" / "maps.jsonl")
    assert done == len(list((tmp_path / "out").rglob("*.png")))
    assert f"{PHOTOS + 1} photos: {done} mapped" in errors.splitlines()[-1]
    assert "not begun" in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_a_folder_with_a_failure_is_summed_up_and_the_status_is_1(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "in" / "good\nname.png")
    (tmp_path / "in" / "bad.jpg").write_text("no photo")
    (tmp_path / "in" / "notes.txt").touch()
    process = start("in", "-o", "out")
    output, errors = process.communicate()
    assert process.returncode == 1
    assert output.startswith("in/good\\nname.png: 64 x 48, S ")
    assert errors.splitlines()[0].startswith("error: in/bad.jpg: not an image file")
    assert errors.splitlines()[-1].startswith("2 photos: 1 mapped in ")
    assert "1 failed, see out/failures.csv, 1 other file left out" in errors
    assert str(tmp_path / "in" / "bad.jpg") in (tmp_path / "out" / "failures.csv").read_text()

    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "in" / "bad.jpg")
    process = start("in", "-o", "out", "--jobs", "1")
    assert "1 mapped before" in process.communicate()[1]
    assert process.returncode == 0
    assert (tmp_path / "out" / "failures.csv").read_text() == "file,reason\n"


def test_a_default_folder_that_is_a_link_in_a_circle_is_one_line(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "in" / "a.png")
    (tmp_path / "blurmaps").symlink_to("blurmaps")
    process = start("in")
    errors = process.communicate()[1]
    assert errors.startswith("error: blurmaps: cannot be made (")
    assert "Traceback" not in errors
    assert process.returncode == 1


def test_maps_are_not_put_among_the_photos_unless_told(start: Start, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    process = start(".")
    assert process.communicate()[1].startswith("error: blurmaps would be made among the photos")
    assert process.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    for expected in ("1 mapped in", "1 mapped before"):
        process = start(".", "-o", "blurmaps")
        assert expected in process.communicate()[1]
        assert process.returncode == 0


def test_a_folder_that_cannot_be_written_is_one_line(start: Start, shoot: Path) -> None:
    process = start(shoot, "-o", "/proc/none")
    output, errors = process.communicate()
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("error: /proc/none: cannot be made")
    assert errors.count("\n") == 1
