"""Photos behind any address, on a cluster; maps and a manifest out, whatever dies on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blurmapper.batch import (
    Job,
    MapTask,
    Outputs,
    PhotoFailure,
    Result,
    cluster,
    do_job,
    find_photos,
)
from blurmapper.batch.cluster import Done, PhotoWorker
from blurmapper.errors import ConfigError, ImageError, MethodError
from blurmapper.images import read_map
from blurmapper.methods import MethodOptions

from .shoots import Numbered, Run, failed, manifest, mapped, names, run_here, run_on_ray

ray = pytest.importorskip("ray", reason="needs the extra blurmapper[distributed]")
fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")


def test_every_photo_has_a_result_and_a_map(run: Run, shoot: Path, tmp_path: Path) -> None:
    assert names(run(shoot)) == ["a.jpg", "a.png", "a.png", "b b.png", "broken.jpg"]
    written = {
        path.relative_to(tmp_path / "maps").as_posix()
        for path in (tmp_path / "maps").rglob("*.png")
    }
    assert written == {
        *("a.png.blur.png", "a.jpg.blur.png", "sub/a.png.blur.png", "sub/b b.png.blur.png")
    }


def test_numbers_and_maps_are_those_of_one_machine(
    run: Run, shoot: Path, tmp_path: Path, task: MapTask
) -> None:
    (there,) = (each for each in mapped(run(shoot)) if str(each.photo).endswith("sub/a.png"))
    job = Job(shoot / "sub" / "a.png", tmp_path / "alone")
    here = do_job(job, task, task.build())
    assert isinstance(here, Result)
    assert Path(str(there.files["map"])).read_bytes() == Path(str(here.files["map"])).read_bytes()
    assert there.values == here.values


def test_a_photo_that_fails_is_listed_with_its_reason(
    run: Run, shoot: Path, tmp_path: Path
) -> None:
    (failure,) = failed(run(shoot))
    assert str(failure.photo).endswith("broken.jpg")
    assert failure.reason.startswith("damaged or cut short")
    assert "broken.jpg,damaged or cut short" in (tmp_path / "maps" / "failures.csv").read_text()


def test_whatever_goes_wrong_with_a_photo_is_a_failure(
    task: MapTask, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(MapTask, "work", fail)
    failure = PhotoWorker(task, "/").do_job(Job(shoot / "a.png"))
    assert isinstance(failure, PhotoFailure)
    assert failure.reason.startswith("cannot be mapped (MemoryError)")


def test_the_manifest_has_each_photo_once(run: Run, shoot: Path, tmp_path: Path) -> None:
    results = mapped(run(shoot))
    photos = [line["photo"] for line in manifest(tmp_path / "maps")]
    assert sorted(photos) == sorted(str(each.photo) for each in results)


def test_results_that_come_twice_count_once(run: Run, shoot: Path, tmp_path: Path) -> None:
    def run_twice(*given: Any) -> Iterator[Done]:
        for done in run_here(*given):
            yield done
            yield done

    assert len(run(shoot, runner=run_twice)) == 5
    assert len((tmp_path / "maps" / "maps.jsonl").read_text().splitlines()) == 4


def test_photos_of_lost_tasks_are_tried_singly(run: Run, shoot: Path) -> None:
    asked = []

    def lose_most(jobs: Numbered, task: MapTask, jobs_a_piece: int) -> Iterator[Done]:
        asked.append((len(jobs), jobs_a_piece))
        return run_here(jobs if jobs_a_piece == 1 else jobs[:2], task, jobs_a_piece)

    assert len(run(shoot, runner=lose_most)) == 5
    assert asked == [(5, cluster.PHOTOS_A_TASK), (3, 1)]


def test_a_photo_that_workers_die_of_fails_and_costs_no_other(run: Run, shoot: Path) -> None:
    def lose_one(jobs: Numbered, *others: Any) -> Iterator[Done]:
        return run_here([each for each in jobs if "b b" not in str(each[1].photo)], *others)

    results = run(shoot, runner=lose_one)
    (lost,) = (each for each in failed(results) if "b b" in str(each.photo))
    assert "died" in lost.reason
    assert len(mapped(results)) == 3


def test_a_second_run_does_only_what_failed(run: Run, shoot: Path, tmp_path: Path) -> None:
    run(shoot)
    assert names(run(shoot)) == ["broken.jpg"]
    assert len(manifest(tmp_path / "maps")) == 4


def test_a_second_run_sees_what_changed(run: Run, shoot: Path, tmp_path: Path) -> None:
    run(shoot)
    (tmp_path / "maps" / "sub" / "a.png.blur.png").unlink()
    os.utime(shoot / "a.jpg", (1e9, 1e9))
    (shoot / "new.png").write_bytes((shoot / "a.png").read_bytes())
    assert names(run(shoot)) == ["a.jpg", "a.png", "broken.jpg", "new.png"]
    assert len(manifest(tmp_path / "maps")) == 5


def test_other_settings_map_all_again(run: Run, shoot: Path, tmp_path: Path, task: MapTask) -> None:
    run(shoot)
    unrefined = MapTask(task.method, MethodOptions(refine=False, threads=1))
    assert len(run(shoot, task=unrefined)) == 5
    assert len(manifest(tmp_path / "maps")) == 4


def test_a_run_that_is_stopped_keeps_what_it_did(run: Run, shoot: Path, tmp_path: Path) -> None:
    def stop(*given: Any) -> Iterator[Done]:
        done = run_here(*given)
        yield next(done)
        yield next(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(shoot, runner=stop)
    assert len(manifest(tmp_path / "maps")) == 2
    assert len(run(shoot)) == 3


def test_every_file_that_was_asked_for_is_written(
    run: Run, shoot: Path, tmp_path: Path, task: MapTask
) -> None:
    outputs = Outputs("npy", overlay=True)
    run(shoot / "a.png", task=MapTask(task.method, task.options, outputs))
    written = {path.name for path in (tmp_path / "maps").iterdir()}
    assert written == {"a.png.blur.npy", "a.png.overlay.jpg", "maps.jsonl"}


def test_file_addresses_are_local_paths(run: Run, shoot: Path, tmp_path: Path) -> None:
    run(shoot.as_uri(), output=(tmp_path / "maps").as_uri())
    assert read_map(tmp_path / "maps" / "a.png.blur.png").shape == (96, 128)
    assert len(run(shoot, output=tmp_path / "maps")) == 1


@pytest.fixture
def remote(shoot: Path) -> Iterator[Any]:
    """The folder of photos in a file system that is no disk, under ``memory://``."""
    memory = fsspec.filesystem("memory")
    memory.put(f"{shoot}/", "/bucket/shoot/", recursive=True)
    yield memory
    memory.rm("/bucket", recursive=True)


def test_photos_and_maps_can_be_remote(run: Run, remote: Any, shoot: Path, tmp_path: Path) -> None:
    results = run("memory://bucket/shoot", output="memory://bucket/maps")
    run(shoot)
    assert len(mapped(results)) == 4
    assert {str(each.photo).rpartition("shoot/")[2] for each in results} == {
        *("a.png", "a.jpg", "sub/a.png", "sub/b b.png", "broken.jpg")
    }
    for name in ("a.jpg.blur.png", "sub/a.png.blur.png"):
        content = (tmp_path / "maps" / name).read_bytes()
        assert remote.cat(f"/bucket/maps/{name}") == content


def test_a_remote_run_goes_on_too(run: Run, remote: Any) -> None:
    run("memory://bucket/shoot", output="memory://bucket/maps")
    again = run("memory://bucket/shoot", output="memory://bucket/maps")
    assert names(again) == ["broken.jpg"]
    assert remote.exists("/bucket/maps/maps.jsonl")


def test_a_source_that_is_not_there_does_not_stop_the_others(shoot: Path, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    found = find_photos(["memory://none/x", str(tmp_path / "void"), "gopher://x/y", str(shoot)])
    assert len(found) == 5
    errors = [failure.error for failure in found.failures]
    assert [type(error) for error in errors] == [ImageError, ImageError, ConfigError]
    for error, line in zip(errors, ("no such file", "no photos in", "no file system"), strict=True):
        assert line in str(error) and "\n" not in str(error)


def test_an_unknown_method_is_named_before_anything_starts(run: Run, shoot: Path) -> None:
    with pytest.raises(MethodError, match="no method named 'dmb'"):
        run(shoot, task=MapTask("dmb"), runner=run_on_ray)
