"""A mapper goes to other processes as its options, and opens its weights there."""

from __future__ import annotations

import copy
import io
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.backends import OnnxBackend, OpenVinoBackend
from blurmapper.errors import WeightsError
from blurmapper.mapper import BlurMapper
from blurmapper.weights import BUNDLED, find_weights

Photo = npt.NDArray[np.uint8]

needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs blurmapper[openvino]")


def restore(written: bytes) -> Any:
    return pickle.loads(written)  # noqa: S301 - our own


def through_joblib(mapper: BlurMapper) -> Any:
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    file = io.BytesIO()
    joblib.dump(mapper, file)
    file.seek(0)
    return joblib.load(file)


@pytest.fixture(
    params=[
        *(
            pytest.param(lambda mapper, n=n: restore(pickle.dumps(mapper, n)), id=f"pickle {n}")
            for n in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(through_joblib, id="joblib"),
    ]
)
def again(request: pytest.FixtureRequest) -> Callable[[BlurMapper], BlurMapper]:
    """Each way that an object is written and read, or copied."""
    way: Callable[[BlurMapper], BlurMapper] = request.param
    return way


def test_a_copy_keeps_every_option(
    again: Callable[[BlurMapper], BlurMapper], tiny_weights: Path, half_blurred_photo: Photo
) -> None:
    mapper = BlurMapper(tiny_weights, refine=False, working_side=64, threads=1)
    other = again(mapper)
    assert other.card == mapper.card
    assert other.preprocessing.working_side == 64
    np.testing.assert_array_equal(other(half_blurred_photo), mapper(half_blurred_photo))


@needs_openvino
def test_a_backend_by_name_is_opened_again(
    again: Callable[[BlurMapper], BlurMapper], tiny_weights: Path, half_blurred_photo: Photo
) -> None:
    mapper = BlurMapper(tiny_weights, backend="openvino", threads=1)
    np.testing.assert_array_equal(again(mapper)(half_blurred_photo), mapper(half_blurred_photo))


@pytest.mark.parametrize(
    "backend", [OnnxBackend, pytest.param(OpenVinoBackend, marks=needs_openvino)]
)
def test_a_backend_of_ours_given_as_an_object_is_too(
    backend: Callable[..., Any], tiny_weights: Path, half_blurred_photo: Photo
) -> None:
    mapper = BlurMapper(tiny_weights, backend=backend(tiny_weights, threads=1))
    other = restore(pickle.dumps(mapper))
    np.testing.assert_array_equal(other(half_blurred_photo), mapper(half_blurred_photo))


class HalfBackend:
    """Stands for what a user wrote."""

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.full((len(batch), 1, *batch.shape[2:]), 0.5, np.float32)


def test_a_backend_of_somebody_elses_is_copied_as_it_is(
    tiny_weights: Path, half_blurred_photo: Photo
) -> None:
    other = copy.deepcopy(BlurMapper(tiny_weights, refine=False, backend=HalfBackend()))
    np.testing.assert_allclose(other(half_blurred_photo), 0.5, atol=1e-6)


def test_a_relative_path_is_found_from_another_folder(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_weights.parent)
    written = pickle.dumps(BlurMapper(tiny_weights.name))
    monkeypatch.chdir(tmp_path)
    assert restore(written).card.name == "tiny"


def test_a_folder_of_save_pretrained_is_opened_again(tiny_weights: Path, tmp_path: Path) -> None:
    folder = BlurMapper(tiny_weights).save_pretrained(tmp_path / "saved")
    assert restore(pickle.dumps(BlurMapper(folder))).card.name == "tiny"


@pytest.mark.parametrize("weights", ["dbm-lite", find_weights("dbm-lite")[1]])
def test_bundled_weights_go_by_name(weights: str | Path) -> None:
    # The machine that reads it may have the package elsewhere, and the network stays behind.
    written = pickle.dumps(BlurMapper(weights))
    assert str(BUNDLED).encode() not in written
    assert len(written) < 1000


def test_weights_that_became_others_are_refused(
    tiny_weights: Path, tiny_kinds_weights: Path, tmp_path: Path
) -> None:
    def replace(weights: Path) -> None:
        BlurMapper(weights).save_pretrained(tmp_path)
        (tmp_path / BlurMapper(weights).card.file).rename(tmp_path / "w.onnx")
        card = (tmp_path / "config.json").read_text()
        (tmp_path / "config.json").write_text(card.replace(weights.name, "w.onnx"))

    replace(tiny_weights)
    written = pickle.dumps(BlurMapper(tmp_path))
    replace(tiny_kinds_weights)
    with pytest.raises(WeightsError, match="not the weights of the BlurMapper that was pickled"):
        restore(written)


def test_weights_that_are_gone_are_one_line(tiny_weights: Path, tmp_path: Path) -> None:
    folder = BlurMapper(tiny_weights).save_pretrained(tmp_path / "saved")
    written = pickle.dumps(BlurMapper(folder))
    shutil.rmtree(folder)
    with pytest.raises(WeightsError, match="saved"):
        restore(written)


def test_a_subclass_stays_one_with_what_it_holds(tiny_weights: Path) -> None:
    mapper = NamedMapper("mine", tiny_weights)
    other = restore(pickle.dumps(mapper))
    assert (type(other), other.label) == (NamedMapper, "mine")


def test_a_subclass_with_slots_too(
    again: Callable[[BlurMapper], BlurMapper], tiny_weights: Path
) -> None:
    mapper = SlottedMapper(tiny_weights)
    mapper.label = "mine"
    other = again(mapper)
    assert isinstance(other, SlottedMapper)
    assert other.label == "mine"
    assert not hasattr(other, "unset")


class NamedMapper(BlurMapper):
    """Stands for a user's own class."""

    def __init__(self, label: str, weights: Path) -> None:
        super().__init__(weights)
        self.label = label


class SlottedMapper(BlurMapper):
    """Stands for one that has no dict."""

    __slots__ = ("label", "unset")
    label: str


LOADER = """
import sys
from functools import partial

import numpy as np
from torch.utils.data import DataLoader

from blurmapper import BlurMapper


def map_by_each(mappers, photo):
    return [mapper(photo) for mapper in mappers]


if __name__ == "__main__":
    weights, *backends = sys.argv[1:]
    mappers = [BlurMapper(weights, backend=backend, threads=1) for backend in backends]
    photos = [np.zeros((40, 50, 3), np.uint8), np.eye(32, dtype=np.uint8)[..., None].repeat(3, 2)]
    maps = DataLoader(
        photos,
        batch_size=None,
        collate_fn=partial(map_by_each, mappers),
        num_workers=1,
        multiprocessing_context="spawn",
    )
    for found, photo in zip(maps, photos, strict=True):
        np.testing.assert_array_equal(found, map_by_each(mappers, photo))
"""


@pytest.mark.slow
def test_spawned_workers_of_a_data_loader_take_one(tiny_weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs blurmapper[train]")
    script = tmp_path / "script.py"
    script.write_text(LOADER)
    backends = [name for name in ("onnxruntime", "openvino") if find_spec(name)]
    subprocess.run([sys.executable, str(script), str(tiny_weights), *backends], check=True)
