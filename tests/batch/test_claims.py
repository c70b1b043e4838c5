"""What is of our making gives way to a new run, and nothing else does, whatever it is called."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.batch import (
    DoneBefore,
    How,
    KeepMasks,
    MagnifyTask,
    Manifest,
    Outputs,
    PhotoFailure,
    Result,
    Task,
    find_photos,
    run_task,
)
from blurmapper.batch.claims import Journal
from blurmapper.errors import ImageError
from blurmapper.images import encode_cutout
from blurmapper.locations import find_location, open_file
from blurmapper.methods import BlurMethod

from .test_run import MapNothing, map_nothing, write_photos


@dataclass(frozen=True)
class MagnifyNothing(MagnifyTask):
    """The task of `magnify` with a method that is made here."""

    def build(self) -> BlurMethod:
        return map_nothing


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for outputs, beside one of two photos, ``in``."""
    write_photos(tmp_path / "in", "a.png", "b.png")
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def run(out: Path, task: Task, how: How = How()) -> list[str]:  # noqa: B008
    """Do a task with the photos; return what was said of those that failed."""
    results = list(run_task(task, find_photos([out.parent / "in"]), out, how))
    return [str(each.error) for each in results if isinstance(each, PhotoFailure)]


def names(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def encode_cutout_of(level: int) -> bytes:
    return encode_cutout(np.full((4, 4, 4), level, np.uint8))


def draw(path: Path) -> bytes:
    """Write what a user made by hand, of the kind that would be written there."""
    starts = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff\xe0", ".npy": b"\x93NUMPY"}
    content = starts[path.suffix] + b"\0mine"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (MapNothing(""), "a.png.blur.png"),
        (MapNothing("", outputs=Outputs("npy")), "a.png.blur.npy"),
        (MapNothing("", outputs=Outputs(overlay=True)), "a.png.overlay.jpg"),
        (MapNothing("", outputs=Outputs(masks=KeepMasks("folder"))), "masks/a.png"),
        (MapNothing("", outputs=Outputs(masks=KeepMasks("colmap"))), "masks/a.png.png"),
        (MagnifyNothing(""), "a.png.magnified.png"),
    ],
)
@pytest.mark.parametrize("redo", [False, True])
def test_a_file_of_the_user_s_is_left_and_its_photo_fails(
    redo: bool, task: Task, name: str, out: Path
) -> None:
    mine = draw(out / name)
    for _ in range(2):
        (error,) = run(out, task, How(redo=redo))
        assert error.startswith(f"{out / name}: is not of blurmapper's making and is left as it is")
        assert (out / name).read_bytes() == mine
    beside = {each for each in names(out) if "a.png" in each}
    assert beside == {name}
    assert not any(each.startswith(".") for each in names(out))


@pytest.mark.parametrize("folder", [".", "sub"])
def test_a_name_too_long_for_one_of_its_files_is_told_before_the_work(
    folder: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 255 bytes are what most file systems take: enough for a map, not for an overlay.
    long = f"{'x' * 242}.png"
    write_photos(out.parent / "in" / folder, long)
    mapped = []
    monkeypatch.setattr(MapNothing, "work", lambda *given: mapped.append(given))
    task = MapNothing("", outputs=Outputs(overlay=True))
    for _ in range(2):
        (error,) = (each for each in run(out, task) if long in each)
        where = out / folder / f"{long}.overlay.jpg"
        assert error == f"{where}: cannot be written (File name too long); shorten the name"
    assert not any(long in str(given) for given in mapped)
    assert not any("x" * 242 in each for each in names(out))
    assert not any(each.startswith(".") for each in names(out))


def test_what_a_link_leads_to_is_left(out: Path) -> None:
    mine = draw(out.parent / "album" / "picture.png")
    (out / "a.png.blur.png").symlink_to("../album/picture.png")
    (error,) = run(out, MapNothing(""))
    assert "a.png.blur.png: is not of blurmapper's making" in error
    assert (out.parent / "album" / "picture.png").read_bytes() == mine


def test_what_earlier_runs_wrote_gives_way_whatever_was_asked_for_between(out: Path) -> None:
    with_overlay = MapNothing("", outputs=Outputs(overlay=True))
    for task in (with_overlay, MapNothing(""), MapNothing("", outputs=Outputs("16"))):
        assert run(out, task) == []
    draw(out / "a.png.overlay.jpg")
    assert run(out, with_overlay, How(redo=True)) == []
    assert b"mine" not in (out / "a.png.overlay.jpg").read_bytes()


def test_what_another_run_wrote_at_the_same_time_gives_way_too(out: Path) -> None:
    with_overlay = MapNothing("", outputs=Outputs(overlay=True))
    with DoneBefore(out, MapNothing("")) as long:
        jobs = list(long.plan(find_photos([out.parent / "in"]), out))
        assert run(out, with_overlay) == []
        for job in jobs:
            file = out / f"{job.key}.blur.png"
            values = {"height": 24, "width": 32, "blur_degree": 0.0, "share_blurred": 0.0}
            long.add(job, Result(job.photo, values, {"map": file}, 1.0))
    for task in (MapNothing(""), with_overlay):
        draw(out / "a.png.overlay.jpg")
        assert run(out, task, How(redo=True)) == []
    assert b"mine" not in (out / "a.png.overlay.jpg").read_bytes()


@pytest.mark.parametrize("files", [None, 5, "masks", {}, [[1]], [None], [None, "a.png.blur.png"]])
def test_a_line_of_odd_files_breaks_no_run_off(files: object, out: Path) -> None:
    run(out, MapNothing(""))
    manifest = out / "maps.jsonl"
    lines = [json.loads(line) | {"files": files} for line in manifest.read_text().splitlines()]
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert run(out, MapNothing("", outputs=Outputs(overlay=True))) == []


def test_what_was_written_at_an_address_gives_way_where_it_is_copied_to(out: Path) -> None:
    pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    store = find_location("memory://maps")
    list(run_task(MapNothing(""), find_photos([out.parent / "in"]), store))
    for name in ("maps.jsonl", "a.png.blur.png", "b.png.blur.png"):
        with open_file(store / name) as stream:
            (out / name).write_bytes(stream.read())
    assert run(out, MapNothing("", outputs=Outputs("16"))) == []


def test_an_output_that_was_never_asked_for_is_the_user_s(out: Path) -> None:
    run(out, MapNothing(""))
    mine = draw(out / "a.png.overlay.jpg")
    (error,) = run(out, MapNothing("", outputs=Outputs(overlay=True)))
    assert "a.png.overlay.jpg: is not of blurmapper's making" in error
    assert (out / "a.png.overlay.jpg").read_bytes() == mine


def test_where_the_manifest_is_lost_the_same_command_goes_on(out: Path) -> None:
    run(out, MapNothing(""))
    (out / "maps.jsonl").unlink()
    assert run(out, MapNothing("")) == []
    (out / "maps.jsonl").unlink()
    errors = run(out, MapNothing("", outputs=Outputs("16")))
    assert len(errors) == 2
    assert all("is not of blurmapper's making" in error for error in errors)


def test_what_a_killed_run_wrote_and_did_not_record_gives_way(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(DoneBefore, "add", lambda *_: None)
        context.setattr(DoneBefore, "__exit__", lambda kept, *_: kept.manifest.close())
        run(out, MapNothing(""))
    assert (out / "maps.jsonl").read_bytes() == b""
    assert run(out, MapNothing("", outputs=Outputs("16"))) == []
    assert names(out) == {"a.png.blur.png", "b.png.blur.png", "maps.jsonl"}
    # What it would have written is not known for ours.
    mine = draw(out / "a.png.overlay.jpg")
    run(out, MapNothing("", outputs=Outputs(overlay=True)))
    assert (out / "a.png.overlay.jpg").read_bytes() == mine


def test_what_is_written_and_cannot_be_recorded_gives_way(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise ImageError("maps.jsonl: cannot be written (No space left on device)")

    with monkeypatch.context() as context:
        context.setattr(Manifest, "add", fill)
        with pytest.raises(ImageError, match="No space left"):
            run(out, MapNothing(""))
    assert run(out, MapNothing("", outputs=Outputs("16"))) == []
    assert names(out) == {"a.png.blur.png", "b.png.blur.png", "maps.jsonl"}


def test_what_a_worker_wrote_that_died_gives_way_to_the_next(out: Path) -> None:
    with DoneBefore(out, MapNothing("")) as kept:
        job, _ = kept.plan(find_photos([out.parent / "in"]), out)
        file = out / "a.png.blur.png"
        job.write({file: encode_cutout_of(1)})
        job.write({file: encode_cutout_of(2)})
        other = out / "a.png.overlay.jpg"
        draw(other)
        with pytest.raises(ImageError, match=r"overlay\.jpg: is not of blurmapper's making"):
            job.write({file: encode_cutout_of(3), other: b"\xff\xd8\xff\xe0 new"})
        assert file.read_bytes() == encode_cutout_of(2)


def test_what_a_run_makes_at_the_same_time_of_another_photo_is_left(
    out: Path, tmp_path: Path
) -> None:
    write_photos(tmp_path / "other", "a.png")
    with DoneBefore(out, MapNothing("")) as first, DoneBefore(out, MapNothing("")) as second:
        one, _ = first.plan(find_photos([tmp_path / "in"]), out)
        (other,) = second.plan(find_photos([tmp_path / "other"]), out)
        file = out / "a.png.blur.png"
        one.write({file: encode_cutout_of(1)})
        line = r"has begun it of .*in/a\.png; run again when that has ended"
        with pytest.raises(ImageError, match=line):
            other.write({file: encode_cutout_of(2)})
    assert file.read_bytes() == encode_cutout_of(1)


def test_a_card_takes_nothing_from_another_that_was_taken_out(out: Path, tmp_path: Path) -> None:
    assert run(out, MapNothing("")) == []
    before = (out / "a.png.blur.png").read_bytes()
    (tmp_path / "in").rename(tmp_path / "drawer")
    (tmp_path / "in").mkdir()
    (tmp_path / "card").mkdir()
    PIL.Image.new("RGB", (64, 48), (1, 2, 3)).save(tmp_path / "card" / "a.png")
    list(run_task(MapNothing(""), find_photos([tmp_path / "card"]), out))
    assert (out / "a.png.blur.png").read_bytes() == before
    assert len([name for name in names(out) if name.startswith("a-")]) == 1
    (tmp_path / "in").rmdir()
    (tmp_path / "drawer").rename(tmp_path / "in")
    assert run(out, MapNothing("")) == [] and len(names(out)) == 4


def test_a_mask_gives_way_whose_photo_is_gone(out: Path, tmp_path: Path) -> None:
    layout = MapNothing("", outputs=Outputs(masks=KeepMasks("folder")))
    write_photos(tmp_path / "other", "x.jpg")
    list(run_task(layout, find_photos([tmp_path / "other"]), out))
    (tmp_path / "other" / "x.jpg").rename(tmp_path / "other" / "x.png")
    grown = MapNothing("", outputs=Outputs(masks=KeepMasks("folder", grow=1)), settings="t")
    draw(out / "masks" / "x.png")
    (result,) = run_task(grown, find_photos([tmp_path / "other"]), out)
    assert isinstance(result, Result)
    assert b"mine" not in (out / "masks" / "x.png").read_bytes()


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling link"])
def test_a_journal_that_is_no_file_of_its_own_is_refused_before_the_work(
    kind: str, out: Path
) -> None:
    journal, mine = out / ".blurmapper-maps.begun", out.parent / "diary.txt"
    os.mkfifo(journal) if kind == "pipe" else journal.symlink_to(mine)
    if kind == "link":
        mine.write_text("mine")
    with pytest.raises(ImageError, match=r"\.begun: is no regular file; move it, then run again"):
        run(out, MapNothing(""))
    # Nor if it comes there while photos are mapped.
    with pytest.raises(ImageError, match=r"\.begun: is no regular file"):
        Journal(out, "maps").add("a.png", "/a.png", ["a.png.blur.png"])
    Journal(out, "maps").write({("a.png", "/a.png"): {"a.png.blur.png"}})
    assert [path.name for path in out.iterdir()] == [journal.name]
    assert journal.is_fifo() == (kind == "pipe") and journal.is_symlink() == (kind != "pipe")
    assert mine.exists() == (kind == "link") and (kind != "link" or mine.read_text() == "mine")
