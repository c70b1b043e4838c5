"""Photos behind any address; maps and a table out, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import Job, Outputs, PhotoFigures, map_photo
from blurmapper.errors import ConfigError, ImageError, MethodError
from blurmapper.images import read_map
from blurmapper.methods import MethodOptions, get_method

pytest.importorskip("pyarrow", reason="needs the extra blurmapper[distributed]")
fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[distributed]")

from pyarrow import parquet  # noqa: E402

from blurmapper.distributed import pipeline  # noqa: E402
from blurmapper.distributed.pipeline import (  # noqa: E402
    MapSettings,
    PhotoMapper,
    map_photos,
    run_on_ray,
)
from blurmapper.distributed.places import find_place  # noqa: E402
from blurmapper.distributed.planning import PlacedJob, plan_places  # noqa: E402
from blurmapper.distributed.results import ResultRow  # noqa: E402

Run = Callable[..., list[ResultRow]]


@pytest.fixture
def settings(tiny_weights: Path) -> MapSettings:
    """The tests' network, one processor a worker."""
    return MapSettings(str(tiny_weights), MethodOptions(threads=1), Outputs())


@pytest.fixture
def shoot(tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of five photos, one of them broken, and what is no photo."""
    folder = tmp_path / "shoot"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.png", "a.jpg", "sub/a.png", "sub/b b.png")):
        PIL.Image.fromarray(np.roll(half_blurred_photo, 9 * number, axis=1)).save(folder / name)
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:900])
    for other in (".hidden.png", "a.png.blur.png", "notes.txt"):
        (folder / other).write_bytes((folder / "a.png").read_bytes())
    return folder


def run_here(jobs: Sequence[PlacedJob], settings: MapSettings, _: int) -> Iterator[ResultRow]:
    """Stand in for a cluster."""
    mapper = PhotoMapper(settings)
    return (mapper.map_job(job) for job in jobs)


@pytest.fixture
def run(settings: MapSettings, tmp_path: Path) -> Run:
    """Source, choices -> the rows of a run without a cluster."""

    def call(source: str | Path, **choices: Any) -> list[ResultRow]:
        output = find_place(str(choices.get("output", tmp_path / "maps")))
        jobs, errors = plan_places([str(source)], output)
        assert not errors
        wanted = choices.get("settings", settings)
        return list(map_photos(jobs, output, wanted, choices.get("engine", run_here)))

    return call


def table(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(folder / "results.parquet").to_pylist()
    return rows


def names(rows: Sequence[ResultRow]) -> list[str]:
    return sorted(Path(row.photo).name for row in rows)


def test_every_photo_has_a_row_and_a_map(run: Run, shoot: Path, tmp_path: Path) -> None:
    rows = run(shoot)
    assert names(rows) == ["a.jpg", "a.png", "a.png", "b b.png", "broken.jpg"]
    written = {
        path.relative_to(tmp_path / "maps").as_posix()
        for path in (tmp_path / "maps").rglob("*.png")
    }
    assert written == {
        *("a.png.blur.png", "a.jpg.blur.png", "sub/a.png.blur.png", "sub/b b.png.blur.png")
    }


def test_figures_and_maps_are_those_of_one_machine(
    run: Run, shoot: Path, tmp_path: Path, settings: MapSettings
) -> None:
    (row,) = (row for row in run(shoot) if row.photo.endswith("sub/a.png"))
    job = Job(shoot / "sub" / "a.png", tmp_path / "alone")
    alone = map_photo(job, get_method(settings.method, settings.options), Outputs())
    assert isinstance(alone, PhotoFigures)
    assert row.map is not None
    assert Path(row.map).read_bytes() == alone.map.read_bytes()
    assert (row.blur_degree, row.share_blurred) == (alone.blur_degree, alone.share_blurred)
    assert (row.height, row.width) == (alone.height, alone.width)


def test_a_photo_that_fails_is_a_row_with_its_reason(run: Run, shoot: Path) -> None:
    (row,) = (row for row in run(shoot) if row.status == "failed")
    assert row.photo.endswith("broken.jpg")
    assert row.reason is not None and row.reason.startswith("damaged or cut short")
    assert row.blur_degree is row.map is None


def test_whatever_goes_wrong_with_a_photo_is_a_row(
    settings: MapSettings, shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pipeline, "map_source", fail)
    (job, *_), _ = plan_places([str(shoot)], find_place(str(tmp_path / "maps")))
    row = PhotoMapper(settings).map_job(job)
    assert (row.status, row.reason) == ("failed", "cannot be mapped (MemoryError)")


def test_the_table_has_each_photo_once_in_order(run: Run, shoot: Path, tmp_path: Path) -> None:
    rows = run(shoot)
    photos = [row["photo"] for row in table(tmp_path / "maps")]
    assert photos == sorted(row.photo for row in rows)
    assert {row["status"] for row in table(tmp_path / "maps")} == {"mapped", "failed"}


def test_rows_that_come_twice_count_once(run: Run, shoot: Path, tmp_path: Path) -> None:
    def run_twice(*given: Any) -> Iterator[ResultRow]:
        for row in run_here(*given):
            yield row
            yield row

    assert len(run(shoot, engine=run_twice)) == len(table(tmp_path / "maps")) == 5


def test_photos_of_lost_tasks_are_tried_singly(run: Run, shoot: Path) -> None:
    asked = []

    def lose_most(jobs: Any, settings: MapSettings, photos_a_task: int) -> Iterator[ResultRow]:
        asked.append((len(jobs), photos_a_task))
        kept = jobs if photos_a_task == 1 else jobs[:2]
        return run_here(kept, settings, photos_a_task)

    assert len(run(shoot, engine=lose_most)) == 5
    assert asked == [(5, pipeline.PHOTOS_A_TASK), (3, 1)]


def test_a_photo_that_workers_die_of_fails_and_costs_no_other(run: Run, shoot: Path) -> None:
    def lose_one(jobs: Any, *others: Any) -> Iterator[ResultRow]:
        return run_here([job for job in jobs if "b b" not in job.photo.address], *others)

    rows = run(shoot, engine=lose_one)
    (lost,) = (row for row in rows if "b b" in row.photo)
    assert lost.status == "failed" and lost.reason is not None and "died" in lost.reason
    assert sum(row.status == "mapped" for row in rows) == 3


def test_a_second_run_does_only_what_failed(run: Run, shoot: Path, tmp_path: Path) -> None:
    run(shoot)
    assert names(run(shoot)) == ["broken.jpg"]
    assert len(table(tmp_path / "maps")) == 5


def test_a_second_run_sees_what_changed(run: Run, shoot: Path, tmp_path: Path) -> None:
    run(shoot)
    (tmp_path / "maps" / "sub" / "a.png.blur.png").unlink()
    os.utime(shoot / "a.jpg", (1e9, 1e9))
    (shoot / "new.png").write_bytes((shoot / "a.png").read_bytes())
    again = run(shoot)
    assert names(again) == ["a.jpg", "a.png", "broken.jpg", "new.png"]
    assert len(table(tmp_path / "maps")) == 6


def test_other_settings_map_all_again(
    run: Run, shoot: Path, tmp_path: Path, settings: MapSettings
) -> None:
    run(shoot)
    unrefined = MapSettings(settings.method, MethodOptions(refine=False, threads=1), Outputs())
    assert len(run(shoot, settings=unrefined)) == 5
    assert len(table(tmp_path / "maps")) == 5


def test_a_run_that_is_stopped_keeps_what_it_did(run: Run, shoot: Path, tmp_path: Path) -> None:
    def stop(*given: Any) -> Iterator[ResultRow]:
        rows = run_here(*given)
        yield next(rows)
        yield next(rows)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(shoot, engine=stop)
    assert len(table(tmp_path / "maps")) == 2
    assert len(run(shoot)) == 3


def test_every_file_that_was_asked_for_is_written(
    run: Run, shoot: Path, tmp_path: Path, settings: MapSettings
) -> None:
    outputs = Outputs("npy", overlay=True)
    run(shoot / "a.png", settings=MapSettings(settings.method, settings.options, outputs))
    written = {path.name for path in (tmp_path / "maps").iterdir()}
    assert written == {"a.png.blur.npy", "a.png.overlay.jpg", "results.parquet"}


def test_file_addresses_are_local_paths(run: Run, shoot: Path, tmp_path: Path) -> None:
    rows = run(shoot.as_uri(), output=(tmp_path / "maps").as_uri())
    assert all(row.photo.startswith("file://") for row in rows)
    assert read_map(tmp_path / "maps" / "a.png.blur.png").shape == (96, 128)
    assert len(run(shoot.as_uri(), output=(tmp_path / "maps").as_uri())) == 1


@pytest.fixture
def remote(shoot: Path) -> Iterator[Any]:
    """The folder of photos in a file system that is no disk, under ``memory://``."""
    memory = fsspec.filesystem("memory")
    memory.put(f"{shoot}/", "/bucket/shoot/", recursive=True)
    yield memory
    memory.rm("/bucket", recursive=True)


def test_photos_and_maps_can_be_remote(run: Run, remote: Any, shoot: Path, tmp_path: Path) -> None:
    rows = run("memory://bucket/shoot", output="memory://bucket/maps")
    run(shoot)
    assert [row.status for row in rows].count("mapped") == 4
    assert {row.photo.rpartition("shoot/")[2] for row in rows} == {
        *("a.png", "a.jpg", "sub/a.png", "sub/b b.png", "broken.jpg")
    }
    for name in ("a.jpg.blur.png", "sub/a.png.blur.png"):
        content = (tmp_path / "maps" / name).read_bytes()
        assert remote.cat(f"/bucket/maps/{name}") == content


def test_a_remote_run_goes_on_too(run: Run, remote: Any) -> None:
    run("memory://bucket/shoot", output="memory://bucket/maps")
    again = run("memory://bucket/shoot", output="memory://bucket/maps")
    assert names(again) == ["broken.jpg"]
    assert remote.exists("/bucket/maps/results.parquet")


def test_no_two_photos_share_an_output(shoot: Path, tmp_path: Path) -> None:
    sources = [str(shoot / "a.png"), str(shoot / "sub"), str(shoot)]
    jobs, errors = plan_places(sources, find_place(str(tmp_path / "maps")))
    assert not errors
    assert len({job.photo.root for job in jobs}) == len(jobs) == 5
    assert len({job.target.root.casefold() for job in jobs}) == 5


def test_a_source_that_is_not_there_does_not_stop_the_others(shoot: Path, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    sources = [str(tmp_path / "none"), str(tmp_path / "void"), "gopher://x/y", str(shoot)]
    jobs, errors = plan_places(sources, find_place(str(tmp_path / "maps")))
    assert len(jobs) == 5
    assert [type(error) for error in errors] == [ImageError, ImageError, ConfigError]
    for error, line in zip(errors, ("no such file", "no photos in", "no file system"), strict=True):
        assert line in str(error) and "\n" not in str(error)


def test_a_table_of_something_else_is_not_overwritten(
    run: Run, shoot: Path, tmp_path: Path
) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "results.parquet").write_text("mine")
    with pytest.raises(ConfigError, match="not a table of results"):
        run(shoot)
    assert (tmp_path / "maps" / "results.parquet").read_text() == "mine"


def test_an_unknown_method_is_named_before_anything_starts(run: Run, shoot: Path) -> None:
    wrong = MapSettings("dmb", MethodOptions(), Outputs())
    with pytest.raises(MethodError, match="no method named 'dmb'"):
        run(shoot, settings=wrong, engine=run_on_ray)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two nodes of one processor each, on this machine."""
    ray = pytest.importorskip("ray", reason="needs the extra blurmapper[distributed]")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    nodes = Cluster()
    try:
        try:
            nodes.add_node(**node, include_dashboard=False)
            nodes.add_node(**node)
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
            pytest.skip("Ray gives its nodes 15 s to start, and this machine is too busy for that")
        ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
        yield
    finally:
        ray.shutdown()
        nodes.shutdown()


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Let workers note what they begin, as node, process and photo; two photos are deadly.

    The worker that first maps ``deadly-once.png`` is killed, and all that map ``deadly.png``.
    """
    log = tmp_path / "attempts"
    log.mkdir()

    class NotingMapper(PhotoMapper):
        def map_job(self, job: PlacedJob) -> ResultRow:
            import ray

            node = ray.get_runtime_context().get_node_id()
            name = Path(job.photo.root).name
            again = any(note.name.endswith(f" {name}") for note in log.iterdir())
            (log / f"{time.monotonic_ns()} {node} {os.getpid()} {name}").touch()
            if name == "deadly.png" or (name == "deadly-once.png" and not again):
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.05)
            return super().map_job(job)

    monkeypatch.setattr(pipeline, "PhotoMapper", NotingMapper)
    return lambda: [note.name.split()[1:] for note in sorted(log.iterdir())]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns of itself
@pytest.mark.usefixtures("cluster")
def test_on_two_nodes_a_killed_worker_loses_and_doubles_nothing(
    attempts: Callable[[], list[list[str]]],
    run: Run,
    tmp_path: Path,
    half_blurred_photo: npt.NDArray[np.uint8],
) -> None:
    shoot = tmp_path / "many"
    shoot.mkdir()
    for number in range(40):
        name = "deadly-once.png" if number == 20 else f"{number:02}.png"
        PIL.Image.fromarray(np.roll(half_blurred_photo, number, axis=1)).save(shoot / name)
    (shoot / "broken.png").write_bytes(b"no photo")

    rows = run(shoot, engine=run_on_ray)

    photos = sorted(str(path) for path in shoot.iterdir())
    assert sorted(row.photo for row in rows) == photos
    assert [row["photo"] for row in table(tmp_path / "maps")] == photos
    assert [Path(row.photo).name for row in rows if row.status == "failed"] == ["broken.png"]
    here = run(shoot, output=tmp_path / "here")
    for row in here:
        if row.map is not None:
            twin = tmp_path / "maps" / Path(row.map).name
            assert twin.read_bytes() == Path(row.map).read_bytes()
    left = {path.name for path in (tmp_path / "maps").iterdir()}
    assert left == {f"{Path(row.photo).name}.blur.png" for row in here if row.map} | {
        "results.parquet"
    }
    begun = attempts()
    assert len({node for node, _, _ in begun}) == 2
    killers = {process for _, process, name in begun if name == "deadly-once.png"}
    assert len(killers) == 2
    assert len(begun) > len(photos)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns of itself
@pytest.mark.usefixtures("cluster", "attempts")
def test_a_photo_that_kills_every_worker_costs_no_other(
    run: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pipeline, "TASK_RETRIES", 1)
    (shoot / "deadly.png").write_bytes((shoot / "a.png").read_bytes())
    rows = run(shoot, engine=run_on_ray)
    assert len(rows) == len(table(tmp_path / "maps")) == 6
    reasons = {Path(row.photo).name: row.reason for row in rows if row.status == "failed"}
    assert set(reasons) == {"broken.jpg", "deadly.png"}
    assert "died" in str(reasons["deadly.png"])
