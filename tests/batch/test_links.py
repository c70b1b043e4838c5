"""A link below a folder of outputs is the user's, whoever put it there: nothing goes through it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blurmapper.batch import Failures, How, KeepMasks, Manifest, Outputs, Task, identify
from blurmapper.errors import ImageError

from .test_claims import MagnifyNothing, draw, names, out, run
from .test_run import MapNothing, write_photos

__all__ = ["out"]

TASKS = pytest.mark.parametrize(
    ("task", "name"),
    [
        (MapNothing(""), "a.png.blur.png"),
        (MapNothing("", outputs=Outputs(overlay=True)), "a.png.overlay.jpg"),
        (MapNothing("", outputs=Outputs(masks=KeepMasks("folder"))), "masks/a.png"),
        (MagnifyNothing(""), "a.png.magnified.png"),
    ],
)


def vouch(out: Path, task: Task, name: str) -> None:
    """Write the manifest of a stranger, which says that a file is of our making."""
    file = identify(out.parent / "in" / "a.png")
    line = {"target": "a.png", "photo": "/nowhere/a.png", "file": file, "settings": "x"}
    (out / f"{task.name}.jsonl").write_text(json.dumps(line | {"files": [name]}) + "\n")


@TASKS
@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("redo", [False, True])
@pytest.mark.parametrize("is_vouched_for", [False, True])
def test_nothing_is_written_where_a_link_leads(
    is_vouched_for: bool, redo: bool, is_there: bool, task: Task, name: str, out: Path
) -> None:
    album = out.parent / "album" / Path(name).name
    mine = draw(album) if is_there else None
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).symlink_to(album)
    if is_vouched_for:
        vouch(out, task, name)
    for _ in range(2):
        (error,) = run(out, task, How(redo=redo))
        line = "is not of blurmapper's making and is left as it is; move away the link"
        assert error == f"{out / name}: {line}, then run again"
    assert (out / name).readlink() == album
    assert (album.read_bytes() if is_there else None) == mine and album.exists() == is_there
    assert {each for each in names(out) if "a.png" in each} == ({name} if is_there else set())


@pytest.mark.parametrize("kind", ["file", "nothing"])
def test_a_link_that_comes_there_while_its_photo_is_mapped_is_the_user_s(
    kind: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    album, work = out.parent / "picture.png", MapNothing.work
    mine = draw(album) if kind == "file" else None

    def linking(*given: object) -> object:
        if not (out / "a.png.blur.png").is_symlink():
            (out / "a.png.blur.png").symlink_to(album)
        return work(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(MapNothing, "work", linking)
    (error,) = run(out, MapNothing(""))
    assert error.endswith("is left as it is; move away the link, then run again")
    assert (album.read_bytes() if album.exists() else None) == mine


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_that_leads_out_is_not_followed(is_there: bool, out: Path) -> None:
    write_photos(out.parent / "in" / "sub" / "deep", "c.png")
    album = out.parent / "album"
    if is_there:
        album.mkdir()
    (out / "sub").symlink_to(album)
    (error,) = run(out, MapNothing(""))
    where = out / "sub" / "deep" / "c.png.blur.png"
    line = f"is left as it is; move away the link that leads out of {out}, then run again"
    assert error == f"{where}: is not of blurmapper's making and {line}"
    assert not album.exists() or not [*album.iterdir()]


def test_a_folder_of_outputs_may_be_a_link_and_hold_some(out: Path) -> None:
    write_photos(out.parent / "in" / "sub", "c.png")
    (out / "kept").mkdir()
    (out / "sub").symlink_to("kept")
    link = out.parent / "link"
    link.symlink_to("out")
    assert run(link, MapNothing("")) == []
    assert {"a.png.blur.png", "kept/c.png.blur.png"} <= names(out)


@pytest.mark.parametrize("kind", ["empty", "nothing"])
def test_no_manifest_and_no_list_of_failures_goes_through_a_link(kind: str, out: Path) -> None:
    mine = out.parent / "mine.txt"
    if kind == "empty":
        mine.touch()
    for name in ("maps.jsonl", "failures.csv"):
        (out / name).symlink_to(mine)
    with pytest.raises(ImageError, match=r"maps\.jsonl: cannot be written \(it is no regular file"):
        Manifest(out / "maps.jsonl", {"photo"})
    failures = Failures(out)
    failures.add("/a.jpg", "is gone")
    with pytest.raises(ImageError, match="is no list of failures; move it"):
        failures.write()
    assert mine.exists() == (kind == "empty") and (kind != "empty" or not mine.read_bytes())
    assert (out / "failures.csv").is_symlink()
