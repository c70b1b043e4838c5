"""What a link beside a photo leads to may be a private file, and goes nowhere with the photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurmapper.ranking.bringing import copy_photos, move_photos

from .conftest import contents, write
from .test_companions import BOTH, Bring


@BOTH
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", ["a.jpg.json", "a.xmp", "a.THM"])
def test_what_a_link_beside_a_photo_leads_to_is_not_brought(
    name: str, shared: bool, bring: Bring, tmp_path: Path
) -> None:
    write(tmp_path / "home", "secret")
    photo = write(tmp_path / "in", "a.jpg", "a.pp3", *(["a.cr2"] if shared else []))
    (tmp_path / "in" / name).symlink_to("../home/secret")
    list(bring([photo], tmp_path / "out", dry_run=True))
    for _ in range(2):
        list(bring([tmp_path / "in" / "a.jpg"] if photo.exists() else [], tmp_path / "out"))
    link, copies = tmp_path / "out" / name, {"a.jpg": "in/a.jpg", "a.pp3": "in/a.pp3"}
    moved = {name: "home/secret"} if bring is move_photos else {}
    assert contents(tmp_path / "out") == dict(sorted((copies | moved).items()))
    assert link.is_symlink() == (bring is move_photos)
    is_left = bring is copy_photos or (shared and not name.startswith("a.jpg"))
    assert (tmp_path / "in" / name).is_symlink() == is_left
    assert (tmp_path / "home" / "secret").read_text() == "home/secret"
