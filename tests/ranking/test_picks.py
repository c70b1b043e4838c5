"""What a person takes back of a photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurmapper.ranking.marks import LIGHTROOM_PICK, Mark
from blurmapper.ranking.sidecars import Kept, write_marks

from .packets import EXISTING, packet


@pytest.mark.parametrize("said", ['Dummy:good="True"', 'Dummy:pick="1"'])
def test_what_takes_back_keeps_what_others_said(said: str, tmp_path: Path) -> None:
    theirs = packet(f'xmlns:Dummy="{LIGHTROOM_PICK.namespace}" {said}')
    (tmp_path / "a.jpg.xmp").write_bytes(theirs)
    (result,) = write_marks([(tmp_path / "a.jpg", Mark(0, flag="neither"))])
    assert result == Kept(tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg.xmp").read_bytes() == theirs


@pytest.mark.parametrize("good", ["True", "False"])
def test_what_takes_back_says_good_is_false(good: str, tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(
        packet(f'xmlns:Dummy="{LIGHTROOM_PICK.namespace}" Dummy:pick="1" Dummy:good="{good}"')
    )
    mark = (tmp_path / "a.jpg", Mark(flag="neither"))
    assert list(write_marks([mark], replace=True)) == [sidecar]
    assert b'Dummy:pick="0" Dummy:good="false"' in sidecar.read_bytes()
    # What is said already is by nobody else.
    assert Kept not in map(type, write_marks([mark]))


def test_a_new_sidecar_says_nothing_of_what_is_taken_back(tmp_path: Path) -> None:
    (sidecar,) = write_marks([(tmp_path / "a.jpg", Mark(3, flag="neither"))])
    assert isinstance(sidecar, Path)
    assert b"Rating" in sidecar.read_bytes()
    assert b"good" not in sidecar.read_bytes()


def test_what_takes_back_touches_no_sidecar_that_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").write_bytes(EXISTING["none"])
    marks = [(tmp_path / f"{name}.jpg", Mark(0, flag="neither")) for name in "ab"]
    assert list(write_marks(marks)) == [None, None]
    assert (tmp_path / "a.jpg.xmp").read_bytes() == EXISTING["none"]
    assert not (tmp_path / "b.jpg.xmp").exists()
