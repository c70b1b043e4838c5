"""The networks by name: the paper's configurations I to V, their variants, and our small one.

Ma et al., "Deep Blur Mapping", IEEE TIP 2018, Table I: VGG16 trimmed after the last convolution
of one of its five groups, then a 1x1 convolution to one channel, fixed bilinear upsampling to the
input's size and a sigmoid; Table IV: the same with skip layers or fused side outputs. All
networks here return logits; the sigmoid is the loss's and the export's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from blurmapper.errors import ConfigError, one_line
from blurmapper.preprocessing import EFFICIENTNET_LITE, VGG16, Preprocessing
from blurmapper.training.amount_network import GREY, AmountNetwork
from blurmapper.training.lite import BlurMapperLite
from blurmapper.training.losses import Output
from blurmapper.training.storage import read_checkpoint, read_onnx_weights
from blurmapper.training.vgg import Fcn8s, TrimmedVgg, VggTrunk, WeightedFusion
from blurmapper.weights import BUNDLED, bundled_card, bundled_names


@dataclass(frozen=True)
class Architecture:
    """A network that can be built by name, with what it must be fed.

    Attributes
    ----------
    build : callable
        Makes it, as torch initialises.
    preprocessing : Preprocessing
    outputs : tuple
        What each channel of its logits says in training; supervised sides are not there else.
    """

    build: Callable[[], nn.Module]
    preprocessing: Preprocessing
    outputs: tuple[Output, ...] = ("blur",)


AMOUNT = "amount"

ARCHITECTURES: dict[str, Architecture] = {
    **{
        f"configuration-{numeral}": Architecture(lambda groups=groups: TrimmedVgg(groups), VGG16)  # type: ignore[misc]
        for groups, numeral in enumerate(("i", "ii", "iii", "iv", "v"), start=1)
    },
    "configuration-v-learnt": Architecture(lambda: TrimmedVgg(5, learnt=True), VGG16),
    "fcn-8s": Architecture(Fcn8s, VGG16),
    "fusion": Architecture(lambda: WeightedFusion(supervised=False), VGG16),
    "dsn": Architecture(
        lambda: WeightedFusion(supervised=True),
        VGG16,
        ("blur", "side", "side", "side", "side", "side"),
    ),
    "dbm-lite": Architecture(BlurMapperLite, EFFICIENTNET_LITE, ("blur", "motion")),
    AMOUNT: Architecture(AmountNetwork, GREY, ()),
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
        The name of bundled weights, or a file: an exported ``.onnx``; the checkpoint of another
        run, whose averaged weights are taken; safetensors of a whole network, or of an encoder as
        published (keys ``conv1_1.weight`` or ``_conv_stem.weight``), when the encoder alone is
        set.

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


def build_trained(state: Mapping[str, Any], architecture: str, source: Path) -> nn.Module:
    """Return a checkpoint's network with its averaged weights; errors name its file."""
    network = get_architecture(architecture).build()
    _set_checked(network, state["average"], source)
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Set a network's weights, or its encoder's, from a file that `find_initial` finds."""
    path = find_initial(path)
    _set_checked(network, _read_tensors(path), path)


def _set_checked(network: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    try:
        if isinstance(network, BlurMapperLite) and "_conv_stem.weight" in tensors:
            network.encoder.load_imagenet(dict(tensors))
        elif isinstance(trunk := getattr(network, "trunk", None), VggTrunk) and (
            "conv1_1.weight" in tensors
        ):
            trunk.load_state_dict({name: tensors[name] for name in trunk.state_dict()})
        else:
            set_weights(network, tensors)
    except (KeyError, RuntimeError):
        # What torch says of it is as many names as there are.
        raise ConfigError(
            f"{source}: not the weights of this network; give those of the same architecture"
        ) from None


def find_initial(named: Path) -> Path:
    """Return the file that training starts from: itself, or that of bundled weights named so.

    Raises
    ------
    ConfigError
        If there is neither.
    """
    if named.is_file():
        return named
    if str(named) in bundled_names():
        return BUNDLED / bundled_card(str(named)).file
    bundled = " or ".join(bundled_names())
    raise ConfigError(
        f"{named}: no such weights file; check the path in the config, or start from {bundled}"
    )


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """Return weights by the names that the network has for them."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix.lower() == ".pt":
        return dict(read_checkpoint(path)["average"])
    if path.suffix.lower() == ".onnx":
        return read_onnx_weights(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"{path}: cannot be read as safetensors ({one_line(error)}); give weights as .pt, "
            ".onnx or .safetensors"
        ) from None


def set_weights(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Set all weights; where the norms of those given are folded in, fold the network's first.

    Exported weights have them so, and a network that starts from such goes on without norms, as
    the encoder does always: what ImageNet or a long training found is kept rather than the
    statistics of a few pairs.
    """
    if not any(name.endswith("running_mean") for name in tensors):
        fold_norms(network)
        # The exporter of ONNX leaves out a bias that is zero.
        zeros = {
            name: torch.zeros_like(bias)
            for name, bias in network.state_dict().items()
            if name.endswith(".bias") and name.removesuffix("bias") + "weight" in tensors
        }
        tensors = zeros | dict(tensors)
    network.load_state_dict(dict(tensors))


def fold_norms(network: nn.Module) -> nn.Module:
    """Return a network with each batch norm folded into its convolution, as evaluation has it."""
    training = network.training
    network.eval()
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2:
            convolution, norm = module
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                parent = network.get_submodule(name.rpartition(".")[0])
                child = name.rpartition(".")[2]
                setattr(parent, child, fuse_conv_bn_eval(convolution, norm))
    return network.train(training)


def _initialise_randomly(network: nn.Module) -> None:
    """He initialisation; a head of one or two channels starts at zero, undecided everywhere.

    Near zero would not do: VGG16's first features go to hundreds.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if module.out_channels <= 2:
                nn.init.zeros_(module.weight)
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
