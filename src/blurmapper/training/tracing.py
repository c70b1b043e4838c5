"""A network of torch -> an ONNX model of any size of photo, by the exporter that torch has."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_NEW_EXPORTER = (2, 13)
"""The first torch whose newer exporter was seen to know our networks; that of 2.6 does not."""

_SIZES = (0, 2, 3)  # Dimensions of an image (N, C, H, W) that may be of any size.


def trace_network(
    network: nn.Module, example: Tensor, outputs: Sequence[str], opset: int, given: str = "image"
) -> Any:
    """Return a network as ONNX, its weights by their own names and in float32.

    Parameters
    ----------
    network : nn.Module
        From one image to one output, or to several.
    example : Tensor
        (N, C, H, W), an image to follow; N, H and W may be any in the model.
    outputs : sequence of str
        The outputs' names.
    opset : int
        Version of ONNX's operators.
    given : str
        The input's name.

    Returns
    -------
    onnx.ModelProto
    """
    # "2.13.0a0+git" begins so too.
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    trace = _trace_program if version >= _NEW_EXPORTER else _trace_script
    names = {"input_names": [given], "output_names": [*outputs]}
    with _exporting_quietly():
        return trace(network, example, **names, opset_version=opset, verbose=False)


def _trace_program(network: nn.Module, example: Tensor, **options: Any) -> Any:
    sizes = dict.fromkeys(_SIZES, torch.export.Dim.AUTO)
    program = torch.onnx.export(
        network, (example,), dynamo=True, dynamic_shapes=(sizes,), **options
    )
    assert program is not None
    return program.model_proto


def _trace_script(network: nn.Module, example: Tensor, **options: Any) -> Any:
    import onnx

    content, sizes = io.BytesIO(), {axis: f"size {axis}" for axis in _SIZES}
    axes = dict.fromkeys(options["input_names"] + options["output_names"], sizes)
    torch.onnx.export(
        network,
        (example,),
        content,  # type: ignore[arg-type]
        dynamo=False,
        dynamic_axes=axes,
        **options,
    )
    return onnx.load_from_string(content.getvalue())


@contextmanager
def _exporting_quietly() -> Iterator[None]:
    """Keep from users what torch's exporters say of themselves: that torchvision is missing."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13 trips over a deprecation of its own.
            warnings.filterwarnings("ignore", ".*treespec, LeafSpec.*", FutureWarning)
            # torch 2.6 says what it does not fold; runtimes do.
            warnings.filterwarnings("ignore", "Constant folding", UserWarning)
            yield
    finally:
        logger.setLevel(level)


def split_before_enlarging(model: Any) -> None:
    """Take the outputs apart right after the last convolution, and finish each by itself.

    The maps are the same. ONNX Runtime works on blocks of 16 channels after a convolution, and
    enlarging two channels cost as much as enlarging 16: a fifteenth of `dbm-lite`'s time.
    """
    from onnx import NodeProto, helper

    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    split = makers[graph.output[0].name]
    chain: list[Any] = []
    node = makers[split.input[0]]
    while node.op_type != "Conv":
        chain.insert(0, node)
        node = makers[node.input[0]]
    parts = [f"{output}.coarse" for output in split.output]
    finished = [helper.make_node("Split", [node.output[0], *split.input[1:]], parts)]
    finished[0].attribute.extend(split.attribute)
    for part, output in zip(parts, split.output, strict=True):
        source = part
        for step in chain:
            own = NodeProto()
            own.CopyFrom(step)
            own.name, own.input[0] = f"{step.name}.{output}", source
            source = output if step is chain[-1] else f"{step.output[0]}.{output}"
            own.output[0] = source
            finished.append(own)
    shared = {*(step.name for step in chain), split.name}
    kept = [node for node in graph.node if node.name not in shared]
    del graph.node[:]
    graph.node.extend([*kept, *finished])
