"""The network that measures blur: few channels, many pixels, one answer for each cell."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from blurmapper.amounts import CELL
from blurmapper.preprocessing import Preprocessing

CHANNELS = (16, 32, 48, 64)
"""At strides 2, 4, 8 and 16; 150,000 weights and 2,000 multiplications a pixel in all."""

SHARPEST = 0.3
"""Sigma in pixels that is asked for at least: less than that no pixel shows."""

GREY = Preprocessing(512, (102.0,) * 3, (1 / 64,) * 3, "rgb")
"""Of grey values from 0 to 255; the working side is that of the tiles, for nothing is reduced."""


class AmountNetwork(nn.Module):
    """Grey tiles (N, 1, H, W), sides multiples of `CELL`, to (N, 4, H / CELL, W / CELL).

    The channels are log sigma, in pixels of the tile; log doubt, the relative error that is to be
    expected of it; and the anisotropy in x and y: cos and sin of twice the angle of the blur's
    long axis, times (a - b) / (a + b) for variances a and b along and across it.
    """

    def __init__(self) -> None:
        super().__init__()
        layers = [_convolution(1, CHANNELS[0], stride=2, side=6)]
        for inputs, outputs in pairwise(CHANNELS):
            layers += [_convolution(inputs, outputs, stride=2), _convolution(outputs, outputs)]
        self.body = nn.Sequential(*layers, _convolution(CHANNELS[-1], CHANNELS[-1]))
        self.head = nn.Conv2d(CHANNELS[-1], 4, 1)

    def forward(self, grey: Tensor) -> Tensor:
        """Return the answers for tiles as `GREY` makes them; of colours the first counts."""
        answers: Tensor = self.head(self.body(grey[:, :1]))
        return answers


def amount_loss(answers: Tensor, covariance: Tensor) -> Tensor:
    """Return the loss: the likelihood of log sigma under a Laplace distribution as wide as doubt.

    Parameters
    ----------
    answers : Tensor
        (N, 4, h, w), as `AmountNetwork` gives them.
    covariance : Tensor
        (N, h, w, 3), as in `blurmapper.training.amount_scenes.Tile`; NaN counts for nothing.

    Notes
    -----
    Doubt learns to be large where no network could know: over flat walls, in the dark, in noise.
    Cells at the tile's border see less than those of a photo do and are left out.
    """
    answers, covariance = answers.permute(0, 2, 3, 1)[:, 1:-1, 1:-1], covariance[:, 1:-1, 1:-1]
    known = ~covariance[..., 0].isnan()
    answers, covariance = answers[known], covariance[known]
    log_sigma, anisotropy = targets(covariance)
    doubt = answers[:, 1]
    likelihood = (answers[:, 0] - log_sigma).abs() * torch.exp(-doubt) + doubt
    sureness = torch.exp(-doubt.detach()).clamp(max=8)
    direction = (answers[:, 2:] - anisotropy).square().sum(1) * sureness
    return (likelihood + direction).sum() / max(1, len(answers))


def targets(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return log sigma (...) and anisotropy (..., 2) of covariances (..., 3)."""
    across, down, mixed = covariance.unbind(-1)
    variance = ((across + down) / 2).clamp(min=SHARPEST**2)
    anisotropy = torch.stack([(across - down) / 2, mixed], dim=-1) / variance[..., None]
    return variance.log() / 2, anisotropy


def _convolution(inputs: int, outputs: int, stride: int = 1, side: int = 3) -> nn.Module:
    margin = (side - 1) // 2
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, stride, margin), nn.ReLU())


assert 2 ** len(CHANNELS) == CELL
