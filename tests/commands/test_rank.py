"""The command that ranks photos: what it prints, writes and leaves alone."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import typer
from PIL import ExifTags
from typer.testing import CliRunner, Result

from blurmapper.commands.rank import rank
from blurmapper.decoding import Photo
from blurmapper.errors import BlurMapperError, ConfigError, ImageError
from blurmapper.methods import BlurMethod
from blurmapper.ranking import records

Run = Callable[..., Result]


@pytest.fixture
def shoot(tmp_path: Path, sharp_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of three photos, the sharper the later in the alphabet, in two folders."""
    folder = tmp_path / "shoot"
    (folder / "sub").mkdir(parents=True)
    for name, sigma in (("a.png", 4), ("sub/b [1].png", 1), ("sub/c.png", 0)):
        soft = cv2.GaussianBlur(sharp_photo, (0, 0), sigma) if sigma else sharp_photo
        PIL.Image.fromarray(soft).save(folder / name)
    return folder


@pytest.fixture
def run(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command with the tests' network; an error of ours is raised as it is."""
    app = typer.Typer()
    app.command()(rank)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: str | Path, status: int = 0) -> Result:
        options = ["--method", str(tiny_weights), "--threads", "1"]
        result = CliRunner().invoke(app, [*map(str, arguments), *options])
        if isinstance(result.exception, BlurMapperError):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return call


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_table_has_the_sharpest_first(run: Run, shoot: Path) -> None:
    table = run(shoot).stdout
    assert table.index("sub/c.png") < table.index("sub/b [1].png") < table.index("a.png")
    assert "32x24" in table


def test_nothing_is_written_where_nothing_is_asked_for(run: Run, shoot: Path) -> None:
    before = files_below(shoot)
    run(shoot)
    assert files_below(shoot) == before


def test_the_figures_are_those_of_map(run: Run, shoot: Path, tmp_path: Path) -> None:
    run(shoot, "--json", tmp_path / "r.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    degrees = [row["blur_degree"] for row in rows]
    assert degrees == sorted(degrees)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert (rows[0]["width"], rows[0]["height"]) == (128, 96)


def test_csv_and_parquet_go_to_files(run: Run, shoot: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    run(shoot, "--csv", tmp_path / "r.csv", "--parquet", tmp_path / "r.parquet")
    with (tmp_path / "r.csv").open(newline="") as stream:
        names = [row["photo"] for row in csv.DictReader(stream)]
    assert names == parquet.read_table(tmp_path / "r.parquet")["photo"].to_pylist()


@pytest.mark.parametrize("kind", ["--csv", "--json"])
def test_a_dash_prints_the_rows_and_no_table(kind: str, run: Run, shoot: Path) -> None:
    lines = run(shoot, kind, "-").stdout.splitlines()
    assert len(lines) == (4 if kind == "--csv" else 3)
    assert "sharpest region" not in lines[0]


def test_an_unreadable_photo_is_last_and_the_status_is_1(run: Run, shoot: Path) -> None:
    (shoot / "aa.jpg").write_text("no photo")
    result = run(shoot, "--json", "-", status=1)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["rank"] for row in rows] == [1, 2, 3, None]
    assert "aa.jpg" in rows[3]["error"]
    assert result.stderr.startswith("error: ") and "aa.jpg" in result.stderr


def test_a_folder_without_photos_does_not_stop_the_others(
    run: Run, shoot: Path, tmp_path: Path
) -> None:
    (tmp_path / "void").mkdir()
    result = run(tmp_path / "void", shoot, status=1)
    assert "no photos in this folder" in result.stderr
    assert "c.png" in result.stdout


def test_the_selected_are_copied(run: Run, shoot: Path, tmp_path: Path) -> None:
    before = files_below(shoot)
    result = run(shoot, "--select", "sharpest", "2", "--copy-to", tmp_path / "best")
    assert sorted(files_below(tmp_path / "best")) == ["b [1].png", "c.png"]
    assert files_below(shoot) == before
    assert "2 photos now in" in result.stderr


def test_the_selected_are_moved_only_where_that_is_said(
    run: Run, shoot: Path, tmp_path: Path
) -> None:
    run(shoot, "--select", "blurriest", "1", "--move-to", tmp_path / "worst")
    assert sorted(files_below(tmp_path / "worst")) == ["a.png"]
    assert sorted(files_below(shoot)) == ["sub/b [1].png", "sub/c.png"]


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--select", "sharpest", "2"], "needs one of --copy-to DIR and --move-to DIR"),
        (["--select", "sharpest", "2", "--copy-to", "x", "--move-to", "y"], "needs one of"),
        (["--copy-to", "x"], "add --select sharpest N"),
        (["--select", "best", "2", "--copy-to", "x"], "say sharpest N or blurriest N"),
        (["--select", "sharpest", "0", "--copy-to", "x"], "select 1 photo or more"),
    ],
)
def test_a_selection_that_is_not_clear_is_refused_at_once(
    arguments: list[str], mend: str, run: Run, shoot: Path
) -> None:
    with pytest.raises(ConfigError, match=mend):
        run(shoot, *arguments)


def test_stars_are_written_beside_the_photos_only_when_asked(run: Run, shoot: Path) -> None:
    before = files_below(shoot)
    result = run(shoot, "--xmp")
    after = files_below(shoot)
    assert sorted(after.keys() - before.keys()) == [
        "a.png.xmp",
        "sub/b [1].png.xmp",
        "sub/c.png.xmp",
    ]
    assert {name: after[name] for name in before} == before
    assert "rated 3 photos" in result.stderr


def test_lightroom_finds_its_sidecars_by_the_stem(run: Run, shoot: Path) -> None:
    run(shoot, "--xmp", "--xmp-name", "stem")
    assert (shoot / "a.xmp").exists()


def test_the_best_of_a_burst_is_marked_and_alone_selected(
    run: Run, tmp_path: Path, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    coarse = cv2.resize(sharp_photo[:6, :8], (128, 96), interpolation=cv2.INTER_CUBIC)
    textured = cv2.addWeighted(coarse, 0.7, sharp_photo, 0.3, 0)
    for second, sigma in enumerate((2, 0, 1)):
        exif = PIL.Image.Exif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        details[ExifTags.Base.DateTimeOriginal] = f"2026:11:22 12:00:0{second}"
        soft = cv2.GaussianBlur(textured, (0, 0), sigma) if sigma else textured
        PIL.Image.fromarray(soft).save(tmp_path / f"{second}.png", exif=exif.tobytes())
    selecting = ["--select", "sharpest", "3", "--copy-to", tmp_path / "best"]
    result = run(tmp_path, "--group-bursts", *selecting)
    assert "1 best" in result.stdout
    assert list(files_below(tmp_path / "best")) == ["1.png"]


def test_ctrl_c_ranks_what_is_done_and_touches_no_photo(
    run: Run, shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = records.read_for

    def interrupt_at_the_second(method: BlurMethod, photo: BinaryIO, *, name: str) -> Photo:
        if name.endswith("b [1].png"):
            asking = signal.getsignal(signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            while signal.getsignal(signal.SIGINT) == asking:
                time.sleep(0.001)
        return read(method, photo, name=name)

    monkeypatch.setattr(records, "read_for", interrupt_at_the_second)
    before = files_below(shoot)
    moving = ["--select", "sharpest", "1", "--move-to", tmp_path / "best"]
    result = run(*(shoot, "--csv", tmp_path / "r.csv", "--xmp", *moving, "--jobs", "1"), status=130)
    assert "stopped after 2 of 3 photos" in result.stderr
    assert "a.png" in result.stdout and "c.png" not in result.stdout
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3
    assert files_below(shoot) == before


def test_a_table_that_cannot_be_written_costs_nothing_else(
    run: Run, shoot: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    result = run(shoot, "--csv", tmp_path / "taken" / "r.csv", status=1)
    assert "taken: cannot be made" in result.stderr
    assert "c.png" in result.stdout


@pytest.mark.parametrize("kind", ["--csv", "--json", "--parquet"])
def test_no_photo_is_overwritten_by_a_table(kind: str, run: Run, shoot: Path) -> None:
    if kind == "--parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    before = files_below(shoot)
    with pytest.raises(ImageError, match=r"a\.png: is not of blurmapper's making"):
        run(kind, shoot / "a.png", shoot / "sub")
    assert files_below(shoot) == before


@pytest.mark.parametrize("kind", ["--csv", "--json", "--parquet"])
def test_ranking_again_writes_the_table_anew(
    kind: str, run: Run, shoot: Path, tmp_path: Path
) -> None:
    if kind == "--parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    run(shoot, kind, tmp_path / "table")
    first = (tmp_path / "table").read_bytes()
    run(shoot / "a.png", kind, tmp_path / "table")
    assert len((tmp_path / "table").read_bytes()) < len(first)


def test_a_long_table_shows_its_ends(run: Run, tmp_path: Path) -> None:
    for number in range(60):
        PIL.Image.new("RGB", (20, 20)).save(tmp_path / f"{number:02}.png")
    table = run(tmp_path).stdout
    assert "24.png" in table and "35.png" in table
    assert "25.png" not in table and "34.png" not in table
    assert "10 more" in table


def test_ratings_of_others_are_kept_unless_asked(run: Run, shoot: Path) -> None:
    run(shoot, "--xmp")
    sidecar = shoot / "a.png.xmp"
    by_hand = re.sub(r'xmp:Rating="\d"', 'xmp:Rating="-1"', sidecar.read_text())
    sidecar.write_text(by_hand)
    result = run(shoot, "--xmp")
    assert "rated 2 photos; 1 kept a rating that is not ours" in result.stderr
    assert sidecar.read_text() == by_hand
    assert "rated 3 photos" in run(shoot, "--xmp", "--replace-ratings").stderr
    assert sidecar.read_text() != by_hand


def test_stars_just_written_travel_with_the_photo(run: Run, shoot: Path, tmp_path: Path) -> None:
    moving = ("--select", "blurriest", "1", "--move-to", tmp_path / "worst")
    run(shoot, "--xmp", "--xmp-name", "stem", *moving)
    assert sorted(files_below(tmp_path / "worst")) == ["a.png", "a.xmp"]


def test_photos_and_tables_can_be_at_addresses(run: Run, shoot: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    memory = fsspec.filesystem("memory")
    memory.put(f"{shoot}/", "/ranked/", recursive=True)
    table = run("memory://ranked", "--csv", "memory://ranked/r.csv").stdout
    assert "memory://ranked/sub/b [1].png" in table
    rows = list(csv.DictReader(memory.cat("/ranked/r.csv").decode().splitlines()))
    assert rows[0]["photo"] == "memory://ranked/sub/c.png"
    with pytest.raises(ConfigError, match="need photos on this machine"):
        run("memory://ranked", "--xmp")
    memory.rm("/ranked", recursive=True)
