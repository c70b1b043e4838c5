"""ONNX Runtime and OpenVINO behind the one backend protocol."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.backends import Backend, OnnxBackend, OpenVinoBackend, open_backend
from blurmapper.errors import ConfigError, MissingExtraError, WeightsError, install_command
from blurmapper.images import read_image
from blurmapper.weights import BUNDLED, find_weights

Batch = npt.NDArray[np.float32]

needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs blurmapper[openvino]")


@pytest.fixture(
    params=[
        pytest.param(OnnxBackend, id="onnxruntime"),
        pytest.param(OpenVinoBackend, id="openvino", marks=needs_openvino),
    ]
)
def load(request: pytest.FixtureRequest) -> Callable[..., Backend]:
    """Each backend in turn."""
    found: Callable[..., Backend] = request.param
    return found


def make_batch(height: int, width: int, *, photos: int = 1) -> Batch:
    return np.random.default_rng(0).random((photos, 3, height, width), np.float32)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (64, 48)])
def test_a_batch_of_any_size_gives_maps_of_that_size(
    load: Callable[..., Backend], height: int, width: int, tiny_weights: Path
) -> None:
    blur_maps = load(tiny_weights, threads=1).run(make_batch(height, width, photos=2))
    assert blur_maps.shape == (2, 1, height, width)
    assert blur_maps.dtype == np.float32


def test_weights_that_give_no_numbers_are_named(
    load: Callable[..., Backend], tiny_kinds_weights: Path, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx builds the tests' network")
    model = onnx.load(tiny_kinds_weights)
    (middle,) = [weight for weight in model.graph.initializer if weight.name == "middle"]
    middle.CopyFrom(onnx.numpy_helper.from_array(np.float32(np.nan), "middle"))
    onnx.save(model, tmp_path / "lost.onnx")
    backend = load(tmp_path / "lost.onnx", threads=1)
    for run in (backend.run, backend.run_kinds):
        with pytest.raises(WeightsError, match=r"lost\.onnx: maps photos to NaN; use other"):
            run(make_batch(32, 32))


@needs_openvino
@pytest.mark.parametrize(("height", "width"), [(96, 128), (65, 47)])
def test_openvino_answers_as_onnx_runtime_does(
    height: int, width: int, tiny_kinds_weights: Path
) -> None:
    batch = make_batch(height, width)
    expected = OnnxBackend(tiny_kinds_weights, threads=1).run_kinds(batch)
    found = OpenVinoBackend(tiny_kinds_weights, threads=1).run_kinds(batch)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@needs_openvino
def test_openvino_answers_as_onnx_runtime_does_with_the_default_weights() -> None:
    path, batch = find_weights("dbm-lite")[1], make_batch(95, 130)
    expected = OnnxBackend(path, threads=1).run_kinds(batch)
    found = OpenVinoBackend(path, threads=1).run_kinds(batch)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@needs_openvino
def test_bfloat16_moves_maps_little() -> None:
    card, path = find_weights("dbm-lite")
    batch = card.preprocessing.normalise(read_image(BUNDLED.parent / "samples" / "cat.jpg"))
    rounded = OpenVinoBackend(path, threads=1, precision="bfloat16").run(batch)
    assert np.abs(rounded - OnnxBackend(path, threads=1).run(batch)).mean() < 0.01


def test_one_backend_serves_many_threads(load: Callable[..., Backend], tiny_weights: Path) -> None:
    backend = load(tiny_weights, threads=1)
    batches = [make_batch(64, 48 + 16 * i) for i in range(6)]
    expected = [backend.run(batch) for batch in batches]
    found: dict[int, Batch] = {}

    def run(number: int) -> None:
        for _ in range(5):
            found[number] = backend.run(batches[number])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, blur_maps in enumerate(expected):
        np.testing.assert_allclose(found[number], blur_maps, atol=1e-6)


def test_an_answer_is_not_changed_by_the_next_run(
    load: Callable[..., Backend], tiny_weights: Path
) -> None:
    backend = load(tiny_weights, threads=1)
    first = backend.run(make_batch(32, 32))
    kept = first.copy()
    backend.run(1 - make_batch(32, 32))
    np.testing.assert_array_equal(first, kept)


def test_what_is_no_graph_is_named(load: Callable[..., Backend], tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(WeightsError, match=r"bad\.onnx: .* cannot load it") as raised:
        load(path)
    assert "\n" not in str(raised.value)


def test_a_graph_with_other_names_is_refused(load: Callable[..., Backend], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx builds the graph")
    shape = ["n", 3, "h", "w"]
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name in ("pixels", "depth")
    ]
    node = onnx.helper.make_node("Identity", ["pixels"], ["depth"])
    graph = onnx.helper.make_graph([node], "other", ends[:1], ends[1:])
    opsets = [onnx.helper.make_opsetid("", 17)]
    path = tmp_path / "other.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    with pytest.raises(WeightsError, match=r"instead of \['image'\] to \['blur_map'\]"):
        load(path)


@pytest.mark.parametrize("threads", [0, 1025, 99_999_999_999])
def test_no_threads_and_far_too_many_are_refused(
    load: Callable[..., Backend], tiny_weights: Path, threads: int
) -> None:
    with pytest.raises(ConfigError, match=f"threads is {threads}; use 1 to 1024"):
        load(tiny_weights, threads=threads)


def test_a_network_of_one_kind_says_so(load: Callable[..., Backend], tiny_weights: Path) -> None:
    with pytest.raises(WeightsError, match=r"tiny\.onnx: cannot tell motion from defocus"):
        load(tiny_weights, threads=1).run_kinds(make_batch(32, 32))


@needs_openvino
def test_a_backend_is_found_by_its_name(tiny_weights: Path) -> None:
    assert isinstance(open_backend("onnxruntime", tiny_weights), OnnxBackend)
    assert isinstance(open_backend("openvino", tiny_weights), OpenVinoBackend)


def test_a_wrong_name_lists_the_choices(tiny_weights: Path) -> None:
    with pytest.raises(ConfigError, match="no backend named 'tvm'; choose from: onnxruntime"):
        open_backend("tvm", tiny_weights)  # type: ignore[arg-type]


def test_a_missing_extra_is_named(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("openvino"))):
        OpenVinoBackend(tiny_weights)


def test_onnx_runtime_keeps_no_record_to_send(tiny_weights: Path, tmp_path: Path) -> None:
    code = "import sys; from blurmapper import BlurMapper; BlurMapper(sys.argv[1])"
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", code, str(tiny_weights)],
        check=True,
        env=environment | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_a_network_that_cannot_be_run_is_named(
    load: Callable[..., Backend], tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load(tiny_weights, threads=1)

    def fail(*_: object) -> None:
        raise RuntimeError("Failed to allocate memory\nfor 9 bytes")

    monkeypatch.setattr(backend, "_infer", fail)
    line = r"cannot be run on 1 x 3 x 32 x 48 numbers \(Failed to allocate memory for 9 bytes\); "
    with pytest.raises(WeightsError, match=line):
        backend.run(make_batch(32, 48))


def test_weights_are_not_blamed_for_opencv(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert OnnxBackend(tiny_weights, threads=1).run(make_batch(32, 48)).shape == (1, 1, 32, 48)


@needs_openvino
def test_a_precision_that_there_is_not_is_named(tiny_weights: Path) -> None:
    with pytest.raises(ConfigError, match="no precision named 'bf16'; choose from: float32, bfl"):
        OpenVinoBackend(tiny_weights, precision="bf16")  # type: ignore[arg-type]
