"""What the command that ranks photos marks, copies and moves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from blurmapper.errors import ConfigError, ImageError
from blurmapper.ranking import bringing, sidecars
from blurmapper.ranking.measuring import find_cache

Run = Callable[..., Result]
FilesBelow = Callable[[Path], dict[str, bytes]]


def test_the_selected_are_copied(
    run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    before = files_below(shoot)
    result = run_rank(shoot, "--select", "sharpest", "2", "--copy-to", tmp_path / "best")
    assert sorted(files_below(tmp_path / "best")) == ["b [1].png", "c.png"]
    assert files_below(shoot) == before
    assert "2 photos now in" in result.stderr


def test_the_selected_are_moved_only_where_that_is_said(
    run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    run_rank(shoot, "--select", "blurriest", "1", "--move-to", tmp_path / "worst")
    assert sorted(files_below(tmp_path / "worst")) == ["a.png"]
    assert sorted(files_below(shoot)) == ["sub/b [1].png", "sub/c.png"]


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--select", "sharpest", "2"], "add --copy-to DIR, --move-to DIR or --mark"),
        (
            ["--select", "sharpest", "2", "--copy-to", "x", "--move-to", "y"],
            "photos go to one place",
        ),
        (["--copy-to", "x"], "which photos[?] add --select sharpest N"),
        (["--select", "best", "2", "--copy-to", "x"], "say sharpest N or blurriest N"),
        (["--select", "sharpest", "0", "--copy-to", "x"], "select 1 photo or more"),
    ],
)
def test_a_selection_that_is_not_clear_is_refused_at_once(
    arguments: list[str], mend: str, run_rank: Run, shoot: Path
) -> None:
    with pytest.raises(ConfigError, match=mend):
        run_rank(shoot, *arguments)


def test_stars_are_written_beside_the_photos_only_when_asked(
    run_rank: Run, files_below: FilesBelow, shoot: Path
) -> None:
    before = files_below(shoot)
    result = run_rank(shoot, "--xmp")
    after = files_below(shoot)
    assert sorted(after.keys() - before.keys()) == [
        "a.png.xmp",
        "sub/b [1].png.xmp",
        "sub/c.png.xmp",
    ]
    assert {name: after[name] for name in before} == before
    assert "marked 3 photos" in result.stderr


def test_photos_beyond_a_threshold_are_marked(run_rank: Run, shoot: Path) -> None:
    run_rank(shoot, "--by", "s", "--json", shoot.parent / "r.jsonl")
    rows = [json.loads(line) for line in (shoot.parent / "r.jsonl").read_text().splitlines()]
    worst = rows[-1]["blur_degree"]
    result = run_rank(
        shoot, "--by", "s", "--above", str(worst), "--mark", "reject", "--mark", "red"
    )
    assert "marked 1 photo\n" in result.stderr
    assert [path.name for path in shoot.rglob("*.xmp")] == ["a.png.xmp"]
    assert 'xmp:Rating="-1"' in (shoot / "a.png.xmp").read_text()
    assert 'xmp:Label="Red"' in (shoot / "a.png.xmp").read_text()


def test_photos_are_selected_by_their_verdict(run_rank: Run, shoot: Path) -> None:
    rows = map(json.loads, run_rank(shoot, "--json", "-").stdout.splitlines())
    said = {Path(row["photo"]).name: row["verdict"] for row in rows}
    assert said["c.png"] != said["a.png"]
    run_rank(shoot, "--verdict", said["a.png"], "--mark", "red")
    marked = {path.name.removesuffix(".xmp") for path in shoot.rglob("*.xmp")}
    assert marked == {name for name, word in said.items() if word == said["a.png"]}
    with pytest.raises(ConfigError, match="no verdict 'bad'; choose from: sharp, subject sharp"):
        run_rank(shoot, "--verdict", "bad", "--mark", "red")


def test_a_mark_goes_before_the_stars(run_rank: Run, shoot: Path) -> None:
    result = run_rank(shoot, "--xmp", "--select", "blurriest", "1", "--mark", "reject")
    assert "marked 3 photos" in result.stderr
    ratings = [re.findall(r'Rating="(.*?)"', path.read_text()) for path in shoot.rglob("*.xmp")]
    assert ratings.count(["-1"]) == 1


@pytest.mark.parametrize("deed", ["--copy-to", "--move-to"])
def test_a_dry_run_writes_nothing_and_says_all(
    deed: str, run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    before = files_below(tmp_path)
    choosing = ("--select", "sharpest", "1", deed, tmp_path / "best", "--mark", "pick")
    result = run_rank(shoot, "--xmp", "--csv", tmp_path / "r.csv", *choosing, "--dry-run")
    assert files_below(tmp_path) == before
    lines = result.stdout.splitlines()
    assert f"would write {tmp_path / 'r.csv'}" in lines
    assert f"{shoot / 'sub/c.png'} -> {tmp_path / 'best' / 'c.png'}" in lines
    assert any(line.startswith(f"{shoot / 'a.png'}: ") and " star" in line for line in lines)
    assert "would mark 3 photos" in result.stderr and "1 photo to" in result.stderr


def test_rows_that_are_printed_stand_alone(run_rank: Run, shoot: Path, tmp_path: Path) -> None:
    files = ("--csv", tmp_path / "r.csv", "--report", tmp_path / "page")
    result = run_rank(shoot, "--xmp", "--json", "-", *files, "--dry-run")
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 3
    assert f"would write {tmp_path / 'r.csv'}" in result.stderr.splitlines()
    assert result.stderr.count(" -> ") == 3


def test_lightroom_finds_its_sidecars_by_the_stem(run_rank: Run, shoot: Path) -> None:
    run_rank(shoot, "--xmp", "--xmp-name", "stem")
    assert (shoot / "a.xmp").exists()


def test_ratings_of_others_are_kept_unless_asked(run_rank: Run, shoot: Path) -> None:
    run_rank(shoot, "--xmp")
    sidecar = shoot / "a.png.xmp"
    by_hand = re.sub(r'xmp:Rating="\d"', 'xmp:Rating="-1"', sidecar.read_text())
    sidecar.write_text(by_hand)
    result = run_rank(shoot, "--xmp")
    assert "marked 2 photos; 1 kept what others said" in result.stderr
    assert sidecar.read_text() == by_hand
    assert "marked 3 photos" in run_rank(shoot, "--xmp", "--replace-ratings").stderr
    assert sidecar.read_text() != by_hand


@pytest.mark.parametrize("deed", ["copied", "moved", "marked"])
def test_ctrl_c_finishes_the_photo_that_has_begun_and_says_so(
    deed: str,
    run_rank: Run,
    shoot: Path,
    tmp_path: Path,
    press_ctrl_c: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, name = {"marked": (sidecars, "write_file")}.get(deed, (bringing, "put"))
    do = getattr(module, name)

    def interrupt(*arguments: Any, **choices: Any) -> Any:
        press_ctrl_c()
        return do(*arguments, **choices)

    monkeypatch.setattr(module, name, interrupt)
    option = ["--copy-to" if deed == "copied" else "--move-to", tmp_path / "best"]
    marking = ["--mark", "red"] if deed == "marked" else []
    result = run_rank(shoot, "--select", "sharpest", "3", *option, *marking, status=130)
    assert f"1 photo{'' if deed == 'marked' else ' now in'}" in result.stderr
    assert "stopped after 1 of 3 photos" in result.stderr
    assert len(list(tmp_path.glob("best/*"))) == (0 if deed == "marked" else 1)
    assert len(list(shoot.rglob("*.xmp"))) == (1 if deed == "marked" else 0)


def test_stars_just_written_travel_with_the_photo(
    run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    moving = ("--select", "blurriest", "1", "--move-to", tmp_path / "worst")
    run_rank(shoot, "--xmp", "--xmp-name", "stem", *moving)
    assert sorted(files_below(tmp_path / "worst")) == ["a.png", "a.xmp"]


def test_a_report_is_a_page_and_its_pictures(run_rank: Run, shoot: Path, tmp_path: Path) -> None:
    result = run_rank(shoot, "--report", tmp_path / "out")
    assert f"open {tmp_path / 'out' / 'index.html'} in a browser" in result.stderr
    assert (tmp_path / "out/files/sub/c.png.thumb.jpg").stat().st_size > 0
    run_rank(shoot, "--report", tmp_path / "dry", "--dry-run")
    assert not (tmp_path / "dry").exists()


def test_another_s_page_is_named_before_any_photo_is_measured(
    run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    page = tmp_path / "out" / "index.html"
    page.parent.mkdir()
    page.write_text("<!doctype html>mine")
    with pytest.raises(ImageError, match=r"index\.html: is not of blurmapper's making"):
        run_rank(shoot, "--report", page.parent)
    assert list(files_below(page.parent)) == ["index.html"]


@pytest.mark.parametrize("name", ["index.html", "files"])
def test_no_page_goes_through_a_link(name: str, run_rank: Run, shoot: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to("../mine")
    with pytest.raises(ImageError, match=f"{name}: is not of blurmapper's making"):
        run_rank(shoot, "--report", tmp_path / "out")
    assert not (tmp_path / "mine").exists()


def test_what_a_report_measured_is_measured_for_looks_without_one(
    run_rank: Run, shoot: Path, tmp_path: Path
) -> None:
    run_rank(shoot, "--report", tmp_path / "out")
    kept = find_cache() / "rank.jsonl"
    before = kept.read_bytes()
    assert before.count(b"\n") == 3
    run_rank(shoot)
    run_rank(shoot, "--report", tmp_path / "another")
    assert kept.read_bytes() == before


def write_picks(folder: Path, *photos: dict[str, object]) -> Path:
    file = folder.parent / "picks.json"
    content = {"made_by": "blurmapper picks 1", "folder": str(folder), "photos": photos}
    file.write_text(json.dumps(content))
    return file


def test_picks_are_carried_out(
    run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    picked = {"photo": "sub/c.png", "flag": "pick", "rating": 5}
    rejected = {"photo": "a.png", "flag": "reject", "rating": None}
    picks = write_picks(shoot, picked, rejected)
    before = files_below(tmp_path)
    result = run_rank("--apply", picks, "--copy-to", tmp_path / "keep", "--dry-run")
    assert files_below(tmp_path) == before
    assert "would mark 2 photos" in result.stderr
    assert f"picks of photos in {shoot}" in result.stderr.splitlines()
    run_rank("--apply", picks, "--copy-to", tmp_path / "keep")
    assert sorted(files_below(tmp_path / "keep")) == ["c.png", "c.png.xmp"]
    assert 'xmp:Rating="-1"' in (shoot / "a.png.xmp").read_text()
    away = (tmp_path / "away").as_uri()
    run_rank(shoot.as_uri(), "--apply", picks, "--only", "reject", "--move-to", away)
    assert sorted(files_below(tmp_path / "away")) == ["a.png", "a.png.xmp"]


def test_what_is_taken_back_is_taken_out_of_our_sidecars(
    run_rank: Run, files_below: FilesBelow, shoot: Path, tmp_path: Path
) -> None:
    rejected = {"photo": "a.png", "flag": "reject", "rating": None}
    picked = {"photo": "sub/c.png", "flag": "pick", "rating": 4}
    run_rank("--apply", write_picks(shoot, rejected, picked))
    never = {"photo": "sub/b [1].png", "flag": "", "rating": 0}
    picks = write_picks(shoot, {**rejected, "flag": ""}, {**picked, "rating": 0}, never)
    before = files_below(tmp_path)
    result = run_rank("--apply", picks, "--dry-run")
    assert f"{shoot / 'a.png'}: neither picked nor rejected -> {shoot / 'a.png.xmp'}" in (
        result.stdout.splitlines()
    )
    assert "would mark 2 photos" in result.stderr and "[1]" not in result.stdout
    assert files_below(tmp_path) == before
    run_rank("--apply", picks)
    assert "Rating" not in (text := (shoot / "a.png.xmp").read_text()) and "pick" not in text
    assert "Rating" not in (text := (shoot / "sub/c.png.xmp").read_text())
    assert 'xmpDM:pick="1"' in text
    assert not (shoot / "sub/b [1].png.xmp").exists()


def test_what_others_said_is_not_taken_back_unless_asked(run_rank: Run, shoot: Path) -> None:
    run_rank("--apply", write_picks(shoot, {"photo": "a.png", "flag": "pick", "rating": 4}))
    theirs = (shoot / "a.png.xmp").read_text().replace("?>", "?><!-- theirs -->", 1)
    (shoot / "a.png.xmp").write_text(theirs)
    picks = write_picks(shoot, {"photo": "a.png", "flag": "", "rating": 0})
    assert "1 kept what others said" in run_rank("--apply", picks).stderr
    assert (shoot / "a.png.xmp").read_text() == theirs
    run_rank("--apply", picks, "--replace-ratings")
    assert 'xmp:Rating="0"' in (shoot / "a.png.xmp").read_text()
    assert 'xmpDM:pick="0"' in (shoot / "a.png.xmp").read_text()


@pytest.mark.parametrize("name", ["gone.png", "sub", "a.png\0", "\ud800.png", "a" * 300])
def test_a_pick_that_is_no_file_costs_no_other(name: str, run_rank: Run, shoot: Path) -> None:
    picks = write_picks(shoot, {"photo": name, "flag": "pick"}, {"photo": "a.png", "flag": "pick"})
    result = run_rank("--apply", picks, "--move-to", shoot.parent / "kept", status=1)
    assert ": no such file" in result.stderr
    assert (shoot.parent / "kept" / "a.png.xmp").exists()
    assert (shoot / "sub" / "c.png").exists()


def test_picks_go_with_no_other_choice(run_rank: Run, shoot: Path) -> None:
    picks = write_picks(shoot, {"photo": "a.png", "flag": "pick"})
    for choice in (["--xmp"], ["--report", "page"], ["--group-bursts"]):
        with pytest.raises(ConfigError, match="leave out other choices"):
            run_rank("--apply", picks, *choice)
    for place in (shoot / "a.png", shoot / "gone", "x" * 300):
        with pytest.raises(ConfigError, match="no such folder; give that which the photos are in"):
            run_rank(place, "--apply", picks)
    with pytest.raises(ConfigError, match="which photos"):
        run_rank()
