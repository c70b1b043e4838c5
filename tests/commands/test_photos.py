"""Commands that do the same with every photo: what is done once is done, whatever comes between."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import typer

from blurmapper.batch import Job
from blurmapper.commands._photos import Task, place_file, work_through, write_whole
from blurmapper.errors import ImageError
from blurmapper.images import BlurMap, ImageArray

Hook = Callable[[str], None]
Run = Callable[..., list[str]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three photos."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        PIL.Image.new("RGB", (32, 24), (90, 120, 60)).save(folder / name)
    return folder


@pytest.fixture
def run(photos: Path) -> Run:
    """Work through the photos, and return the names of those that were worked on."""

    def call(
        hook: Hook = lambda _: None, *, settings: str = "s", redo: bool = False, status: int = 0
    ) -> list[str]:
        worked: list[str] = []

        def work(image: ImageArray, _: BlurMap, job: Job) -> tuple[str, Path]:
            worked.append(job.photo.name)
            hook(job.photo.name)
            path = place_file(job, ".out.txt")
            write_whole(str(image.shape).encode(), path)
            return "worked on", path

        task = Task("work", lambda image: np.zeros(image.shape[:2], np.float32), work, settings)
        if redo:
            task = Task(task.name, task.method, task.work, settings, redo=True)
        code = 0
        try:
            work_through([photos], photos.parent / "out", task)
        except typer.Exit as stopped:
            code = stopped.exit_code
        assert code == status
        return worked

    return call


def test_what_is_done_is_not_done_again(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == ["a.png", "b.png", "c.png"]
    first = capsys.readouterr().out.splitlines()
    assert run() == []
    second = capsys.readouterr().out.splitlines()
    assert [line.partition(", done before -> ")[2] for line in second] == [
        line.partition(" s -> ")[2] for line in first
    ]
    assert all("32 x 24, worked on" in line for line in second)


def test_what_has_changed_is_done_again(run: Run, photos: Path) -> None:
    run()
    PIL.Image.new("RGB", (48, 24)).save(photos / "b.png")
    (photos.parent / "out" / "c.png.out.txt").write_text("")
    assert run() == ["b.png", "c.png"]
    assert (photos.parent / "out" / "b.png.out.txt").read_text() == "(24, 48, 3)"
    assert run(settings="others") == ["a.png", "b.png", "c.png"]
    assert run(settings="others", redo=True) == ["a.png", "b.png", "c.png"]


def test_a_photo_that_breaks_the_work_gets_a_line_and_the_others_go_on(
    run: Run, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> None:
        if name == "b.png":
            raise MemoryError

    assert run(fail, status=1) == ["a.png", "b.png", "c.png"]
    assert capsys.readouterr().err.splitlines() == [
        f"error: {photos / 'b.png'}: cannot be mapped (MemoryError); convert it or leave it out"
    ]
    assert run() == ["b.png"]


def test_ctrl_c_finishes_the_photo_and_the_same_run_goes_on(run: Run) -> None:
    assert run(lambda _: os.kill(os.getpid(), signal.SIGINT), status=130) == ["a.png"]
    assert run() == ["b.png", "c.png"]


def test_a_full_disk_ends_the_run_in_one_line(
    run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(_: Path, __: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Path, "replace", fill)
        with pytest.raises(ImageError, match=r"No space left .* run the same command to go on"):
            run()
    assert {path.name for path in (photos.parent / "out").iterdir()} == {"work.jsonl"}
    assert run() == ["a.png", "b.png", "c.png"]


def test_a_photo_that_takes_the_place_of_another_gets_its_file(run: Run, photos: Path) -> None:
    run()
    aside = photos.parent / "aside"
    photos.rename(aside)
    photos.mkdir()
    PIL.Image.new("RGB", (16, 16)).save(photos / "a.png")
    assert run() == ["a.png"]
    assert (photos.parent / "out" / "a.png.out.txt").read_text() == "(16, 16, 3)"
