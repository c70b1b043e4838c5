"""ONNX Runtime behind the one backend protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blurmapper.backends import OnnxBackend
from blurmapper.errors import ConfigError, WeightsError


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (64, 48)])
def test_a_batch_of_any_size_gives_maps_of_that_size(
    height: int, width: int, tiny_weights: Path
) -> None:
    batch = np.random.default_rng(0).random((2, 3, height, width), np.float32)
    blur_maps = OnnxBackend(tiny_weights, threads=1).run(batch)
    assert blur_maps.shape == (2, 1, height, width)
    assert blur_maps.dtype == np.float32


def test_what_is_no_graph_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(WeightsError, match=r"bad\.onnx: ONNX Runtime cannot load it"):
        OnnxBackend(path)


def test_a_graph_with_other_names_is_refused(tmp_path: Path) -> None:
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
        OnnxBackend(path)


def test_no_threads_are_refused(tiny_weights: Path) -> None:
    with pytest.raises(ConfigError, match="threads is 0"):
        OnnxBackend(tiny_weights, threads=0)
