"""The command line, run as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import blurmapper
from blurmapper import cli
from blurmapper.errors import install_command
from blurmapper.images import read_map
from blurmapper.methods import METHODS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Arguments -> exit status, standard output, standard error; in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["blurmapper", *map(str, arguments)])
        status: object = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        output, errors = capfd.readouterr()
        return int(str(status or 0)), output, errors

    return call


@pytest.fixture
def run_map(run: Run, tiny_weights: Path) -> Run:
    """`run` of ``blurmapper map`` with the tiny network."""
    return lambda *arguments: run("map", "--method", tiny_weights, *arguments)


@pytest.fixture
def photo(tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]) -> Path:
    """A photo file, of which the right half is blurred."""
    path = tmp_path / "photo.jpg"
    PIL.Image.fromarray(half_blurred_photo).save(path, quality=95)
    return path


def test_a_photo_gives_a_map_and_a_line_of_figures(run_map: Run, photo: Path) -> None:
    status, output, errors = run_map(photo)
    assert (status, errors) == (0, "")
    assert output.count("\n") == 1
    assert "photo.jpg: 128 x 96, S 0." in output
    assert "% blurred" in output
    blur_map = read_map(Path("blurmaps/photo.jpg.blur.png"))
    assert blur_map[:, 80:].mean() > blur_map[:, :48].mean() + 0.5


def test_quiet_prints_errors_alone_and_writes_the_same(run_map: Run, photo: Path) -> None:
    assert run_map(photo.parent, "-o", "maps", "--quiet") == (0, "", "")
    assert Path("maps/photo.jpg.blur.png").is_file()
    photo.with_name("bad.jpg").write_text("no photo")
    status, output, errors = run_map(photo.parent, "-o", "maps", "-q")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "bad.jpg" in errors


def test_quiet_leaves_the_objects_that_were_asked_for(run_map: Run, photo: Path) -> None:
    status, output, errors = run_map(photo.parent, "-o", "maps", "--json", "--quiet")
    assert (status, errors) == (0, "")
    assert json.loads(output)["photo"].endswith("photo.jpg")


def test_the_package_is_a_command_too() -> None:
    command = [sys.executable, "-m", "blurmapper", "--version"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == f"blurmapper {blurmapper.__version__}\n"


@pytest.mark.parametrize("module", ["click", "blurmapper.commands.mapping"])
@pytest.mark.parametrize("error", ["KeyboardInterrupt", "RuntimeError"])
def test_ctrl_c_ends_a_command_that_is_still_imported(module: str, error: str) -> None:
    # Python 3.11 makes a RuntimeError of one that comes while a class is made.
    code = f"""
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                raise {error} from None

# Jobs of the background, as of a CI, inherit that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["blurmapper", "map", "none.jpg"]
runpy.run_module("blurmapper", run_name="__main__")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")


def test_nothing_is_written_beside_the_photo(run_map: Run, photo: Path) -> None:
    run_map(photo, "-o", "maps", "--overlay")
    assert {path.name for path in photo.parent.iterdir()} == {"photo.jpg", "maps"}
    assert {path.name for path in Path("maps").iterdir()} == {
        "maps.jsonl",
        "photo.jpg.blur.png",
        "photo.jpg.overlay.jpg",
    }


def test_json_is_all_there_is_on_standard_output(run_map: Run, photo: Path) -> None:
    photo.with_name("bad.jpg").write_text("no photo")
    status, output, errors = run_map(photo, "bad.jpg", "--json")
    (record,) = map(json.loads, output.splitlines())
    assert status == 1
    assert "bad.jpg" in errors
    assert (record["height"], record["width"]) == (96, 128)
    assert record["blur_degree"] == pytest.approx(read_map(record["map"]).mean(), abs=1 / 255)
    assert set(record) == {
        *("photo", "height", "width", "blur_degree", "share_blurred"),
        *("seconds", "map", "overlay", "defocus", "motion", "mask", "mapped_before"),
        *("amount", "amount_overlay"),
    }


def test_deep_and_float_maps_are_options(run_map: Run, photo: Path) -> None:
    run_map(photo, "--bits", "16", "--npy")
    assert {path.name for path in Path("blurmaps").iterdir()} == {
        "maps.jsonl",
        "photo.jpg.blur.npy",
    }
    run_map(photo, "--bits", "16")
    with PIL.Image.open("blurmaps/photo.jpg.blur.png") as picture:
        assert picture.mode == "I;16"
    deep, full = read_map("blurmaps/photo.jpg.blur.png"), read_map("blurmaps/photo.jpg.blur.npy")
    np.testing.assert_allclose(deep, full, atol=1e-5)


def test_the_options_of_a_network_reach_it(run_map: Run, photo: Path) -> None:
    maps = []
    for options in ([], ["--no-refine"], ["--working-side", "32"]):
        assert run_map(photo, "--npy", *options, "--threads", "1")[0] == 0
        maps.append(read_map("blurmaps/photo.jpg.blur.npy"))
    assert np.abs(maps[0] - maps[1]).max() > 0.01
    assert np.abs(maps[0] - maps[2]).max() > 0.1


def test_a_bad_photo_gets_one_line_and_the_others_their_maps(run_map: Run, photo: Path) -> None:
    folder = photo.parent
    whole = photo.read_bytes()
    (folder / "text.jpg").write_text("no photo")
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").touch()
    PIL.Image.new("RGB", (1, 1)).save(folder / "dot.png")
    (folder / "void").mkdir()
    bad = ["none.jpg", "text.jpg", "cut.jpg", "empty.jpg", "dot.png", "void"]
    status, output, errors = run_map(*bad, photo)
    assert status == 1
    assert output.count("\n") == 1
    lines = errors.splitlines()
    assert len(lines) == len(bad) + 1
    for name in bad:
        assert sum(line.startswith(f"error: {name}: ") for line in lines) == 1
    assert {path.name for path in Path("blurmaps").iterdir()} == {
        *("failures.csv", "maps.jsonl", "photo.jpg.blur.png")
    }


def test_equal_stems_both_survive(run_map: Run, photo: Path) -> None:
    with PIL.Image.open(photo) as picture:
        picture.save("photo.png")
    assert run_map(photo)[0] == run_map("photo.png")[0] == 0
    assert {path.name for path in Path("blurmaps").glob("*.png")} == {
        "photo.jpg.blur.png",
        "photo.png.blur.png",
    }


def test_an_unknown_method_lists_the_choices(run: Run, photo: Path) -> None:
    status, output, errors = run("map", photo, "--method", "dmb")
    assert (status, output) == (1, "")
    assert errors == f"error: no method named 'dmb'; choose from: {', '.join(METHODS)}\n"


@pytest.mark.parametrize(
    "arguments", [["map"], ["map", "p.jpg", "--bits", "9"], ["map", "p.jpg", "--threads", "0"]]
)
def test_wrong_use_exits_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2


@pytest.mark.parametrize("option", ["--threads", "--jobs"])
@pytest.mark.parametrize("command", ["map", "rank", "check", "serve"])
def test_far_too_many_at_a_time_are_refused(run: Run, command: str, option: str) -> None:
    photos = [] if command == "serve" else ["photo.jpg"]
    status, _, errors = run(command, *photos, option, "1025")
    assert status == 2
    assert "1025 is not in the range 1<=x<=1024" in errors


def test_a_folder_that_was_removed_is_said_to_be_so(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = photo.parent / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    status, _, errors = run("map", photo)
    assert (status, errors) == (1, "error: the current folder was removed; go to another by cd\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["video", "LONG.mp4"],
        ["rank", "p.jpg", "--boxes", "LONG"],
        ["rank", "--apply", "LONG"],
        ["map", "p.jpg", "--method", "LONG.onnx"],
    ],
)
def test_a_name_that_is_too_long_gets_one_line(run: Run, arguments: list[str]) -> None:
    long = [argument.replace("LONG", "a" * 300) for argument in arguments]
    status, _, errors = run(*long)
    assert status == 1
    assert errors.startswith("error: ") and errors.count("\n") == 1


def test_the_methods_are_listed(run: Run) -> None:
    status, output, _ = run("methods")
    assert status == 0
    assert all(name in output for name in METHODS)


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version") == (0, f"blurmapper {blurmapper.__version__}\n", "")


COMMANDS = list(cli.COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    status, output, _ = run(command, "--help")
    assert status == 0
    assert f"blurmapper {command}" in output


@pytest.mark.parametrize("command", [["train", "c.toml"], ["export", "c.pt"]])
def test_training_without_torch_names_the_command_that_installs_it(
    run: Run, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("running", "amount_run", "export"):
        monkeypatch.delitem(sys.modules, f"blurmapper.training.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    status, _, errors = run(*command)
    assert status == 1
    assert install_command("train") in errors


def test_the_command_line_loads_no_heavy_part() -> None:
    code = (
        "import sys, blurmapper.cli;"
        "print([m for m in ('cv2', 'onnxruntime', 'torch', 'numpy', 'PIL') if m in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"


def test_a_closed_pipe_ends_quietly(tiny_weights: Path, photo: Path) -> None:
    command = [sys.executable, "-m", "blurmapper.cli", "map", "--method", str(tiny_weights)]
    reader, writer = os.pipe()
    os.close(reader)
    whole = [*command, str(photo), "-o", str(photo.parent)]
    run = subprocess.run(whole, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (run.returncode, run.stderr) == (1, b"")
