"""Picks that a stranger made take nothing but photos, and those of the folder they are said of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
FilesBelow = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def home(shoot: Path) -> Path:
    """A folder of private files, to which links among the photos lead."""
    home = shoot.parent / "home"
    (home / ".aws").mkdir(parents=True)
    for name in ("key", ".aws/key", ".aws/key.png", "private.png"):
        (home / name).write_text("SECRET")
    (shoot / "link").symlink_to("../home")
    (shoot / "key.png").symlink_to("../home/key")
    (shoot / "private.png").symlink_to("../home/private.png")
    (shoot / "inside.png").symlink_to("notes.txt")
    (shoot / "notes.txt").write_text("SECRET")
    return home


@pytest.mark.parametrize("how", [("shoot", "--copy-to"), ("--copy-to",), ("--move-to",)])
@pytest.mark.parametrize(
    "name",
    [
        *("notes.txt", "inside.png", "key.png", "private.png"),
        *("link/key", "link/private.png", "link/.aws/key", "link/.aws/key.png"),
    ],
)
def test_a_pick_that_is_no_photo_of_the_folder_is_left(
    name: str,
    how: tuple[str, ...],
    run_rank: Run,
    files_below: FilesBelow,
    shoot: Path,
    home: Path,
) -> None:
    picks, keep = shoot.parent / "picks.json", shoot.parent / "keep"
    chosen = [{"photo": each, "flag": "pick"} for each in (name, "a.png")]
    picks.write_text(
        json.dumps({"made_by": "blurmapper picks 1", "folder": str(shoot), "photos": chosen})
    )
    before, target = files_below(home), (shoot / name).read_bytes()
    folder, deed = [shoot] if len(how) > 1 else [], how[-1]
    result = run_rank(*folder, "--apply", picks, deed, keep, status=1)
    line = f"error: {shoot / name}: is no photo and is left as it is"
    assert [each.startswith(line) for each in result.stderr.splitlines()].count(True) == 1
    assert sorted(files_below(keep)) == ["a.png", "a.png.xmp"]
    assert files_below(home) == before and (shoot / name).read_bytes() == target
    assert not (shoot / f"{name}.xmp").exists()


def test_photos_that_links_lead_to_are_carried_out(
    run_rank: Run, files_below: FilesBelow, shoot: Path
) -> None:
    link, picks = shoot.parent / "link", shoot.parent / "picks.json"
    link.symlink_to(shoot)
    (shoot / "again.png").symlink_to("sub/c.png")
    (shoot.parent / "blob").write_bytes((shoot / "a.png").read_bytes())
    (shoot / "blob.png").symlink_to("../blob")
    names = ["a.png", "again.png", "blob.png"]
    chosen = [{"photo": each, "flag": "pick"} for each in names]
    picks.write_text(
        json.dumps({"made_by": "blurmapper picks 1", "folder": str(link), "photos": chosen})
    )
    run_rank("--apply", picks, "--copy-to", shoot.parent / "keep")
    kept = files_below(shoot.parent / "keep")
    assert [name for name in sorted(kept) if name.endswith(".png")] == names
