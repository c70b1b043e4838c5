"""Ray itself: two nodes on this machine, and workers that die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import (
    Job,
    PhotoFailure,
    Result,
    cluster,
)
from blurmapper.batch.cluster import PhotoWorker
from blurmapper.errors import ConfigError

from .shoots import Run, failed, manifest, mapped, names, run_on_ray

ray = pytest.importorskip("ray", reason="needs the extra blurmapper[distributed]")


LONGEST_WAIT = 120.0
"""Seconds that a second node is waited for."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[None]:
    """Two nodes of one processor each, on this machine."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    patch = pytest.MonkeyPatch()
    # Ray's workers give way to all others unless told, and would starve beside the other tests.
    patch.setenv("RAY_worker_niceness", "0")
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
        # The second is known of a little later than it runs, and each has one worker.
        end = time.monotonic() + LONGEST_WAIT
        while ray.cluster_resources().get("CPU", 0) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        yield
    finally:
        ray.shutdown()
        nodes.shutdown()
        patch.undo()


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Let workers note what they begin, as node, process and photo; three photos are special.

    The worker that first maps ``deadly-once.png`` is killed, and all that map ``deadly.png``. Who
    maps ``0-patient.png`` waits for work on a second node, which on a busy machine starts late.
    """
    log = tmp_path / "attempts"
    log.mkdir()

    def begun() -> list[list[str]]:
        return [note.name.split()[1:] for note in sorted(log.iterdir())]

    class NotingWorker(PhotoWorker):
        def do_job(self, job: Job) -> Result | PhotoFailure:
            node = ray.get_runtime_context().get_node_id()
            name = job.photo.name
            again = any(photo == name for _, _, photo in begun())
            (log / f"{time.monotonic_ns()} {node} {os.getpid()} {name}").touch()
            if name == "deadly.png" or (name == "deadly-once.png" and not again):
                os.kill(os.getpid(), signal.SIGKILL)
            end = time.monotonic() + LONGEST_WAIT
            while name == "0-patient.png" and time.monotonic() < end:
                if len({node for node, _, _ in begun()}) > 1:
                    break
                time.sleep(0.05)
            return super().do_job(job)

    monkeypatch.setattr(cluster, "PhotoWorker", NotingWorker)
    return begun


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns of itself
@pytest.mark.usefixtures("nodes")
def test_on_two_nodes_a_killed_worker_loses_and_doubles_nothing(
    attempts: Callable[[], list[list[str]]],
    run: Run,
    tmp_path: Path,
    half_blurred_photo: npt.NDArray[np.uint8],
) -> None:
    shoot = tmp_path / "many"
    shoot.mkdir()
    for number in range(40):
        name = {0: "0-patient.png", 20: "deadly-once.png"}.get(number, f"{number:02}.png")
        PIL.Image.fromarray(np.roll(half_blurred_photo, number, axis=1)).save(shoot / name)
    (shoot / "broken.png").write_bytes(b"no photo")

    results = run(shoot, runner=run_on_ray)

    photos = sorted(str(path) for path in shoot.iterdir())
    assert sorted(str(each.photo) for each in results) == photos
    assert names(failed(results)) == ["broken.png"]
    assert len(manifest(tmp_path / "maps")) == 40
    here = mapped(run(shoot, output=tmp_path / "here"))
    for each in here:
        path = Path(str(each.files["map"]))
        assert (tmp_path / "maps" / path.name).read_bytes() == path.read_bytes()
    left = {path.name for path in (tmp_path / "maps").iterdir()}
    assert left == {f"{each.photo.name}.blur.png" for each in here} | {
        *("maps.jsonl", "failures.csv")
    }
    begun = attempts()
    assert len({node for node, _, _ in begun}) == 2
    killers = {process for _, process, name in begun if name == "deadly-once.png"}
    assert len(killers) == 2
    assert len(begun) > len(photos)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns of itself
@pytest.mark.usefixtures("nodes", "attempts")
def test_a_photo_that_kills_every_worker_costs_no_other(
    run: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "TASK_RETRIES", 0)  # each worker takes seconds to start
    (shoot / "deadly.png").write_bytes((shoot / "a.png").read_bytes())
    results = run(shoot, runner=run_on_ray)
    assert len(results) == 6
    reasons = {Path(str(each.photo)).name: each.reason for each in failed(results)}
    assert set(reasons) == {"broken.jpg", "deadly.png"}
    assert "died" in reasons["deadly.png"]


@pytest.fixture
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let Ray know of no cluster; what it keeps of one that is started here is in this folder."""
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    return tmp_path / "ray"


@pytest.mark.usefixtures("no_cluster")
def test_a_cluster_that_cannot_be_had_is_one_line(
    run: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_out(**_: object) -> None:
        raise RuntimeError("The current node\ntimed out")

    monkeypatch.setattr(ray, "init", time_out)
    with pytest.raises(ConfigError, match=r"The current node timed out.*; check RAY_ADDRESS"):
        run(shoot, runner=run_on_ray)


@pytest.mark.usefixtures("no_cluster")
def test_where_there_is_no_cluster_one_is_started() -> None:
    assert cluster._choose_address() is None


def test_a_cluster_that_died_is_not_waited_for(no_cluster: Path) -> None:
    (no_cluster / "ray_current_cluster").write_text("127.0.0.1:1")
    assert cluster._choose_address() == "local"


@pytest.mark.usefixtures("no_cluster")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1", "ray://127.0.0.1:1"])
def test_an_address_that_nobody_answers_is_one_line(
    address: str, run: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError, match=r"none answers at .*:1\); check RAY_ADDRESS"):
        run(shoot, runner=run_on_ray)
