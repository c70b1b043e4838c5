"""From a checkpoint of the network that measures blur to the ONNX file that the package opens."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blurmapper.backends import open_session
from blurmapper.errors import WeightsError
from blurmapper.files import write_file
from blurmapper.training.amount_network import GREY
from blurmapper.training.config import TrainingConfig
from blurmapper.training.networks import build_network, count_parameters, set_weights
from blurmapper.training.tracing import trace_network
from blurmapper.weights import WeightsCard, is_described, write_card

TOLERANCE = 1e-3
"""Largest difference that torch and ONNX Runtime may have in any answer."""


def export_amounts(state: dict[str, Any], output: Path, name: str) -> Path:
    """Write a checkpoint's averaged weights as ONNX, with a card.

    Parameters
    ----------
    state : dict
        Of the checkpoint.
    output : Path
        Folder of ``NAME.onnx`` and ``NAME.json``; those of an earlier export are replaced.
    name : str
        Of the weights.

    Returns
    -------
    Path
        The ONNX file: input ``image``, float32 (N, 1, H, W), grey as `GREY` makes it, sides
        multiples of 16; output ``cells``, float32 (N, 4, H / 16, W / 16), as
        `blurmapper.training.amount_network.AmountNetwork` answers.

    Raises
    ------
    WeightsError
        If torch and ONNX Runtime differ by more than `TOLERANCE`.
    """
    config = TrainingConfig.from_dict(state["config"], name)
    network = build_network(config.architecture)
    set_weights(network, state["average"])
    network.eval().requires_grad_(requires_grad=False)
    path = output / f"{name}.onnx"
    output.mkdir(parents=True, exist_ok=True)
    model = trace_network(network, torch.zeros(2, 1, 96, 128), ["cells"], 18)
    content = model.SerializeToString()
    write_file(path, content, lambda old: is_described(old, old.with_suffix(".json")))
    sample = torch.randn(1, 1, 160, 224, generator=torch.Generator().manual_seed(0))
    (found,) = open_session(path).run(["cells"], {"image": sample.numpy()})
    difference = float(np.abs(found - network(sample).numpy()).max())
    if difference > TOLERANCE:
        path.unlink()
        raise WeightsError(f"{path.name}: ONNX Runtime and torch differ by {difference:.1e}")
    card = WeightsCard(
        name=name,
        architecture=config.architecture,
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        parameters=count_parameters(network),
        preprocessing=GREY,
        training=_describe(config, int(state["step"])),
        scores=(),
        milliseconds_384=None,
        licence="Apache-2.0",
        paper="",
        created=time.strftime("%Y-%m-%d", time.gmtime()),
    )
    write_card(card, path.with_suffix(".json"))
    return path


def _describe(config: TrainingConfig, steps: int) -> str:
    return (
        f"{steps} steps of {config.batch} tiles of 128 x 128 pixels, made of drawn shapes and of "
        f"photos of BIQ2021 that are sharp all over, blurred by lenses and movements of known "
        f"width and photographed by a simulated camera, seed {config.seed}. {config.optimiser}, "
        f"rate {config.rate:g}, {config.decay} decay, average {config.average:g}."
    )
