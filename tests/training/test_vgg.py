"""What tells the paper's variants apart."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from blurmapper.training.networks import build_network
from blurmapper.training.vgg import (
    Fcn8s,
    LearntUpsampling,
    TrimmedVgg,
    WeightedFusion,
    bilinear_kernel,
    pool,
)


def deconvolve(coarse: list[list[float]], factor: int) -> torch.Tensor:
    """Lay a bilinear tent over each value and add them up: a deconvolution by its definition."""
    height, width = len(coarse), len(coarse[0])
    answer = torch.zeros((height + 1) * factor, (width + 1) * factor)
    kernel = bilinear_kernel(factor)[0, 0]
    for row in range(height):
        for column in range(width):
            top, left = row * factor, column * factor
            answer[top : top + 2 * factor, left : left + 2 * factor] += kernel * coarse[row][column]
    margin = factor // 2
    return answer[margin : margin + height * factor, margin : margin + width * factor]


@pytest.mark.parametrize("factor", [2, 8, 16])
def test_learnt_upsampling_is_a_deconvolution_away_from_the_border(factor: int) -> None:
    coarse = torch.randn(5, 7)
    ours = LearntUpsampling(factor)(coarse[None, None], torch.Size((1, 1, 5 * factor, 7 * factor)))
    expected = deconvolve(coarse.tolist(), factor)
    inner = slice(factor, -factor)
    torch.testing.assert_close(ours[0, 0][inner, inner], expected[inner, inner])


@pytest.mark.parametrize("factor", [1, 2, 8, 16])
def test_learnt_upsampling_begins_as_the_fixed_one_border_included(factor: int) -> None:
    coarse = torch.randn(2, 1, 3, 4)
    ours = LearntUpsampling(factor)(coarse, torch.Size((2, 1, 3 * factor, 4 * factor)))
    fixed = functional.interpolate(coarse, scale_factor=factor, mode="bilinear")
    torch.testing.assert_close(ours, fixed)


def test_a_bilinear_kernel_is_known_by_hand() -> None:
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    torch.testing.assert_close(bilinear_kernel(2)[0, 0], torch.outer(tent, tent))


def test_learning_the_upsampling_changes_configuration_five_only_in_that() -> None:
    fixed, learnt = TrimmedVgg(5), TrimmedVgg(5, learnt=True)
    state = fixed.state_dict()
    learnt.load_state_dict({**state, "upsampling.weight": bilinear_kernel(16)})
    image = torch.randn(1, 3, 64, 96)
    torch.testing.assert_close(learnt(image), fixed(image))


def test_skip_layers_add_scores_of_pool3_and_pool4() -> None:
    network = Fcn8s()
    with torch.no_grad():
        for score in (network.score, network.score_pool4, network.score_pool3):
            score.weight.normal_(std=0.1)
    image = torch.randn(1, 3, 64, 96)
    _, _, conv3, conv4, conv5 = network.trunk.group_features(image)
    sixteenth = network.score(conv5) + network.score_pool4(pool(conv4))
    doubled = functional.interpolate(sixteenth, scale_factor=2, mode="bilinear")
    eighth = doubled + network.score_pool3(pool(conv3))
    expected = functional.interpolate(eighth, scale_factor=8, mode="bilinear")
    torch.testing.assert_close(network(image), expected, rtol=1e-4, atol=1e-4)


def test_fusion_is_the_weighted_sum_of_its_sides() -> None:
    network = WeightedFusion(supervised=True).train()
    with torch.no_grad():
        network.fusion.copy_(torch.arange(1.0, 6.0).view(1, 5, 1, 1))
        for score in network.scores:
            score.weight.normal_(std=0.1)
    logits = network(torch.randn(1, 3, 33, 47))
    assert logits.shape == (1, 6, 33, 47)
    weighted = sum(place * logits[:, place] for place in range(1, 6))
    torch.testing.assert_close(logits[:, 0], weighted)


def test_sides_are_told_in_training_under_supervision_alone() -> None:
    image = torch.randn(1, 3, 32, 32)
    assert WeightedFusion(supervised=True).eval()(image).shape[1] == 1
    assert WeightedFusion(supervised=False).train()(image).shape[1] == 1


def test_fusion_weights_begin_equal_and_are_named_by_layer() -> None:
    weights = WeightedFusion(supervised=False).weights
    assert list(weights) == ["conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"]
    assert list(weights.values()) == pytest.approx([0.2] * 5)


@pytest.mark.parametrize("name", ["configuration-i", "configuration-v", "fcn-8s", "dsn"])
def test_every_network_begins_undecided_everywhere(name: str) -> None:
    network = build_network(name).eval()
    image = 100 * torch.randn(1, 3, 32, 48)
    assert torch.equal(network(image), torch.zeros(1, 1, 32, 48))


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("configuration-iii", 1),  # in cells of 4 x 4, and of 16 x 16 all others
        ("configuration-v", 13),
        ("configuration-v-learnt", 13),
        ("fcn-8s", 13),
        ("fusion", 13),
    ],
)
def test_a_photo_of_any_size_is_mapped_in_whole_cells(name: str, below: int) -> None:
    network = build_network(name).eval()
    with torch.no_grad():
        for score in network.modules():
            if isinstance(score, nn.Conv2d) and score.out_channels == 1:
                score.weight.normal_(std=0.1)
    image = torch.randn(1, 3, 35, 45)
    whole = functional.pad(image, (0, 3, 0, below), mode="replicate")
    torch.testing.assert_close(network(image), network(whole)[..., :35, :45])
