"""A learned refinement to measure the guided filter against: a small network at the photo's size.

It sees the photo and the enlarged map's logit, and adds to the logit: five 3 x 3 convolutions of 16
channels, dilated up to 8 pixels, trained on pairs of `blurmapper.training` whose outlines are
exact. `benchmarks/refinement.py` trains it anew, in a few minutes, for the network it refines.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blurmapper.images import BlurMap, ImageArray
from blurmapper.mapper import BlurMapper
from blurmapper.refinement import enlarge_map
from blurmapper.training.config import Mixture
from blurmapper.training.data import PairSource
from blurmapper.training.pairs import UNDECIDED
from blurmapper.training.photos import read_library

PAIRS, SIDE, CROP, BATCH, STEPS = 240, 384, 160, 8, 900
CHANNELS = 16


class JointRefiner(nn.Module):
    """Photo (N, 3, H, W) in [0, 1] and logits (N, 1, H, W) -> logits that follow the photo."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 4
        for dilation in (1, 2, 4, 8):
            layers += [
                nn.Conv2d(inputs, CHANNELS, 3, padding=dilation, dilation=dilation),
                nn.ReLU(),
            ]
            inputs = CHANNELS
        last = nn.Conv2d(CHANNELS, 1, 3, padding=1)
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*layers, last)

    def forward(self, photo: Tensor, logits: Tensor) -> Tensor:
        """Return the logits with what the layers add."""
        added: Tensor = self.layers(torch.cat([photo - 0.5, logits / 4.0], dim=1))
        return logits + added


def train_refiner(mapper: BlurMapper, photos: Path) -> Callable[[ImageArray, BlurMap], BlurMap]:
    """Train on pairs mapped by `mapper`, and return the refinement."""
    torch.manual_seed(0)
    source = PairSource(read_library(photos), SIDE, 1, Mixture(0.0, 0.5, 0.0, 0.0, 0.5))
    pairs = [source.pair(index) for index in range(PAIRS)]
    photo = torch.stack([torch.from_numpy(pair.image).permute(2, 0, 1) for pair in pairs])
    label = torch.stack([torch.from_numpy(pair.label) for pair in pairs])
    coarse = torch.stack([_logits(mapper.map_coarse(pair.image), SIDE, SIDE) for pair in pairs])
    network = JointRefiner()
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    random = np.random.default_rng(0)
    for _ in range(STEPS):
        chosen = random.integers(PAIRS, size=BATCH)
        top, left = random.integers(SIDE - CROP, size=2)
        part = (slice(top, top + CROP), slice(left, left + CROP))
        logits = network(photo[chosen, :, *part] / 255.0, coarse[chosen, :, *part])[:, 0]
        wanted = label[chosen, *part]
        decided = (wanted != UNDECIDED).float()
        target = (wanted > UNDECIDED).float()
        loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        optimiser.zero_grad()
        (loss * decided).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()

    def refine(image: ImageArray, coarse_map: BlurMap) -> BlurMap:
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None] / 255.0
        with torch.inference_mode():
            logits = network(pixels, _logits(coarse_map, *image.shape[:2])[None])
        return np.asarray(torch.sigmoid(logits)[0, 0].numpy())

    return refine


def _logits(coarse_map: BlurMap, height: int, width: int) -> Tensor:
    enlarged = enlarge_map(coarse_map, height, width)[None]
    return torch.logit(torch.from_numpy(enlarged), eps=1e-3)
