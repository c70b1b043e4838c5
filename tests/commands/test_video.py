"""The command that maps clips: what it writes, prints and refuses."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import CliRunner, Result

from blurmapper.batch import Job
from blurmapper.commands._parameters import to_command
from blurmapper.commands.video import video
from blurmapper.errors import BlurMapperError, ConfigError, install_command
from blurmapper.video import mapping

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")

Run = Callable[..., Result]


def write_clip(path: Path, photo: npt.NDArray[np.uint8], frames: int) -> Path:
    """Write a clip of one photo, 25 frames a second, with its index in front."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("h264", rate=25)
        stream.height, stream.width = photo.shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            # Every frame differs, or one alone would fill the file.
            frame = av.VideoFrame.from_ndarray(np.roll(photo, number, axis=0), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def clip(tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]) -> Path:
    """A clip of 8 frames that are blurred on the right."""
    return write_clip(tmp_path / "clip.mp4", half_blurred_photo, 8)


@pytest.fixture
def run(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Call the command with the tests' network, in an empty folder."""
    app = to_command("video", video)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Result:
        options = ["--method", str(tiny_weights), "--threads", "1"]
        result = CliRunner().invoke(app, [*options, *map(str, arguments)])
        if isinstance(result.exception, BlurMapperError):
            raise result.exception
        return result

    return call


def test_a_clip_gives_its_files_and_a_line(run: Run, clip: Path) -> None:
    result = run(clip, "--sharpest", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "clip.mp4: 128 x 96, 8 frames, mean S 0." in result.stdout
    names = {path.name for path in Path("blurmaps").iterdir()}
    assert {"clip.mp4.overlay.mp4", "clip.mp4.frames.csv"} < names
    photos = [name for name in names if name.startswith("clip.mp4.frame-")]
    assert len(photos) == 2
    assert all(name in result.stdout for name in names - {"video.jsonl"})


def test_quiet_prints_nothing_of_a_clip_that_is_well(run: Run, clip: Path) -> None:
    result = run(clip, "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert Path("blurmaps/clip.mp4.frames.csv").is_file()


def test_the_overlay_can_be_left_out(run: Run, clip: Path) -> None:
    assert run(clip, "--no-overlay", "-o", "out").exit_code == 0
    assert {path.name for path in Path("out").iterdir()} == {"clip.mp4.frames.csv", "video.jsonl"}


@pytest.mark.parametrize("option", [["--no-refine"], ["--smoothing", "0"]])
def test_what_is_done_for_the_eye_leaves_the_figures_alone(
    option: list[str], run: Run, clip: Path
) -> None:
    run(clip, "-o", "plain")
    run(clip, "-o", "other", *option)
    assert (
        Path("other/clip.mp4.frames.csv").read_text()
        == Path("plain/clip.mp4.frames.csv").read_text()
    )


def test_the_options_reach_the_mapping(
    run: Run, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = mapping.map_clip

    def map_clip(job: Job, method: Any, outputs: Any, *rest: Any) -> mapping.ClipResult:
        seen.append((outputs, rest[-1]))
        return real(job, method, outputs, *rest)

    monkeypatch.setattr(mapping, "map_clip", map_clip)
    choosing = ("--sharpest", "1", "--apart", "0.5", "--best-of", "2", "--drop-blurry")
    run(clip, *choosing, "--smoothing", "3", "--no-refine")
    assert seen == [(mapping.ClipOutputs(True, 1, 0.5, 2, True, 3, False), 1)]


def test_a_bad_clip_gets_one_line_and_the_others_go_on(run: Run, clip: Path) -> None:
    Path("empty.mp4").touch()
    Path("folder").mkdir()
    result = run("empty.mp4", "folder", "none.mp4", clip)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    for name in ("empty.mp4", "folder", "none.mp4"):
        assert sum(line.startswith(f"error: {name}: ") for line in lines) == 1
    assert Path("blurmaps/clip.mp4.overlay.mp4").exists()


def test_a_clip_that_is_cut_short_is_mapped_and_the_status_is_1(
    run: Run, tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    cut = write_clip(tmp_path / "cut.mp4", half_blurred_photo, 50)
    content = cut.read_bytes()
    cut.write_bytes(content[: len(content) * 3 // 4])
    result = run("cut.mp4")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: cut.mp4: cut short after ")
    assert Path("blurmaps/cut.mp4.overlay.mp4").exists()
    failures = Path("blurmaps/failures.csv").read_text().splitlines()
    assert [line.partition(",")[2] for line in failures[1:]] == [
        result.stderr.removeprefix("error: cut.mp4: ").strip()
    ]
    again = run("cut.mp4")
    assert (again.exit_code, again.stderr) == (1, result.stderr)
    assert mapped_before(again) == [True]


def test_a_clip_that_is_not_at_its_address_gets_a_line(run: Run) -> None:
    for module in ("pyarrow", "fsspec"):
        pytest.importorskip(module, reason="addresses need the extra blurmapper[remote]")
    result = run("memory://nowhere/clip.mp4")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: memory://nowhere/clip.mp4: no such file")


def test_clips_of_one_name_both_survive(run: Run, clip: Path) -> None:
    Path("other").mkdir()
    Path("other/clip.mp4").write_bytes(clip.read_bytes())
    assert run(clip, "other/clip.mp4", "--no-overlay").exit_code == 0
    assert len(list(Path("blurmaps").glob("*.csv"))) == 2


def mapped_before(result: Result) -> list[bool]:
    return ["mapped before" in line for line in result.stdout.splitlines()]


def test_the_same_command_goes_on(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copy(clip, tmp_path / "other.mp4"))
    real = mapping.map_clip

    def stop_at_other(job: Job, *rest: Any) -> mapping.ClipResult:
        if job.photo == other:
            raise KeyboardInterrupt
        return real(job, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(mapping, "map_clip", stop_at_other)
        assert run(clip, other).exit_code == 130
    first = Path("blurmaps/clip.mp4.overlay.mp4").stat()
    result = run(clip, other)
    assert (result.exit_code, mapped_before(result)) == (0, [True, False])
    assert Path("blurmaps/clip.mp4.overlay.mp4").stat() == first
    assert mapped_before(run(clip, other)) == [True, True]


@pytest.mark.parametrize(
    "option", [["--redo"], ["--smoothing", "0"], ["--sharpest", "1"], ["--by", "s"]]
)
def test_a_clip_is_mapped_again_where_that_is_asked_for(
    option: list[str], run: Run, clip: Path
) -> None:
    run(clip, "--sharpest", "2")
    assert mapped_before(run(clip, "--sharpest", "2", *option)) == [False]


def test_a_clip_is_mapped_again_where_a_photo_of_it_is_gone(run: Run, clip: Path) -> None:
    run(clip, "--sharpest", "2")
    photo = next(Path("blurmaps").glob("*.jpg"))
    photo.unlink()
    assert mapped_before(run(clip, "--sharpest", "2")) == [False]
    assert photo.is_file()
    manifest = Path("blurmaps/video.jsonl")
    manifest.write_text(re.sub(r'(?<="photos": )\[[^]]*\]', "5", manifest.read_text()))
    assert mapped_before(run(clip, "--sharpest", "2")) == [False]


@pytest.fixture
def folder(tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of three frames."""
    (tmp_path / "frames").mkdir()
    for number in range(3):
        frame = PIL.Image.fromarray(np.roll(half_blurred_photo, number))
        frame.save(tmp_path / "frames" / f"{number}.png")
    return tmp_path / "frames"


@pytest.mark.parametrize("name", ["overlay.mp4", "frame-000000.jpg"])
def test_a_file_of_the_user_s_is_left_beside_a_clip(name: str, run: Run, clip: Path) -> None:
    mine = Path("blurmaps", f"clip.mp4.{name}")
    mine.parent.mkdir()
    run(clip, "--best-of", "1", "-o", "other")
    mine.write_bytes(Path("other", mine.name).read_bytes() + b"mine")
    result = run(clip, "--best-of", "1")
    assert result.exit_code == 1
    assert f"{mine}: is not of blurmapper's making" in result.stderr
    assert mine.read_bytes().endswith(b"mine")


def test_a_photo_is_left_where_a_frame_would_be_copied(run: Run, folder: Path) -> None:
    mine = Path("blurmaps/frames.frames/1.png")
    mine.parent.mkdir(parents=True)
    PIL.Image.new("RGB", (9, 9)).save(mine)
    before = mine.read_bytes()
    result = run(folder, "--best-of", "1")
    assert result.exit_code == 1
    assert f"{mine}: is not of blurmapper's making" in result.stderr
    assert mine.read_bytes() == before
    mine.unlink()
    assert mapped_before(run(folder, "--best-of", "1")) == [False]
    # Its own copies give way, also of a frame that has another's name now.
    (folder / "1.png").rename(folder / "2.png")
    assert mapped_before(run(folder, "--best-of", "1")) == [False]


def test_a_folder_is_gone_through_again_where_a_frame_has_changed(run: Run, folder: Path) -> None:
    arguments = (folder, "--best-of", "3", "-o", folder / "maps")
    assert mapped_before(run(*arguments)) == [False]
    assert mapped_before(run(*arguments)) == [True]
    assert mapped_before(run(folder.as_uri(), *arguments[1:])) == [True]
    assert mapped_before(run(*arguments[:-1], folder)) == [False]
    assert mapped_before(run(*arguments[:-1], folder)) == [True]
    PIL.Image.new("RGB", (128, 96)).save(folder / "1.png")
    assert mapped_before(run(*arguments)) == [False]
    (folder / "1.png").rename(folder / "5.png")
    assert mapped_before(run(*arguments)) == [False]
    assert mapped_before(run(Path("frames"), *arguments[1:])) == [True]
    for old, new in (("0.png", "1.png"), ("5.png", "0.png"), ("1.png", "5.png")):
        (folder / old).rename(folder / new)
    assert mapped_before(run(*arguments)) == [False]


def test_nothing_is_written_among_the_frames_unless_that_is_asked_for(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError, match=r"blurmaps would be made among the photos in \.;"):
        run(".", "--best-of", "3")
    assert {path.suffix for path in folder.iterdir()} == {".png"}
    assert run(".", "--best-of", "3", "-o", "blurmaps").exit_code == 0


def test_ctrl_c_ends_with_a_line(run: Run, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mapping, "map_clip", stop)
    result = run(clip)
    assert result.exit_code == 130
    assert "stopped at" in result.stderr and "Traceback" not in result.output


@pytest.mark.parametrize(
    "options", [["--sharpest", "-1"], ["--apart", "-1"], ["--smoothing", "99"], ["--threads", "0"]]
)
def test_wrong_use_exits_with_2(run: Run, clip: Path, options: list[str]) -> None:
    assert run(clip, *options).exit_code == 2


def test_without_the_extra_the_line_says_what_to_install(
    run: Run, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    result = run(clip)
    assert result.exit_code == 1
    assert install_command("video") in result.stderr
