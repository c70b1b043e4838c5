"""The network that measures blur: few channels, many pixels, one answer for each cell."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from blurmapper.amounts import CELL, LEVELS, MARGIN
from blurmapper.preprocessing import Preprocessing

CHANNELS = (16, 32, 48, 64)
"""At strides 2, 4, 8 and 16; 2,000 multiplications a pixel in all."""

ANSWERS = 4
"""Of a cell: log sigma, log doubt, and the anisotropy in x and y."""

NOTES = 12
"""What a look at one size notes of a cell: answers of its own, and what else helps to weigh it."""

SHARPEST = 0.3
"""Sigma in pixels that is asked for at least: less than that no pixel shows."""

WIDEST_LOOK = 8.0
"""Sigma in its own pixels up to which a look has to answer; wider blur the next size sees."""

LOOK_WEIGHT = 0.25
"""Of what each look answers by itself, beside 1 of what all say together."""

GREY = Preprocessing(512, (102.0,) * 3, (1 / 64,) * 3, "rgb")
"""Of grey values from 0 to 255; the working side is that of the tiles, for nothing is reduced."""


class AmountNetwork(nn.Module):
    """Grey photos (N, 1, H, W), sides multiples of 128 above 256, to (N, 4, H / CELL, W / CELL).

    The channels are log sigma, in pixels; log doubt, the relative error that is to be expected of
    it; and the anisotropy in x and y: cos and sin of twice the angle of the blur's long axis,
    times (a - b) / (a + b) for variances a and b along and across it.

    One `look` is taken at each of `LEVELS` sizes of the photo, each half the one before, and
    `weigh` makes one answer of what they note: a wide blur shows in the small sizes, and fine
    texture through a wide blur only fools those who see nothing else.
    """

    def __init__(self) -> None:
        super().__init__()
        layers = [_convolution(1, CHANNELS[0], stride=2, side=6)]
        for inputs, outputs in pairwise(CHANNELS):
            layers += [_convolution(inputs, outputs, stride=2), _convolution(outputs, outputs)]
        self.body = nn.Sequential(*layers, _convolution(CHANNELS[-1], CHANNELS[-1]))
        self.head = nn.Conv2d(CHANNELS[-1], NOTES, 1)
        notes = NOTES * LEVELS
        self.fusion = nn.Sequential(
            _convolution(notes, notes), _convolution(notes, notes), nn.Conv2d(notes, ANSWERS, 1)
        )

    def forward(self, grey: Tensor) -> Tensor:
        """Return the answers; in training those of each look come after them, at full size too."""
        levels, grey = [], grey[:, :1]
        for _ in range(LEVELS):
            margins = functional.pad(grey, (MARGIN,) * 4, mode="reflect")
            inside = slice(MARGIN // CELL, -(MARGIN // CELL))
            levels.append(self.look(margins)[..., inside, inside])
            grey = _halve(grey)
        notes = torch.cat([_enlarge(level, 2**i) for i, level in enumerate(levels)], dim=1)
        answers = self.weigh(notes)
        if not self.training:
            return answers
        return torch.cat(
            [answers, *(part[:, :ANSWERS] for part in torch.split(notes, NOTES, 1))], dim=1
        )

    def look(self, grey: Tensor) -> Tensor:
        """Return the notes (N, NOTES, h, w) of cells, from tiles as `GREY` makes them."""
        notes: Tensor = self.head(self.body(grey[:, :1]))
        return notes

    def weigh(self, notes: Tensor) -> Tensor:
        """Return the answers for the notes of all sizes, the full one first, one on the other."""
        answers: Tensor = self.fusion(notes)
        return answers


def amount_loss(answers: Tensor, covariance: Tensor) -> Tensor:
    """Return the loss: the likelihood of log sigma under a Laplace distribution as wide as doubt.

    Parameters
    ----------
    answers : Tensor
        (N, 4, h, w), as `AmountNetwork` gives them, or those of each look after them.
    covariance : Tensor
        (N, h, w, 3), as in `blurmapper.training.amount_scenes.Tile`; NaN counts for nothing, and
        where it is infinite all wants complete doubt of what is said in the end.

    Notes
    -----
    Doubt learns to be large where no network could know: over flat walls, in the dark, in noise.
    Cells at the tile's border see less than those of a photo do and are left out.
    """
    together, *looks = torch.split(answers[..., 1:-1, 1:-1], ANSWERS, dim=1)
    covariance = covariance[:, 1:-1, 1:-1]
    loss = _likelihood(together, covariance)
    for level, look in enumerate(looks):
        seen = covariance.masked_fill(covariance.isinf(), torch.nan) / 4**level
        wide = seen[..., :1] + seen[..., 1:2] > 2 * WIDEST_LOOK**2
        loss = loss + LOOK_WEIGHT * _likelihood(look, seen.masked_fill(wide, torch.nan))
    return loss


def _likelihood(answers: Tensor, covariance: Tensor) -> Tensor:
    known = ~covariance[..., 0].isnan()
    answers, covariance = answers.permute(0, 2, 3, 1)[known], covariance[known]
    seen = covariance[:, 0].isfinite()
    log_sigma, anisotropy = targets(covariance.masked_fill(~seen[:, None], 1.0))
    doubt = answers[:, 1]
    error = torch.where(seen, (answers[:, 0] - log_sigma).abs(), 1.0)
    likelihood = error * torch.exp(-doubt) + doubt
    sureness = torch.exp(-doubt.detach()).clamp(max=8) * seen
    direction = (answers[:, 2:] - anisotropy).square().sum(1) * sureness
    return (likelihood + direction).sum() / max(1, len(answers))


def targets(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return log sigma (...) and anisotropy (..., 2) of covariances (..., 3)."""
    across, down, mixed = covariance.unbind(-1)
    variance = ((across + down) / 2).clamp(min=SHARPEST**2)
    anisotropy = torch.stack([(across - down) / 2, mixed], dim=-1) / variance[..., None]
    return variance.log() / 2, anisotropy


def _halve(grey: Tensor) -> Tensor:
    """Return photos at half the size, in whole grey values as a photo's 8 bits have them."""
    mean, scale = GREY.mean[0], GREY.scale[0]
    return ((functional.avg_pool2d(grey, 2) / scale + mean).round() - mean) * scale


def _enlarge(notes: Tensor, factor: int) -> Tensor:
    return notes.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def _convolution(inputs: int, outputs: int, stride: int = 1, side: int = 3) -> nn.Module:
    margin = (side - 1) // 2
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, stride, margin), nn.ReLU())


assert 2 ** len(CHANNELS) == CELL
