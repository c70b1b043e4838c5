"""Claims on the tiles that the network of amounts is trained on, and on how it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from blurmapper.amounts import BUNDLED, CELL, LEVELS, LOOK, WEIGH, measure_amounts
from blurmapper.applications.light import Kernel, disc_kernel, gaussian_kernel
from blurmapper.errors import DatasetError
from blurmapper.training.amount_network import ANSWERS, NOTES, AmountNetwork, amount_loss, targets
from blurmapper.training.amount_run import AmountRun, TileDataset, orient, score_tiles
from blurmapper.training.amount_scenes import (
    TILE,
    Tile,
    TileSource,
    covariance_of,
    draw_kernel,
)
from blurmapper.training.augmentation import develop
from blurmapper.training.compositing import motion_kernel
from blurmapper.training.config import TrainingConfig
from blurmapper.training.leaves import draw_leaves, draw_things
from blurmapper.training.storage import read_onnx_weights

CELLS = TILE // CELL


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
    tiles = [source.tile(index) for index in range(24)]
    assert {tile.grey.shape for tile in tiles} == {(TILE, TILE)}
    assert {tile.covariance.shape for tile in tiles} == {(CELLS, CELLS, 3)}
    variances = np.stack([tile.covariance[..., :2].mean(axis=2) for tile in tiles])
    sigmas = np.sqrt(variances[np.isfinite(variances)])
    assert sigmas.min() < 0.6
    assert sigmas.max() > 8
    unknown = [np.isnan(tile.covariance).mean() for tile in tiles]
    assert 0.2 < np.mean(np.array(unknown) > 0) < 0.7
    assert np.median(unknown) < 0.3


def test_where_a_tile_is_flat_there_is_nothing_to_see_its_blur_by(tmp_path: Path) -> None:
    photo = np.full((TILE, TILE, 3), 120, np.uint8)
    photo[:, : TILE // 2] = np.random.default_rng(0).integers(0, 256, (TILE, TILE // 2, 3))
    cv2.imwrite(str(tmp_path / "half.png"), photo)
    drawn = [TileSource((tmp_path / "half.png",), seed).tile(0).covariance for seed in range(12)]
    flat = [np.isinf(covariance[..., 0]).mean() for covariance in drawn]
    assert np.median(flat) > 0.05
    assert max(flat) < 0.8


def test_sharp_things_stand_before_wide_blur(source: TileSource) -> None:
    found = 0
    for index in range(40):
        sigma = np.sqrt(source.tile(index).covariance[..., :2].mean(axis=2))
        sigma = sigma[np.isfinite(sigma)]
        found += bool(np.median(sigma) > 4 and 0.01 < (sigma < 2).mean() < 0.5)
    assert found > 2


def test_things_are_somewhere_and_end_within_a_pixel() -> None:
    alpha = draw_things(256, np.random.default_rng(5))
    assert alpha.shape == (256, 256)
    assert alpha.min() == 0
    assert alpha.max() == 1
    assert 0.02 < alpha.mean() < 0.8
    assert ((alpha > 0) & (alpha < 1)).mean() < 0.05


def test_without_photos_there_are_no_tiles() -> None:
    with pytest.raises(DatasetError, match="no sharp photos"):
        TileSource((), 0)


@pytest.mark.parametrize("orientation", range(8))
def test_a_tile_is_turned_with_its_truth(orientation: int) -> None:
    kernel = motion_kernel(12.0, 0.5, 0.0)
    size = len(kernel)
    drawn = np.zeros((TILE, TILE), np.float32)
    drawn[:size, :size] = kernel / kernel.max() * 255
    tile = Tile(
        drawn.astype(np.uint8), np.tile(np.float32(covariance_of(kernel)), (CELLS, CELLS, 1))
    )
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
    truth = truth.masked_fill(truth.isinf(), torch.nan)

    def loss(doubt: float, error: float) -> float:
        return float(amount_loss(answer_of(tile, doubt, error), truth))

    assert loss(-2.0, 0.0) < loss(-2.0, 0.2)
    assert loss(np.log(0.3), 0.3) < min(loss(np.log(0.1), 0.3), loss(np.log(0.9), 0.3))


def test_where_nothing_is_to_be_seen_the_loss_wants_complete_doubt_whatever_is_said() -> None:
    truth = torch.full((1, 4, 4, 3), torch.inf)

    def loss(doubt: float, log_sigma: float) -> float:
        answers = torch.zeros(1, ANSWERS, 4, 4)
        answers[:, 0], answers[:, 1] = log_sigma, doubt
        return float(amount_loss(answers, truth))

    assert loss(0.0, 0.0) == loss(0.0, 2.0)
    assert loss(0.0, 0.0) < min(loss(-2.0, 0.0), loss(2.0, 0.0))


def test_each_look_learns_blur_in_its_own_pixels_and_none_that_is_too_wide_for_it() -> None:
    answers = torch.zeros(1, ANSWERS * (1 + LEVELS), 4, 4)
    sigma = 12.0  # 12, 6, 3 and 1.5 pixels: too wide for the first look.
    for level in range(LEVELS):
        answers[:, ANSWERS * (1 + level)] = np.log(sigma / 2**level)
    answers[:, 0] = np.log(sigma)
    truth = torch.tensor([sigma**2, sigma**2, 0.0]).expand(1, 4, 4, 3)
    assert float(amount_loss(answers, truth)) == pytest.approx(0, abs=1e-5)
    answers[:, ANSWERS] = 99.0
    assert float(amount_loss(answers, truth)) == pytest.approx(0, abs=1e-5)
    answers[:, 2 * ANSWERS] = 99.0
    assert float(amount_loss(answers, truth)) > 1


def test_cells_where_two_blurs_meet_teach_nothing() -> None:
    answers = torch.randn(1, ANSWERS * (1 + LEVELS), 8, 8, requires_grad=True)
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
    tiles = [source.tile(index) for index in range(24)]
    truth = torch.from_numpy(np.stack([tile.covariance for tile in tiles]))
    answers = torch.cat([answer_of(tile, -2.0, 0.1) for tile in tiles])

    class Told(torch.nn.Module):
        def forward(self, part: torch.Tensor) -> torch.Tensor:
            return answers[part[:, 0, 0, 0].long()]

    numbers = torch.arange(24.0).view(24, 1, 1, 1)
    scores = score_tiles(Told(), numbers, truth)
    assert scores["error"] == pytest.approx(0.1, abs=1e-3)
    assert scores["sure"] == 1
    assert scores["degrees"] == pytest.approx(0, abs=0.1)


def shipped(photo: torch.Tensor) -> torch.Tensor:
    """Return what the network answers with the weights of the package."""
    network = AmountNetwork().eval()
    parts = [read_onnx_weights(BUNDLED / f"{name}.onnx") for name in (LOOK, WEIGH)]
    network.load_state_dict(parts[0] | parts[1])
    with torch.inference_mode():
        return network(photo)


def test_the_weights_that_ship_are_those_of_this_network() -> None:
    light = draw_leaves(384, np.random.default_rng(3))
    photo = develop(light, np.random.default_rng(4))
    grey = np.float32(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    answers = shipped(torch.from_numpy((grey - 102) / 64)[None, None])[0].numpy()
    inside = slice(2, -2)  # The network's own border is empty, a photo's is continued.
    sigma = measure_amounts(photo).sigma[inside, inside]
    known = np.isfinite(sigma)
    assert known.mean() > 0.3
    # Halving rounds half a grey value up or down.
    expected = np.exp(answers[0][inside, inside][known])
    np.testing.assert_allclose(sigma[known], expected, rtol=0.05)


def test_the_network_answers_for_cells_of_sixteen_pixels() -> None:
    network = AmountNetwork()
    photos = torch.zeros(2, 3, 512, 640)
    assert network(photos).shape == (2, ANSWERS * (1 + LEVELS), 32, 40)
    assert network.eval()(photos).shape == (2, ANSWERS, 32, 40)
    assert network.look(photos[..., :64, :96]).shape == (2, NOTES, 4, 6)


def test_where_no_sharp_photo_is_held_out_there_is_no_score(tmp_path: Path) -> None:
    (tmp_path / "traced").mkdir()
    (tmp_path / "photos.csv").write_text("photo,use\nb,sharp\n")
    (tmp_path / "traced/photos.csv").write_text("photo\n")
    own = {"architecture": "amount", "photos": str(tmp_path), "output": str(tmp_path / "run")}
    assert AmountRun(TrainingConfig.from_dict(own)).score() == {}
