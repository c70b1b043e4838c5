"""One contract for every network, and what each claims for itself."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from blurmapper.backends import OnnxBackend
from blurmapper.errors import ConfigError
from blurmapper.training.networks import (
    AMOUNT,
    ARCHITECTURES,
    TrimmedVgg,
    build_network,
    build_trained,
    count_parameters,
    fold_norms,
    get_architecture,
    predict,
    set_weights,
)
from blurmapper.training.vgg import VGG_GROUPS
from blurmapper.weights import find_weights

MAPPING = [name for name in ARCHITECTURES if name != AMOUNT]
"""The networks that map blur, of which the one that measures it is none."""

WEIGHTS = Path(__file__).parents[3] / "shared" / "weights"


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (16, 16), (17, 130)])
@pytest.mark.parametrize("name", MAPPING)
def test_every_size_gives_a_map_of_that_size(name: str, size: tuple[int, int]) -> None:
    network = build_network(name).eval()
    blur_map = predict(network, torch.randn(1, 3, *size))
    assert blur_map.shape == (1, 1, *size)
    assert blur_map.min() >= 0
    assert blur_map.max() <= 1


@pytest.mark.parametrize(
    ("name", "size"), [*product(MAPPING, [(64, 96), (33, 47)]), (AMOUNT, (384, 512))]
)
def test_every_parameter_learns(name: str, size: tuple[int, int]) -> None:
    network = build_network(name)
    # Heads begin at zero, and pass no gradient on until they have taken a step.
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.out_channels <= 2:
            torch.nn.init.normal_(module.weight, std=0.01)
    network(torch.randn(2, 3, *size)).square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.any(), parameter_name


def test_a_wrong_name_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"'vgg99'.*configuration-v.*dbm-lite"):
        get_architecture("vgg99")


@pytest.mark.parametrize(("groups", "convolutions"), [(1, 2), (2, 4), (3, 7), (4, 10), (5, 13)])
def test_configurations_end_where_table_one_says(groups: int, convolutions: int) -> None:
    network = TrimmedVgg(groups)
    assert len(network.trunk.names) == convolutions
    assert network.trunk.names[-1] == f"conv{groups}_{VGG_GROUPS[groups - 1][0]}"
    coarse = network.trunk(torch.zeros(1, 3, 96, 96))
    assert coarse.shape[2] == 96 // 2 ** (groups - 1)


def test_configuration_five_has_the_size_of_vgg16_without_its_head() -> None:
    assert count_parameters(build_network("configuration-v")) == 14_714_688 + 513


def test_upsampling_is_fixed_and_bilinear() -> None:
    network = TrimmedVgg(3).eval()
    image = torch.randn(1, 3, 64, 64)
    coarse = network.score(network.trunk(image))
    expected = functional.interpolate(coarse, scale_factor=4, mode="bilinear")
    torch.testing.assert_close(network(image), expected)


def test_weights_come_back_from_a_file(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    network = build_network("dbm-lite").eval()
    save_file(network.state_dict(), tmp_path / "own.safetensors")
    again = build_network("dbm-lite", tmp_path / "own.safetensors").eval()
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(again(image), network(image))


@pytest.mark.parametrize(
    ("architecture", "weights"), [("dbm-lite", "dbm-lite"), ("configuration-v", "dbm")]
)
def test_training_starts_from_bundled_weights(architecture: str, weights: str) -> None:
    network = build_network(architecture, Path(weights)).eval()
    card, path = find_weights(weights)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    batch = card.preprocessing.normalise(image)
    found = predict(network, torch.from_numpy(batch)).numpy()[0, 0]
    np.testing.assert_allclose(found, OnnxBackend(path).run(batch)[0, 0], atol=1e-3)


def test_folded_weights_fit_a_network_with_norms() -> None:
    torch.manual_seed(0)
    trained = get_architecture("dbm-lite").build().train()
    trained(torch.randn(2, 3, 96, 96))  # gives the norms statistics of their own
    image = torch.randn(1, 3, 64, 64)
    expected = trained.eval()(image)
    fresh = get_architecture("dbm-lite").build().eval()
    set_weights(fresh, fold_norms(trained).state_dict())
    torch.testing.assert_close(fresh(image), expected, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fresh.modules())


def test_a_file_that_is_no_onnx_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"junk")
    with pytest.raises(ConfigError, match=r"broken\.onnx: not an ONNX file"):
        build_network("dbm-lite", tmp_path / "broken.onnx")


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(ConfigError, match=r"absent\.safetensors: no such"):
        build_network("dbm-lite", tmp_path / "absent.safetensors")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" * 9)
    with pytest.raises(ConfigError, match=r"photo\.jpg: cannot be read as safetensors"):
        build_network("dbm-lite", tmp_path / "photo.jpg")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match=r"other\.safetensors: not the weights"):
        build_network("configuration-i", tmp_path / "other.safetensors")


def test_a_checkpoint_of_another_network_is_named() -> None:
    average = get_architecture("configuration-i").build().state_dict()
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: not the weights") as caught:
        build_trained({"average": average}, "dbm-lite", Path("checkpoint.pt"))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="needs ../shared/weights")
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("configuration-ii", "vgg16_imagenet_conv.safetensors"),
        ("dbm-lite", "efficientnet_lite0_imagenet.safetensors"),
    ],
)
def test_pre_trained_encoders_are_taken_over(name: str, file: str) -> None:
    torch.manual_seed(0)
    random = build_network(name).state_dict()
    pre_trained = build_network(name, WEIGHTS / file).state_dict()
    encoder = [key for key in random if key.startswith(("trunk.", "encoder."))]
    assert encoder
    for key in encoder:
        assert not torch.equal(random[key], pre_trained[key]), key


def test_depthwise_gradients_agree_with_plain_ones_under_autocast() -> None:
    from blurmapper.training.lite import Depthwise

    layer = Depthwise(8, 5, stride=2)
    image = torch.randn(2, 8, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        layer(image.bfloat16()).float().square().sum().backward()
    assert layer.weight.grad is not None
    ours = layer.weight.grad.clone()
    layer.zero_grad()
    layer(image.bfloat16().float()).square().sum().backward()
    assert layer.weight.grad is not None
    torch.testing.assert_close(ours, layer.weight.grad, rtol=0.05, atol=0.5)
