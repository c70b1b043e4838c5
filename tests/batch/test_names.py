"""Which name a photo's outputs have in every run, and that no other photo's are taken for them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import PIL.Image

from blurmapper.addresses import Address
from blurmapper.batch import DoneBefore, Found, Job, Result, find_photos, plan_jobs, run_task

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
    assert map_into(out, second) == [("x.bmp.blur.png", False)]
    ((other, before),) = map_into(out, tmp_path / "old")
    assert other != "x.bmp.blur.png" and not before
    assert map_into(out, second) == [("x.bmp.blur.png", True)]


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
    owner = {"X.jpg": str(now).upper().replace("S3", "s3")}.get
    (other,) = plan_jobs(Found([(now, "X.jpg")]), tmp_path, owner)
    assert other.key != "X.jpg"
