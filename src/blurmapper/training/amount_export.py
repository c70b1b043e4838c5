"""From a checkpoint of the network that measures blur to the ONNX files that the package opens."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from blurmapper.amounts import LEVELS
from blurmapper.backends import open_session
from blurmapper.errors import WeightsError
from blurmapper.files import check_replaceable, write_file
from blurmapper.training.amount_network import GREY, NOTES, AmountNetwork
from blurmapper.training.config import TrainingConfig
from blurmapper.training.networks import build_trained, count_parameters
from blurmapper.training.tracing import trace_network
from blurmapper.weights import IS_CARD, WeightsCard, is_described, write_card

TOLERANCE = 1e-3
"""Largest difference that torch and ONNX Runtime may have in any answer."""


class Look(nn.Module):
    """The part of the network that looks at one size of a photo."""

    def __init__(self, network: AmountNetwork) -> None:
        super().__init__()
        self.body, self.head = network.body, network.head

    def forward(self, grey: Tensor) -> Tensor:
        """Return the notes of each cell."""
        notes: Tensor = self.head(self.body(grey))
        return notes


class Weigh(nn.Module):
    """The part that makes one answer of what is noted at all sizes."""

    def __init__(self, network: AmountNetwork) -> None:
        super().__init__()
        self.fusion = network.fusion

    def forward(self, notes: Tensor) -> Tensor:
        """Return the answers for each cell."""
        answers: Tensor = self.fusion(notes)
        return answers


def export_amounts(state: dict[str, Any], source: Path, output: Path, name: str) -> Path:
    """Write a checkpoint's averaged weights as ONNX in two parts, each with a card.

    Parameters
    ----------
    state : dict
        Of the checkpoint.
    source : Path
        What errors call it.
    output : Path
        Folder of ``NAME-look.onnx``, ``NAME-weigh.onnx`` and their cards; those of an earlier
        export are replaced.
    name : str
        Of the weights.

    Returns
    -------
    Path
        The folder. `Look` has the input ``image``, float32 (N, 1, H, W), grey as `GREY` makes it,
        sides multiples of 16, and the output ``notes``, (N, NOTES, H / 16, W / 16); `Weigh` has
        the input ``notes``, (N, LEVELS * NOTES, h, w), and the output ``cells``, (N, 4, h, w), as
        `blurmapper.training.amount_network.AmountNetwork` answers.

    Raises
    ------
    WeightsError
        If torch and ONNX Runtime differ by more than `TOLERANCE`.
    ConfigError
        If the weights are another network's.
    """
    config = TrainingConfig.from_dict(state["config"], str(source))
    network = cast("AmountNetwork", build_trained(state, config.architecture, source))
    network.requires_grad_(requires_grad=False)
    random = torch.Generator().manual_seed(0)
    tile = torch.randn(1, 1, 160, 224, generator=random)
    notes = torch.randn(1, LEVELS * NOTES, 10, 14, generator=random)
    parts = (
        (f"{name}-look", Look(network), tile, ("image", "notes")),
        (f"{name}-weigh", Weigh(network), notes, ("notes", "cells")),
    )
    # Both are known to be right before one is replaced: halves of two networks answer nonsense.
    contents = [_export_part(part, example, ends, called) for called, part, example, ends in parts]
    paths = [output / f"{called}.onnx" for called, *_ in parts]
    for path in paths:
        check_replaceable(path, _is_ours)
        check_replaceable(path.with_suffix(".json"), IS_CARD)
    for path, (called, part, _, _), content in zip(paths, parts, contents, strict=True):
        write_file(path, content, _is_ours)
        card = WeightsCard(
            name=called,
            architecture=config.architecture,
            file=path.name,
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
            parameters=count_parameters(part),
            preprocessing=GREY,
            training=_describe(config, int(state["step"])),
            scores=(),
            milliseconds_384=None,
            licence="Apache-2.0",
            paper="",
            created=time.strftime("%Y-%m-%d", time.gmtime()),
        )
        write_card(card, path.with_suffix(".json"))
    return output


def _is_ours(path: Path) -> bool:
    return is_described(path, path.with_suffix(".json"))


def _export_part(part: nn.Module, example: Tensor, ends: tuple[str, str], name: str) -> bytes:
    """Return a part of the network as ONNX, once it is seen to answer as torch does."""
    given, told = ends
    part.eval()
    model = trace_network(part, torch.zeros(2, *example.shape[1:]), [told], 18, given=given)
    content: bytes = model.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.onnx")
        path.write_bytes(content)
        (found,) = open_session(path).run([told], {given: example.numpy()})
    difference = float(np.abs(found - part(example).numpy()).max())
    # Written so that NaN fails too.
    if not difference <= TOLERANCE:
        raise WeightsError(f"{name}.onnx: ONNX Runtime and torch differ by {difference:.1e}")
    return content


def _describe(config: TrainingConfig, steps: int) -> str:
    return (
        f"{steps} steps of {config.batch} tiles of 512 x 512 pixels, made of drawn shapes and of "
        f"photos of {config.photos.name} that are sharp all over, blurred by lenses and movements "
        "of known width and photographed by a simulated camera, seed "
        f"{config.seed}. {config.optimiser}, rate {config.rate:g}, {config.decay} decay, average "
        f"{config.average:g}."
    )
