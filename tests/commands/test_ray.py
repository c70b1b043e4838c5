"""`map --engine ray`: what it prints, writes and refuses; the cluster is stood in for."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import CliRunner, Result

from blurmapper.batch import Task, cluster
from blurmapper.batch.cluster import Done, PhotoWorker
from blurmapper.commands._parameters import to_command
from blurmapper.commands.mapping import map_photos
from blurmapper.errors import BlurMapperError, MissingExtraError, install_command

pytest.importorskip("ray", reason="needs blurmapper[distributed]")

Run = Callable[..., Result]


@pytest.fixture
def shoot(tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of a photo, and one that is broken."""
    folder = tmp_path / "shoot"
    folder.mkdir()
    PIL.Image.fromarray(half_blurred_photo).save(folder / "a.png")
    (folder / "b.jpg").write_text("no photo")
    return folder


@pytest.fixture
def run(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Call the command in an empty folder; photos are mapped without a cluster."""

    def run_here(jobs: Any, task: Task, *_: object) -> Iterator[Done]:
        worker = PhotoWorker(task, str(tmp_path))
        print("(raylet) a worker died")  # noqa: T201
        for number, job in jobs:
            yield number, worker.do_job(job)

    app = to_command("map", map_photos)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "run_pieces", run_here)

    def call(*arguments: str | Path) -> Result:
        options = ["--method", str(tiny_weights), "--engine", "ray"]
        result = CliRunner().invoke(app, [*options, *map(str, arguments)])
        if isinstance(result.exception, BlurMapperError):
            raise result.exception
        return result

    return call


def test_photos_get_maps_and_lines(run: Run, shoot: Path) -> None:
    result = run(shoot, "-o", "maps")
    assert result.exit_code == 1
    assert "a.png: 128 x 96, S 0." in result.stdout and "% blurred" in result.stdout
    assert result.stdout.count("\n") == 1
    line, sums = (each for each in result.stderr.splitlines() if "(raylet)" not in each)
    assert "1 mapped" in sums and "1 failed" in sums
    assert line.startswith("error: ") and "b.jpg: not an image" in line
    assert Path("maps/a.png.blur.png").exists()
    assert len(Path("maps/maps.jsonl").read_text().splitlines()) == 1


def test_addresses_are_taken_as_they_are(run: Run, shoot: Path, tmp_path: Path) -> None:
    maps = (tmp_path / "maps").as_uri()
    result = run((shoot / "a.png").as_uri(), "-o", maps, "--json", "--npy")
    assert result.exit_code == 0
    row = json.loads(result.stdout)
    assert row["photo"] == str(shoot / "a.png")
    assert row["map"] == str(tmp_path / "maps" / "a.png.blur.npy")
    assert Path("maps/a.png.blur.npy").exists()


def test_the_same_command_goes_on_and_redo_does_all(run: Run, shoot: Path) -> None:
    run(shoot / "a.png")
    assert "mapped before" in run(shoot / "a.png").stdout
    assert "a.png: 128 x 96" in run(shoot / "a.png", "--redo").stdout


def test_a_source_that_is_not_there_gets_a_line(run: Run, shoot: Path) -> None:
    result = run("none", shoot / "a.png")
    assert result.exit_code == 1
    assert "error: none: no such file; check the path\n" in result.stderr
    assert Path("blurmaps/a.png.blur.png").exists()


def test_without_ray_the_line_says_what_to_install(
    run: Run, shoot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("distributed"))):
        run(shoot)
