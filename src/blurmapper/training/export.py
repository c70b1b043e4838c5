"""From a checkpoint to the ONNX file and card that users get."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from blurmapper.backends import OnnxBackend
from blurmapper.batch import list_photos
from blurmapper.decoding import MIN_SIDE
from blurmapper.errors import ConfigError, WeightsError, check_number
from blurmapper.files import check_replaceable, write_file
from blurmapper.images import read_image
from blurmapper.locations import is_bare
from blurmapper.preprocessing import Preprocessing
from blurmapper.training.amount_export import TOLERANCE, export_amounts
from blurmapper.training.config import TrainingConfig
from blurmapper.training.networks import (
    AMOUNT,
    build_trained,
    count_parameters,
    fold_norms,
    get_architecture,
    load_weights,
)
from blurmapper.training.storage import Bits, read_checkpoint, round_weights, store_weights
from blurmapper.training.tracing import split_before_enlarging, trace_network
from blurmapper.weights import IS_CARD, WeightsCard, find_weights, is_described, write_card

OPSET = 20
CHECKED_PHOTOS = 4
CHECKED_SIZES = ((384, 384), (427, 640), (301, 217))

PAPER = (
    "Ma, Fu, Liu, Wang and Tao, Deep Blur Mapping: Exploiting High-Level Semantics by Deep Neural "
    "Networks, IEEE TIP 27(10), 2018, doi:10.1109/TIP.2018.2847421"
)
LICENCE = "Apache-2.0"

_LONGEST_NAME = 255


class Probabilities(nn.Module):
    """A network with its sigmoid, its channels apart: what is exported."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities (N, 1, H, W) in [0, 1]: of blur, and of motion where told."""
        return torch.split(torch.sigmoid(self.network(image)), 1, dim=1)


def export_checkpoint(
    checkpoint: Path,
    output: Path,
    photos: Path,
    *,
    name: str | None = None,
    working_side: int | None = None,
    bits: Bits = 16,
) -> Path:
    """Write a checkpoint's averaged weights as ONNX, with a card.

    Parameters
    ----------
    checkpoint : Path
        Written by `blurmapper.training.running.train`; or an exported .onnx file with its card, to
        be stored in other bits.
    output : Path
        Folder of ``NAME.onnx`` and ``NAME.json``; those of an earlier export are replaced.
    photos : Path
        A photo or a folder of photos on which torch and ONNX Runtime must agree.
    name : str, optional
        Of the weights. Unless given the name of the run's folder, or that on the card; of what
        measures amounts ``amount``, by which the package opens it.
    working_side : int, optional
        In place of the one trained with.
    bits : {8, 16}
        What a weight takes in the file, as `blurmapper.training.storage.store_weights` says;
        networks compute in 32 all the same, at the same speed.

    Returns
    -------
    Path
        The ONNX file: input ``image``, float32 (N, 3, H, W) as the card's preprocessing makes
        it, of any size from 16 x 16; output ``blur_map``, float32 (N, 1, H, W) in [0, 1], and
        ``motion`` where the network tells the kinds of blur.

    Raises
    ------
    WeightsError
        If the two differ by more than `TOLERANCE` at any pixel of any photo and size checked; if
        weights are NaN or infinite; or if the .onnx file that is given would be replaced.
    ConfigError
        If there is no such checkpoint, no file can have the name, or the side is below 16.
    """
    if checkpoint.suffix.lower() == ".onnx":
        network, card = _read_exported(checkpoint)
    else:
        state = read_checkpoint(checkpoint)
        config = TrainingConfig.from_dict(state["config"], str(checkpoint))
        _check_finite(state["average"], checkpoint)
        if config.architecture == AMOUNT:
            if bits != 16 or working_side is not None:
                line = "measures how wide blur is, at 100 % and in 32 bits"
                raise ConfigError(f"{checkpoint}: {line}; leave out --bits and --working-side")
            return export_amounts(state, checkpoint, output, _check_name(name, AMOUNT))
        network, card = _read_trained(state, config, checkpoint)
    name = _check_name(name, card.name)
    path = output / f"{name}.onnx"
    if path.exists() and path.samefile(checkpoint):
        raise WeightsError(f"{path}: cannot be written with itself; give another folder or name")
    network = round_weights(network, bits).requires_grad_(requires_grad=False)
    _check_finite(network.state_dict(), checkpoint)
    preprocessing = card.preprocessing
    if working_side is not None:
        check_number("working side", working_side, MIN_SIDE)
        preprocessing = replace(preprocessing, working_side=working_side)
    check_replaceable(path.with_suffix(".json"), IS_CARD)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        partial = Path(folder) / f"{name}.onnx"
        write_onnx(network, partial, bits)
        check_agreement(network, partial, preprocessing, photos)
        content = partial.read_bytes()
    write_file(path, content, lambda old: is_described(old, old.with_suffix(".json")))
    card = replace(
        card,
        name=name,
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        parameters=count_parameters(network),
        preprocessing=preprocessing,
        created=time.strftime("%Y-%m-%d", time.gmtime()),
    )
    write_card(card, path.with_suffix(".json"))
    return path


def _read_trained(
    state: dict[str, Any], config: TrainingConfig, source: Path
) -> tuple[nn.Module, WeightsCard]:
    """Return a checkpoint's network, its norms folded in, and what there is to say of it."""
    network = build_trained(state, config.architecture, source)
    usual = get_architecture(config.architecture).preprocessing
    card = WeightsCard(
        name=config.output.name,
        architecture=config.architecture,
        file="",
        sha256="",
        bytes=0,
        parameters=0,
        preprocessing=replace(usual, working_side=config.working_side),
        training=describe_training(config, int(state["step"])),
        scores=(),
        milliseconds_384=None,
        licence=LICENCE,
        paper=PAPER,
        created="",
    )
    return fold_norms(network.eval()), card


def _read_exported(path: Path) -> tuple[nn.Module, WeightsCard]:
    """Return the network of an exported file, and its card without scores, which may change."""
    card, path = find_weights(path)
    network = get_architecture(card.architecture).build()
    load_weights(network, path)
    return network.eval(), replace(card, scores=())


def _check_name(name: str | None, usual: str) -> str:
    """Return a name of weights if files can be called so, and cards read that name them."""
    name = usual if name is None else name
    if not is_bare(name) or len(f"{name}.onnx".encode()) > _LONGEST_NAME:
        raise ConfigError(
            f"{name!r}: weights cannot be called so; give --name a short one without / and \\"
        )
    return name


def _check_finite(weights: Mapping[str, Tensor], source: Path) -> None:
    """Refuse what a training at too high a rate ends in; in 16 bits 65,520 is infinite already."""
    if not all(bool(torch.isfinite(values).all()) for values in weights.values()):
        raise WeightsError(
            f"{source}: has weights that are NaN or too large; train again at a lower rate"
        )


def write_onnx(network: nn.Module, path: Path, bits: Bits = 16) -> None:
    """Write a network with its sigmoid as ONNX, its weights as they are stored in so many bits."""
    import onnx

    example = torch.zeros(1, 3, 96, 128)
    channels = network(example).shape[1]
    outputs = ["blur_map", "motion"][:channels]
    model = trace_network(Probabilities(network).eval(), example, outputs, OPSET)
    if channels > 1:
        split_before_enlarging(model)
    store_weights(model, bits)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def check_agreement(
    network: nn.Module, path: Path, preprocessing: Preprocessing, photos: Path
) -> float:
    """Return the largest difference between torch and ONNX Runtime on real photos.

    Every one of a few photos is mapped at the sizes of `CHECKED_SIZES`, odd ones among them.

    Raises
    ------
    WeightsError
        If it is above `TOLERANCE`.
    """
    backend = OnnxBackend(path)
    worst = 0.0
    for photo in list_photos(photos)[:CHECKED_PHOTOS]:
        image = read_image(photo)
        for height, width in CHECKED_SIZES:
            sized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            batch = preprocessing.normalise(sized)
            expected = _run_torch(network, batch)
            found = [backend.run(batch)] if len(expected) == 1 else backend.run_kinds(batch)
            difference = float(np.abs(np.stack(found) - np.stack(expected)).max())
            if not difference <= TOLERANCE:  # NaN is not above it either
                raise WeightsError(
                    f"{path.name}: ONNX Runtime and torch differ by {difference:.1e} on {photo} at "
                    f"{height} x {width}, more than {TOLERANCE:.0e}; not exported"
                )
            worst = max(worst, difference)
    return worst


def _run_torch(network: nn.Module, batch: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    with torch.inference_mode():
        return [output.numpy() for output in Probabilities(network)(torch.from_numpy(batch))]


def describe_training(config: TrainingConfig, steps: int) -> str:
    """Return in two sentences what a checkpoint was trained on, and how."""
    kinds = dict(vars(config.mixture))
    if config.dataset is None:
        del kinds["labelled"]
    total = sum(kinds.values())
    shares = ", ".join(f"{share / total:.0%} {kind}" for kind, share in kinds.items() if share)
    sources = [f"photos of {config.photos.name} ({shares})"] if config.has_library else []
    if config.listed is not None:
        labelled = (config.dataset or config.photos).name
        sources.append(f"the photos of {labelled} that {config.listed.name} names")
    return (
        f"{steps} steps of {config.batch} pairs of {config.side} x {config.side} pixels, from "
        f"{' and '.join(sources)}, seed {config.seed}. {config.optimiser}, rate {config.rate:g}, "
        f"{config.decay} decay, average {config.average:g}."
    )
