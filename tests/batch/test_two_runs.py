"""Two runs at the same time into one folder: neither takes the place of what the other made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blurmapper.batch.claims import Claims, Journal
from blurmapper.errors import ImageError


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (False, "has begun it of /a/x.jpg; run again when that has ended, or move the file"),
        (True, "has made it of /a/x.jpg; run again, and this photo's gets another name"),
    ],
)
def test_what_has_come_since_it_was_asked_for_stays(
    ended: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.jpg.blur.png"
    first, second = (
        Claims(Journal(tmp_path, "maps"), "x.jpg", f"/{folder}/x.jpg") for folder in "ab"
    )
    add = Journal.add

    def add_and_wait(journal: Journal, key: str, photo: str, names: list[str]) -> None:
        add(journal, key, photo, names)
        if photo == "/b/x.jpg":
            first.write({file: b"first"})
            if ended:
                line = {"target": "x.jpg", "photo": "/a/x.jpg", "files": [file.name]}
                (tmp_path / "maps.jsonl").write_text(json.dumps(line) + "\n")
                journal.write({})

    monkeypatch.setattr(Journal, "add", add_and_wait)
    with pytest.raises(ImageError, match=said):
        second.write({file: b"second"})
    assert file.read_bytes() == b"first"


def test_of_two_runs_on_one_photo_the_later_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.jpg.blur.png"
    claims = Claims(Journal(tmp_path, "maps"), "x.jpg", "/a/x.jpg")
    add = Journal.add

    def add_and_wait(journal: Journal, key: str, photo: str, names: list[str]) -> None:
        add(journal, key, photo, names)
        file.write_bytes(b"of the other run")

    monkeypatch.setattr(Journal, "add", add_and_wait)
    with pytest.raises(ImageError, match="has written it of the same photo; run again when that"):
        claims.write({file: b"mine"})
    assert file.read_bytes() == b"of the other run"


def test_a_worker_may_do_again_what_another_has_just_done(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg.blur.png"
    claims = Claims(Journal(tmp_path, "maps"), "x.jpg", "/a/x.jpg")
    for content in (b"same", b"same", b"other"):
        claims.write({file: content})
        assert file.read_bytes() == content
