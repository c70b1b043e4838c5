"""The command that ranks photos: what it prints, writes and leaves alone."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import Result
from PIL import ExifTags

from blurmapper.commands._ranking_table import print_ranking
from blurmapper.decoding import Photo
from blurmapper.errors import ConfigError, ImageError
from blurmapper.ranking import measuring
from blurmapper.ranking.frames import Frame
from blurmapper.ranking.records import Box, PhotoRecord, Verdict, Word
from blurmapper.ranking.tables import Ranking, make_ranking
from blurmapper.sharpest import SharpestPart

Run = Callable[..., Result]
FilesBelow = Callable[[Path], dict[str, bytes]]


def test_the_table_has_the_sharpest_first(run_rank: Run, shoot: Path) -> None:
    table = run_rank(shoot, "--by", "region").stdout
    assert table.index("sub/c.png") < table.index("sub/b [1].png") < table.index("a.png")
    assert "32x24" in table


def rank_of(*verdicts: Word, name: str = "{}.jpg") -> Ranking:
    """Return a ranking of as many photos, two of them a burst."""
    when = datetime(2026, 1, 1)  # noqa: DTZ001 - EXIF has no zone
    records = [
        PhotoRecord(
            Path(name.format(number)),
            *(4000, 6000, 0.123, 0.456, Box(1000, 1000, 1500, 1000, 0.01)),
            frame=Frame(when, "camera", 0),
            focus=SharpestPart(12.34, 9, 9),
            verdict=Verdict(word, ""),
        )
        for number, word in enumerate(verdicts)
    ]
    return make_ranking(records, group=True)


def test_names_are_whole_on_a_screen_of_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_ranking(rank_of("subject sharp", "subject sharp", name="10{}CANON/IMG_0001.JPG"))
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("100CANON/IMG_0001.JPG" in line and "1 best" in line for line in lines) == 1


def test_a_ranking_that_is_shown_in_part_has_its_verdicts_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_ranking(rank_of(*["soft"] * 29, *["subject sharp"] * 30))
    assert "30 subject sharp, 29 soft" in capsys.readouterr().out.splitlines()


def test_nothing_is_written_where_nothing_is_asked_for(
    run_rank: Run, files_below: FilesBelow, shoot: Path
) -> None:
    before = files_below(shoot)
    run_rank(shoot)
    assert files_below(shoot) == before


def test_the_figures_are_those_of_map(run_rank: Run, shoot: Path, tmp_path: Path) -> None:
    run_rank(shoot, "--by", "s", "--json", tmp_path / "r.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    degrees = [row["blur_degree"] for row in rows]
    assert degrees == sorted(degrees)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert (rows[0]["width"], rows[0]["height"]) == (128, 96)


def test_csv_and_parquet_go_to_files(run_rank: Run, shoot: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    run_rank(shoot, "--csv", tmp_path / "r.csv", "--parquet", tmp_path / "r.parquet")
    with (tmp_path / "r.csv").open(newline="") as stream:
        names = [row["photo"] for row in csv.DictReader(stream)]
    assert names == parquet.read_table(tmp_path / "r.parquet")["photo"].to_pylist()


@pytest.mark.parametrize(
    "options", [["--csv", "t.out", "--json", "t.out"], ["--json", "r/index.html", "--report", "r"]]
)
def test_two_outputs_at_one_path_are_refused_at_once(
    options: list[str],
    run_rank: Run,
    shoot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="two outputs would go there"):
        run_rank(shoot, *options)
    assert list(tmp_path.iterdir()) == [shoot]


def test_boxes_of_photos_that_are_not_given_get_one_line(
    run_rank: Run, shoot: Path, tmp_path: Path
) -> None:
    rows = "photo,x,y,width,height\na.png,1,1,9,9\nnowhere.png,1,1,9,9\n"
    (tmp_path / "boxes.csv").write_text(rows)
    said = run_rank(shoot, "--boxes", tmp_path / "boxes.csv", "--json", "-").stderr
    line = "the boxes of 1 photo fit none given (nowhere.png is the first)"
    assert said == f"{tmp_path / 'boxes.csv'}: {line}\n"


@pytest.mark.parametrize("kind", ["--csv", "--json"])
def test_a_dash_prints_the_rows_and_no_table(kind: str, run_rank: Run, shoot: Path) -> None:
    lines = run_rank(shoot, kind, "-").stdout.splitlines()
    assert len(lines) == (4 if kind == "--csv" else 3)
    assert "sharpest region" not in lines[0]


def test_a_dash_prints_parquet_too(
    run_rank: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    monkeypatch.chdir(shoot)
    assert run_rank(shoot, "--parquet", "-").stdout_bytes.startswith(b"PAR1")
    assert not Path("-").exists()


def test_an_unreadable_photo_is_last_and_the_status_is_1(run_rank: Run, shoot: Path) -> None:
    (shoot / "aa.jpg").write_text("no photo")
    result = run_rank(shoot, "--json", "-", status=1)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["rank"] for row in rows] == [1, 2, 3, None]
    assert "aa.jpg" in rows[3]["error"]
    assert result.stderr.startswith("error: ") and "aa.jpg" in result.stderr


def test_a_folder_without_photos_does_not_stop_the_others(
    run_rank: Run, shoot: Path, tmp_path: Path
) -> None:
    (tmp_path / "void").mkdir()
    result = run_rank(tmp_path / "void", shoot, status=1)
    assert "no photos in this folder" in result.stderr
    assert "c.png" in result.stdout


def test_a_second_look_measures_nothing(
    run_rank: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_rank(shoot, "--json", "-").stdout
    monkeypatch.setattr(measuring, "read_photo", lambda *_, **__: pytest.fail("measured again"))
    assert run_rank(shoot, "--json", "-", "--group-bursts").stdout == first
    assert run_rank(shoot, "--weighting", "centre", "--by", "region").exit_code == 0


def test_the_best_of_a_burst_is_marked_and_alone_selected(
    run_rank: Run, files_below: FilesBelow, tmp_path: Path, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    coarse = cv2.resize(sharp_photo[:6, :8], (128, 96), interpolation=cv2.INTER_CUBIC)
    textured = cv2.addWeighted(coarse, 0.7, sharp_photo, 0.3, 0)
    for second, sigma in enumerate((2, 0, 1)):
        exif = PIL.Image.Exif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        details[ExifTags.Base.DateTimeOriginal] = f"2026:11:22 12:00:0{second}"
        soft = cv2.GaussianBlur(textured, (0, 0), sigma) if sigma else textured
        for name in (f"{second}.png", f"{second}.webp"):
            PIL.Image.fromarray(soft).save(tmp_path / name, exif=exif.tobytes(), lossless=True)
    selecting = ["--select", "sharpest", "1", "--copy-to", tmp_path / "best"]
    result = run_rank(tmp_path, "--group-bursts", *selecting)
    assert "1 best" in result.stdout
    assert sorted(files_below(tmp_path / "best")) == ["1.png", "1.webp"]


def test_ctrl_c_ranks_what_is_done_and_touches_no_photo(
    run_rank: Run,
    files_below: FilesBelow,
    shoot: Path,
    tmp_path: Path,
    press_ctrl_c: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = measuring.read_photo

    def interrupt_at_the_second(photo: BinaryIO, *, name: str) -> Photo:
        if name.endswith("b [1].png"):
            press_ctrl_c()
        return read(photo, name=name)

    monkeypatch.setattr(measuring, "read_photo", interrupt_at_the_second)
    before = files_below(shoot)
    moving = ["--select", "sharpest", "1", "--move-to", tmp_path / "best"]
    result = run_rank(
        *(shoot, "--csv", tmp_path / "r.csv", "--xmp", *moving, "--jobs", "1"), status=130
    )
    assert "stopped after 2 of 3 photos" in result.stderr
    assert "a.png" in result.stdout and "c.png" not in result.stdout
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3
    assert files_below(shoot) == before


def test_a_table_that_cannot_be_written_costs_nothing_else(
    run_rank: Run, shoot: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    result = run_rank(shoot, "--csv", tmp_path / "taken" / "r.csv", status=1)
    assert "taken: cannot be made" in result.stderr
    assert "c.png" in result.stdout


@pytest.mark.parametrize("kind", ["--csv", "--json", "--parquet"])
def test_no_photo_is_overwritten_by_a_table(
    kind: str, run_rank: Run, files_below: FilesBelow, shoot: Path
) -> None:
    if kind == "--parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    before = files_below(shoot)
    with pytest.raises(ImageError, match=r"a\.png: is not of blurmapper's making"):
        run_rank(kind, shoot / "a.png", shoot / "sub")
    assert files_below(shoot) == before


@pytest.mark.parametrize("kind", ["--csv", "--json", "--parquet"])
def test_ranking_again_writes_the_table_anew(
    kind: str, run_rank: Run, shoot: Path, tmp_path: Path
) -> None:
    if kind == "--parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    run_rank(shoot, kind, tmp_path / "table")
    first = (tmp_path / "table").read_bytes()
    run_rank(shoot / "a.png", kind, tmp_path / "table")
    assert len((tmp_path / "table").read_bytes()) < len(first)


def test_a_long_table_shows_its_ends(run_rank: Run, tmp_path: Path) -> None:
    for number in range(60):
        PIL.Image.new("RGB", (20, 20)).save(tmp_path / f"{number:02}.png")
    table = run_rank(tmp_path).stdout
    assert "24.png" in table and "35.png" in table
    assert "25.png" not in table and "34.png" not in table
    assert "10 more" in table


def test_photos_and_tables_can_be_at_addresses(run_rank: Run, shoot: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    memory = fsspec.filesystem("memory")
    memory.put(f"{shoot}/", "/ranked/", recursive=True)
    table = run_rank("memory://ranked", "--csv", "memory://ranked/r.csv").stdout
    assert "memory://ranked/sub/b [1].png" in table
    rows = list(csv.DictReader(memory.cat("/ranked/r.csv").decode().splitlines()))
    assert rows[0]["photo"] == "memory://ranked/sub/c.png"
    for option in (["--xmp"], ["--report", shoot.parent / "out"]):
        with pytest.raises(ConfigError, match="need photos on this machine"):
            run_rank("memory://ranked", *option)
    memory.rm("/ranked", recursive=True)


@pytest.mark.parametrize("deed", ["--copy-to", "--move-to"])
def test_where_photos_went_is_not_ranked_the_next_time(
    deed: str, run_rank: Run, files_below: FilesBelow, shoot: Path
) -> None:
    for _ in range(2):
        run_rank(shoot, "--select", "blurriest", "1", deed, shoot / "chosen")
    chosen = sorted(name for name in files_below(shoot) if name.startswith("chosen/"))
    assert chosen == (
        ["chosen/a.png"] if deed == "--copy-to" else ["chosen/a.png", "chosen/b [1].png"]
    )
