"""The command that checks photos: its list and its status."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from blurmapper.commands.rank import check
from blurmapper.errors import ConfigError
from blurmapper.ranking.checking import Demands
from blurmapper.ranking.records import Box, PhotoRecord

Check = Callable[..., Result]


@pytest.fixture
def run_check(run_with: Callable[[Callable[..., None]], Check]) -> Check:
    """Call the command that checks photos."""
    return run_with(check)


def test_a_folder_of_sharp_photos_passes(run_check: Check, shoot: Path) -> None:
    result = run_check(shoot / "sub", "--min-sharp", "0")
    assert result.stdout == ""
    assert result.stderr == "0 of 2 photos fail (0.0%): few enough\n"


@pytest.mark.parametrize(
    ("blurred", "least", "said"),
    [(0.9, 0.1, None), (0.9004, 0.1, "9.96% sharp, less than 10%")],
)
def test_a_share_that_is_reached_is_enough(blurred: float, least: float, said: str | None) -> None:
    record = PhotoRecord(Path("a.jpg"), 24, 32, 0.8, blurred, Box(0, 0, 8, 6, 0.2))
    assert Demands(min_sharp=least).complain(record) == said


def test_what_fails_is_listed_with_the_reason_and_the_status_is_1(
    run_check: Check, shoot: Path
) -> None:
    result = run_check(shoot, "--min-sharp", "50%", status=1)
    line, _ = result.stdout.splitlines()
    assert line.startswith(f"{shoot / 'a.png'}: ") and line.endswith("sharp, less than 50%")
    assert "2 of 3 photos fail (66.7%): too many" in result.stderr


def test_photos_whose_sharpest_part_is_wide_fail(run_check: Check, shoot: Path) -> None:
    result = run_check(shoot, "--max-sigma", "2", "--json", status=1)
    (row,) = map(json.loads, result.stdout.splitlines())
    assert row["photo"].endswith("a.png") and row["sigma"] > 2
    assert row["reason"].endswith("px, more than 2 px")


@pytest.mark.parametrize(("allowed", "status"), [("66%", 1), (".67", 0), ("67%", 0)])
def test_some_may_fail(allowed: str, status: int, run_check: Check, shoot: Path) -> None:
    run_check(shoot, "--min-sharp", "50%", "--fail-over", allowed, status=status)


def test_exactly_as_many_as_may_fail_do_not_fail_the_check(run_check: Check, shoot: Path) -> None:
    (shoot / "bad.jpg").write_text("no photo")
    run_check(shoot, "--min-sharp", "50%", "--fail-over", "75%")


def test_a_photo_that_cannot_be_read_fails(run_check: Check, shoot: Path) -> None:
    (shoot / "bad.jpg").write_text("no photo")
    result = run_check(shoot, "--min-sharp", "0", "--json", status=1)
    (row,) = map(json.loads, result.stdout.splitlines())
    assert row["photo"].endswith("bad.jpg") and row["share_sharp"] is None
    assert row["reason"].startswith("not an image file")


def test_a_folder_without_photos_fails(run_check: Check, tmp_path: Path) -> None:
    assert "no photos in this folder" in run_check(tmp_path, "--min-sharp", "0", status=1).stdout


@pytest.mark.parametrize("locked", [False, True])
def test_no_share_lets_a_folder_pass_that_could_not_be_checked(
    locked: bool, run_check: Check, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shoot / "locked" if locked else shoot.parent / "empty"
    folder.mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    given = [shoot] if locked else [folder, shoot]
    result = run_check(*given, "--min-sharp", "50%", "--fail-over", "100%", status=1)
    assert str(folder) in result.stdout
    said = "2 of 3 photos fail (66.7%): few enough; 1 place could not be checked\n"
    assert result.stderr == said


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [([], "add --max-sigma 2 or --min-sharp"), (["--min-sharp", "30"], "write 5% or .05")]
    + [(["--min-sharp", ".3", "--fail-over", text], "no share") for text in ("-1", "200%", "x")],
)
def test_a_check_that_is_not_clear_is_refused(
    arguments: list[str], mend: str, run_check: Check, shoot: Path
) -> None:
    with pytest.raises(ConfigError, match=mend):
        run_check(shoot, *arguments)
