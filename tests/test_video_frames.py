"""Folders of frames, and the frames that are chosen for what comes after."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import CliRunner

from blurmapper.batch import Job
from blurmapper.commands._parameters import to_command
from blurmapper.commands.video import video
from blurmapper.errors import VideoError
from blurmapper.images import ImageArray
from blurmapper.video.mapping import ClipOutputs, ClipResult, map_clip
from blurmapper.video.selection import FrameResult, choose_best_of, drop_blurry


def map_by_red(image: ImageArray) -> npt.NDArray[np.float32]:
    """Call red pixels blurred."""
    return image[..., 0].astype(np.float32) / 255


def write_frames(folder: Path, reds: list[int], first: int = 8) -> Path:
    """Write frames of one colour each, named without zeros before their numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, red in enumerate(reds, start=first):
        PIL.Image.new("RGB", (40, 30), (red, 0, 0)).save(folder / f"frame{number}.png")
    return folder


def choose(folder: Path, output: Path, **options: bool | int) -> ClipResult:
    outputs = ClipOutputs(**options)  # type: ignore[arg-type]
    job = Job(folder, output / folder.name, folder.name)
    return map_clip(job, map_by_red, outputs, rate=Fraction(10))


def frames_of(degrees: list[float], shots: list[int] | None = None) -> list[FrameResult]:
    shots = shots or [0] * len(degrees)
    pairs = enumerate(zip(degrees, shots, strict=True))
    return [FrameResult(number, number / 10, s, s, shot) for number, (s, shot) in pairs]


def numbers(frames: list[FrameResult]) -> list[int]:
    return [frame.number for frame in frames]


def test_frames_come_in_the_order_of_the_numbers_in_their_names(tmp_path: Path) -> None:
    result = choose(write_frames(tmp_path / "in", [0, 51, 102]), tmp_path / "out")
    assert [round(frame.blur_degree, 1) for frame in result.frames] == [0, 0.2, 0.4]
    assert [frame.seconds for frame in result.frames] == [0, 0.1, 0.2]
    with (tmp_path / "out" / "in.frames.csv").open(newline="") as stream:
        assert [row["frame"] for row in csv.DictReader(stream)] == ["0", "1", "2"]


def test_the_chosen_are_copied_byte_for_byte(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", [90, 10, 20, 80])
    result = choose(folder, tmp_path / "out", best_of=2)
    copies = tmp_path / "out" / "in.frames"
    assert result.photos == [copies / "frame9.png", copies / "frame10.png"]
    for copy in result.photos:
        assert Path(str(copy)).read_bytes() == (folder / copy.name).read_bytes()
    assert len(list(folder.iterdir())) == 4


def test_folders_have_no_overlay(tmp_path: Path) -> None:
    result = choose(write_frames(tmp_path / "in", [0, 9]), tmp_path / "out")
    assert result.overlay is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["in.frames.csv"]


def test_a_frame_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", [0, 9])
    (folder / "frame9.png").write_text("no photo")
    result = choose(folder, tmp_path / "out", drop_blurry=True)
    assert len(result.photos) == 1
    assert result.problem is not None and "1 frame is left out" in result.problem
    assert "frame9.png" in result.problem


def test_a_folder_without_frames_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(VideoError, match="no frames in this folder; give clips"):
        choose(tmp_path / "in", tmp_path / "out")


def test_what_was_chosen_before_is_no_frame(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", [0, 9])
    choose(folder, folder / "out", drop_blurry=True)
    assert len(choose(folder, folder / "out").frames) == 2


def test_copies_of_earlier_runs_are_no_frames(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", [0, 9, 18, 27])
    write_frames(folder / "theirs.frames", [0, 9])
    write_frames(folder / "sub", [0, 9])
    choose(folder / "sub", folder, best_of=2)
    for _ in range(3):
        result = choose(folder, folder, best_of=2)
        assert len(result.frames) == 8
        assert len(result.photos) == 4
    assert not list(folder.glob("in.frames/*.frames/*.frames"))
    # Asked for themselves they are.
    assert len(choose(folder / "in.frames", tmp_path / "out").frames) == 4


def test_the_best_of_every_few_is_chosen_in_order() -> None:
    frames = frames_of([0.3, 0.1, 0.2, 0.9, 0.8, 0.7, 0.4])
    assert numbers(choose_best_of(frames, 3)) == [1, 5, 6]


def test_a_shaken_frame_is_dropped_and_its_neighbours_are_not() -> None:
    assert numbers(drop_blurry(frames_of([0.3, 0.31, 0.5, 0.3, 0.29]))) == [0, 1, 3, 4]


def test_a_blurrier_shot_is_not_dropped_for_the_one_before() -> None:
    frames = frames_of([0.1, 0.1, 0.1, 0.6, 0.6, 0.6], [0, 0, 0, 1, 1, 1])
    assert numbers(drop_blurry(frames)) == [0, 1, 2, 3, 4, 5]


def test_slow_changes_of_focus_drop_nothing() -> None:
    degrees = [0.2 + 0.015 * number for number in range(30)]
    kept = numbers(drop_blurry(frames_of(degrees)))
    assert kept[:25] == list(range(25))


def test_blurry_frames_are_never_the_best_of_their_group() -> None:
    outputs = ClipOutputs(best_of=1, drop_blurry=True)
    assert numbers(outputs.choose(frames_of([0.3, 0.3, 0.6, 0.3]))) == [0, 1, 3]
    assert ClipOutputs().choose(frames_of([0.3, 0.6])) == []


def test_a_folder_that_is_named_twice_is_gone_through_once(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_frames(tmp_path / "frames", [10, 20])
    monkeypatch.chdir(tmp_path)
    given = [str(folder), f"{folder}/", "frames", "--by", "s", "--method", str(tiny_weights)]
    result = CliRunner().invoke(to_command("video", video), given)
    assert result.exit_code == 0, result.output
    assert [path.name for path in Path("blurmaps").glob("*.csv")] == ["frames.frames.csv"]
