"""The networks by name: the paper's configurations I to V and our small one.

Ma et al., "Deep Blur Mapping", IEEE TIP 2018, Table I: VGG16 (Simonyan and Zisserman,
arXiv:1409.1556) trimmed after the last convolution of one of its five groups, the pooling after
that convolution dropped, then a 1x1 convolution to one channel, fixed bilinear upsampling to the
input's size and a sigmoid. All networks here return logits; the sigmoid is the loss's and the
export's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from blurmapper.errors import ConfigError
from blurmapper.preprocessing import EFFICIENTNET_LITE, VGG16, Preprocessing
from blurmapper.training.checkpoints import read_checkpoint
from blurmapper.training.lite import BlurMapperLite

VGG_GROUPS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions and channels of VGG16's five groups."""


class VggTrunk(nn.Module):
    """The convolutions of VGG16 up to the end of a group, pooled between groups."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        inputs = 3
        self.names: list[str] = []
        for group, (convolutions, channels) in enumerate(VGG_GROUPS[:groups], start=1):
            for index in range(1, convolutions + 1):
                name = f"conv{group}_{index}"
                self.add_module(name, nn.Conv2d(inputs, channels, 3, padding=1))
                self.names.append(name)
                inputs = channels

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, H, W) to the last group's features, at stride 2 ** (groups - 1)."""
        features = image
        for name in self.names:
            if name.endswith("_1") and name != "conv1_1":
                features = functional.max_pool2d(features, 2, ceil_mode=True)
            features = functional.relu(self.get_submodule(name)(features))
        return features


class TrimmedVgg(nn.Module):
    """Configurations I to V of Table I: trunk, 1x1 convolution, bilinear upsampling.

    Input (N, 3, H, W), BGR in 0-255 less the ImageNet mean; output (N, 1, H, W) logits. Pooling
    rounds sizes up, as Caffe does, so that any size has an answer everywhere.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.trunk = VggTrunk(groups)
        self.score = nn.Conv2d(VGG_GROUPS[groups - 1][1], 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1, H, W), positive = blurred."""
        coarse = self.score(self.trunk(image))
        return functional.interpolate(coarse, size=image.shape[2:], mode="bilinear")


@dataclass(frozen=True)
class Architecture:
    """A network that can be built by name, with what it must be fed."""

    build: Callable[[], nn.Module]
    preprocessing: Preprocessing
    summary: str


ARCHITECTURES: dict[str, Architecture] = {
    **{
        f"configuration-{numeral}": Architecture(
            lambda groups=groups: TrimmedVgg(groups),  # type: ignore[misc]
            VGG16,
            f"VGG16 trimmed after conv{groups}_{VGG_GROUPS[groups - 1][0]}",
        )
        for groups, numeral in enumerate(("i", "ii", "iii", "iv", "v"), start=1)
    },
    "dbm-lite": Architecture(
        BlurMapperLite, EFFICIENTNET_LITE, "EfficientNet-Lite0 fused down to stride 4"
    ),
}


def get_architecture(name: str) -> Architecture:
    """Return the architecture of this name; `ConfigError` lists the choices otherwise."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        choices = ", ".join(ARCHITECTURES)
        raise ConfigError(f"no architecture named {name!r}: choose one of {choices}") from None


def build_network(name: str, initialise: Path | None = None) -> nn.Module:
    """Build a network, initialised at random or from a file.

    Parameters
    ----------
    name : str
        A key of `ARCHITECTURES`.
    initialise : Path, optional
        A safetensors file: the published ImageNet weights of the encoder (keys ``conv1_1.weight``
        or ``_conv_stem.weight``; only the encoder is set) or a whole network's own weights. Or
        the checkpoint of another run, whose averaged weights are taken.

    Raises
    ------
    ConfigError
        If the name is unknown, or the file is missing or holds another network's weights.
    """
    network = get_architecture(name).build()
    _initialise_randomly(network)
    if initialise is not None:
        load_weights(network, initialise)
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Set a network's weights, or its encoder's, from a safetensors file or a checkpoint."""
    from safetensors.torch import load_file

    if not path.is_file():
        raise ConfigError(f"{path}: no such weights file; check the path in the config")
    tensors = read_checkpoint(path)["average"] if path.suffix == ".pt" else load_file(path)
    try:
        if isinstance(network, BlurMapperLite) and "_conv_stem.weight" in tensors:
            network.encoder.load_imagenet(tensors)
        elif isinstance(network, TrimmedVgg) and "conv1_1.weight" in tensors:
            trunk = {name: tensors[name] for name in network.trunk.state_dict()}
            network.trunk.load_state_dict(trunk)
        else:
            network.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: not the weights of this network ({reason})") from None


def _initialise_randomly(network: nn.Module) -> None:
    """He initialisation; a head of one or two channels starts near zero, undecided everywhere."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if module.out_channels <= 2:
                nn.init.normal_(module.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers a network has learnt."""
    return sum(parameter.numel() for parameter in network.parameters())


def predict(network: nn.Module, image: Tensor) -> Tensor:
    """Return probabilities of blur (N, 1, H, W) in [0, 1] for a preprocessed image."""
    with torch.inference_mode():
        return torch.sigmoid(network(image)[:, :1].float())
