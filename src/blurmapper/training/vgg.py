"""VGG16 trimmed, and what the paper compares it with: skip layers, fusion, learnt upsampling.

Ma et al., "Deep Blur Mapping", IEEE TIP 2018, sections III-B and IV-B. VGG16 is of Simonyan and
Zisserman, arXiv:1409.1556. All networks here take (N, 3, H, W), BGR in 0-255 less the ImageNet
mean, and return logits, positive = blurred. Pooling rounds sizes up, as Caffe does, so that any
size has an answer everywhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

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
        return self.group_features(image)[-1]

    def group_features(self, image: Tensor) -> list[Tensor]:
        """Return the features that end each group: conv1_2, conv2_2, conv3_3 and so on."""
        ends: list[Tensor] = []
        features = image
        for name in self.names:
            if name.endswith("_1") and name != "conv1_1":
                ends.append(features)
                features = pool(features)
            features = functional.relu(self.get_submodule(name)(features))
        return [*ends, features]


class TrimmedVgg(nn.Module):
    """Configurations I to V of Table I: trunk, 1x1 convolution, bilinear upsampling.

    Parameters
    ----------
    groups : int
        Where VGG16 is cut: after the last convolution of this group, its pooling dropped.
    learnt : bool
        Whether the upsampling, which starts as the bilinear one, learns.
    """

    def __init__(self, groups: int, *, learnt: bool = False) -> None:
        super().__init__()
        self.trunk = VggTrunk(groups)
        self.score = nn.Conv2d(VGG_GROUPS[groups - 1][1], 1, 1)
        self.factor = 2 ** (groups - 1)
        self.upsampling = LearntUpsampling(self.factor) if learnt else None

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1, H, W)."""
        height, width = image.shape[2:]
        coarse = self.score(self.trunk(continue_to_cells(image, self.factor)))
        if self.upsampling is not None:
            return self.upsampling(coarse, image.shape)  # type: ignore[no-any-return]
        enlarged = functional.interpolate(coarse, scale_factor=float(self.factor), mode="bilinear")
        return enlarged[..., :height, :width]


class Fcn8s(nn.Module):
    """Configuration V with skip layers from pool3 and pool4.

    Long, Shelhamer and Darrell, "Fully convolutional networks for semantic segmentation", CVPR
    2015, doi:10.1109/CVPR.2015.7298965: scores of coarser layers are upsampled, by deconvolutions
    that start bilinear and learn, and added to those of finer ones. Their network goes on to
    stride 32; ours ends with conv5_3, at the stride of pool4, so that the first sum needs no
    upsampling.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = VggTrunk(5)
        *_, pool3, pool4, last = (channels for _, channels in VGG_GROUPS)
        self.score = nn.Conv2d(last, 1, 1)
        self.score_pool4 = nn.Conv2d(pool4, 1, 1)
        self.score_pool3 = nn.Conv2d(pool3, 1, 1)
        self.upsampling_to_pool3 = LearntUpsampling(2)
        self.upsampling = LearntUpsampling(8)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1, H, W)."""
        _, _, conv3, conv4, conv5 = self.trunk.group_features(continue_to_cells(image))
        pool3, pool4 = pool(conv3), pool(conv4)
        coarse = self.score(conv5) + self.score_pool4(pool4)
        finer = self.upsampling_to_pool3(coarse, pool3.shape) + self.score_pool3(pool3)
        return self.upsampling(finer, image.shape)  # type: ignore[no-any-return]


class WeightedFusion(nn.Module):
    """Side outputs of all five groups, added with weights that are learnt.

    Xie and Tu, "Holistically-nested edge detection", ICCV 2015, doi:10.1109/ICCV.2015.164, on
    logits.

    Parameters
    ----------
    supervised : bool
        Whether every side output is trained to be a blur map itself (deep supervision, DSN).
    """

    def __init__(self, *, supervised: bool) -> None:
        super().__init__()
        self.supervised = supervised
        self.trunk = VggTrunk(5)
        self.scores = nn.ModuleList(nn.Conv2d(channels, 1, 1) for _, channels in VGG_GROUPS)
        # Four dimensions, as a kernel has: decayed, and at the kernels' rate.
        self.fusion = nn.Parameter(torch.full((1, len(VGG_GROUPS), 1, 1), 1 / len(VGG_GROUPS)))

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1, H, W); in training under supervision the five sides' after them."""
        height, width = image.shape[2:]
        image = continue_to_cells(image)
        size = image.shape[2:]
        scored = zip(self.scores, self.trunk.group_features(image), strict=True)
        sides = torch.cat(
            [functional.interpolate(score(f), size=size, mode="bilinear") for score, f in scored], 1
        )
        sides = sides[..., :height, :width]
        fused = (sides * self.fusion).sum(1, keepdim=True)
        return torch.cat([fused, sides], 1) if self.supervised and self.training else fused

    @property
    def weights(self) -> dict[str, float]:
        """What each side output counts in the sum; they need not add up to one."""
        values = self.fusion.detach().flatten().tolist()
        ends = (f"conv{n}_{count}" for n, (count, _) in enumerate(VGG_GROUPS, start=1))
        return dict(zip(ends, values, strict=True))


class LearntUpsampling(nn.Module):
    """Upsampling of one channel by a deconvolution that starts as the bilinear one.

    Parameters
    ----------
    factor : int
        A power of two.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(bilinear_kernel(factor))

    def forward(self, coarse: Tensor, shape: torch.Size) -> Tensor:
        """Return (N, 1, H, W) with H and W those of `shape`, at most `factor` times the input's.

        What lies beyond the border is taken to go on as it ends, as `interpolate` takes it.
        """
        if self.factor > 1:
            around = functional.pad(coarse, (1, 1, 1, 1), mode="replicate")
            coarse = functional.conv_transpose2d(
                around, self.weight, stride=self.factor, padding=self.factor + self.factor // 2
            )
        return coarse[..., : shape[2], : shape[3]]


def continue_to_cells(image: Tensor, side: int = 16) -> Tensor:
    """Continue an image (N, C, H, W) by its edge to whole cells, as it has in training.

    What a cell that lies partly beyond the border says was never learnt, and enlarging it to what
    of it is seen would stretch the map.
    """
    height, width = image.shape[2:]
    return functional.pad(image, (0, -width % side, 0, -height % side), mode="replicate")


def bilinear_kernel(factor: int) -> Tensor:
    """Return the kernel (1, 1, 2 factor, 2 factor) whose deconvolution is bilinear upsampling."""
    centre = factor - 0.5
    tent = 1 - (torch.arange(2 * factor) - centre).abs() / factor
    return (tent[:, None] * tent[None, :]).expand(1, 1, -1, -1).clone()


def pool(features: Tensor) -> Tensor:
    """Return the largest of each 2 x 2, at half the size, rounded up."""
    return functional.max_pool2d(features, 2, ceil_mode=True)
