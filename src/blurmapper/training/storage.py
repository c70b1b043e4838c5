"""How weights are kept: checkpoints of a run, and .onnx files in 16 or in 8 bits."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from blurmapper.errors import ConfigError
from blurmapper.files import replacing

Bits = Literal[8, 16]

LEAST_WEIGHTS = 4096
"""Layers of fewer keep 16 bits, which saves nothing to speak of: biases, the first convolution."""

_PREFIX, _HALF, _STEPS, _SCALE = "network.", ".half", ".steps", ".scale"
_MOST_STEPS = 127


def round_weights(network: nn.Module, bits: Bits = 16) -> nn.Module:
    """Return the network with every weight rounded to what is stored of it, as it is shipped."""
    with torch.no_grad():
        for parameter in network.parameters():
            weights = parameter.numpy()
            if _takes_steps(weights, bits):
                steps, scale = _to_steps(weights)
                parameter.copy_(torch.from_numpy(steps * scale))
            else:
                parameter.copy_(parameter.half().float())
    return network


def store_weights(model: Any, bits: Bits = 16) -> None:
    """Keep an ONNX model's weights in fewer bits, widened by nodes that runtimes fold on loading.

    Parameters
    ----------
    model : onnx.ModelProto
        With weights in float32; it is changed.
    bits : {8, 16}
        ``16``: float16 and a Cast. ``8``: of layers of at least `LEAST_WEIGHTS`, whole steps from
        -127 to 127, and for each output channel the float32 that they are multiplied with. Not a
        DequantizeLinear, which ONNX Runtime does not fold: it would be computed for every photo,
        and the convolutions be left unarranged, a third slower.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    widening = []
    for weight in list(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) <= 1:
            continue
        name, values = weight.name, numpy_helper.to_array(weight)
        if not _takes_steps(values, bits):
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + _HALF))
            widening.append(helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
            continue
        steps, scale = _to_steps(values)
        weight.CopyFrom(numpy_helper.from_array(steps, name + _STEPS))
        graph.initializer.append(numpy_helper.from_array(scale, name + _SCALE))
        wide = f"{weight.name}.wide"
        widening.append(helper.make_node("Cast", [weight.name], [wide], to=TensorProto.FLOAT))
        widening.append(helper.make_node("Mul", [wide, name + _SCALE], [name]))
    for node in reversed(widening):
        graph.node.insert(0, node)


def read_onnx_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of an exported network, widened to 32 bits, by the network's own names.

    Raises
    ------
    ConfigError
        If it is no ONNX file.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError:
        raise ConfigError(f"{path}: not an ONNX file; export the checkpoint again") from None
    # Other initialisers are the graph's own; a network that was exported bare has none.
    own = [weight for weight in graph.initializer if weight.name.startswith(_PREFIX)]
    stored = {
        weight.name.removeprefix(_PREFIX): onnx.numpy_helper.to_array(weight).astype(np.float32)
        for weight in own or graph.initializer
    }
    for name in [name for name in stored if name.endswith(_STEPS)]:
        own = name.removesuffix(_STEPS)
        stored[own] = stored.pop(name) * stored.pop(own + _SCALE)
    return {name.removesuffix(_HALF): torch.from_numpy(values) for name, values in stored.items()}


def _takes_steps(weights: npt.NDArray[np.float32], bits: Bits) -> bool:
    return bits == 8 and weights.ndim == 4 and weights.size >= LEAST_WEIGHTS


def _to_steps(
    weights: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return weights (O, I, h, w) as steps, int8, and the size of a step (O, 1, 1, 1), float32.

    The largest weight of each channel is 127 steps. Smaller steps that cut off the largest
    weights have less squared error, but move maps further. What a weight loses by rounding goes
    to the next of its channel, as in halftoning: a kernel's pixels are much alike, so that errors
    that add up to nothing cancel, and maps move less than with each weight rounded by itself.
    """
    flat = weights.reshape(len(weights), -1)
    scale = np.abs(flat).max(axis=1) / np.float32(_MOST_STEPS)
    scale[scale == 0] = 1
    exact = (flat / scale[:, np.newaxis]).T.astype(np.float64)
    steps, error = np.empty(exact.shape, np.int8), np.zeros(len(weights))
    for place, weight in enumerate(exact):
        wanted = weight + error
        steps[place] = np.rint(wanted).clip(-_MOST_STEPS, _MOST_STEPS)
        # Below one half, so that the largest stay so and rounding twice changes nothing.
        error = (wanted - steps[place]).clip(-0.499, 0.499)
    return steps.T.reshape(weights.shape), scale.astype(np.float32).reshape(-1, 1, 1, 1)


CHECKPOINT = "checkpoint.pt"

_PARTS: dict[str, Callable[[Any], bool]] = {
    "config": lambda value: isinstance(value, dict),
    "step": lambda value: isinstance(value, int),
    "average": lambda value: (
        isinstance(value, dict) and all(isinstance(tensor, Tensor) for tensor in value.values())
    ),
}
"""What every checkpoint has, also when the run has finished and the rest is taken out."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; only tensors and plain values are accepted, nothing that runs code.

    Raises
    ------
    ConfigError
        If there is none, or the file is none of ours.
    """
    try:
        # Opened here, for a path's suffix makes torch read it as something else.
        with path.open("rb") as stream:
            state = torch.load(stream, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such checkpoint; train one first") from None
    except Exception as error:  # noqa: BLE001 - of a damaged file torch raises anything
        raise ConfigError(
            f"{path}: not a checkpoint of ours ({type(error).__name__}); give one of `train`, or "
            "train it anew"
        ) from None
    for key, is_right in _PARTS.items():
        if not isinstance(state, dict) or not is_right(state.get(key)):
            raise ConfigError(f"{path}: not a checkpoint of ours (no {key}); give one of `train`")
    return cast("dict[str, Any]", state)


def strip_checkpoint(path: Path) -> None:
    """Leave in a finished run's checkpoint what its maps need: a quarter of it.

    The run cannot go on from it, but another can start from it, and it can be exported.
    """
    state = read_checkpoint(path)
    needed = {key: state[key] for key in ("config", "step", "average", "versions", "saved")}
    write_checkpoint(needed, path)


def write_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all.

    Raises
    ------
    ImageError
        If it cannot be written; one that was there is still there.
    """
    content = io.BytesIO()
    # Of a full disk torch says so in errors of its own.
    torch.save(state, content)
    with replacing(path) as stream:
        stream.write(content.getbuffer())
