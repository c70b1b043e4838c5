"""Claims on the tiles that the network of amounts is trained on, and on how it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from blurmapper.amounts import BUNDLED
from blurmapper.applications.light import Kernel, disc_kernel, gaussian_kernel
from blurmapper.backends import open_session
from blurmapper.errors import DatasetError
from blurmapper.training.amount_network import AmountNetwork, amount_loss, targets
from blurmapper.training.amount_run import TileDataset, orient, score_tiles
from blurmapper.training.amount_scenes import (
    TILE,
    Tile,
    TileSource,
    covariance_of,
    draw_kernel,
    draw_leaves,
)
from blurmapper.training.augmentation import develop
from blurmapper.training.compositing import motion_kernel
from blurmapper.training.networks import load_weights


@pytest.fixture
def source(tmp_path: Path) -> TileSource:
    """Tiles of a photo of texture."""
    texture = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), texture)
    return TileSource((tmp_path / "photo.png",), 3)


def axes(kernel: Kernel) -> tuple[float, float]:
    """Return log sigma and anisotropy in x of a kernel."""
    log_sigma, anisotropy = targets(torch.from_numpy(covariance_of(kernel)))
    return float(log_sigma), float(anisotropy[0])


@pytest.mark.parametrize("sigma", [1.0, 3.0, 6.0])
def test_sigma_is_that_of_the_gaussian_of_equal_spread(sigma: float) -> None:
    assert axes(gaussian_kernel(sigma)) == pytest.approx((np.log(sigma), 0), abs=0.03)
    assert axes(disc_kernel(2 * sigma)) == pytest.approx((np.log(sigma), 0), abs=0.07)
    level = motion_kernel(sigma * 24**0.5, 0.0, 0.0)
    assert axes(level) == pytest.approx((np.log(sigma), 1), abs=0.1)
    upright = motion_kernel(sigma * 24**0.5, np.pi / 2, 0.0)
    assert axes(upright) == pytest.approx((np.log(sigma), -1), abs=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_kernels_are_about_as_wide_as_asked_for(seed: int) -> None:
    kernel = draw_kernel(3.0, np.random.default_rng(seed))
    assert kernel.sum() == pytest.approx(1, abs=1e-4)
    assert np.exp(axes(kernel)[0]) == pytest.approx(3.0, rel=0.4)


def test_the_same_index_gives_the_same_tile_and_another_another(source: TileSource) -> None:
    first, again, other = source.tile(4), source.tile(4), source.tile(6)
    assert np.array_equal(first.grey, again.grey)
    assert np.array_equal(first.covariance, again.covariance, equal_nan=True)
    assert not np.array_equal(first.grey, other.grey)


def test_tiles_have_all_widths_and_cells_where_two_blurs_meet_have_none(source: TileSource) -> None:
    tiles = [source.tile(index) for index in range(60)]
    assert {tile.grey.shape for tile in tiles} == {(TILE, TILE)}
    assert {tile.covariance.shape for tile in tiles} == {(8, 8, 3)}
    sigmas = [np.sqrt(np.nanmean(tile.covariance[..., :2])) for tile in tiles]
    assert min(sigmas) < 0.6
    assert max(sigmas) > 4
    unknown = [np.isnan(tile.covariance).mean() for tile in tiles]
    assert 0 < np.mean(np.array(unknown) > 0) < 0.5
    assert max(unknown) < 0.7


def test_without_photos_there_are_no_tiles() -> None:
    with pytest.raises(DatasetError, match="no sharp photos"):
        TileSource((), 0)


@pytest.mark.parametrize("orientation", range(8))
def test_a_tile_is_turned_with_its_truth(orientation: int) -> None:
    kernel = motion_kernel(12.0, 0.5, 0.0)
    size = len(kernel)
    drawn = np.zeros((TILE, TILE), np.float32)
    drawn[:size, :size] = kernel / kernel.max() * 255
    tile = Tile(drawn.astype(np.uint8), np.tile(np.float32(covariance_of(kernel)), (8, 8, 1)))
    turned = orient(tile, orientation)
    rows, columns = np.nonzero(turned.grey)
    part = turned.grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    square = np.zeros((size, size), np.float32)
    square[: part.shape[0], : part.shape[1]] = part
    assert covariance_of(square) == pytest.approx(turned.covariance[0, 0], rel=0.1, abs=0.3)


def test_a_camera_keeps_size_and_depth_and_moves_no_edge() -> None:
    light = np.zeros((64, 96, 3), np.float32)
    light[:, 48:] = 0.5
    for seed in range(12):
        photo = develop(light, np.random.default_rng(seed))
        assert photo.shape == light.shape
        assert photo.dtype == np.uint8
        rise = np.abs(np.diff(photo.mean((0, 2), dtype=np.float64)))
        assert abs(int(rise.argmax()) - 47) <= 1


def test_leaves_are_light_with_edges_of_a_pixel() -> None:
    leaves = draw_leaves(128, np.random.default_rng(1))
    assert leaves.dtype == np.float32
    assert leaves.shape == (128, 128, 3)
    assert 0 <= leaves.min() < leaves.max() <= 2
    assert np.abs(np.diff(leaves, axis=1)).max() > 0.1


def answer_of(tile: Tile, doubt: float, error: float) -> torch.Tensor:
    log_sigma, anisotropy = targets(torch.from_numpy(tile.covariance)[None].nan_to_num(1.0))
    answers = [log_sigma + error, torch.full_like(log_sigma, doubt), *anisotropy.unbind(-1)]
    return torch.stack(answers, dim=1)


def test_the_loss_wants_what_is_true_and_doubt_as_large_as_the_error(source: TileSource) -> None:
    tile = source.tile(0)
    truth = torch.from_numpy(tile.covariance)[None]

    def loss(doubt: float, error: float) -> float:
        return float(amount_loss(answer_of(tile, doubt, error), truth))

    assert loss(-2.0, 0.0) < loss(-2.0, 0.2)
    assert loss(np.log(0.3), 0.3) < min(loss(np.log(0.1), 0.3), loss(np.log(0.9), 0.3))


def test_cells_where_two_blurs_meet_teach_nothing() -> None:
    answers = torch.randn(1, 4, 8, 8, requires_grad=True)
    amount_loss(answers, torch.full((1, 8, 8, 3), torch.nan)).backward()
    assert answers.grad is not None
    assert float(answers.grad.abs().max()) == 0


def test_a_dataset_shows_a_tile_again_in_another_way(
    source: TileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blurmapper.training.amount_run.DISTINCT", 2)
    dataset = TileDataset(source, 10)
    shown: list[npt.NDArray[np.uint8]] = [dataset[index][0].numpy() for index in (0, 2, 4)]
    assert shown[0].shape == (1, TILE, TILE)
    assert not np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[1], shown[2])
    assert torch.equal(dataset[4][0], dataset[4][0])


def test_scores_are_those_of_the_answers(source: TileSource) -> None:
    tiles = [source.tile(index) for index in range(40)]
    truth = torch.from_numpy(np.stack([tile.covariance for tile in tiles]))
    answers = torch.cat([answer_of(tile, -2.0, 0.1) for tile in tiles])

    class Told(torch.nn.Module):
        def forward(self, part: torch.Tensor) -> torch.Tensor:
            return answers[part[:, 0, 0, 0].long()]

    numbers = torch.arange(40.0).view(40, 1, 1, 1)
    scores = score_tiles(Told(), numbers, truth)
    assert scores["error"] == pytest.approx(0.1, abs=1e-3)
    assert scores["sure"] == 1
    assert scores["degrees"] == pytest.approx(0, abs=0.1)


def test_the_weights_that_ship_are_those_of_this_network() -> None:
    network = AmountNetwork().eval()
    load_weights(network, BUNDLED / "amount.onnx")
    tile = torch.randn(1, 1, 96, 160, generator=torch.Generator().manual_seed(0))
    (shipped,) = open_session(BUNDLED / "amount.onnx").run(["cells"], {"image": tile.numpy()})
    np.testing.assert_allclose(network(tile).detach().numpy(), shipped, atol=1e-4)


def test_the_network_answers_for_cells_of_sixteen_pixels() -> None:
    answers = AmountNetwork()(torch.zeros(2, 3, 64, 96))
    assert answers.shape == (2, 4, 4, 6)
