"""Which photos are found, and where the files of each go."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from blurmapper.batch import (
    Found,
    MagnifyTask,
    MapTask,
    Outputs,
    SegmentTask,
    Task,
    find_photos,
    identify,
    list_photos,
    plan_jobs,
)
from blurmapper.errors import ImageError
from blurmapper.images import encode_map
from blurmapper.locations import find_location
from blurmapper.ranking.report import ReportTask


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def targets(sources: Iterable[Path], output: Path) -> list[str]:
    jobs = plan_jobs(find_photos(sources), output)
    return [job.key for job in jobs]


def test_a_folder_gives_its_photos_and_those_below(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.PNG", "sub/c.webp", "raw.NEF", "notes.txt")
    names = [path.relative_to(tmp_path).as_posix() for path in list_photos(tmp_path)]
    assert names == ["a.PNG", "b.jpg", "raw.NEF", "sub/c.webp"]


def test_other_files_are_counted_and_no_failures(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "notes.txt", "sub/film.mov", "a.jpg.blur.png", ".hidden")
    found = find_photos([tmp_path])
    assert (len(found), found.failures, found.left_out) == (1, [], 3)


def test_hidden_files_and_earlier_outputs_are_no_photos(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", ".a.jpg", ".trash/b.jpg", "a.jpg.blur.png", "a.overlay.jpg")
    touch(tmp_path, "a.motion.png", "a.defocus.png", "a.cutout.png", "a.magnified.jpg")
    touch(tmp_path, "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "sub/@eaDir/b.jpg")
    assert list_photos(tmp_path) == [tmp_path / "a.jpg"]


@pytest.mark.parametrize(
    "task",
    [
        MapTask("dbm-lite", outputs=Outputs(overlay=True, kinds=True, amount=True)),
        SegmentTask("dbm-lite"),
        SegmentTask("dbm-lite", cutout=True),
        MagnifyTask("dbm-lite"),
        ReportTask("dbm-lite"),
    ],
    ids=lambda task: type(task).__name__,
)
def test_nothing_that_a_task_writes_is_a_photo(task: Task, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    touch(tmp_path, "a.jpg", *(f"made/a.jpg{ending}" for ending in task.endings(photo).values()))
    assert list_photos(tmp_path) == [photo]


def test_masks_to_keep_are_no_photos_where_they_were_made(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "maps.jsonl", "masks/party.jpg", "other/masks/b.png")
    grey = encode_map(np.zeros((16, 16), np.float32), ".png")
    (tmp_path / "masks" / "sub").mkdir()
    (tmp_path / "masks" / "sub" / "a.jpg.png").write_bytes(grey)
    # Somebody's photos of masks are photos.
    assert len(list_photos(tmp_path)) == 4
    (tmp_path / "masks" / "party.jpg").unlink()
    # What a system or a killed run leaves there is no photo, wherever it is.
    touch(tmp_path, "masks/.DS_Store", "masks/sub/.blurmapper-host-1-0.part", "masks/Thumbs.db")
    touch(tmp_path, "masks/@eaDir/a.jpg.png/SYNOPHOTO_THUMB_XL.jpg", "masks/sub/._a.jpg.png")
    assert list_photos(tmp_path) == [tmp_path / "a.jpg", tmp_path / "other/masks/b.png"]


def test_a_photo_that_is_called_a_thumb_is_one(tmp_path: Path) -> None:
    touch(tmp_path, "a.thumb.jpg")
    assert list_photos(tmp_path) == [tmp_path / "a.thumb.jpg"]


def test_a_named_file_is_a_photo_whatever_it_is_called(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    assert list_photos(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]


def test_a_folder_without_photos_is_named_and_does_not_stop_the_others(tmp_path: Path) -> None:
    touch(tmp_path, "void/notes.txt", "x.jpg")
    with pytest.raises(ImageError, match="void: no photos in this folder"):
        list_photos(tmp_path / "void")
    found = find_photos([tmp_path / "void", tmp_path / "x.jpg"])
    assert len(found) == len(found.failures) == 1


def test_a_folder_that_cannot_be_listed_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a/x.jpg", "shut/y.jpg", "z/x.jpg")
    listing = os.scandir

    def refuse(place: str) -> object:
        if str(place).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return listing(place)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_photos([tmp_path])
    assert len(found) == 2
    (failure,) = found.failures
    assert "shut: this folder cannot be listed (Permission denied)" in str(failure.error)


def test_links_in_circles_end(tmp_path: Path) -> None:
    touch(tmp_path, "sub/x.jpg")
    (tmp_path / "sub" / "again").symlink_to(tmp_path)
    assert list_photos(tmp_path) == [tmp_path / "sub" / "x.jpg"]


def test_a_link_to_a_photo_is_one_and_a_broken_link_too(tmp_path: Path) -> None:
    touch(tmp_path, "real.jpg")
    (tmp_path / "link.jpg").symlink_to("real.jpg")
    (tmp_path / "lost.jpg").symlink_to("gone.jpg")
    assert [path.name for path in list_photos(tmp_path)] == ["link.jpg", "lost.jpg", "real.jpg"]


def test_a_pipe_is_no_photo(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert list_photos(tmp_path) == [tmp_path / "x.jpg"]


def test_a_photo_given_twice_is_found_once(tmp_path: Path) -> None:
    touch(tmp_path, "sub/x.jpg")
    sources = [tmp_path / "sub/x.jpg", tmp_path, tmp_path / "sub", tmp_path / "sub/../sub/x.jpg"]
    found = find_photos(sources)
    assert (len(found), found.failures) == (1, [])


def test_folders_of_outputs_are_not_searched(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg", "report/y.jpg", "keep/deep/z.jpg", "keeper/x.jpg")
    outputs = [tmp_path / "report", None, tmp_path / "keep"]
    found = find_photos([tmp_path], outputs=outputs).locations()
    assert found == [tmp_path / "x.jpg", tmp_path / "keeper" / "x.jpg"]
    assert len(find_photos([tmp_path, tmp_path / "keep"], outputs=outputs)) == 3


def test_odd_names_are_found_as_they_are(tmp_path: Path) -> None:
    names = ["two\nlines.jpg", "ünï \u202ecode.jpg", os.fsdecode(b"\xff\xfe.jpg"), "-rf.jpg"]
    touch(tmp_path, *names)
    assert {path.name for path in list_photos(tmp_path)} == set(names)


def test_outputs_are_named_after_whole_names_and_folders_mirrored(tmp_path: Path) -> None:
    touch(tmp_path / "in", "x.jpg", "x.png", "sub/x.jpg")
    assert targets([tmp_path / "in"], tmp_path) == ["x.jpg", "x.png", "sub/x.jpg"]


def test_a_name_does_not_depend_on_what_else_is_in_the_run(tmp_path: Path) -> None:
    touch(tmp_path / "in", "x.jpg", "x.png", "sub/x.jpg")
    alone = [
        name for path in ("x.jpg", "x.png") for name in targets([tmp_path / "in" / path], tmp_path)
    ]
    assert alone == targets([tmp_path / "in"], tmp_path)[:2]


def test_no_two_photos_share_an_output(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.jpg", "a/x.png", "a/X.jpg", "a/x.jpg.png", "b/x.jpg", "b/x.png")
    names = targets([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert len({name.casefold() for name in names}) == 6


def test_a_name_that_an_earlier_run_gave_to_another_photo_is_not_given_again(
    tmp_path: Path,
) -> None:
    touch(tmp_path, "a/x.jpg", "b/x.jpg")
    owner = {"x.jpg": {"photo": str(tmp_path / "a" / "x.jpg")}}.get
    (first,) = plan_jobs(find_photos([tmp_path / "a"]), tmp_path, owner)
    (second,) = plan_jobs(find_photos([tmp_path / "b"]), tmp_path, owner)
    assert first.key == "x.jpg"
    assert second.key.casefold() != "x.jpg"


def test_a_photo_that_has_moved_keeps_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "b/x.jpg")
    line = {"photo": str(tmp_path / "a" / "x.jpg"), "file": identify(tmp_path / "b" / "x.jpg")}
    (job,) = plan_jobs(find_photos([tmp_path / "b"]), tmp_path, {"x.jpg": line}.get)
    assert job.key == "x.jpg"


def test_a_photo_that_is_found_takes_little_memory(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number % 3}/{number:05}.jpg" for number in range(1000)))
    photos = find_photos([tmp_path]).photos
    # Not by tracemalloc: Python's own table of names may grow just then, by megabytes.
    held = {id(part): sys.getsizeof(part) for pair in photos for part in (pair, *pair)}
    assert all(isinstance(part, str) for pair in photos for part in pair)
    assert 100 * len(photos) < sys.getsizeof(photos) + sum(held.values()) < 800 * len(photos)


def test_the_plan_is_made_as_it_is_asked_for(tmp_path: Path) -> None:
    found = Found(photos=[("x.jpg", "x.jpg")] * 2)
    jobs = plan_jobs(found, tmp_path)
    assert next(jobs).target == tmp_path / "x.jpg"


def test_a_link_that_cannot_be_followed_loses_no_other_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.jpg", "z.jpg", "shut/x.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "away.jpg").symlink_to("shut/x.jpg")
    (tmp_path / "loops").symlink_to("loops")
    following = os.stat

    def refuse(path: str, **how: bool) -> os.stat_result:
        if str(path).endswith("away.jpg"):
            raise PermissionError(13, "Permission denied")
        return following(path, **how)

    monkeypatch.setattr(os, "stat", refuse)
    found = find_photos([tmp_path])
    names = [path.name for path in found.locations()]
    assert names == ["a.jpg", "away.jpg", "loop.jpg", "z.jpg", "x.jpg"]
    assert found.failures == []


def test_a_source_that_may_not_be_looked_at_is_a_photo_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.jpg")

    def refuse(_: str, **__: bool) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    assert len(find_photos([tmp_path / "a.jpg"])) == 1


def test_an_address_is_searched_by_the_same_rules(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    touch(tmp_path, "b.jpg", "a.PNG", "sub/c.webp", "notes.txt", ".a.jpg", ".trash/b.jpg")
    touch(tmp_path, "a.jpg.blur.png", "maps/y.jpg", "mapsy/y.jpg")
    memory = fsspec.filesystem("memory")
    memory.put(f"{tmp_path}/", "/rules/", recursive=True)
    output = find_location("memory://rules/maps")
    found = find_photos(["memory://rules", "memory://rules/b.jpg"], outputs=[output])
    memory.rm("/rules", recursive=True)
    below = [text for _, text in found.photos]
    assert below == ["a.PNG", "b.jpg", "mapsy/y.jpg", "sub/c.webp"]
    assert (found.left_out, found.has_folders, found.failures) == (5, True, [])


@pytest.mark.parametrize(
    "output",
    [None, "memory://o/p", "memory://o", "memory://", "memory://o/p/m", "memory://o/p/m?a=1"],
)
def test_an_output_hides_what_is_in_it_alone(output: str | None) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    memory = fsspec.filesystem("memory")
    everything = {"a.jpg", "m/b.jpg", "m2/c.jpg", "None/d.jpg"}
    memory.pipe({f"/o/p/{name}": b"x" for name in everything})
    found = find_photos(
        ["memory://o/p"], outputs=[None if output is None else find_location(output)]
    )
    memory.rm("/o", recursive=True)
    # As on this machine: an output that is the source or above it hides nothing.
    hidden = {"m/b.jpg"} if (output or "").startswith("memory://o/p/m") else set()
    assert {below for _, below in found.photos} == everything - hidden


def test_masks_to_keep_are_no_photos_at_an_address() -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    grey = encode_map(np.zeros((16, 16), np.float32), ".png")
    files = {"masks/a.png": grey, "out/masks/b/c.png": grey, "other/masks/d.png": grey}
    files |= {"mine/masks/e.png": b"colour", "mine/masks/f/g.png": grey, "out/h.png": grey}
    files |= {f"{folder}maps.jsonl": b"" for folder in ("", "out/", "mine/")}
    memory = fsspec.filesystem("memory")
    memory.pipe({f"/kept/{name}": content for name, content in files.items()})
    found = find_photos(["memory://kept"])
    memory.rm("/kept", recursive=True)
    assert [below for _, below in found.photos] == [
        *("mine/masks/e.png", "mine/masks/f/g.png", "other/masks/d.png", "out/h.png")
    ]
