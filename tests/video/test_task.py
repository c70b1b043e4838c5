"""Clips one after the other: a run that is killed, stopped or broken, and the next."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from blurmapper.batch import Job
from blurmapper.commands._parameters import to_command
from blurmapper.commands.video import video
from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.video import mapping

from .making import encode_clip, pan

Run = Callable[..., Result]


@pytest.fixture
def run(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Call the command with the tests' network, in the folder of the clips."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Result:
        options = ["--by", "s", "--method", str(tiny_weights), "--threads", "1"]
        result = CliRunner().invoke(to_command("video", video), [*options, *map(str, arguments)])
        if isinstance(result.exception, BlurMapperError):
            raise result.exception
        return result

    return call


def mapped_before(result: Result) -> list[bool]:
    return ["mapped before" in line for line in result.stdout.splitlines()]


STICKING = """
import signal, time
from itertools import count
from blurmapper.cli import main
from blurmapper.mapper import BlurMapper

# Of what runs in the background Python leaves it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
mapped, map_frame = count(), BlurMapper.map_coarse

def map_or_stick(mapper, image):
    if next(mapped) == 40:
        time.sleep(3600)
    return map_frame(mapper, image)

BlurMapper.map_coarse = map_or_stick
main()
"""
"""Maps no more than 40 frames, so that what has begun lasts until it is seen to have begun."""


@pytest.mark.parametrize("sent", ["SIGKILL", "SIGINT"])
def test_a_run_that_is_killed_or_stopped_leaves_no_half_files_and_the_next_goes_on(
    sent: str, run: Run, clip: Path, tmp_path: Path, tiny_weights: Path
) -> None:
    long = encode_clip(tmp_path / "long.mp4", pan([1] * 100))
    command = [sys.executable, "-c", STICKING, "video", clip, long]
    command += ["--by", "s", "--method", tiny_weights, "--threads", "1"]
    with subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE) as process:
        begun, deadline = Path("blurmaps/.blurmapper-video.begun"), time.monotonic() + 60
        while not begun.exists() or b"long.mp4" not in begun.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(getattr(signal, sent))
        _, errors = process.communicate()
    line = f"stopped at {long}; the same command does it again\n"
    assert (process.returncode, errors) == ((-9, "") if sent == "SIGKILL" else (130, line))
    files = {"clip.mp4.overlay.mp4", "clip.mp4.frames.csv", "video.jsonl"}
    assert files == {each.name for each in Path("blurmaps").iterdir() if each.name[0] != "."}
    assert mapped_before(run(clip, long)) == [True, False]
    files |= {"long.mp4.overlay.mp4", "long.mp4.frames.csv"}
    assert files == {each.name for each in Path("blurmaps").iterdir()}


def test_a_full_disk_ends_the_run_in_one_line(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copy(clip, tmp_path / "other.mp4"))

    def fill(_: Path, __: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fill)
        with pytest.raises(ImageError, match=r"No space left .* run the same command to go on"):
            run(clip, other)
    assert [path.name for path in Path("blurmaps").iterdir()] == ["video.jsonl"]
    assert mapped_before(run(clip, other)) == [False, False]


def test_an_error_that_is_not_ours_costs_its_clip_alone(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copy(clip, tmp_path / "other.mp4"))
    real = mapping.map_clip

    def break_at_clip(job: Job, *rest: Any) -> mapping.ClipResult:
        if job.photo == clip:
            raise ValueError("boom")
        return real(job, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(mapping, "map_clip", break_at_clip)
        result = run(clip, other)
    line = f"{clip}: cannot be mapped (boom); convert it or leave it out"
    assert (result.exit_code, result.stderr) == (1, f"error: {line}\n")
    assert mapped_before(result) == [False]
    failures = Path("blurmaps/failures.csv")
    assert failures.read_text().splitlines()[1:] == [line.replace(": ", ",", 1)]
    assert mapped_before(run(clip, other)) == [False, True]
    assert failures.read_text().splitlines() == ["file,reason"]
