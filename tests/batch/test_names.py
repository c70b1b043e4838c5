"""Which name a photo's outputs have in every run, and that no other photo's are taken for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import PIL.Image
import pytest

from blurmapper.addresses import Address
from blurmapper.batch import (
    DoneBefore,
    Found,
    Job,
    Outcome,
    Result,
    Task,
    find_photos,
    plan_jobs,
    run_task,
)
from blurmapper.locations import Location
from blurmapper.methods import BlurMethod

from .test_run import MapNothing


def write_colours(photo: Path, colour: int) -> None:
    """Write a photo that has the size and time of all others, whatever it shows."""
    photo.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (32, 24), (colour, colour, colour)).save(photo)
    os.utime(photo, ns=(10**18, 10**18))


def map_into(out: Path, *sources: Path) -> list[tuple[str, bool]]:
    """Return what each photo's map is called, and whether it was mapped before."""
    results = list(run_task(MapNothing(""), find_photos(sources), out))
    assert all(isinstance(result, Result) for result in results)
    mapped = [result for result in results if isinstance(result, Result)]
    return [(Path(str(each.files["map"])).name, each.done_before) for each in mapped]


def test_another_photo_of_one_name_size_and_time_is_mapped_itself(tmp_path: Path) -> None:
    first, second, out = tmp_path / "first", tmp_path / "second", tmp_path / "out"
    write_colours(first / "x.bmp", 10)
    write_colours(second / "x.bmp", 200)
    assert map_into(out, first) == [("x.bmp.blur.png", False)]
    first.rename(tmp_path / "old")
    ((other, before),) = map_into(out, second)
    assert other != "x.bmp.blur.png" and not before
    assert map_into(out, tmp_path / "old") == [("x.bmp.blur.png", True)]
    assert map_into(out, second) == [(other, True)]


def test_photos_in_a_folder_that_was_moved_are_not_mapped_again(tmp_path: Path) -> None:
    write_colours(tmp_path / "first" / "x.bmp", 10)
    out = tmp_path / "out"
    map_into(out, tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "moved")
    assert map_into(out, tmp_path / "moved") == [("x.bmp.blur.png", True)]
    # What comes to where it was has neither its map nor its name.
    write_colours(tmp_path / "first" / "x.bmp", 200)
    ((other, before),) = map_into(out, tmp_path / "first")
    assert other != "x.bmp.blur.png" and not before
    assert map_into(out, tmp_path / "moved") == [("x.bmp.blur.png", True)]


def let_time_pass(folder: Path) -> None:
    """Wait for the next step of the file system's clock, which may be a second long."""
    probe = folder / "probe"
    probe.touch()
    first = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == first:
        time.sleep(0.001)
        probe.touch()
    probe.unlink()


def swap(first: Path, second: Path) -> None:
    let_time_pass(first.parent)
    aside = first.with_name("aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


@dataclass(frozen=True)
class MeasureNothing(MapNothing):
    """A task that writes no files, as that of `rank`."""

    kinds: ClassVar[tuple[str, ...]] = ()

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        return Outcome(super().work(method, photo, name).values)

    def files_of(self, job: Job, values: Mapping[str, Any]) -> dict[str, Location]:
        return {}


@pytest.mark.parametrize("task", [MapNothing(""), MeasureNothing("")])
def test_photos_that_have_changed_places_are_done_again(task: Task, tmp_path: Path) -> None:
    write_colours(tmp_path / "a.bmp", 10)
    write_colours(tmp_path / "b.bmp", 200)
    write_colours(tmp_path / "c.bmp", 90)

    def run() -> list[bool]:
        photos = find_photos([tmp_path / name for name in ("a.bmp", "b.bmp", "c.bmp")])
        results = list(run_task(task, photos, tmp_path / "out"))
        return [isinstance(result, Result) and result.done_before for result in results]

    assert run() == [False, False, False]
    swap(tmp_path / "a.bmp", tmp_path / "b.bmp")
    assert run() == [False, False, True]
    assert run() == [True, True, True]


@dataclass(frozen=True)
class MapAndReplace(MapNothing):
    """A task during which another photo takes the place of that which it works on."""

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        outcome = super().work(method, photo, name)
        let_time_pass(Path(name).parent.parent)
        (Path(name).parent.parent / "other" / "x.bmp").replace(name)
        return outcome


def test_a_photo_that_is_replaced_while_it_is_mapped_is_mapped_again(tmp_path: Path) -> None:
    write_colours(tmp_path / "in" / "x.bmp", 10)
    write_colours(tmp_path / "other" / "x.bmp", 200)
    list(run_task(MapAndReplace(""), find_photos([tmp_path / "in"]), tmp_path / "out"))
    assert map_into(tmp_path / "out", tmp_path / "in") == [("x.bmp.blur.png", False)]
    assert map_into(tmp_path / "out", tmp_path / "in") == [("x.bmp.blur.png", True)]


def test_a_photo_that_takes_the_place_of_another_is_mapped(tmp_path: Path) -> None:
    write_colours(tmp_path / "in" / "x.bmp", 10)
    map_into(tmp_path / "out", tmp_path / "in")
    write_colours(tmp_path / "other" / "x.bmp", 200)
    let_time_pass(tmp_path)
    (tmp_path / "other" / "x.bmp").replace(tmp_path / "in" / "x.bmp")
    assert map_into(tmp_path / "out", tmp_path / "in") == [("x.bmp.blur.png", False)]


@pytest.mark.parametrize("place", ["in", "elsewhere"])
def test_a_folder_that_was_put_back_or_copied_is_not_mapped_again(
    place: str, tmp_path: Path
) -> None:
    write_colours(tmp_path / "in" / "x.bmp", 10)
    write_colours(tmp_path / "in" / "y.bmp", 200)
    map_into(tmp_path / "out", tmp_path / "in")
    shutil.copytree(tmp_path / "in", tmp_path / "backup")
    shutil.rmtree(tmp_path / "in")
    (tmp_path / "backup").rename(tmp_path / place)
    known = [("x.bmp.blur.png", True), ("y.bmp.blur.png", True)]
    assert map_into(tmp_path / "out", tmp_path / place) == known
    # Then the manifest knows them as they are now, and their files for its own.
    lines = (tmp_path / "out" / "maps.jsonl").read_bytes().splitlines()
    assert map_into(tmp_path / "out", tmp_path / place) == known
    assert (tmp_path / "out" / "maps.jsonl").read_bytes().splitlines() == lines
    assert all(json.loads(line)["files"] for line in lines)


@pytest.mark.skipif(os.name == "nt", reason="there files have no time of change")
def test_where_numbers_of_files_change_with_each_mount_no_photo_is_read(tmp_path: Path) -> None:
    write_colours(tmp_path / "in" / "x.bmp", 10)
    map_into(tmp_path / "out", tmp_path / "in")
    manifest = tmp_path / "out" / "maps.jsonl"
    line = json.loads(manifest.read_bytes())
    line["inode"][0] += 1
    manifest.write_text(json.dumps(line | {"content": "of another"}) + "\n")
    assert map_into(tmp_path / "out", tmp_path / "in") == [("x.bmp.blur.png", True)]


def test_a_name_stays_with_its_photo_whatever_becomes_of_the_other(tmp_path: Path) -> None:
    first, second, out = tmp_path / "a" / "x.bmp", tmp_path / "b" / "x.bmp", tmp_path / "out"
    write_colours(first, 10)
    write_colours(second, 200)
    _, (name, _) = map_into(out, first.parent, second.parent)
    first.unlink()
    assert name != "x.bmp.blur.png"
    assert map_into(out, second.parent) == [(name, True)]


def test_a_name_stays_where_the_other_photo_never_had_a_map(tmp_path: Path) -> None:
    write_colours(tmp_path / "b" / "x.bmp", 200)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.bmp").write_bytes(b"no photo")
    found = find_photos([tmp_path / "a", tmp_path / "b"])
    _, result = run_task(MapNothing(""), found, tmp_path / "out")
    assert isinstance(result, Result)
    name = result.files["map"].name
    assert map_into(tmp_path / "out", tmp_path / "b") == [(name, True)]


def test_names_that_differ_by_capitals_stay_with_their_photos(tmp_path: Path) -> None:
    write_colours(tmp_path / "a" / "x.bmp", 10)
    write_colours(tmp_path / "b" / "X.bmp", 200)
    out = tmp_path / "out"
    (first, _), (second, _) = map_into(out, tmp_path / "a", tmp_path / "b")
    assert first == "x.bmp.blur.png" != second.lower()
    assert map_into(out, tmp_path / "b") == [(second, True)]
    write_colours(tmp_path / "a" / "X.bmp", 90)
    (newcomer, _), known = map_into(out, tmp_path / "a")
    assert known == (first, True)
    assert newcomer.lower() != first


def test_a_photo_that_is_called_as_another_s_map_would_be_shares_no_map(tmp_path: Path) -> None:
    out, (a, b) = tmp_path / "out", (tmp_path / "a", tmp_path / "b")
    digest = hashlib.sha256(os.fsencode(b / "x.bmp")).hexdigest()[:8]
    for number, photo in enumerate((a / "x.bmp", a / f"x-{digest}.bmp", b / "x.bmp")):
        write_colours(photo, 40 * number)
    first = map_into(out, a, b)
    assert len({name for name, _ in first}) == 3
    assert map_into(out, a, b) == [(name, True) for name, _ in first]
    # Nor does it in another run.
    map_into(tmp_path / "other", a)
    ((name, before),) = map_into(tmp_path / "other", b)
    assert name == first[-1][0] and not before


def test_a_photo_whose_name_got_capitals_keeps_its_map_where_that_is_one_file(
    tmp_path: Path,
) -> None:
    write_colours(tmp_path / "a" / "x.bmp", 10)
    map_into(tmp_path / "out", tmp_path / "a" / "x.bmp")
    (tmp_path / "a" / "X.bmp").hardlink_to(tmp_path / "a" / "x.bmp")
    ((name, _),) = map_into(tmp_path / "out", tmp_path / "a" / "X.bmp")
    assert name == "X.bmp.blur.png"


def test_of_addresses_nothing_but_the_address_is_known(tmp_path: Path) -> None:
    (tmp_path / "x.jpg.blur.png").write_bytes(b"map")
    before, now = (Address(f"s3://bucket/{name}", "x.jpg", [9, 9]) for name in ("old", "new"))
    with DoneBefore(tmp_path, MapNothing("")) as kept:
        values = {"height": 1, "width": 1, "blur_degree": 0.0, "share_blurred": 0.0}
        result = Result(before, values, {"map": tmp_path / "x.jpg.blur.png"}, 1.0)
        kept.add(Job(before, tmp_path / "x.jpg", "x.jpg", [9, 9]), result)
    for photo in (before, now):
        with DoneBefore(tmp_path, MapNothing("")) as kept:
            (job,) = kept.plan(Found([(photo, "x.jpg")]), tmp_path)
        assert (job.done is not None) == (photo is before)
    owner = {"X.jpg": {"photo": str(now).upper().replace("S3", "s3")}}.get
    (other,) = plan_jobs(Found([(now, "X.jpg")]), tmp_path, owner)
    assert other.key != "X.jpg"


def test_a_photo_of_another_card_takes_no_name_of_one_that_was_taken_out(tmp_path: Path) -> None:
    write_colours(tmp_path / "b" / "x.jpg", 1)
    line = {"photo": str(tmp_path / "a" / "x.jpg"), "file": [7, 7], "inode": [7, 7]}
    (job,) = plan_jobs(find_photos([tmp_path / "b"]), tmp_path, {"x.jpg": line}.get)
    assert job.key.startswith("x-")
