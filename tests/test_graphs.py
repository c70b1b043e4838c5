"""Weights in other files are found, wherever a graph can hold them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blurmapper.backends import OnnxBackend, OpenVinoBackend
from blurmapper.errors import WeightsError
from blurmapper.graphs import has_external_data
from blurmapper.weights import BUNDLED, bundled_names

onnx = pytest.importorskip("onnx", reason="onnx builds the graphs")
helper = onnx.helper

needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs blurmapper[openvino]")


def tensor(*, external: bool) -> Any:
    found = onnx.numpy_helper.from_array(np.ones(3, np.float32), "values")
    if external:
        onnx.external_data_helper.set_external_data(found, "weights.bin")
        found.data_location = onnx.TensorProto.EXTERNAL
        found.ClearField("raw_data")
    return found


def graph(nodes: list[Any] | None = None, **parts: Any) -> Any:
    return helper.make_graph(nodes or [], "graph", [], [], **parts)


def model(inner: Any, **parts: Any) -> bytes:
    serialised: bytes = helper.make_model(inner, **parts).SerializeToString()
    return serialised


def sparse(values: Any) -> Any:
    indices = onnx.numpy_helper.from_array(np.arange(3), "indices")
    return helper.make_sparse_tensor(values, indices, [9])


def node(name: str, value: Any) -> Any:
    return helper.make_node("Constant", [], ["x"], **{name: value})


def function(values: Any) -> bytes:
    inner = helper.make_function("own", "F", [], ["x"], [node("value", values)], [])
    return model(graph(), functions=[inner])


def training(values: Any) -> bytes:
    found = onnx.ModelProto.FromString(model(graph()))
    found.training_info.add().algorithm.CopyFrom(graph(initializer=[values]))
    serialised: bytes = found.SerializeToString()
    return serialised


PLACES: dict[str, Callable[[Any], bytes]] = {
    "an initialiser": lambda values: model(graph(initializer=[values])),
    "a constant": lambda values: model(graph([node("value", values)])),
    "one of several": lambda values: model(graph([node("own", [tensor(external=False), values])])),
    "a sparse initialiser": lambda values: model(graph(sparse_initializer=[sparse(values)])),
    "a branch": lambda values: model(graph([node("then_branch", graph(initializer=[values]))])),
    "a branch of a branch": lambda values: model(
        graph([node("a", graph([node("b", graph([node("value", values)]))]))])
    ),
    "a function": function,
    "training": training,
}


@pytest.mark.parametrize("external", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_found_wherever_it_is(place: str, *, external: bool) -> None:
    assert has_external_data(PLACES[place](tensor(external=external))) == external


@pytest.mark.parametrize("name", bundled_names())
def test_the_bundled_weights_hold_everything(name: str) -> None:
    assert not has_external_data((BUNDLED / f"{name}.onnx").read_bytes())


@pytest.mark.parametrize(
    "content", [b"not a graph", b"<net>", b"\x3a\xff", b"\x3a\xff\xff\xff\xff\x0f", b"\x80" * 20]
)
def test_what_is_no_graph_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"protobuf|beyond|does not end"):
        has_external_data(content)


def test_a_tag_of_more_bits_than_readers_keep_hides_nothing() -> None:
    inner, values = graph().SerializeToString(), tensor(external=True).SerializeToString()
    # Of field 5, an initialiser, with bit 32 set, which ONNX Runtime drops.
    inner += b"\xaa\x80\x80\x80\x10" + bytes([len(values)]) + values
    content = b"\x3a" + bytes([len(inner)]) + inner
    with pytest.raises(ValueError, match="no field of protobuf"):
        has_external_data(content)


@pytest.mark.parametrize("load", [OnnxBackend, pytest.param(OpenVinoBackend, marks=needs_openvino)])
def test_no_backend_loads_weights_that_lie_beside_the_file(
    load: Callable[..., Any], tiny_weights: Path, tmp_path: Path
) -> None:
    loaded = onnx.load(tiny_weights)
    path = tmp_path / "tiny.onnx"
    onnx.save(loaded, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").exists()
    with pytest.raises(WeightsError, match=r"tiny\.onnx: keeps weights in another file"):
        load(path)
