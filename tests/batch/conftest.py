"""A folder of photos, and what maps it as on a cluster but without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import (
    How,
    MapTask,
    cluster,
    find_photos,
    run_task,
)
from blurmapper.locations import find_location
from blurmapper.methods import MethodOptions

from .shoots import Results, Run, run_here


@pytest.fixture
def task(tiny_weights: Path) -> MapTask:
    """Mapping with the tests' network, one processor a worker."""
    return MapTask(str(tiny_weights), MethodOptions(threads=1))


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


@pytest.fixture
def run(task: MapTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Source, choices -> what a run without a cluster did, but for what was done before."""

    def call(source: str | Path, **choices: Any) -> Results:
        output = find_location(choices.get("output", tmp_path / "maps"))
        runner = choices.get("runner", run_here)
        with monkeypatch.context() as patch:
            patch.setattr(cluster, "run_pieces", lambda *given: runner(*given[:3]))
            how = How("ray", list_failures=True)
            results = list(run_task(choices.get("task", task), find_photos([source]), output, how))
        return [each for each in results if not getattr(each, "done_before", False)]

    return call
