"""Commands that do the same with every photo: what is done once is done, whatever comes between."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import click
import numpy as np
import PIL.Image
import pytest

from blurmapper.batch import How, Outcome, PhotoTask
from blurmapper.commands._run import run_command
from blurmapper.errors import ImageError
from blurmapper.images import read_photo
from blurmapper.locations import Location
from blurmapper.methods import BlurMethod

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


@dataclass(frozen=True)
class ShapeTask(PhotoTask):
    """Write a photo's shape into a file, once a hook has had the photo's name."""

    hook: Hook = print
    settings: str = "s"

    name: ClassVar[str] = "work"
    alone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("shape",)

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        image = read_photo(photo, name=name).image
        self.hook(Path(name).name)
        values = {"height": image.shape[0], "width": image.shape[1]}
        return Outcome(values, {"shape": str(image.shape).encode()})

    def choices(self) -> tuple[Any, ...]:
        return (self.settings,)

    def endings(self, photo: Location) -> dict[str, str]:
        return {"shape": ".out.txt"}

    def describe(self, values: Mapping[str, Any]) -> str:
        return "worked on"

    def build(self) -> BlurMethod:
        return lambda image: np.zeros(image.shape[:2], np.float32)


@pytest.fixture
def run(photos: Path) -> Run:
    """Work through the photos, and return the names of those that were worked on."""

    def call(
        hook: Hook = lambda _: None, *, settings: str = "s", redo: bool = False, status: int = 0
    ) -> list[str]:
        worked: list[str] = []

        def note(name: str) -> None:
            worked.append(name)
            hook(name)

        code = 0
        task = ShapeTask("", hook=note, settings=settings)
        try:
            run_command(task, [str(photos)], str(photos.parent / "out"), How(redo=redo))
        except click.exceptions.Exit as stopped:
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
    line, sums = capsys.readouterr().err.splitlines()
    assert line == (
        f"error: {photos / 'b.png'}: cannot be mapped (MemoryError); convert it or leave it out"
    )
    listed = photos.parent / "out" / "failures.csv"
    assert sums.startswith("3 photos: 2 done in ") and sums.endswith(f" s, 1 failed, see {listed}")
    _, row = listed.read_text().splitlines()
    assert row.startswith(f"{photos / 'b.png'},cannot be mapped (MemoryError)")
    assert run() == ["b.png"]
    assert listed.read_text() == "file,reason\n"


def test_ctrl_c_finishes_the_photo_and_the_same_run_goes_on(
    run: Run, press_ctrl_c: Callable[[], None]
) -> None:
    assert run(lambda _: press_ctrl_c(), status=130) == ["a.png"]
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


@pytest.mark.parametrize("listed_before", [False, True])
def test_sums_of_a_full_disk_send_nobody_to_a_list_that_could_not_be_written(
    listed_before: bool,
    run: Run,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if listed_before:
        (photos.parent / "out").mkdir()
        (photos.parent / "out" / "failures.csv").write_text("file,reason\nold.png,gone\n")
    (photos / "a.png").write_bytes(b"no photo")

    def fill(_: Path, __: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", fill)
    with pytest.raises(ImageError, match="No space left"):
        run()
    _, sums = capsys.readouterr().err.splitlines()
    assert sums.startswith("3 photos: 0 done in ") and sums.endswith(" s, 1 failed, 2 not begun")


def test_a_photo_that_takes_the_place_of_another_gets_its_file(run: Run, photos: Path) -> None:
    run()
    aside = photos.parent / "aside"
    photos.rename(aside)
    photos.mkdir()
    PIL.Image.new("RGB", (16, 16)).save(photos / "a.png")
    assert run() == ["a.png"]
    assert (photos.parent / "out" / "a.png.out.txt").read_text() == "(16, 16, 3)"
