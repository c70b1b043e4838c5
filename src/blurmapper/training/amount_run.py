"""Training of the network that measures blur, in the loop that all networks share."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from blurmapper.training.amount_network import amount_loss, targets
from blurmapper.training.amount_scenes import Tile, TileSource
from blurmapper.training.config import TrainingConfig
from blurmapper.training.loop import TrainingRun, to_input
from blurmapper.training.networks import get_architecture, set_weights
from blurmapper.training.photos import read_library

DISTINCT = 4_032
"""Tiles that are made, kept in memory (a gigabyte) and shown again turned and mirrored.

A whole number of batches for each of a few workers, so that each meets its own tiles again."""

_MIRRORED = np.array([1, 1, -1], np.float32)

HELD_OUT_TILES = 200


class TileDataset(Dataset[tuple[Tensor, Tensor]]):
    """Tiles as tensors: uint8 (1, H, W) and the covariance of their cells, float32 (h, w, 3)."""

    def __init__(self, source: TileSource, count: int) -> None:
        self.source, self.count = source, count
        self._made: dict[int, Tile] = {}

    def __len__(self) -> int:
        """Return how many times a tile is shown."""
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a tile in one of its eight orientations, lighter or darker."""
        number = index % DISTINCT
        if number not in self._made:
            self._made[number] = self.source.tile(number)
        rng = np.random.default_rng((self.source.seed, index, 2))
        grey, covariance = orient(self._made[number], int(rng.integers(8)))
        gain, lift = np.exp(rng.normal(0, 0.25)), 255 * rng.normal(0, 0.06)
        grey = (grey * gain + lift).clip(0, 255).astype(np.uint8)
        return torch.from_numpy(grey[np.newaxis]), torch.from_numpy(covariance)


def orient(tile: Tile, orientation: int) -> Tile:
    """Return a tile mirrored and turned, and with it the blur of its cells; 0 leaves it alone."""
    grey, covariance = tile
    if orientation & 1:
        grey, covariance = grey[:, ::-1], covariance[:, ::-1] * _MIRRORED
    if orientation & 2:
        grey, covariance = grey[::-1], covariance[::-1] * _MIRRORED
    if orientation & 4:
        grey, covariance = grey.T, covariance.transpose(1, 0, 2)[..., [1, 0, 2]]
    return Tile(np.ascontiguousarray(grey), np.ascontiguousarray(covariance))


class AmountRun(TrainingRun):
    """A run whose pairs are tiles with the true width of their blur."""

    def dataset(self, count: int) -> Dataset[tuple[Tensor, Tensor]]:
        """Return the tiles of the config's sharp photos."""
        photos = read_library(self.config.photos).sharp
        return TileDataset(TileSource(photos, self.config.seed), count)

    def loss(self, answers: Tensor, truth: Tensor) -> Tensor:
        """Return the loss of a batch."""
        return amount_loss(answers, truth)

    def score(self) -> dict[str, float]:
        """Return how far off the averaged weights are on tiles of photos held out of training.

        Of few photos none may be held out: then there is nothing to say.
        """
        held_out = read_library(self.config.photos, held_out=True).sharp
        if not held_out:
            return {}
        network = get_architecture(self.config.architecture).build().to(self.device)
        set_weights(network, self.average)
        network.eval()
        grey, truth = _held_out_tiles(self.config)
        return score_tiles(network, to_input(grey.to(self.device), self.preprocessing), truth)


def score_tiles(network: nn.Module, inputs: Tensor, truth: Tensor) -> dict[str, float]:
    """Return the median relative error of what is seen, and of it with a doubt below a quarter."""
    with torch.inference_mode():
        answers = torch.cat([network(part) for part in torch.split(inputs, 8)]).cpu()
    answers, truth = answers.permute(0, 2, 3, 1)[:, 1:-1, 1:-1], truth[:, 1:-1, 1:-1]
    known = truth[..., 0].isfinite()
    log_sigma, anisotropy = targets(truth[known])
    blank, answers = answers[truth[..., 0].isinf()], answers[known]
    error = (answers[:, 0] - log_sigma).abs()
    sure = answers[:, 1] < np.log(0.25)
    moved = sure & (anisotropy.norm(dim=1) > 0.8) & (log_sigma > 0)
    turned = (_angle(answers[:, 2:]) - _angle(anisotropy) + 90).remainder(180) - 90
    scores = {
        "sure_of_nothing": (blank[:, 1] < np.log(0.25)).float().mean(),
        "error": error.median(),
        "sure": sure.float().mean(),
        "sure_error": error[sure].median(),
        "sure_error_sharp": error[sure & (log_sigma < 0)].median(),
        "degrees": turned[moved].abs().median(),
    }
    return {key: round(float(value), 4) for key, value in scores.items() if not value.isnan()}


def _angle(anisotropy: Tensor) -> Tensor:
    """Return the angle in degrees of the long axis."""
    return torch.atan2(anisotropy[:, 1], anisotropy[:, 0]).rad2deg() / 2


@cache
def _held_out_tiles(config: TrainingConfig) -> tuple[Tensor, Tensor]:
    source = TileSource(read_library(config.photos, held_out=True).sharp, config.seed)
    tiles = [source.tile(index) for index in range(HELD_OUT_TILES)]
    grey: npt.NDArray[np.uint8] = np.stack([tile.grey for tile in tiles])
    truth = torch.from_numpy(np.stack([tile.covariance for tile in tiles]))
    return torch.from_numpy(grey[:, np.newaxis]), truth
